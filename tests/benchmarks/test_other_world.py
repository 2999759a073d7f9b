"""The other world of campaigns: what holds of any traffic, and what incidents do to it."""

from dataclasses import replace

import pytest

from benchmarks.detection.history import what_would_have_been, world_of
from benchmarks.detection.other_traffic import QUIET, TROUBLED, other_accounts
from benchmarks.detection.other_world import CALLING, Habits, OtherWorld
from benchmarks.detection.plan import DAY, EPOCH, HOUR, WARM_UP, Account, Labelled
from exporter.simulator import Incident, IncidentKind
from exporter.simulator.truth import Reading

SEED = 4
MORNING = EPOCH + DAY + 2 * HOUR
"""Ten o'clock on a Tuesday, local time."""


def seen(world: OtherWorld, moment: int) -> dict[int, Reading]:
    return {task.id: task for task in world.tasks(moment, moment - 2 * DAY, moment)}


def calls(world: OtherWorld, begin: int, end: int) -> int:
    before = seen(world, begin)
    after = seen(world, end)
    return sum(t.calls - (before[t.id].calls if t.id in before else 0) for t in after.values())


def incident(kind: IncidentKind, begin: int = MORNING, hours: int = 1) -> Incident:
    return Incident(kind=kind, begin=begin, end=begin + hours * HOUR)


@pytest.mark.parametrize("habits_of", QUIET, ids=lambda habits_of: habits_of.__name__.strip("_"))
def test_figures_of_a_task_only_go_up_and_agree(habits_of: object) -> None:
    assert callable(habits_of)
    world = OtherWorld(habits_of(SEED))
    before: dict[int, Reading] = {}
    for moment in range(EPOCH + HOUR, EPOCH + 10 * DAY, 5 * HOUR):
        now = seen(world, moment)
        for number, task in now.items():
            assert task.answered + task.fail <= task.calls <= task.numbers
            assert task.success + task.fail == task.calls
            assert task.agent_fee + task.call_fee + task.sms_fee == task.total_fee
            assert EPOCH <= task.created <= moment
            if number in before:
                then = before[number]
                assert (then.calls, then.billed_seconds, then.total_fee) <= (
                    task.calls,
                    task.billed_seconds,
                    task.total_fee,
                )
                assert then.created == task.created
        before = now


def test_a_seed_is_a_world() -> None:
    habits = TROUBLED[0](SEED)
    assert seen(OtherWorld(habits), MORNING) == seen(OtherWorld(habits), MORNING)
    other = replace(habits, seed=SEED + 1)
    assert seen(OtherWorld(habits), MORNING) != seen(OtherWorld(other), MORNING)


def test_an_incident_changes_nothing_before_it_and_nothing_that_it_does_not_hit() -> None:
    habits = TROUBLED[0](SEED)
    app = habits.apps[0].id
    hit = Incident(kind=IncidentKind.STUCK_CALLING, begin=MORNING, end=MORNING + HOUR, app=app)
    quiet, troubled = OtherWorld(habits), OtherWorld(habits, [hit])
    assert seen(quiet, MORNING) == seen(troubled, MORNING)
    as_it_was, as_it_is = seen(quiet, MORNING + HOUR), seen(troubled, MORNING + HOUR)
    changed = {n for n, task in as_it_is.items() if as_it_was[n] != task}
    assert changed
    assert {as_it_is[number].app for number in changed} == {app}


@pytest.mark.parametrize("kind", [IncidentKind.STUCK_CALLING, IncidentKind.SILENCE])
def test_nobody_is_called(kind: IncidentKind) -> None:
    habits = TROUBLED[0](SEED)
    assert calls(OtherWorld(habits, [incident(kind)]), MORNING + 60, MORNING + HOUR) == 0
    assert calls(OtherWorld(habits), MORNING + 60, MORNING + HOUR) > 1000


