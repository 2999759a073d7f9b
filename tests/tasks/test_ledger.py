from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exporter.tasks.introductions import Introductions
from exporter.tasks.ledger import SPEND, TRANSITIONS, Ledger, Series
from exporter.tasks.task import COUNTED, Kind, Money, Status, Task
from tests.tasks.invented import NOW, by_id, quick, scripts, task, tasks, usd

CALLS: Final = Series("calls", "7")


def spend(kind: Kind = Kind.AGENT, currency: str = "USD", script: str = "7") -> Series:
    return Series(SPEND, script, kind.value, currency)


def entered(status: Status, script: str = "7") -> Series:
    return Series(TRANSITIONS, script, status.value)


def begun(*present: Task, at: int = NOW) -> Ledger:
    ledger = Ledger()
    ledger.begin(at, ((each, each.script_id) for each in present))
    return ledger


def counted(ledger: Ledger, *records: Task) -> Ledger:
    for record in records:
        ledger.count(record, record.script_id)
    return ledger


def counted_figures(record: Task) -> Iterator[tuple[Series, Fraction]]:
    """Yield each counted figure that a record has, as the series it counts in, without script."""
    for name in COUNTED:
        value = getattr(record, name)
        if value is not None:
            yield Series(name, ""), Fraction(value)
    for kind, fee in record.fees():
        if fee is not None:
            yield spend(kind, fee.currency, ""), Fraction(fee.amount)


@dataclass
class Model:
    """What a ledger must come to, told in the plainest way: marks that are kept for ever."""

    counted_from: int
    marks: dict[int, dict[Series, Fraction]] = field(default_factory=dict)
    last: dict[int, Task] = field(default_factory=dict)
    totals: dict[Series, Fraction] = field(default_factory=dict)

    def count(self, record: Task, script: str) -> None:
        if self.last.get(record.task_id) == record:
            return  # nothing has happened, whatever label it goes by now
        known = record.task_id in self.last
        if known or record.created >= self.counted_from:
            self._add(record, script)
        marks = self.marks.setdefault(record.task_id, {})
        for series, value in counted_figures(record):
            marks[series] = max(value, marks.get(series, Fraction(0)))
        self.last[record.task_id] = record

    def _add(self, record: Task, script: str) -> None:
        marks = self.marks.get(record.task_id, {})
        for series, value in counted_figures(record):
            gain = value - marks.get(series, Fraction(0))
            self._gain(series._replace(script=script), max(gain, Fraction(0)))
        last = self.last.get(record.task_id)
        if last is None or last.status is not record.status:
            self._gain(entered(record.status, script), Fraction(1))

    def _gain(self, series: Series, gain: Fraction) -> None:
        self.totals[series] = self.totals.get(series, Fraction(0)) + gain

    def forget(self, task_id: int) -> None:
        self.last.pop(task_id, None)
        self.marks.pop(task_id, None)


