"""What counts as found, as a page, and as a false one."""

import math
from itertools import pairwise

import pytest

from benchmarks.detection import controls, plan
from benchmarks.detection.alerts import Firing
from benchmarks.detection.inhibition import Inhibition, Matcher, load, remaining
from benchmarks.detection.run import ALERTMANAGER
from benchmarks.detection.scoring import (
    AFTERMATH,
    FAMILIES,
    Event,
    pages,
    quantile,
    rate_bounds,
    score,
    wilson,
)

BEGIN, END = 10_000, 17_200


def alert(
    begin: int, end: int, *, family: str = "answer_ratio", app: str = "one", severity: str = "page"
) -> Firing:
    labels = {"account": "a", "app": app, "family": family, "severity": severity}
    labels["alertname"] = family
    return Firing(family, tuple(sorted(labels.items())), begin, end)


def event(kind: str = "answer_collapse", app: str = "one", calls: int = 1000) -> Event:
    return Event(plan.Labelled(kind, BEGIN, END, 1 if app else None), app, calls)


def test_an_incident_is_found_once_however_long_it_is_told_of() -> None:
    scores = score([alert(BEGIN + 300, END), alert(END - 60, END + 600)], [event()])
    (outcome,) = scores.outcomes
    assert outcome.paged_after == 300
    assert outcome.told_after == 300
    assert outcome.reset_after == 600
    assert outcome.pages == 1  # the second began while the first fired
    assert not scores.false_pages


def test_what_fired_before_has_not_found_it() -> None:
    scores = score([alert(BEGIN - 60, END)], [event()])
    assert scores.outcomes[0].paged_after is None
    assert len(scores.false_pages) == 1


def test_what_begins_when_all_is_over_has_not_found_it_but_is_about_it() -> None:
    scores = score([alert(END + 60, END + 600)], [event()])
    assert scores.outcomes[0].paged_after is None
    assert scores.outcomes[0].pages == 1
    assert not scores.false_pages


def test_what_begins_after_the_aftermath_is_false() -> None:
    assert len(score([alert(END + AFTERMATH, END + 9000)], [event()]).false_pages) == 1


def test_another_apps_page_is_false() -> None:
    scores = score([alert(BEGIN + 60, END, app="two")], [event()])
    assert scores.outcomes[0].told_after is None
    assert len(scores.false_pages) == 1


def test_a_page_for_the_whole_account_is_about_each_app() -> None:
    assert score([alert(BEGIN + 60, END, app="")], [event()]).outcomes[0].paged_after == 60


def test_an_alert_of_another_kind_has_not_found_it() -> None:
    scores = score([alert(BEGIN + 60, END, family="traffic")], [event()])
    assert scores.outcomes[0].told_after is None


def test_a_control_may_mean_anything() -> None:
    scores = score([alert(BEGIN + 60, END, family="control")], [event("stuck_calling")])
    assert scores.outcomes[0].paged_after == 60


def test_a_ticket_tells_but_does_not_page() -> None:
    scores = score([alert(BEGIN + 60, END, severity="ticket")], [event()])
    (outcome,) = scores.outcomes
    assert (outcome.paged_after, outcome.told_after, outcome.pages) == (None, 60, 0)
    assert pages([alert(0, 60, severity="ticket")]) == []


def test_a_pause_makes_two_pages() -> None:
    found = pages([alert(500, 600), alert(0, 100), alert(90, 200), alert(200, 300)])
    assert [(each.begin, each.end) for each in found] == [(0, 200), (200, 300), (500, 600)]


def test_few_calls_are_not_visible_and_polls_always_are() -> None:
    assert not event(calls=10).visible
    assert event(plan.REFUSED, calls=0).visible


def test_every_kind_has_its_families_and_its_place_in_the_week() -> None:
    assert set(FAMILIES) == set(plan.KINDS)
    incidents = plan.schedule(7)
    assert {each.kind for each in incidents} == set(plan.KINDS)
    begins = [each.begin for each in incidents]
    assert begins == sorted(begins)
    for earlier, later in pairwise(incidents):
        assert later.begin >= earlier.end + AFTERMATH
    assert incidents[0].begin >= plan.EPOCH + plan.WARM_UP
    assert incidents[-1].end + AFTERMATH <= plan.EPOCH + plan.WARM_UP + 7 * plan.DAY


def test_seeds_of_report_and_tuning_do_not_meet() -> None:
    seeds = [
        {each.settings.seed for each in plan.accounts(first, 50, 50, 7)}
        for first in (plan.REPORTED, plan.TUNED)
    ]
    assert not seeds[0] & seeds[1]


def test_blind_controls_are_blind() -> None:
    account = plan.accounts(plan.TUNED, 1, 0, 0)[0]
    assert controls.blind(account) == controls.blind(plan.without_incidents(account))
    assert len(controls.blind(account)[controls.ALWAYS]) == 7 * 24
    assert controls.blind(account)[controls.NEVER] == []


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [(0, 0, 0.0, 1.0), (10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634)],
)
def test_wilson(hits: int, tries: int, low: float, high: float) -> None:
    assert wilson(hits, tries) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("events", "low", "high"), [(0, 0, 3.689), (1, 0.0253, 5.572), (3, 0.6187, 8.767)]
)
def test_bounds_of_a_rate(events: int, low: float, high: float) -> None:
    assert rate_bounds(events, 1) == pytest.approx((low, high), rel=1e-3)
    assert rate_bounds(events, 0) == (0, math.inf)


def test_quantile() -> None:
    assert quantile([], 0.5) is None
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([3, 1, 2], 0.9) == 3


def inhibition(source: str, target: str, *equal: str) -> Inhibition:
    return Inhibition((Matcher.of(source),), (Matcher.of(target),), equal)


def test_what_is_held_back_in_its_middle_becomes_two() -> None:
    source, target = alert(100, 200, family="x"), alert(50, 300, family="y")
    rule = inhibition('family="x"', 'family="y"', "account", "app")
    left = [(each.name, each.begin, each.end) for each in remaining([source, target], [rule])]
    assert left == [("y", 50, 100), ("x", 100, 200), ("y", 200, 300)]


def test_only_equals_hold_each_other_back() -> None:
    source, target = alert(0, 100, family="x", app="two"), alert(0, 100, family="y")
    rule = inhibition('family="x"', 'family="y"', "app")
    assert len(remaining([source, target], [rule])) == 2


def test_what_is_source_and_target_does_not_silence_its_like() -> None:
    rule = inhibition('severity="page"', 'family=~"x|y"')
    both = [alert(0, 100, family="x"), alert(0, 100, family="y")]
    assert len(remaining(both, [rule])) == 2


@pytest.mark.parametrize(
    ("matcher", "matches"),
    [('family="x"', True), ('family!="x"', False), ('family=~"x|y"', True), ('app!~"t.+"', True)],
)
def test_matchers(matcher: str, matches: bool) -> None:
    assert Matcher.of(matcher).matches(alert(0, 1, family="x")) is matches


def test_the_real_inhibitions_are_understood() -> None:
    assert load(ALERTMANAGER)


def test_answers_of_few_tasks_are_not_visible_and_their_failing_to_call_is() -> None:
    def of_tasks(kind: str, tasks: int) -> Event:
        return Event(plan.Labelled(kind, BEGIN, END), "", 5000, tasks)

    assert not of_tasks("answer_collapse", 9).visible
    assert of_tasks("answer_collapse", 10).visible
    assert of_tasks("stuck_calling", 1).visible
