from collections.abc import Callable

import pytest

from exporter.simulator import Incident, IncidentKind, Settings, SimulatedWorld
from exporter.simulator.campaign import Status
from exporter.simulator.truth import Reading, Sums, gained
from tests.simulator.client import DAY, NOON

SETTINGS = Settings(seed=3, tasks_per_day=800, late_settlement_share=0)
HOURS = 2 * 3600
END = NOON + HOURS

calm = SimulatedWorld(SETTINGS)


def during(kind: IncidentKind, **more: object) -> Incident:
    return Incident(kind=kind, begin=NOON, end=END, **more)  # type: ignore[arg-type]


def happened(world: SimulatedWorld) -> Sums:
    """What calls, fees and so on the two hours of the incident brought."""
    before = world.tasks(NOON, NOON - DAY, END)
    after = world.tasks(END, NOON - DAY, END)
    return gained(before, after).whole


def money(sums: Sums) -> float:
    return float(sum(sums.money.values()))


def per_call(sums: Sums, what: str) -> float:
    return float(getattr(sums, what)) / sums.calls


# kind: a measure of the two hours, and within what factors of calm it must lie.
MEASURES: dict[IncidentKind, tuple[Callable[[Sums], float], float, float]] = {
    IncidentKind.ANSWER_COLLAPSE: (lambda s: per_call(s, "answered"), 0.15, 0.25),
    IncidentKind.ANSWER_HALVING: (lambda s: per_call(s, "answered"), 0.45, 0.55),
    IncidentKind.SHORT_CALLS: (lambda s: s.billed_seconds / s.answered, 0.1, 0.2),
    IncidentKind.LONG_CALLS: (lambda s: s.billed_seconds / s.answered, 3.5, 4.5),
    IncidentKind.FAILURES: (lambda s: per_call(s, "fail"), 5.0, 20.0),
    IncidentKind.STUCK_WAITING: (lambda s: float(s.calls), 0.05, 0.8),
    IncidentKind.STUCK_CALLING: (lambda s: float(s.calls), 0.0, 0.0),
    IncidentKind.SUBMISSION_FAILURES: (lambda s: float(s.tasks[3]), 5.0, 500.0),
    IncidentKind.SUSPENDED: (lambda s: float(s.calls), 0.2, 0.8),
    IncidentKind.SPEND_RUNAWAY: (money, 7.5, 8.5),
    IncidentKind.SILENCE: (lambda s: float(s.calls), 0.0, 0.0),
    IncidentKind.SMS_SURGE: (lambda s: s.sms / s.answered, 8.5, 11.0),
    IncidentKind.FEE_MISMATCH: (lambda s: float(s.total["USD"]) / money(s), 1.09, 1.11),
    IncidentKind.CURRENCY_CHANGE: (lambda s: 1 + float(s.total.get("EUR", 0)), 2.0, 1e9),
}


@pytest.mark.parametrize("kind", list(IncidentKind))
def test_an_incident_does_what_it_says(kind: IncidentKind) -> None:
    measure, least, most = MEASURES[kind]
    hit = measure(happened(SimulatedWorld(SETTINGS, [during(kind)])))
    assert least <= hit / measure(happened(calm)) <= most


@pytest.mark.parametrize("kind", list(IncidentKind))
def test_an_incident_changes_only_what_follows_also_when_added_later(kind: IncidentKind) -> None:
    world = SimulatedWorld(SETTINGS)
    just_before = NOON - 0.001
    before = world.tasks(just_before, NOON - DAY, NOON)
    world.tasks(END, NOON - DAY, END)  # the future, looked at without the incident
    world.add_incident(during(kind))
    assert world.tasks(just_before, NOON - DAY, NOON) == before
    assert world.tasks(NOON - 3600, NOON - DAY, NOON) == calm.tasks(NOON - 3600, NOON - DAY, NOON)
    foreseen = SimulatedWorld(SETTINGS, [during(kind)])
    assert world.tasks(END, NOON - DAY, END) == foreseen.tasks(END, NOON - DAY, END)
    known = {t.id: t for t in before}
    for t in world.tasks(END, NOON - DAY, just_before):
        assert _not_less(t, known[t.id])


def _not_less(now: Reading, before: Reading) -> bool:
    fields = ("calls", "answered", "success", "fail", "billed_seconds", "sms", "total_fee")
    return all(getattr(now, name) >= getattr(before, name) for name in fields)


def test_an_incident_ended_early_leaves_what_it_did_and_nothing_after() -> None:
    world = SimulatedWorld(SETTINGS)
    number = world.add_incident(during(IncidentKind.SPEND_RUNAWAY))
    halfway = NOON + HOURS / 2
    reached = world.tasks(halfway, NOON - DAY, END)
    world.end_incident(number, halfway)
    assert world.tasks(halfway, NOON - DAY, END) == reached
    short = Incident(kind=IncidentKind.SPEND_RUNAWAY, begin=NOON, end=halfway)
    assert world.incidents == {1: short}
    expected = SimulatedWorld(SETTINGS, [short])
    assert world.tasks(END, NOON - DAY, END) == expected.tasks(END, NOON - DAY, END)


def test_an_incident_of_one_app_leaves_the_others_alone() -> None:
    world = SimulatedWorld(SETTINGS, [during(IncidentKind.ANSWER_COLLAPSE, app=15)])
    for app in (12, 21):
        args = (END, NOON - DAY, END, app)
        assert world.tasks(*args) == calm.tasks(*args)
    assert world.truth(END, NOON, END, 15).whole.answered < (
        calm.truth(END, NOON, END, 15).whole.answered
    )


def test_an_incident_of_one_script_leaves_the_others_alone() -> None:
    world = SimulatedWorld(SETTINGS, [during(IncidentKind.LONG_CALLS, script=15001)])
    changed = {
        t.script
        for t, quiet in zip(
            world.tasks(END, NOON - DAY, END), calm.tasks(END, NOON - DAY, END), strict=True
        )
        if t != quiet
    }
    assert changed == {15001}


def test_stuck_for_ever_never_ends() -> None:
    stuck = Incident(kind=IncidentKind.STUCK_CALLING, begin=NOON, end=1e12)
    world = SimulatedWorld(SETTINGS, [stuck])
    year = NOON + 365 * DAY
    statuses = {t.status for t in world.tasks(year, NOON - 1800, NOON + 1800)}
    assert Status.CALLING in statuses
    assert Status.FINISHED in statuses  # those that were done before noon


def test_silence_lets_no_task_be_created() -> None:
    world = SimulatedWorld(SETTINGS, [during(IncidentKind.SILENCE)])
    assert world.tasks(END, NOON, END - 1) == []
    ids = {t.id for t in calm.tasks(END + DAY, END, END + DAY)}
    assert {t.id for t in world.tasks(END + DAY, END, END + DAY)} == ids


@pytest.mark.parametrize("wrong", [{"end": NOON - 1.0}, {"strength": -1.0}])
def test_impossible_incidents_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="cannot"):
        Incident(**{"kind": IncidentKind.SILENCE, "begin": NOON, "end": END, **wrong})  # type: ignore[arg-type]