class Counting(RuleBasedStateMachine):
    """Any records in any order, against the model."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.model = Model(NOW - 50)
        self.before: dict[Series, Fraction] = {}

    @initialize(present=st.lists(tasks(), max_size=4).map(by_id))
    def begin(self, present: dict[int, Task]) -> None:
        self.ledger.begin(self.model.counted_from, ((each, "1") for each in present.values()))
        for each in present.values():
            self.model.count(each, "1")
        self.model.totals.clear()

    @rule(record=tasks(), script=scripts)
    def count(self, record: Task, script: str) -> None:
        """The label a task counts under may change from one record to the next."""
        self.ledger.count(record, script)
        self.model.count(record, script)

    @rule(data=st.data())
    def count_the_same_again(self, data: st.DataObject) -> None:
        if self.model.last:
            record = data.draw(st.sampled_from([*self.model.last.values()]))
            totals, corrections = dict(self.ledger.totals), self.ledger.corrections
            self.ledger.count(record, "1")
            assert (self.ledger.totals, self.ledger.corrections) == (totals, corrections)

    @rule(ids=st.sets(st.integers(1, 6)), counted_from=st.integers(NOW - 110, NOW + 30))
    def forget(self, ids: set[int], counted_from: int) -> None:
        self.ledger.forget(ids, counted_from)
        for task_id in ids:
            self.model.forget(task_id)
        self.model.counted_from = max(self.model.counted_from, counted_from)

    @invariant()
    def totals_are_the_models(self) -> None:
        totals = {series: Fraction(total) for series, total in self.ledger.totals.items()}
        expected = self.model.totals
        assert {series for series, total in expected.items() if total} <= totals.keys()
        for series, total in totals.items():
            assert total == expected.get(series, 0), series
        # What has been seen to have a figure has a series, at 0 where it adds nothing.
        assert expected.keys() <= totals.keys()

    @invariant()
    def nothing_went_down(self) -> None:
        totals = {series: Fraction(total) for series, total in self.ledger.totals.items()}
        assert all(totals[series] >= total for series, total in self.before.items())
        self.before = totals

    @invariant()
    def whole_numbers_stay_whole(self) -> None:
        for series, total in self.ledger.totals.items():
            if series.figure != SPEND:
                assert isinstance(total, int), series

    @invariant()
    def what_is_forgotten_leaves_no_trace(self) -> None:
        assert self.ledger.seen.keys() == self.model.last.keys()
        assert self.ledger.above.keys() <= self.ledger.seen.keys()


Counting.TestCase.settings = quick
TestCounting = Counting.TestCase

levels = st.lists(st.none() | st.integers(0, 9), min_size=1, max_size=8)


@quick
@given(levels)
def test_a_figure_adds_what_passes_its_mark(values: list[int | None]) -> None:
    ledger = counted(begun(), *(task(calls=value) for value in values))
    assert ledger.totals[CALLS] == max((value for value in values if value is not None), default=0)


@quick
@given(st.integers(0, 9), levels)
def test_a_baseline_adds_only_what_passes_it(there: int, values: list[int | None]) -> None:
    ledger = begun(task(calls=there))
    assert ledger.totals[CALLS] == 0
    counted(ledger, *(task(calls=value) for value in values))
    assert ledger.totals[CALLS] == max(0, *((value or 0) - there for value in values))


@quick
@given(st.lists(st.integers(-5, 9), min_size=1, max_size=8))
def test_each_move_downward_is_one_correction(values: list[int]) -> None:
    ledger = counted(begun(), *(task(calls=value) for value in values))
    moves = sum(after < before for before, after in pairwise(values))
    assert ledger.corrections == moves


@quick
@given(st.lists(st.decimals(0, 9, places=18), min_size=1, max_size=8))
def test_each_move_of_money_downward_is_one_correction(amounts: list[Decimal]) -> None:
    records = [task(sms_fee=Money(amount, "USD")) for amount in amounts]
    ledger = counted(begun(), *records)
    moves = sum(after < before for before, after in pairwise(amounts))
    assert ledger.corrections == moves
    assert ledger.totals[spend(Kind.SMS)] == max(amounts)


@pytest.mark.parametrize(
    ("values", "corrections"),
    [
        ([10, None], 0),
        ([10, None, 10], 0),
        ([10, None, 12], 0),
        # What it was before a gap is not kept, only its mark.
        ([10, None, 5], 1),
        ([None, 5], 0),
    ],
)
def test_a_figure_that_is_missing_for_a_while_is_held_against_its_mark(
    values: list[int | None], corrections: int
) -> None:
    ledger = counted(begun(), *(task(calls=value) for value in values))
    assert ledger.corrections == corrections


def test_a_baseline_that_goes_down_is_corrected_too() -> None:
    ledger = counted(begun(task(calls=10)), task(calls=4), task(calls=9))
    assert (ledger.totals[CALLS], ledger.corrections) == (0, 1)


def test_another_currency_counts_from_0_and_the_first_keeps_its_mark() -> None:
    dollars, euros = usd("5"), Money(Decimal(4), "EUR")
    ledger = counted(begun(), task(agent_fee=dollars), task(agent_fee=euros))
    assert ledger.totals[spend()] == 5
    assert ledger.totals[spend(currency="EUR")] == 4
    assert ledger.corrections == 1
    counted(ledger, task(agent_fee=usd("5.5")), task(agent_fee=Money(Decimal(6), "EUR")))
    assert ledger.totals[spend()] == Decimal("5.5")
    assert ledger.totals[spend(currency="EUR")] == 6


def test_money_keeps_every_digit() -> None:
    tiny = Decimal("0.000000000000000001")
    huge = Decimal(10) ** 30
    ledger = counted(begun(), task(1, agent_fee=Money(huge, "USD")))
    counted(ledger, *(task(number, agent_fee=Money(tiny, "USD")) for number in range(2, 12)))
    assert ledger.totals[spend()] == Decimal("1000000000000000000000000000000.00000000000000001")


@given(st.integers(-3, 3))
def test_who_is_first_seen_counts_where_it_was_created_since(offset: int) -> None:
    ledger = counted(begun(), task(created=NOW + offset, calls=5))
    assert ledger.totals[CALLS] == (5 if offset >= 0 else 0)
    counted(ledger, task(created=NOW + offset, calls=7))
    assert ledger.totals[CALLS] == (7 if offset >= 0 else 2)


def test_a_baseline_enters_no_status() -> None:
    ledger = begun(task(status=Status.CALLING))
    assert ledger.totals[entered(Status.CALLING)] == 0
    counted(ledger, task(status=Status.CALLING, calls=1), task(status=Status.FINISHED))
    assert ledger.totals[entered(Status.CALLING)] == 0
    assert ledger.totals[entered(Status.FINISHED)] == 1


def test_a_task_that_resumes_enters_its_status_again() -> None:
    course = (Status.CALLING, Status.SUSPENDED, Status.CALLING)
    ledger = counted(begun(), *(task(status=status) for status in course))
    assert ledger.totals[entered(Status.CALLING)] == 2
    assert ledger.totals[entered(Status.SUSPENDED)] == 1


def test_a_forgotten_task_that_is_seen_again_adds_nothing() -> None:
    ledger = counted(begun(), task(created=NOW, calls=5))
    ledger.forget([1], NOW + 1)
    counted(ledger, task(created=NOW, calls=6))
    assert ledger.totals[CALLS] == 5
    assert ledger.corrections == 0


def test_what_was_created_while_nobody_looked_adds_everything() -> None:
    ledger = counted(begun(), task(1, created=NOW, calls=5))
    restored = Ledger(dict(ledger.totals), dict(ledger.seen), {}, ledger.counted_from)
    counted(restored, task(1, created=NOW, calls=8), task(2, created=NOW + 9, calls=4))
    assert restored.totals[CALLS] == 12


def test_a_task_that_moves_to_another_script_takes_nothing_with_it() -> None:
    ledger = counted(begun(), task(calls=5, script="7"), task(calls=6, script="8"))
    assert ledger.totals[CALLS] == 5
    assert ledger.totals[Series("calls", "8")] == 1


def test_begun_anew_it_goes_on_counting_what_it_knows() -> None:
    ledger = counted(begun(), task(1, calls=10), task(1, calls=4))
    ledger.begin(NOW - 9, [(task(1, calls=12), "7"), (task(2, calls=3), "7")])
    counted(ledger, task(1, calls=12), task(2, calls=4))
    assert ledger.totals[CALLS] == 13


def test_a_script_declares_its_series_before_they_have_a_value() -> None:
    ledger = begun(task(script="7", sms_fee=usd("3")))
    expected = {Series(name, "7") for name in COUNTED}
    expected |= {entered(status) for status in Status}
    expected |= {spend(Kind.SMS)}
    assert ledger.totals == dict.fromkeys(expected, 0)


@quick
@given(st.lists(tasks(), max_size=6))
def test_what_must_be_stored_is_named(records: list[Task]) -> None:
    ledger = begun(at=NOW - 50)
    for record in records:
        ledger.touched.clear()
        ledger.touched_series.clear()
        state = dict(ledger.totals), dict(ledger.seen), dict(ledger.above)
        counted(ledger, record)
        changed = {key for key in ledger.totals if ledger.totals[key] != state[0].get(key)}
        assert changed <= ledger.touched_series
        marked = {
            key
            for key in ledger.seen.keys() | state[1].keys()
            if ledger.seen.get(key) != state[1].get(key)
            or ledger.above.get(key) != state[2].get(key)
        }
        assert marked <= ledger.touched.keys()


# --- introductions ------------------------------------------------------------------------------


class Scraping(RuleBasedStateMachine):
    """Publications and scrapes in any order: what a scraper sees of counters that grow."""

    def __init__(self) -> None:
        super().__init__()
        self.introductions = Introductions([CALLS])
        self.now = float(NOW)
        self.served = 0
        self.totals: dict[Series, int | Decimal] = {CALLS: 3}
        self.shown: dict[Series, int | Decimal] = {}
        self.published_at: dict[Series, float] = {}
        self.scraped: dict[Series, list[int | Decimal]] = {}
        self.waited: set[Series] = {CALLS}
        """Series for which patience came to its end, or which were known from the start."""

    @rule(series=st.sampled_from([CALLS, spend(), entered(Status.CALLING)]), gain=st.integers(0, 5))
    def grow(self, series: Series, gain: int) -> None:
        self.totals[series] = self.totals.get(series, 0) + gain

    @rule(seconds=st.floats(-400, 400), patience=st.sampled_from([0.0, 300.0]))
    def publish(self, seconds: float, patience: float) -> None:
        self.now += seconds
        self.shown = self.introductions.exposed(self.totals, self.now, self.served, patience)
        assert self.shown.keys() == self.totals.keys()
        for series, shown in self.shown.items():
            if series not in self.published_at:
                self.published_at[series] = self.now
            elif abs(self.now - self.published_at[series]) >= patience:
                self.waited.add(series)
            told = series in self.waited or series in self.scraped
            assert shown == (self.totals[series] if told else 0)
            assert self.introductions.known(series) == told
        told_before = self.waited | self.scraped.keys()
        assert self.introductions.take_news() <= told_before - {CALLS}
        assert not self.introductions.take_news()

    @rule()
    def scrape(self) -> None:
        self.served += 1
        for series, shown in self.shown.items():
            self.scraped.setdefault(series, []).append(shown)

    @invariant()
    def the_increase_a_scraper_sees_is_all_there_was(self) -> None:
        for series, seen in self.scraped.items():
            assert seen == sorted(seen)
            assert series in self.waited or seen[0] == 0


Scraping.TestCase.settings = quick
TestScraping = Scraping.TestCase
