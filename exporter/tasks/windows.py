"""Sums and ratios over sliding windows of creation time, kept up to date change by change.

Everything added up is an integer or an exact decimal, so that adding and taking away leaves no
trace. A task without a figure adds nothing to its sum, and stays out of both sides of a ratio.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from operator import add, attrgetter, sub
from typing import Final, TypeVar

from exporter.tasks.dispersion import Spread
from exporter.tasks.inventory import Change, Inventory
from exporter.tasks.task import COUNTED, EXACT, Kind, Money, Status, Task

SUMMED: Final = ("numbers", *COUNTED)
_figures: Final = attrgetter(*SUMMED)
_STATUSES: Final = tuple(Status)
_STATUS_PLACE: Final = {status: place for place, status in enumerate(_STATUSES)}

# Numerator and denominator of each ratio, as places in SUMMED.
_RATIOS: Final = tuple(
    (SUMMED.index(above), SUMMED.index(below))
    for above, below in (("answered", "calls"), ("failed", "calls"), ("billed_seconds", "answered"))
)
STEP: Final = 200
"""How many tasks are looked at before others get their turn: a few milliseconds of work."""
ZERO: Final = Decimal(0)
_NO_MONEY: Final = (ZERO,) * 4
_Key = TypeVar("_Key")
_revisions: Final = count()


class Sums:
    """What the tasks of one script in one window add up to.

    Nearly every task has all its figures, and all its fees in one currency: such a one is added in
    few steps, any other figure by figure.
    """

    __slots__ = (
        "_alone",
        "_fees",
        "_figures",
        "_money",
        "_present",
        "_statuses",
        "_unreconciled",
        "_whole",
        "revision",
        "size",
        "spread",
    )

    def __init__(self) -> None:
        self.revision = next(_revisions)
        """Another after each change, and never that of other sums: equal ones are the same sums."""
        self.size = 0
        self.spread = Spread()
        """How much the tasks differ in their answer ratio."""
        self._statuses = [0] * len(_STATUSES)
        self._figures = [0] * len(SUMMED)
        self._whole = 0
        """How many tasks have every figure."""
        self._present = [0] * len(SUMMED)
        """How many of the others have each of them."""
        # Of each ratio: what numerator and denominator hold of tasks that lack the other.
        self._alone = [[0, 0] for _ in _RATIOS]
        self._money: dict[str, list[Decimal]] = {}
        """Agent, call, SMS and total fees of tasks that have all of them in one currency."""
        # Of all other tasks. Here, too, a currency that was seen stays, at 0 when all has left.
        self._fees: dict[tuple[Kind, str], Decimal] = {}
        self._unreconciled: dict[str, Decimal] = {}

    def change(self, task: Task, sign: int) -> None:
        """Add a task (``sign`` 1) or take one away again (-1)."""
        self.revision = next(_revisions)
        self.size += sign
        self._statuses[_STATUS_PLACE[task.status]] += sign
        figures = _figures(task)
        if None in figures:
            self._change_some(figures, sign)
        else:
            self._whole += sign
            self._figures = [*map(add if sign > 0 else sub, self._figures, figures)]
        self.spread.change(task, sign)
        agent, call, sms, total = task.agent_fee, task.call_fee, task.sms_fee, task.total_fee
        if (
            agent is not None
            and call is not None
            and sms is not None
            and total is not None
            and agent.currency == call.currency == sms.currency == total.currency
        ):
            sums = self._money.get(total.currency, _NO_MONEY)
            amounts = agent.amount, call.amount, sms.amount, total.amount
            change = EXACT.add if sign > 0 else EXACT.subtract
            self._money[total.currency] = [*map(change, sums, amounts)]
        else:
            self._change_fees(task, sign)

    def _change_some(self, figures: Sequence[int | None], sign: int) -> None:
        sums, present = self._figures, self._present
        for place, figure in enumerate(figures):
            if figure is not None:
                sums[place] += sign * figure
                present[place] += sign
        for alone, (above, below) in zip(self._alone, _RATIOS, strict=True):
            numerator, denominator = figures[above], figures[below]
            if denominator is None:
                alone[0] += sign * (numerator or 0)
            elif numerator is None:
                alone[1] += sign * denominator

    def _change_fees(self, task: Task, sign: int) -> None:
        parts: list[Money] = []
        for kind, fee in task.fees():
            if fee is not None:
                parts.append(fee)
                _add(self._fees, (kind, fee.currency), fee.amount, sign)
        total = task.total_fee
        if total is not None and len(parts) == len(Kind):
            _add(self._unreconciled, total.currency, total.amount, sign)
            for part in parts:
                _add(self._unreconciled, part.currency, part.amount, -sign)

    @property
    def fees(self) -> dict[tuple[Kind, str], Decimal]:
        """Sums by kind of fee and currency; once seen, a pair stays, at 0 when all has left."""
        fees = dict(self._fees)
        for currency, amounts in self._money.items():
            for kind, amount in zip(Kind, amounts, strict=False):
                _add(fees, (kind, currency), amount, 1)
        return fees

    @property
    def unreconciled(self) -> dict[str, Decimal]:
        """By currency: the tasks' total fees minus their parts, where a task has all of them."""
        rest = dict(self._unreconciled)
        for currency, (*parts, total) in self._money.items():
            _add(rest, currency, total, 1)
            for part in parts:
                _add(rest, currency, part, -1)
        return rest

    def tasks(self) -> dict[Status, int]:
        """Return how many tasks are in each status."""
        return dict(zip(_STATUSES, self._statuses, strict=True))

    def figure(self, name: str) -> int | None:
        """Return a sum by its name in Task; None where there are tasks, but none has the figure."""
        place = SUMMED.index(name)
        known = self._whole or self._present[place] or not self.size
        return self._figures[place] if known else None

    def answer_ratio(self) -> float | None:
        """Return answered calls by calls; None where nothing was called."""
        return self._ratio(0)

    def failure_ratio(self) -> float | None:
        """Return failed calls by calls; None where nothing was called."""
        return self._ratio(1)

    def average_call_duration(self) -> float | None:
        """Return billed seconds by answered calls; None where nothing was answered."""
        return self._ratio(2)

    def _ratio(self, ratio: int) -> float | None:
        above, below = _RATIOS[ratio]
        numerator = self._figures[above] - self._alone[ratio][0]
        denominator = self._figures[below] - self._alone[ratio][1]
        return numerator / denominator if denominator else None


