"""The state machine of alerts, against what rules/alerting.go of Prometheus 2.42 does."""

import pytest

from benchmarks.detection.alerts import Firing, StateMachine
from benchmarks.detection.rules import Alert

STEP = 60
ONE = (("__name__", "m"), ("account", "a"))
OTHER = (("account", "b"),)


def machine(wait: int = 0, keep: int = 0) -> StateMachine:
    return StateMachine(Alert("Trouble", "m > 0", wait, keep, {"severity": "page"}))


def run(states: StateMachine, pattern: str, begin: int = 0) -> list[tuple[int, int]]:
    """One character an evaluation: x where the expression gives a series."""
    end = begin + (len(pattern) - 1) * STEP
    moments = [begin + place * STEP for place, sign in enumerate(pattern) if sign == "x"]
    states.evaluate_range({ONE: moments}, begin, end, STEP)
    return [(each.begin // STEP, each.end // STEP) for each in states.firings(end + STEP)]


def test_without_for_it_fires_at_once() -> None:
    assert run(machine(), ".xx.") == [(1, 3)]


def test_for_waits_from_the_first_evaluation_that_is_true() -> None:
    assert run(machine(wait=120), "xxxx.") == [(2, 4)]
    assert run(machine(wait=120), "xx.xx.") == []


def test_for_of_less_than_a_step_waits_for_the_next_one() -> None:
    assert run(machine(wait=30), "xx.") == [(1, 2)]


def test_it_is_kept_from_the_first_evaluation_that_is_not_true() -> None:
    assert run(machine(keep=180), "x.....") == [(0, 4)]


def test_what_comes_back_while_it_is_kept_fires_on_without_waiting() -> None:
    assert run(machine(wait=120, keep=180), "xxx..x.......") == [(2, 9)]


def test_what_only_waits_is_not_kept() -> None:
    assert run(machine(wait=120, keep=600), "xx.x.") == []


def test_after_its_end_it_waits_anew() -> None:
    assert run(machine(wait=60), "xx.xx.") == [(1, 2), (4, 5)]


def test_what_still_fires_ends_with_the_data() -> None:
    assert run(machine(), "..xx") == [(2, 4)]


@pytest.mark.parametrize(
    "pattern", ["xxxx....xx.xxxxxx...x..xx", "x.x.x.xxx.......xxx.xx", "." * 8]
)
@pytest.mark.parametrize(("wait", "keep"), [(0, 0), (120, 0), (0, 180), (60, 240)])
def test_pieces_are_as_good_as_a_whole(pattern: str, wait: int, keep: int) -> None:
    whole = run(machine(wait, keep), pattern)
    for cut in range(1, len(pattern)):
        states = machine(wait, keep)
        run(states, pattern[:cut])
        assert run(states, pattern[cut:], begin=cut * STEP) == whole


def test_series_do_not_know_of_each_other() -> None:
    states = machine(wait=60)
    states.evaluate_range({ONE: [0, 60], OTHER: [60, 120]}, 0, 180, STEP)
    found = [(each.label("account"), each.begin, each.end) for each in states.firings(240)]
    assert found == [("a", 60, 120), ("b", 120, 180)]


def test_labels_of_the_rule_are_added_and_the_name_is_the_alerts() -> None:
    states = machine()
    states.evaluate(0, [ONE])
    expected = Firing(
        "Trouble", (("account", "a"), ("alertname", "Trouble"), ("severity", "page")), 0, 60
    )
    assert states.firings(60) == [expected]
    assert expected.label("app") == ""
