"""What has happened since the state was begun: totals that never go down, exact to the cent.

Each figure of each task has a high-water mark. What lies above it is new and is added; what goes
down upstream adds nothing until it passes its mark again, and is counted as a correction. Which
tasks were there before the state was begun is decided once, when they are first seen: they are a
baseline, and only what they add from then on counts.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Final, NamedTuple

from exporter.tasks.packed import created, packed, unpacked
from exporter.tasks.task import COUNTED, EXACT, Kind, Money, Status, Task

_figures: Final = attrgetter(*COUNTED)
SPEND: Final = "spend"
TRANSITIONS: Final = "transitions"
_ZERO: Final = Decimal(0)


class Series(NamedTuple):
    """One counter: a figure's name in Task, ``spend`` or ``transitions``, and its labels."""

    figure: str
    script: str
    kind: str = ""
    """Kind of fee, for spend; status entered, for transitions."""
    currency: str = ""


Mark = int | Decimal
Marks = dict[str | tuple[Kind, str], Mark]


@dataclass(slots=True)
class Ledger:
    """The totals of one app, and the marks of its tasks.

    ``counted_from`` (Unix seconds): a task that is first seen now and was created before it was
    there before the state was begun, or has been counted and forgotten; it adds nothing. None
    until the state is begun.
    """

    totals: dict[Series, Mark] = field(default_factory=dict)
    seen: dict[int, bytes] = field(default_factory=dict)
    """The record of each task that was counted last, packed."""
    above: dict[int, Marks] = field(default_factory=dict)
    """Marks that lie above that record, for the few tasks that have such."""
    counted_from: int | None = None
    selection: str = ""
    """Which tasks it is about, as they were asked for; empty where that is not known."""
    corrections: int = 0
    """How many figures were seen to go down, since this object was made."""
    touched: dict[int, bytes | None] = field(default_factory=dict)
    """Tasks whose marks have changed since this was last emptied, each with its record (None:
    forgotten): what must be stored."""
    touched_series: set[Series] = field(default_factory=set)
    _declared: set[tuple[str | None, ...]] = field(default_factory=set, init=False, repr=False)
    """Scripts, each with the currencies of its fees, whose series are known to be there."""

    def begin(self, moment: int, present: Iterable[tuple[Task, str]]) -> None:
        """Begin the state: what is present, and all created before ``moment``, is baseline.

        ``present`` gives each task with its script's label. Where the state is begun anew, tasks
        that have marks keep them: what they gained since was not there before.
        """
        self.counted_from = moment
        for task, script in present:
            if task.task_id not in self.seen:
                self._declare(task, script)
                self._remember(task.task_id, packed(task))

    def count(self, task: Task, script: str, record: bytes | None = None) -> None:
        """Count what a record adds to what is known of its task.

        ``script`` is the label under which it counts; ``record`` the packed task, where the
        caller has it.
        """
        task_id = task.task_id
        if record is None:
            record = packed(task)
        known = self.seen.get(task_id)
        if known == record:
            self.seen[task_id] = record  # the bytes that the inventory has, too
            return
        self._declare(task, script)
        if known is None and self.counted_from is not None and task.created < self.counted_from:
            self._remember(task_id, record)
            return
        before = None if known is None else unpacked(known)
        marks = self.above.get(task_id, {})
        above: Marks = {}
        earlier = _figures(before) if before else _NOTHING
        for series, new, old in zip(_counted(script), _figures(task), earlier, strict=True):
            if marks or (new != old and not self._grow(series, new, old)):
                mark = marks.get(series.figure, old)
                self._raise(above, series.figure, _Figure(new, old, mark), series)
        self._count_money(task, before, script, marks, above)
        if before is None or before.status is not task.status:
            self._add(Series(TRANSITIONS, script, task.status.value), 1)
        self._remember(task_id, record)
        if above:
            self.above[task.task_id] = above
        else:
            self.above.pop(task.task_id, None)

    def _count_money(
        self, task: Task, before: Task | None, script: str, marks: Marks, above: Marks
    ) -> None:
        earlier = before.fees() if before else _NO_FEES
        for (kind, fee), (_, old) in zip(task.fees(), earlier, strict=True):
            if not marks and (fee == old or self._spend_more(script, kind, fee, old)):
                continue
            keys = {(kind, money.currency) for money in (fee, old) if money is not None}
            keys |= {key for key in marks if isinstance(key, tuple) and key[0] is kind}
            for key in keys:
                now = fee.amount if fee and fee.currency == key[1] else None
                was = old.amount if old and old.currency == key[1] else None
                if now is None and was is not None and fee is not None:
                    now = _ZERO  # it is in another currency now: this one's went down to nothing
                mark = marks.get(key, was)
                series = _spending(script, kind, key[1])
                self._raise(above, key, _Figure(now, was, mark), series)

    def _spend_more(self, script: str, kind: Kind, fee: Money | None, old: Money | None) -> bool:
        """Add what a fee has grown by, where that is all that it did; return whether it was."""
        if fee is None or (old is not None and old.currency != fee.currency):
            return False
        series = _spending(script, kind, fee.currency)
        return self._grow(series, fee.amount, None if old is None else old.amount)

    def _grow(self, series: Series, new: Mark | None, old: Mark | None) -> bool:
        """Add what a figure has grown by, where that is all that it did; return whether it was."""
        level = 0 if old is None else old
        if new is None or not 0 <= level <= new:
            return False
        if new > level:
            self._add(series, _difference(new, level))
        return True

    def _raise(
        self,
        above: Marks,
        key: str | tuple[Kind, str],
        figure: "_Figure",
        series: Series,
    ) -> None:
        """Add what lies above a figure's mark; keep the mark where the figure lies below it."""
        new, old, mark = figure
        level = mark if mark is not None and mark > 0 else 0
        if new is None or new < level:
            if level:
                above[key] = level
            last = mark if old is None else old
            if new is not None and last is not None and new < last:
                self.corrections += 1
            return
        if new > level:
            self._add(series, _difference(new, level))

    def _add(self, series: Series, amount: Mark) -> None:
        total = self.totals.get(series, 0)
        self.totals[series] = _sum(total, amount)
        self.touched_series.add(series)

    def _declare(self, task: Task, script: str) -> None:
        """Give each series that this task can add to its 0, from which its first value is seen."""
        fees = task.agent_fee, task.call_fee, task.sms_fee
        declared = (script, *[None if fee is None else fee.currency for fee in fees])
        if declared in self._declared:
            return
        self._declared.add(declared)
        for series in _declared(script):
            if series in self.totals:
                break
            self.totals[series] = 0
            self.touched_series.add(series)
        for kind, fee in task.fees():
            if fee is not None:
                series = Series(SPEND, script, kind.value, fee.currency)
                if series not in self.totals:
                    self.totals[series] = _ZERO
                    self.touched_series.add(series)

    def forget(self, task_ids: Iterable[int], counted_from: int) -> None:
        """Drop the marks of tasks that have left the lookback; they would be baseline again."""
        for task_id in task_ids:
            self.seen.pop(task_id, None)
            self.above.pop(task_id, None)
            self.touched[task_id] = None
        if self.counted_from is not None:
            self.counted_from = max(self.counted_from, counted_from)

    def forget_older(self, moment: int, known: Collection[int], counted_from: int) -> None:
        """Drop the marks of tasks created at ``moment`` or earlier that are not ``known``."""
        strangers = [task_id for task_id in self.seen if task_id not in known]
        left = [task_id for task_id in strangers if created(self.seen[task_id]) <= moment]
        self.forget(left, counted_from)

    def _remember(self, task_id: int, record: bytes) -> None:
        self.seen[task_id] = record
        self.touched[task_id] = record


class _Figure(NamedTuple):
    """A figure as it is now and as it was, None where missing, and its mark so far."""

    new: Mark | None
    old: Mark | None
    mark: Mark | None


_NOTHING: Final = (None,) * len(COUNTED)
_NO_FEES: Final = tuple((kind, None) for kind in Kind)


def _declared(script: str) -> Iterator[Series]:
    for name in COUNTED:
        yield Series(name, script)
    for status in Status:
        yield Series(TRANSITIONS, script, status.value)


@lru_cache(maxsize=1024)
def _counted(script: str) -> tuple[Series, ...]:
    """Return the counters of the figures that are counted."""
    return tuple(Series(name, script) for name in COUNTED)


@lru_cache(maxsize=4096)
def _spending(script: str, kind: Kind, currency: str) -> Series:
    return Series(SPEND, script, kind.value, currency)


def _sum(total: Mark, amount: Mark) -> Mark:
    if type(total) is int and type(amount) is int:
        return total + amount
    return EXACT.add(Decimal(total), Decimal(amount))


def _difference(new: Mark, old: Mark) -> Mark:
    if type(new) is int and type(old) is int:
        return new - old
    return EXACT.subtract(Decimal(new), Decimal(old))
