"""Which ranges of creation time must be asked again at a poll, with the fewest requests.

What can have changed since the last whole poll: tasks created since (and some that arrived late),
tasks that had not ended, and ended ones whose money may still settle. The creation times of all
known tasks are known, so what a range costs is known too: one request for each page of them.

Times are Unix seconds where nothing else is said; ranges include both their ends.
"""

import math
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from exporter.tasks.inventory import Inventory

PAGE: Final = 100
OVERLAP: Final = 120
"""Tasks may appear this long after the creation time they bear, or our clock be so far ahead."""
BEYOND: Final = 26 * 3600
"""Asked for beyond now: no zone is configured more wrongly than from -12:00 to +14:00."""
LONGEST_HEAD: Final = 900
"""What was missed for longer than this is read as a sweep, beside the polls for what is new."""
SETTLE_AT: Final = (0.1, 0.4, 1.0)
"""When an ended task is read again, in parts of poll.settle since its end."""
REQUESTS_A_POLL: Final = 5
"""Reading settled money again waits for a poll that has other requests to spare, up to this."""
UNDOCUMENTED_EACH: Final = 10
"""Tasks in a status that cannot be asked for take a range of their own: in one of so many polls,
once nothing has changed in them for a while."""
UNDOCUMENTED_AFTER: Final = 3600.0
"""Seconds without a change until then."""
SWEEP_SLICE: Final = 20 * PAGE
"""A sweep is read in slices of about so many tasks, each whole by itself."""


@dataclass(frozen=True, slots=True)
class Range:
    """Creation times from ``begin`` to ``end``, both included."""

    begin: int
    end: int

    def __contains__(self, moment: int) -> bool:
        return self.begin <= moment <= self.end


@dataclass(frozen=True, slots=True)
class Head:
    """The newest tasks, to be read first.

    ``filtered``: the unfinished must be asked for by their status too; otherwise ``ranges`` has
    what is left of them.
    """

    newest: Range
    filtered: bool
    ranges: tuple[Range, ...]


def head(
    inventory: Inventory,
    now: float,
    *,
    last_whole: float | None,
    lookback: float,
    leave: Container[int] = (),
) -> Head:
    """Plan a poll at ``now`` after the last whole one at ``last_whole`` (None: the first).

    Unfinished tasks to ``leave`` are read only where others are read anyway.
    """
    horizon = math.floor(now - lookback) + 1
    begin = max(horizon, newest_from(inventory, now, last_whole=last_whole))
    end = math.floor(now) + BEYOND
    waiting = sorted(
        entry.created for task_id, entry in inventory.unfinished.items() if task_id not in leave
    )
    older = [created for created in waiting if horizon <= created < begin]
    if older:
        begin = _extended(inventory, begin, end, older)
        older = [created for created in older if created < begin]
    ranges = cover(inventory, older)
    filtered = cost(inventory, ranges) > _pages(len(waiting))
    return Head(Range(begin, end), filtered, () if filtered else tuple(ranges))


def newest_from(inventory: Inventory, now: float, *, last_whole: float | None) -> int:
    """Return from when on tasks can be new.

    Where the configured zone is behind the API's, new tasks seem older than the last poll; the
    newest known one, whatever its time, is where they begin.
    """
    moment = now
    if last_whole is not None:
        missed_long = has_gap(now, last_whole=last_whole)
        moment = now - LONGEST_HEAD if missed_long else min(last_whole, now)
        if inventory.newest is not None and not missed_long:
            moment = min(moment, inventory.newest)
    return math.floor(moment) - OVERLAP


def has_gap(now: float, *, last_whole: float) -> bool:
    """Whether more was missed than a poll reads for itself, so that a sweep must fill it in."""
    return now - last_whole > LONGEST_HEAD


