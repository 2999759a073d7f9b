import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.simulator import App, Selection, Settings, SimulatedWorld
from exporter.simulator.campaign import ENDED, Status
from exporter.simulator.truth import Reading, gained, sum_up
from tests.simulator.client import DAY, NOON, everything

MOMENTS = st.floats(min_value=0, max_value=2 * DAY, allow_nan=False)
BUSY = Settings(
    seed=5,
    tasks_per_day=200,
    late_settlement_share=0.5,
    submission_failure_share=0.1,
    cancelled_share=0.2,
    suspended_share=0.3,
)
FIGURES = Reading._fields[Reading._fields.index("numbers") : -2]
# Status codes in the order in which a task can reach them; it may alternate between 1 and 5.
STAGE = {0: 0, 6: 1, 1: 2, 5: 2, 2: 3, 3: 3, 4: 3}

shared = SimulatedWorld(BUSY)


def test_the_same_seed_is_the_same_world() -> None:
    assert everything(SimulatedWorld(BUSY)) == everything(shared)


def test_another_seed_is_another_world() -> None:
    other = SimulatedWorld(Settings(seed=6, tasks_per_day=200))
    assert everything(other) != everything(shared)


def test_another_process_agrees() -> None:
    code = (
        "from exporter.simulator import *;"
        "w = SimulatedWorld(Settings(seed=9, tasks_per_day=50));"
        f"print(w.truth({NOON}, {NOON - DAY}, {NOON}).as_json())"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    here = SimulatedWorld(Settings(seed=9, tasks_per_day=50)).truth(NOON, NOON - DAY, NOON)
    assert run.stdout.strip() == str(here.as_json())


@settings(max_examples=25, deadline=None)
@given(st.lists(MOMENTS, min_size=1, max_size=4))
def test_the_order_of_asking_plays_no_part(offsets: list[float]) -> None:
    fresh = SimulatedWorld(BUSY)
    for offset in offsets:
        now = NOON - DAY + offset
        assert fresh.tasks(now, now - 7200, now) == shared.tasks(now, now - 7200, now)


@settings(max_examples=50, deadline=None)
@given(MOMENTS, MOMENTS)
def test_figures_never_go_down_and_statuses_move_on(one: float, other: float) -> None:
    early, late = sorted((NOON + one - DAY, NOON + other - DAY))
    before = {t.id: t for t in shared.tasks(early, NOON - DAY, NOON + DAY)}
    after = {t.id: t for t in shared.tasks(late, NOON - DAY, NOON + DAY)}
    assert before.keys() <= after.keys()
    for task_id, task in before.items():
        then = after[task_id]
        assert all(getattr(task, name) <= getattr(then, name) for name in FIGURES)
        assert STAGE[task.status] <= STAGE[then.status]
        if task.status in ENDED:
            assert then.status == task.status


@settings(max_examples=30, deadline=None)
@given(MOMENTS)
def test_figures_agree_with_each_other(offset: float) -> None:
    now = NOON - DAY + offset
    tasks = shared.tasks(now, now - DAY, now)
    assert tasks
    for t in tasks:
        assert t.created <= now
        assert t.success + t.fail == t.calls <= t.numbers
        assert 0 <= t.answered <= t.success
        assert t.agent_seconds <= t.billed_seconds
        assert t.total_fee == t.agent_fee + t.call_fee + t.sms_fee
        if t.status == Status.FINISHED:
            assert t.calls == t.numbers
        if t.status in {Status.WAITING, Status.SUBMITTING, Status.SUBMISSION_FAILED}:
            assert t.calls == t.billed_seconds == t.total_fee == 0


def test_all_statuses_occur() -> None:
    seen = {t.status for hour in range(24) for t in everything(shared, NOON + 3600 * hour)}
    assert seen == set(Status)


def test_ids_are_unique_and_grow_with_creation() -> None:
    ids = [t.id for t in everything(shared)]
    assert ids == sorted(set(ids))
    created = [t.created for t in everything(shared)]
    assert created == sorted(created)


def test_nothing_is_older_than_the_epoch() -> None:
    world = SimulatedWorld(Settings(epoch=NOON - 1800, tasks_per_day=2000))
    tasks = world.tasks(NOON, 0, NOON)
    assert tasks
    assert all(t.created >= NOON - 1800 for t in tasks)


def test_days_are_busier_than_nights_and_workdays_than_weekends() -> None:
    world = SimulatedWorld(Settings(tasks_per_day=3000, mean_task_duration=1))
    noon = len(world.tasks(NOON, NOON - 7200, NOON))
    night = len(world.tasks(NOON, NOON - 34200, NOON - 27000))
    assert noon > 2 * night
    sunday = NOON - 3 * DAY
    assert len(everything(world, sunday)) < 0.8 * len(everything(world))


def test_tasks_per_day_is_kept_on_a_working_day() -> None:
    world = SimulatedWorld(Settings(tasks_per_day=5000, burstiness=0, mean_task_duration=1))
    assert 4700 < len(everything(world)) < 5300


def test_answer_rates_are_over_dispersed() -> None:
    world = SimulatedWorld(Settings(apps=(App(id=1, name="one", scripts=1),), tasks_per_day=500))
    ended = [t for t in everything(world) if t.status == Status.FINISHED and t.calls >= 50]
    rates = [t.answered / t.calls for t in ended]
    mean = sum(rates) / len(rates)
    variance = sum((rate - mean) ** 2 for rate in rates) / len(rates)
    assert variance > 3 * mean * (1 - mean) / 50  # of coin flips, at the very least calls


def test_truth_is_the_sum_of_the_tasks_by_group() -> None:
    truth = shared.truth(NOON, NOON - DAY, NOON)
    tasks = everything(shared)
    assert truth.whole.calls == sum(t.calls for t in tasks)
    assert truth.whole.calls == sum(sums.calls for sums in truth.groups.values())
    assert sum(truth.whole.tasks.values()) == len(tasks)
    agent = Decimal(sum(t.agent_fee for t in tasks)) / 1_000_000
    assert truth.whole.money["agent", "USD"] == agent
    assert truth.whole.total["USD"] == sum(truth.whole.money.values())
    for app in (12, 15, 21):
        of_app = shared.truth(NOON, NOON - DAY, NOON, app)
        assert set(of_app.groups) == {key for key in truth.groups if key[0] == app}


def test_gained_counts_new_tasks_whole_and_known_ones_by_difference() -> None:
    before = shared.tasks(NOON, NOON - DAY, NOON + 3600)
    after = shared.tasks(NOON + 3600, NOON - DAY, NOON + 3600)
    calls = sum_up(after).whole.calls - sum_up(before).whole.calls
    assert gained(before, after).whole.calls == calls > 0


def test_late_settlement_adds_to_the_call_fee_after_the_end() -> None:
    world = SimulatedWorld(Settings(tasks_per_day=2000, late_settlement_share=1.0))
    ended = {t.id: t for t in everything(world) if t.status == Status.FINISHED}
    later = {t.id: t for t in world.tasks(NOON + 601, NOON - DAY, NOON)}
    risen = [i for i, t in ended.items() if later[i].call_fee > t.call_fee]
    assert risen
    assert all(later[i].calls == ended[i].calls for i in risen)
    final = world.tasks(NOON + 30 * DAY, NOON - DAY, NOON)
    assert final == world.tasks(NOON + 31 * DAY, NOON - DAY, NOON)


def test_corrections_take_away_but_peaks_stay() -> None:
    world = SimulatedWorld(Settings(tasks_per_day=100, correction_share=1.0))
    end = NOON + 30 * DAY
    low, high = (world.truth(end, NOON - DAY, NOON, peaks=peaks).whole for peaks in (False, True))
    assert low.billed_seconds < high.billed_seconds
    assert low.money["call", "USD"] < high.money["call", "USD"]
    assert low.calls == high.calls
    # Reading peaks first must not leave its mark on what is read afterwards.
    assert world.truth(end, NOON - DAY, NOON).whole == low


@pytest.mark.parametrize(
    "statuses", [{0, 1, 5, 6}, {2}, {1, 2}, {3, 4}, {9}, {0, 1, 2, 3, 4, 5, 6}]
)
@pytest.mark.parametrize("app", [None, 15])
def test_selecting_by_status_finds_what_looking_at_each_finds(
    statuses: set[int], app: int | None
) -> None:
    seconds = shared.local_time.seconds
    for now in (NOON, NOON + 301, NOON - 4000, NOON + 0.5, NOON + 40 * DAY):
        begin, end = NOON - DAY + 17, NOON - 5
        wanted = Selection(seconds(begin), seconds(end), app, frozenset(statuses))
        expected = [t.id for t in shared.tasks(now, begin, end, app) if t.status in statuses]
        assert [task.id for task in shared.select(now, wanted)] == expected


def test_search_looks_into_the_name() -> None:
    seconds = shared.local_time.seconds
    wanted = Selection(seconds(NOON - DAY), seconds(NOON), text="REMINDERS first")
    found = shared.records(NOON, shared.select(NOON, wanted))
    assert found
    assert all("reminders first" in record["taskName"] for record in found)


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Europe/Berlin", 1_729_987_200),  # 2024-10-27: clocks go back, 02:00 to 03:00 twice
        ("Europe/Berlin", 1_743_292_800),  # 2025-03-30: clocks go ahead
        ("-03:30", 1_729_987_200),
        ("UTC", 1_729_987_200),
    ],
)
def test_local_times_select_by_their_label_in_every_zone(zone: str, night: int) -> None:
    world = SimulatedWorld(Settings(tasks_per_day=3000, timezone=zone))
    now = night + DAY / 2
    everyone = world.tasks(now, night - DAY / 2, now)
    local = {t.id: world.local_time.seconds(t.created) for t in everyone}
    for begin in range(night - 2 * 3600, night + 6 * 3600, 1800):
        label_from = world.local_time.seconds(begin)
        wanted = Selection(label_from, label_from + 2700)
        found = [task.id for task in world.select(now, wanted)]
        expected = {i for i, at in local.items() if label_from <= at <= label_from + 2700}
        assert set(found) == expected
        assert [local[i] for i in found] == sorted(local[i] for i in found)


def test_hours_are_dropped_when_too_many_and_come_back_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("exporter.simulator.world._KEPT_TASKS", 50)
    world = SimulatedWorld(BUSY)
    assert everything(world) == everything(shared)
    assert world._kept <= 50 or len(world._hours) == 1
    assert everything(world) == everything(shared)


def test_balance_falls_over_the_day_and_is_topped_up_at_midnight() -> None:
    midnight = NOON - DAY / 2
    assert shared.balance(midnight) == shared.settings.balance
    assert shared.balance(midnight + 86_400) == shared.settings.balance
    assert shared.balance(NOON) < shared.balance(NOON - 3600) <= shared.settings.balance


@pytest.mark.parametrize(
    "wrong",
    [{"apps": ()}, {"timezone": "Mars/Olympus"}, {"apps": (App(id=1, name="a"),) * 2}],
)
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError)):
        Settings(**wrong)  # type: ignore[arg-type]
