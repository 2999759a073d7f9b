"""Incremental and full polling give the same figures, whatever happens to the tasks."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from exporter.snapshot import Figures, WindowFigures, figures
from exporter.tasks.coverage import LONGEST_HEAD, OVERLAP, Range
from exporter.tasks.ledger import Ledger, Mark, Series
from exporter.tasks.packed import packed
from exporter.tasks.task import Money, Status, Task
from exporter.tasks.tracking import TrackedApp
from tests.tasks.invented import ENDED, NOW, task, usd
from tests.tasks.model_api import LOOKBACK, SETTLE, WINDOWS, Api, Everything, Follower, Incremental

GAINS: Final = ("numbers", "calls", "answered", "failed", "billed_seconds", "sms_sent")
UNENDED: Final = [status for status in Status if status not in ENDED]
crowd = st.sampled_from([1, 1, 1, 2, 3, 60, 130])


def shown(follower: Follower, now: float) -> Figures:
    """Return an app's figures, without sums of money that are 0: those may linger."""
    made = figures([follower.app], now)
    return replace(made, windows=tuple(map(_without_zeros, made.windows)))


def _without_zeros(window: WindowFigures) -> WindowFigures:
    return replace(window, spend=_nonzero(window.spend), unreconciled=_nonzero(window.unreconciled))


def _nonzero(sums: Mapping[Any, Decimal]) -> dict[Any, Decimal]:
    return {key: amount for key, amount in sums.items() if amount}


def totals(follower: Follower) -> dict[Series, Mark]:
    return {series: total for series, total in follower.app.ledger.totals.items() if total}


def known(follower: Follower, without: set[int]) -> dict[int, tuple[Task, str]]:
    return {
        entry.task.task_id: (entry.task, entry.script)
        for entry in follower.app.inventory
        if entry.task.task_id not in without
    }