def _extended(inventory: Inventory, begin: int, end: int, older: Sequence[int]) -> int:
    """Return how far back the head can begin at no further request, where that helps."""
    known = inventory.count_between(begin, end)
    # What is new is not known yet: leave room for as much again as the overlap holds.
    room = PAGE - 2 * known - PAGE // 10
    if room <= 0:
        return begin
    for created in older:
        if inventory.count_between(created, begin - 1) <= room:
            return created
    return begin


def cover(inventory: Inventory, moments: Iterable[int]) -> list[Range]:
    """Return ranges that hold all tasks created at the given moments, with the fewest requests."""
    ranges: list[Range] = []
    for moment in sorted(set(moments)):
        if ranges and _had_better_reach(inventory, ranges[-1], moment):
            ranges[-1] = Range(ranges[-1].begin, moment)
        else:
            ranges.append(Range(moment, moment))
    return ranges


def _had_better_reach(inventory: Inventory, last: Range, moment: int) -> bool:
    """Whether a range had better reach on to ``moment`` than leave it to a range of its own.

    At the same cost it had where that leaves more room on the last page for what comes next: so
    it is where hundreds of tasks were created in the same second, and else for one page only.
    """
    together = inventory.count_between(last.begin, moment)
    if together <= PAGE:
        return True
    alone = inventory.count_between(moment, moment)
    joined = _pages(together)
    apart = _pages(inventory.count_between(last.begin, last.end)) + _pages(alone)
    if joined != apart:
        return joined < apart
    return joined * PAGE - together > _pages(alone) * PAGE - alone


def _pages(tasks: int) -> int:
    return max(1, math.ceil(tasks / PAGE))


def cost(inventory: Inventory, ranges: Iterable[Range]) -> int:
    """Return how many requests ranges will take."""
    return sum(_pages(inventory.count_between(each.begin, each.end)) for each in ranges)


def settling(inventory: Inventory, now: float, *, settle: float, spent: int) -> list[Range]:
    """Return ranges with ended tasks that are due to be read again, the longest overdue first.

    ``now`` is by the clock that puts readings in order, not Unix time.

    ``spent`` requests are made in this poll already; what is left of REQUESTS_A_POLL is used, or
    what one range takes where something has waited for too long.
    """
    due: dict[int, float] = {}
    for task_id, entry in list(inventory.settling.items()):
        ended_at = entry.ended_at
        if ended_at is None or entry.read_at >= ended_at + settle * SETTLE_AT[-1]:
            inventory.settled(task_id)
            continue
        moments = (ended_at + part * settle for part in SETTLE_AT)
        missed = [moment for moment in moments if entry.read_at < moment <= now]
        if missed:
            created = entry.created
            due[created] = min(missed[0], due.get(created, missed[0]))
    ranges = cover(inventory, due)
    overdue = {
        each: min(since for created, since in due.items() if created in each) for each in ranges
    }
    ranges.sort(key=overdue.__getitem__)
    urgent = bool(ranges) and overdue[ranges[0]] < now - settle / 10
    left = REQUESTS_A_POLL - spent
    chosen: list[Range] = []
    for each in ranges:
        left -= cost(inventory, [each])
        if left < 0 and (chosen or not urgent):
            break
        chosen.append(each)
    return chosen


def sweep_span(now: float, lookback: float) -> Range:
    """Return what a sweep that is begun at ``now`` must read: all that no poll from now on reads.

    It reaches up to where the first poll ever, or the first after a gap, began, wherever the
    newest known task lies: were anything between the two left out, the next poll would take it
    for new.
    """
    horizon = math.floor(now - lookback) + 1
    return Range(horizon, max(horizon, math.floor(now) - OVERLAP - 1))


def slices(span: Range, total: int) -> list[Range]:
    """Cut a span with ``total`` tasks into slices for a sweep, the newest first."""
    number = max(1, math.ceil(total / SWEEP_SLICE))
    edges = [
        span.begin + (span.end + 1 - span.begin) * part // number for part in range(number + 1)
    ]
    cuts = [Range(first, last - 1) for first, last in pairwise(edges) if first < last]
    return cuts[::-1]
