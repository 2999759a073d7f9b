"""Reading the rule files: what they need, and in what order."""

import pytest

from benchmarks.detection.agreement import firing_minutes
from benchmarks.detection.alerts import Firing
from benchmarks.detection.calls_needed import calls, independent, table, upper
from benchmarks.detection.engine import chunks
from benchmarks.detection.rules import Recording, levels, load, seconds
from benchmarks.detection.run import RULES


def test_each_level_needs_only_those_before_it() -> None:
    a = Recording("itnio:a:x", "itnio_voice_calls_total")
    b = Recording("itnio:b:x", "itnio:a:x + itnio:c:x")
    c = Recording("itnio:c:x", "itnio:a:x")
    assert levels([b, c, a]) == [[a], [c], [b]]


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        levels([Recording("itnio:a:x", "itnio:b:x"), Recording("itnio:b:x", "itnio:a:x")])


def test_the_real_rules_are_understood() -> None:
    book = load(RULES)
    assert sum(len(level) for level in book.levels()) == len(book.recordings)
    assert "itnio_voice_calls_total" in book.scraped()
    assert "itnio:app_calls:increase1h" in book.remembered()
    assert not {name for name in book.scraped() if ":" in name}
    assert all(alert.labels["severity"] in {"page", "ticket"} for alert in book.alerts)


def test_durations() -> None:
    assert [seconds(each) for each in ("0m", "90s", "1h30m", "7d")] == [0, 90, 5400, 604_800]


def test_chunks_cover_each_moment_once() -> None:
    parts = list(chunks(0, 600, most=4))
    assert parts == [(0, 180), (240, 420), (480, 600)]
    assert list(chunks(0, 0)) == [(0, 0)]


def test_what_fires_at_each_evaluation() -> None:
    firing = Firing("x", (), 60, 180)
    assert firing_minutes([firing]) == {60: [firing], 120: [firing]}


def test_enough_calls_are_just_enough() -> None:
    needed = independent(0.08, 0.16)
    assert needed is not None
    assert upper(0.08, needed) < 0.16 <= upper(0.08, needed - 1)
    assert independent(0.16, 0.16) is None


def test_more_calls_of_few_tasks_tell_no_more() -> None:
    assert calls(100, 0.1, 10) is None
    found = calls(100, 0.1, 20)
    assert found is not None
    assert found / (1 + 0.1 * found / 20) >= 100
    assert table().count("\n") > 10