def of_the_hour(habits: Habits, kind: IncidentKind | None) -> dict[str, float]:
    """What the hour of the incident adds up to, by figure."""
    world = OtherWorld(habits, [incident(kind)] if kind else [])
    before = seen(world, MORNING)
    after = seen(world, MORNING + HOUR)
    return {
        figure: sum(
            getattr(task, figure) - (getattr(before[n], figure) if n in before else 0)
            for n, task in after.items()
        )
        for figure in ("calls", "answered", "fail", "billed_seconds", "sms", "total_fee")
    }


def test_each_kind_changes_its_own_figure() -> None:
    habits = TROUBLED[0](SEED)
    usual = of_the_hour(habits, None)
    seen_by = {
        IncidentKind.ANSWER_COLLAPSE: ("answered", 0.1, 0.3),
        IncidentKind.ANSWER_HALVING: ("answered", 0.4, 0.6),
        IncidentKind.SHORT_CALLS: ("billed_seconds", 0.1, 0.25),
        IncidentKind.LONG_CALLS: ("billed_seconds", 3.0, 5.0),
        IncidentKind.FAILURES: ("fail", 8.0, 16.0),
        IncidentKind.SMS_SURGE: ("sms", 6.0, 14.0),
        IncidentKind.SPEND_RUNAWAY: ("total_fee", 4.0, 10.0),
    }
    for kind, (figure, least, most) in seen_by.items():
        share = of_the_hour(habits, kind)[figure] / usual[figure]
        assert least < share < most, (kind, share)


def test_a_runaway_of_an_odd_seed_is_many_more_campaigns() -> None:
    habits = TROUBLED[0](SEED + 1)
    usual = of_the_hour(habits, None)
    assert of_the_hour(habits, IncidentKind.SPEND_RUNAWAY)["calls"] > 2 * usual["calls"]


def test_calling_stops_at_night_and_tasks_stay() -> None:
    habits = replace(
        TROUBLED[0](SEED), numbers=3000.0, calling_hours=(9.0, 20.0), pauses_as=CALLING
    )
    night = EPOCH + DAY + 14 * HOUR  # 22:00 local
    world = OtherWorld(habits)
    before, after = seen(world, night), seen(world, night + 2 * HOUR)
    assert any(task.status == CALLING for task in before.values())
    assert sum(t.calls for t in before.values()) == sum(t.calls for t in after.values())


def test_a_world_begun_late_is_the_same_world() -> None:
    habits = TROUBLED[0](SEED)
    moment = EPOCH + 9 * DAY + 3 * HOUR
    late, early = OtherWorld.around(habits, moment), OtherWorld(habits)
    end = moment + HOUR
    from_late = {t.id: t for t in late.tasks(end, moment, end)}
    assert from_late
    assert from_late == {t.id: t for t in early.tasks(end, moment, end)}


def test_what_would_have_been_is_what_is_without_incidents() -> None:
    habits = TROUBLED[0](SEED)
    begin = EPOCH + WARM_UP + 3 * HOUR
    hit = Labelled("silence", begin, begin + 2 * HOUR)
    account = Account("a", habits, (hit,), EPOCH + WARM_UP + DAY)
    would = what_would_have_been(account, begin, HOUR)
    quiet = world_of(replace(account, incidents=()))
    before = {t.id: t.calls for t in quiet.tasks(begin, begin - DAY, begin)}
    after = quiet.tasks(begin + HOUR, begin - DAY, begin + HOUR)
    assert (
        sum(each.calls for each in would.values())
        == sum(t.calls - before.get(t.id, 0) for t in after)
        > 0
    )


def test_no_two_accounts_are_alike_and_some_have_objectives() -> None:
    made = other_accounts(1000, 4, 8, 7)
    assert len({account.name for account in made}) == len(made)
    assert {account.daily_spend is None for account in made} == {True, False}
    assert {account.answer_ratio is None for account in made} == {True, False}
    assert all(account.incidents for account in made[:4])
    assert not any(account.incidents for account in made[4:])
