"""The truth about a range of tasks: exact sums, to hold an exporter against."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

KINDS = ("agent", "call", "sms")


class Reading(NamedTuple):
    """One task at one moment. Fees are millionths of their currency, lengths seconds.

    `created` is Unix seconds; `agent_currency` is the account's, since the agent fee bears none.
    """

    id: int
    app: int
    script: int
    created: float
    status: int
    numbers: int
    calls: int
    answered: int
    success: int
    fail: int
    billed_seconds: int
    agent_seconds: int
    sms: int
    agent_fee: int
    call_fee: int
    sms_fee: int
    total_fee: int
    agent_currency: str
    currency: str


@dataclass(slots=True)
class Sums:
    """Sums over tasks; `tasks` by status code, `money` by kind and currency.

    `total` is the sum of taskSumPayFee by currency, which need not equal `money`.
    """

    tasks: dict[int, int] = field(default_factory=dict)
    numbers: int = 0
    calls: int = 0
    answered: int = 0
    success: int = 0
    fail: int = 0
    billed_seconds: int = 0
    agent_seconds: int = 0
    sms: int = 0
    money: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    total: dict[str, Decimal] = field(default_factory=dict)

    def add(self, task: Reading, times: int = 1) -> None:
        """Add one task (`times` of -1 takes it away)."""
        self.tasks[task.status] = self.tasks.get(task.status, 0) + times
        self.numbers += times * task.numbers
        self.calls += times * task.calls
        self.answered += times * task.answered
        self.success += times * task.success
        self.fail += times * task.fail
        self.billed_seconds += times * task.billed_seconds
        self.agent_seconds += times * task.agent_seconds
        self.sms += times * task.sms
        self._pay("agent", task.agent_currency, times * task.agent_fee)
        self._pay("call", task.currency, times * task.call_fee)
        self._pay("sms", task.currency, times * task.sms_fee)
        total = self.total.get(task.currency, Decimal(0))
        self.total[task.currency] = total + _money(times * task.total_fee)

    def _pay(self, kind: str, currency: str, millionths: int) -> None:
        key = (kind, currency)
        self.money[key] = self.money.get(key, Decimal(0)) + _money(millionths)

    def as_json(self) -> dict[str, Any]:
        """Return the sums for JSON, money as strings, currencies under kinds."""
        money: dict[str, dict[str, str]] = {}
        for (kind, currency), value in sorted(self.money.items()):
            money.setdefault(kind, {})[currency] = str(value)
        return {
            "tasks": {str(status): count for status, count in sorted(self.tasks.items())},
            "numbers": self.numbers,
            "calls": self.calls,
            "answered": self.answered,
            "success": self.success,
            "fail": self.fail,
            "billed_seconds": self.billed_seconds,
            "agent_seconds": self.agent_seconds,
            "sms": self.sms,
            "money": money,
            "total": {currency: str(value) for currency, value in sorted(self.total.items())},
        }


def _money(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(-6)


@dataclass(slots=True)
class Truth:
    """Sums by (app id, script id), and over everything."""

    groups: dict[tuple[int, int], Sums] = field(default_factory=dict)
    whole: Sums = field(default_factory=Sums)

    def add(self, task: Reading, times: int = 1) -> None:
        """Add one task to its group and to the whole."""
        self.groups.setdefault((task.app, task.script), Sums()).add(task, times)
        self.whole.add(task, times)

    def as_json(self) -> dict[str, Any]:
        """Return the truth for JSON; groups as a list, in the order of their ids."""
        return {
            "whole": self.whole.as_json(),
            "groups": [
                {"app": app, "script": script, **sums.as_json()}
                for (app, script), sums in sorted(self.groups.items())
            ],
        }


def sum_up(tasks: Iterable[Reading]) -> Truth:
    """Return the exact sums over these tasks."""
    truth = Truth()
    for task in tasks:
        truth.add(task)
    return truth


def gained(before: Iterable[Reading], after: Iterable[Reading]) -> Truth:
    """Return what counters must have gained between two readings of the same range.

    A task that is only in `after` gives everything it has; a figure that went down gives
    nothing. `tasks` counts the tasks by their status in `after`.
    """
    baseline = {task.id: task for task in before}
    truth = Truth()
    for task in after:
        known = baseline.get(task.id)
        truth.add(task if known is None else _difference(known, task))
    return truth


_COUNTED = Reading._fields[
    Reading._fields.index("numbers") : Reading._fields.index("total_fee") + 1
]


def _difference(known: Reading, task: Reading) -> Reading:
    gain = {name: max(0, getattr(task, name) - getattr(known, name)) for name in _COUNTED}
    return task._replace(**gain)
