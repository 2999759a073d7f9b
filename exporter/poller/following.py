"""One app: what a poll asks of it, and what becomes of the answers."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from exporter.api.paging import RangeReader, Selection
from exporter.api.reading import Reading
from exporter.poller.side_by_side import side_by_side
from exporter.poller.sweep import Sweep
from exporter.poller.turns import in_turns, parts
from exporter.tasks import coverage
from exporter.tasks.coverage import Range
from exporter.tasks.inventory import Change
from exporter.tasks.task import CODES, UNFINISHED, Status
from exporter.tasks.tracking import TrackedApp
from exporter.tasks.windows import STEP


class Telemetry(Protocol):
    """What following an app tells for the exporter's own metrics, and hears of the client."""

    requests: int

    def rejected(self, reasons: Sequence[str]) -> None:
        """Take note of records that could not be read."""

    def sweep_corrected(self, tasks: int) -> None:
        """Take note of tasks that a sweep found otherwise than polls had left them."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How an account is asked. ``now`` is Unix time by the API's clock."""

    reader: RangeReader
    sweep_reader: RangeReader
    """For sweeps: never has more requests waiting than can be under way, so polls get through."""
    now: Callable[[], float]
    monotonic: Callable[[], float]
    telemetry: Telemetry
    slices_at_once: int


class FollowedApp:
    """An app's tracked tasks, kept up to date by asking for what can have changed."""

    def __init__(self, tracked: TrackedApp, selection: Selection, asking: Asking) -> None:
        self.tracked = tracked
        self.sweep: Sweep | None = None
        self.swept_at: float | None = None
        """When the last whole sweep was begun, by the monotonic clock; None before the first."""
        self._selection = selection
        self._asking = asking
        self._polls = 0

    async def ask(self) -> None:
        """Read what can have changed since the last whole poll, and apply it.

        Raises the ApiError that a request ended in; what was read whole before it stays applied.
        """
        tracked, asking = self.tracked, self._asking
        now = asking.now()
        if tracked.last_whole is not None and coverage.has_gap(now, last_whole=tracked.last_whole):
            tracked.complete = False
        leave = self._to_leave(now)
        plan = coverage.head(
            tracked.inventory,
            now,
            last_whole=tracked.last_whole,
            lookback=tracked.lookback,
            leave=leave,
        )
        requests = asking.telemetry.requests
        begun = asking.monotonic()
        head = await self._read(plan.newest)
        if abs(asking.now() - now - (asking.monotonic() - begun)) > coverage.OVERLAP:
            # Only now is it known what time it is: what was planned belongs to another time.
            await self.ask()
            return
        if not tracked.begun(now):
            tracked.begin(plan.newest, head.tasks)
        await self._apply(head)
        ranges: Sequence[Range] = plan.ranges
        if plan.filtered:
            ranges = await self._ask_unfinished(plan.newest, head.begun, leave)
        await self._read_all(ranges)
        due = coverage.settling(
            tracked.inventory,
            asking.monotonic(),
            settle=tracked.settle,
            spent=asking.telemetry.requests - requests,
        )
        await self._read_all(due)
        await in_turns(tracked.advancing(asking.now()))
        tracked.last_whole = now

    def _to_leave(self, now: float) -> frozenset[int]:
        """Return the tasks for whose sake alone nothing is asked by the next poll."""
        self._polls += 1
        if self._polls % coverage.UNDOCUMENTED_EACH == 0:
            return frozenset()
        unfinished = self.tracked.inventory.unfinished.items()
        return frozenset(
            key
            for key, each in unfinished
            if each.task.status is Status.UNKNOWN
            and now - each.progressed_at > coverage.UNDOCUMENTED_AFTER
        )

    async def _ask_unfinished(
        self, newest: Range, since: float, leave: Container[int]
    ) -> Sequence[Range]:
        """Ask for the unfinished by status; return where the known ones lie that are missing."""
        tracked = self.tracked
        horizon = math.floor(self._asking.now() - tracked.lookback) + 1
        wanted = sorted(CODES[status] for status in UNFINISHED)
        if self._selection.statuses:
            wanted = [code for code in wanted if code in self._selection.statuses]
        if wanted:
            selection = replace(self._selection, statuses=tuple(wanted))
            reading = await self._asking.reader.passing(horizon, newest.end, selection)
            await self._apply(reading, whole=False)
        missing = [
            entry.created
            for task_id, entry in tracked.inventory.unfinished.items()
            if entry.read_at < since and entry.created >= horizon and task_id not in leave
        ]
        return coverage.cover(tracked.inventory, missing)

    async def _read(self, span: Range) -> Reading:
        return await self._asking.reader.whole(span.begin, span.end, self._selection)

    async def _read_all(self, ranges: Sequence[Range]) -> None:
        async def read(span: Range) -> None:
            await self._apply(await self._read(span))

        await side_by_side([read(span) for span in ranges])

    # --- sweeping -------------------------------------------------------------------------------

    def begin_sweep_if_due(self, full_sweep: float) -> None:
        """Plan a sweep where none is under way and the last is ``full_sweep`` seconds ago."""
        due = (
            not self.tracked.complete
            or self.swept_at is None
            or self._asking.monotonic() - self.swept_at >= full_sweep
        )
        if self.sweep is None and due:
            self.sweep = self._new_sweep()

    async def run_sweep(self, applied: Callable[[], Awaitable[None]]) -> None:
        """Read what is left of the sweep, if there is one; ApiError where a slice ends in it.

        ``applied`` is awaited after each slice.
        """
        if self.sweep is None:
            return
        begun = self._asking.monotonic()
        await self.sweep.run(applied)
        self.tracked.swept(self.sweep.span, self._asking.now())
        self.swept_at = begun
        self.sweep = None

    def _new_sweep(self) -> Sweep:
        tracked, asking = self.tracked, self._asking
        now = asking.now()
        span = coverage.sweep_span(now, tracked.lookback)
        first = self.swept_at is None or not tracked.complete

        async def apply(reading: Reading) -> None:
            changes, gone = await self._apply(reading)
            if not first:
                asking.telemetry.sweep_corrected(gone + sum(map(_is_correction, changes)))

        return Sweep(
            span,
            self._selection,
            asking.sweep_reader,
            apply,
            expected=None if first else tracked.inventory.count_between(span.begin, span.end),
            side_by_side=asking.slices_at_once,
        )

    async def _apply(self, reading: Reading, *, whole: bool = True) -> tuple[list[Change], int]:
        """Take in a reading; return what it changed, and how many tasks it shows to be deleted."""
        self._asking.telemetry.rejected(reading.rejected)
        tracked = self.tracked
        now = self._asking.now()
        changes: list[Change] = []
        for part in parts(reading.tasks, STEP):
            changes += tracked.take(part, read_at=reading.begun, now=now)
            await asyncio.sleep(0)
        # Asked for again, an unreadable record would be as unreadable: its next turn will do.
        tracked.inventory.looked_at(reading.rejected_ids, reading.begun)
        if not whole or reading.unnamed:
            # Who is missing may be there all the same, in a record that does not say whose it is.
            return changes, 0
        present = reading.tasks.keys() | reading.rejected_ids
        span = Range(reading.begin, reading.end)
        return changes, tracked.drop_absent(span, present, read_at=reading.begun)


def _is_correction(change: Change) -> bool:
    """Whether a sweep's change is one that polls should have seen."""
    return change.before is None or change.before.status.ended