class Histories(RuleBasedStateMachine):
    """An account lives; two followers poll it at the same moments.

    ``hidden`` are the tasks whose last change polls need not see at once: ended ones that
    settled, or were deleted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.api = Api()
        # Room for every script: who comes first depends on the order in which ranges are read.
        self.incremental = Incremental(self.api, script_limit=3)
        self.everything = Everything(self.api, script_limit=3)
        self.now = NOW + 0.25
        self.clock = 0.0
        self.hidden: set[int] = set()
        self.settled: set[int] = set()
        self.polled = False
        self.next_id = 1

    # --- what happens to tasks ---

    @initialize(ages=st.lists(st.integers(0, int(LOOKBACK)), max_size=5), data=st.data())
    def begin(self, ages: list[int], data: st.DataObject) -> None:
        for age in ages:
            self.create(data.draw(st.sampled_from(Status)), "1", data.draw(crowd), age)
        self.poll(data)
        self.incremental.sweep(self.now)
        self.everything.sweep(self.now)

    def create(self, status: Status, script: str, crowd: int, age: int) -> None:
        for _ in range(crowd):
            created = int(self.now) - age
            self.api.tasks[self.next_id] = task(
                self.next_id, created, status, script, calls=1, sms_fee=usd("0.01")
            )
            self.next_id += 1
        self.polled = False

    @rule(
        status=st.sampled_from(Status),
        script=st.sampled_from("123"),
        crowd=crowd,
        age=st.sampled_from([0, 0, 5, OVERLAP, -3600, -13 * 3600]),
    )
    def appear(self, status: Status, script: str, crowd: int, age: int) -> None:
        """New tasks: some that arrive late, some that claim to come from the future."""
        self.create(status, script, crowd, age)

    def pick(self, data: st.DataObject, *, ended: bool) -> int | None:
        ids = [
            task_id
            for task_id, each in self.api.tasks.items()
            if each.status.ended == ended and each.created > self.now - LOOKBACK
        ]
        return data.draw(st.sampled_from(ids)) if ids else None

    @rule(data=st.data(), name=st.sampled_from(GAINS), gain=st.integers(-3, 9))
    def progress(self, data: st.DataObject, name: str, gain: int) -> None:
        """A figure grows, or is corrected downward."""
        task_id = self.pick(data, ended=False)
        if task_id is not None:
            value = getattr(self.api.tasks[task_id], name) or 0
            self.api.change(task_id, **{name: max(0, value + gain)})
            self.polled = False

    @rule(data=st.data(), units=st.integers(0, 10**18), currency=st.sampled_from(["USD", "EUR"]))
    def spend(self, data: st.DataObject, units: int, currency: str) -> None:
        task_id = self.pick(data, ended=False)
        if task_id is not None:
            self.api.change(task_id, agent_fee=Money(Decimal(units).scaleb(-18), currency))
            self.polled = False

    @rule(data=st.data(), name=st.sampled_from(GAINS))
    def lose(self, data: st.DataObject, name: str) -> None:
        """A figure is missing from now on."""
        task_id = self.pick(data, ended=False)
        if task_id is not None:
            self.api.change(task_id, **{name: None})
            self.polled = False

    @rule(data=st.data(), status=st.sampled_from(Status))
    def move(self, data: st.DataObject, status: Status) -> None:
        """A task starts, ends, is suspended, resumes."""
        task_id = self.pick(data, ended=False)
        if task_id is not None:
            self.api.change(task_id, status=status)
            self.polled = False

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        task_id = self.pick(data, ended=False)
        if task_id is not None and task_id in self.incremental.app.inventory:
            del self.api.tasks[task_id]
            self.polled = False

    @rule(data=st.data())
    def delete_ended(self, data: st.DataObject) -> None:
        task_id = self.pick(data, ended=True)
        if task_id is not None:
            del self.api.tasks[task_id]
            self.hidden.add(task_id)
            self.polled = False

    @rule(data=st.data(), up=st.booleans())
    def settle(self, data: st.DataObject, up: bool) -> None:
        """The money of a task that ended not long ago changes once more."""
        ids = [
            task_id
            for task_id, entry in self.incremental.app.inventory.settling.items()
            if task_id in self.api.tasks
            and task_id not in self.settled
            and entry.ended_at is not None
            and self.clock < entry.ended_at + SETTLE
        ]
        if ids:
            task_id = data.draw(st.sampled_from(ids))
            self.api.change(task_id, sms_fee=usd("0.02" if up else "0.001"))
            self.settled.add(task_id)
            self.hidden.add(task_id)
            self.polled = False

    # --- polls ---

    @rule(data=st.data())
    def poll(self, data: st.DataObject) -> None:
        unfinished = [*self.incremental.app.inventory.unfinished]
        shifted: set[int] = set()
        if unfinished:
            shifted = data.draw(st.sets(st.sampled_from(unfinished), max_size=2))
        self.incremental.poll(self.now, self.clock, shifted)
        self.everything.poll(self.now, self.clock)
        self.polled = True

    @rule(
        seconds=st.sampled_from([1.0, 60.5, 60.5, LONGEST_HEAD - 1.0, LONGEST_HEAD + 60.0, 7200.0]),
        data=st.data(),
    )
    def wait(self, seconds: float, data: st.DataObject) -> None:
        self.now += seconds
        self.clock += seconds
        self.poll(data)

    @rule(data=st.data())
    def wait_until_money_has_settled(self, data: st.DataObject) -> None:
        deleted = self.hidden - self.api.tasks.keys()
        for _ in range(int(SETTLE // 300) + 8):
            self.wait(300.0, data)
        self.hidden &= deleted

    @rule()
    def sweep(self) -> None:
        self.incremental.sweep(self.now)
        self.everything.sweep(self.now)
        self.hidden = {
            task_id
            for task_id in self.hidden
            # What is as new as that is not swept, but polled.
            if task_id in self.incremental.app.inventory and task_id not in self.api.tasks
        }
        self.polled = False

    # --- what holds ---

    @precondition(lambda self: self.polled)
    @invariant()
    def both_know_the_same(self) -> None:
        assert known(self.incremental, self.hidden) == known(self.everything, self.hidden)
        if not self.hidden:
            assert shown(self.incremental, self.now) == shown(self.everything, self.now)
            assert totals(self.incremental) == totals(self.everything)

    @precondition(lambda self: self.polled)
    @invariant()
    def everything_knows_what_there_is(self) -> None:
        edge = self.now - LOOKBACK
        inside = {task_id for task_id, each in self.api.tasks.items() if each.created > edge // 1}
        assert known(self.everything, set()).keys() == inside
        assert self.everything.app.ledger.seen.keys() >= inside


Histories.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestHistories = Histories.TestCase


def test_counters_agree_with_what_was_called() -> None:
    """A whole course, told in numbers: there before, created since, ended, settled late."""
    api = Api({1: task(1, NOW - 5000, Status.CALLING, calls=10)})
    follower = Incremental(api)
    follower.poll(NOW, 0)
    follower.sweep(NOW)
    api.tasks[2] = task(2, NOW + 30, Status.CALLING, calls=4, agent_fee=usd("0.1"))
    api.change(1, calls=12)
    follower.poll(NOW + 60, 60)
    api.change(2, status=Status.FINISHED, calls=5)
    follower.poll(NOW + 120, 120)
    api.change(2, agent_fee=usd("0.3"))
    for second in range(180, 180 + int(SETTLE) + 120, 60):
        follower.poll(NOW + second, second)
    ledger = follower.app.ledger
    assert ledger.totals[Series("calls", "7")] == 2 + 5
    assert ledger.totals[Series("spend", "7", "agent", "USD")] == Decimal("0.3")
    assert ledger.totals[Series("transitions", "7", "finished")] == 1
    assert ledger.corrections == 0


def test_no_task_counts_as_new_that_was_there_when_the_state_was_begun() -> None:
    """Wherever it lies: also between what the first poll and the first sweep read."""
    api = Api({age: task(age, NOW - age, Status.FINISHED, calls=1) for age in range(20, 300)})
    follower = Incremental(api)
    follower.poll(NOW, 0)
    follower.sweep(NOW)
    follower.poll(NOW + 60, 60)
    assert len(follower.app.inventory) == 280
    assert not totals(follower)


def test_in_the_steady_state_a_poll_costs_what_changes() -> None:
    """Five tasks a minute, each running for 5 to 15 minutes; ten hang since long ago."""
    api = Api()
    follower = Incremental(api)
    for minute in range(-int(LOOKBACK) // 60, 60):
        now = NOW + 60 * minute
        for number in range(5 * minute, 5 * minute + 5):
            api.tasks[number] = task(number, now - 59 + number % 5 * 12, Status.CALLING)
        for number, each in list(api.tasks.items())[-100:]:
            hangs = number < -300 and number % 150 == 0
            if not hangs and now >= each.created + 300 + number * 7919 % 600:
                api.change(number, status=Status.FINISHED)
        before = api.requests
        if minute >= -1:
            follower.poll(now, 60 * minute + LOOKBACK)
        if minute == -1:
            follower.sweep(now)
        if minute >= 0:
            assert api.requests - before <= 5
    assert len(follower.app.inventory.unfinished) > 50


def new_app(settle: float = SETTLE) -> TrackedApp:
    return TrackedApp("", lookback=LOOKBACK, settle=settle, windows=WINDOWS, script_limit=2)


def test_what_leaves_the_lookback_leaves_nothing_behind() -> None:
    app = new_app()
    app.begin(Range(NOW, NOW), {})
    tasks = {number: task(number, NOW + number, calls=1) for number in range(50)}
    app.take(tasks, read_at=1, now=NOW + 50)
    app.advance(NOW + 50 + LOOKBACK)
    assert len(app.inventory) == 0
    assert not app.inventory.unfinished
    assert not app.ledger.seen
    assert all(not window.sums for window in app.windows.all)
    assert app.ledger.totals[Series("calls", "7")] == 50
    # A late answer that still holds them adds nothing, and leaves with the next step of time.
    app.take(tasks, read_at=2, now=NOW + 50 + LOOKBACK)
    app.advance(NOW + 51 + LOOKBACK)
    assert app.ledger.totals[Series("calls", "7")] == 50
    assert not app.ledger.seen


def test_a_task_that_was_deleted_and_comes_back_is_not_counted_again() -> None:
    app = new_app()
    app.begin(Range(NOW, NOW), {})
    app.take({1: task(calls=5)}, read_at=1, now=NOW)
    assert app.drop_absent(Range(NOW, NOW), (), read_at=2) == 1
    assert len(app.inventory) == 0
    app.take({1: task(calls=6)}, read_at=3, now=NOW)
    assert app.ledger.totals[Series("calls", "7")] == 6
    assert app.windows.all[0].sums["7"].figure("calls") == 6


def test_a_state_that_counts_from_the_future_is_begun_anew() -> None:
    app = new_app()
    assert not app.begun(NOW)
    app.begin(Range(NOW + 3600, NOW + 7200), {})
    assert not app.begun(NOW)
    app.begin(Range(NOW - 60, NOW), {})
    assert app.begun(NOW)


@pytest.mark.parametrize(("counted_from", "counted"), [(NOW - 300, 15), (NOW - 99, 8)])
def test_a_ledger_of_an_earlier_life_counts_what_happened_since(
    counted_from: int, counted: int
) -> None:
    app = new_app()
    app.counting = False
    tasks = {1: task(1, NOW - 200, calls=8), 2: task(2, NOW - 100, calls=7)}
    app.take(tasks, read_at=1, now=NOW)
    seen = {1: packed(task(1, NOW - 200, calls=5))}
    ledger = Ledger({Series("calls", "7"): 5}, seen, {}, counted_from)
    app.resume(ledger, ["7"], {}, now=NOW)
    assert app.ledger.totals[Series("calls", "7")] == counted
    app.take(tasks, read_at=2, now=NOW)
    assert app.ledger.totals[Series("calls", "7")] == counted


def test_where_there_is_no_earlier_life_what_is_known_is_baseline() -> None:
    app = new_app()
    app.counting = False
    app.take({1: task(1, NOW - 200, calls=8)}, read_at=1, now=NOW)
    app.resume(Ledger(), [], {}, now=NOW)
    assert app.ledger.totals[Series("calls", "7")] == 0
    later = {1: task(1, NOW - 200, calls=9), 2: task(2, NOW + 5, calls=1)}
    app.take(later, read_at=2, now=NOW + 10)
    assert app.ledger.totals[Series("calls", "7")] == 2


@pytest.mark.parametrize(
    ("calls", "since"),
    [(5, NOW - 900), (6, NOW)],
)
def test_a_task_stalls_since_before_a_restart(calls: int, since: float) -> None:
    app = new_app()
    ledger = Ledger({}, {1: packed(task(calls=5))}, {}, NOW - 3600)
    app.resume(ledger, [], {1: NOW - 900}, now=NOW)
    app.take({1: task(calls=calls)}, read_at=1, now=NOW)
    entry = app.inventory.get(1)
    assert entry is not None
    assert entry.progressed_at == since


def test_scripts_keep_their_labels_over_a_restart() -> None:
    app = new_app()
    app.resume(Ledger(), ["3", "4"], {}, now=NOW)
    app.take({1: task(script="7"), 2: task(2, script="4")}, read_at=1, now=NOW)
    assert {entry.task.task_id: entry.script for entry in app.inventory} == {1: "other", 2: "4"}