def _add(sums: dict[_Key, Decimal], key: _Key, amount: Decimal, sign: int) -> None:
    before = sums.get(key, ZERO)
    sums[key] = EXACT.add(before, amount) if sign > 0 else EXACT.subtract(before, amount)


@dataclass(slots=True)
class Window:
    """One sliding window: its sums by script label.

    A task is in it while it was created after ``edge`` (Unix seconds); also one that claims to
    have been created later than now, since it would be invisible otherwise.
    """

    label: str
    seconds: float
    sums: dict[str, Sums] = field(default_factory=dict)
    edge: int = -(2**62)

    def design_effect(self) -> float | None:
        """Return the design effect of the answer ratio over all scripts; None for too few tasks."""
        spread = Spread()
        for sums in self.sums.values():
            spread.add(sums.spread)
        return spread.design_effect()


class Windows:
    """All windows over the tasks of one app.

    Scripts that have had a task in the lookback show in every window, at 0 where it holds none.
    """

    def __init__(self, lengths: Mapping[str, float]) -> None:
        self.all = tuple(Window(label, seconds) for label, seconds in lengths.items())
        self._members: dict[str, int] = {}
        """How many tasks of the lookback each script has."""

    def apply(self, changes: Iterable[Change]) -> None:
        """Take in what changed of the tasks of the lookback."""
        for before, after, script in changes:
            if script not in self._members:
                self._members[script] = 0
                for window in self.all:
                    window.sums[script] = Sums()
            for window in self.all:
                if before is not None and before.created > window.edge:
                    window.sums[script].change(before, -1)
                if after is not None and after.created > window.edge:
                    window.sums[script].change(after, 1)
            if before is not None and after is not None:
                continue
            self._members[script] += (after is not None) - (before is not None)
            if not self._members[script]:
                del self._members[script]
                for window in self.all:
                    del window.sums[script]

    def advance(self, now: float, inventory: Inventory) -> None:
        """Let the windows end at ``now``; of the tasks, only those that it moves are looked at."""
        for _ in self.advancing(now, inventory):
            pass

    def advancing(self, now: float, inventory: Inventory) -> Iterator[None]:
        """Advance in steps that move ``STEP`` tasks each (more of the same second).

        After each of them the windows are whole, only that they end a little earlier yet.
        """
        for window in self.all:
            target = math.floor(now - window.seconds)
            while window.edge < target:
                reached = inventory.moment_after(window.edge + 1, STEP)
                edge = target if reached is None else min(target, reached)
                for entry in inventory.created_between(window.edge + 1, edge):
                    window.sums[entry.script].change(entry.task, -1)
                window.edge = edge
                yield
            if window.edge > target:  # the clock was set back
                for entry in inventory.created_between(target + 1, window.edge):
                    window.sums[entry.script].change(entry.task, 1)
                window.edge = target
