from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from exporter.tasks.inventory import Change, Inventory, ScriptLabels
from exporter.tasks.task import Kind, Status, Task
from exporter.tasks.windows import SUMMED, Sums, Windows
from tests.tasks.invented import NOW, by_id, quick, task, tasks, usd

LENGTHS: Final = {"10s": 10.0, "30.5s": 30.5, "90s": 90.0}
LIMIT: Final = 3  # of four scripts: one shows under "other"


def total(values: Iterable[int | None]) -> int | None:
    present = list(values)
    known = [value for value in present if value is not None]
    return sum(known) if known or not present else None


def ratio(records: list[Task], above: str, below: str) -> float | None:
    pairs = [(getattr(each, above), getattr(each, below)) for each in records]
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    denominator = sum(other for _, other in both)
    return sum(one for one, _ in both) / denominator if denominator else None


def fees(records: list[Task]) -> dict[tuple[Kind, str], Fraction]:
    sums: dict[tuple[Kind, str], Fraction] = {}
    for each in records:
        for kind, fee in each.fees():
            if fee is not None:
                key = kind, fee.currency
                sums[key] = sums.get(key, Fraction(0)) + Fraction(fee.amount)
    return sums


def unreconciled(records: list[Task]) -> dict[str, Fraction]:
    sums: dict[str, Fraction] = {}
    for each in records:
        parts = [fee for _, fee in each.fees() if fee is not None]
        if each.total_fee is None or len(parts) < len(Kind):
            continue
        for fee, sign in [(each.total_fee, 1), *((part, -1) for part in parts)]:
            sums[fee.currency] = sums.get(fee.currency, Fraction(0)) + sign * Fraction(fee.amount)
    return sums


def check(sums: Sums, records: list[Task]) -> None:
    """Hold sums that were kept up to date against the same sums, made anew."""
    assert sums.size == len(records)
    assert sums.tasks() == {
        status: sum(each.status is status for each in records) for status in Status
    }
    for name in SUMMED:
        assert sums.figure(name) == total(getattr(each, name) for each in records), name
    assert sums.answer_ratio() == ratio(records, "answered", "calls")
    assert sums.failure_ratio() == ratio(records, "failed", "calls")
    assert sums.average_call_duration() == ratio(records, "billed_seconds", "answered")
    expected = fees(records)
    assert expected.keys() <= sums.fees.keys()
    for pair, amount in sums.fees.items():
        assert Fraction(amount) == expected.get(pair, 0)
    expected_rest = unreconciled(records)
    assert expected_rest.keys() <= sums.unreconciled.keys()
    for currency, amount in sums.unreconciled.items():
        assert Fraction(amount) == expected_rest.get(currency, 0)


class History(RuleBasedStateMachine):
    """Anything that can happen to the tasks of an app, while time moves in both directions."""

    def __init__(self) -> None:
        super().__init__()
        self.inventory = Inventory(ScriptLabels(LIMIT))
        self.windows = Windows(LENGTHS)
        self.now = float(NOW)
        self.readings = 0
        self.windows.advance(self.now, self.inventory)

    @rule(records=st.lists(tasks(), max_size=4).map(by_id))
    def read(self, records: dict[int, Task]) -> None:
        self.readings += 1
        changes = self.inventory.update(records, self.readings, self.now, settle=60)
        self.windows.apply(changes)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        ids = [entry.task.task_id for entry in self.inventory]
        gone = data.draw(st.sets(st.sampled_from(ids)) if ids else st.just(set()))
        self.windows.apply(self.inventory.remove(gone))

    @rule(seconds=st.floats(-50, 50))
    def move(self, seconds: float) -> None:
        self.now += seconds
        self.windows.advance(self.now, self.inventory)

    @rule(age=st.floats(0, 120))
    def leave(self, age: float) -> None:
        self.windows.apply(self.inventory.remove_before(self.now - age))

    @invariant()
    def sums_are_those_made_anew(self) -> None:
        by_script: dict[str, list[Task]] = {}
        for entry in self.inventory:
            by_script.setdefault(entry.script, []).append(entry.task)
        for window in self.windows.all:
            assert window.sums.keys() == by_script.keys()
            for script, records in by_script.items():
                # The second in which the window begins is not whole: it is out of it.
                edge = (self.now - window.seconds) // 1
                check(window.sums[script], [each for each in records if each.created > edge])


History.TestCase.settings = settings(quick, max_examples=40)
TestHistory = History.TestCase


def sums_of(*records: Task) -> Sums:
    sums = Sums()
    for each in records:
        sums.change(each, 1)
    return sums


def having(figures: Mapping[str, int]) -> Task:
    return msgspec.structs.replace(task(), **figures)


@pytest.mark.parametrize(
    ("name", "asked", "figures"),
    [
        ("answer", Sums.answer_ratio, ("answered", "calls")),
        ("failure", Sums.failure_ratio, ("failed", "calls")),
        ("duration", Sums.average_call_duration, ("billed_seconds", "answered")),
    ],
)
def test_a_missing_figure_stays_out_of_both_sides_of_a_ratio(
    name: str, asked: Callable[[Sums], float | None], figures: tuple[str, str]
) -> None:
    above, below = figures
    whole = having({above: 3, below: 4})
    assert asked(sums_of(whole, having({above: 100}))) == 3 / 4, name
    assert asked(sums_of(whole, having({below: 100}))) == 3 / 4, name
    assert asked(sums_of(having({above: 100}))) is None, name


def test_nothing_called_gives_no_ratio() -> None:
    sums = sums_of(task(calls=0, answered=0, failed=0, billed_seconds=0))
    assert sums.answer_ratio() is None
    assert sums.failure_ratio() is None
    assert sums.average_call_duration() is None


def test_a_figure_that_no_task_has_is_missing_and_an_empty_window_is_0() -> None:
    sums = sums_of(task(calls=0))
    assert sums.figure("calls") == 0
    assert sums.figure("sms_sent") is None
    sums.change(task(calls=0), -1)
    assert sums.figure("sms_sent") == 0


def test_a_task_that_lacks_a_fee_is_not_called_unreconciled() -> None:
    sums = sums_of(task(agent_fee=usd("1"), total_fee=usd("2")))
    assert sums.unreconciled == {}
    whole = task(agent_fee=usd("1"), call_fee=usd("0.5"), sms_fee=usd("0"), total_fee=usd("2"))
    assert sums_of(whole).unreconciled == {"USD": Decimal("0.5")}


def test_a_task_created_later_than_now_is_in_every_window() -> None:
    windows = Windows({"1h": 3600})
    windows.advance(NOW, Inventory(ScriptLabels(1)))
    windows.apply([Change(None, task(created=NOW + 7200), "7")])
    assert windows.all[0].sums["7"].size == 1
