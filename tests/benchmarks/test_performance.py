"""The benchmarks that `make bench` runs are found, and what they write is put together."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks import plot
from benchmarks.__main__ import INTRODUCTION, assembled, found
from benchmarks.serving import subjects
from benchmarks.serving.performance import Goal
from benchmarks.serving.tracked import accounts


def test_every_benchmark_with_a_performance_module_is_found() -> None:
    assert "serving" in found()
    assert "detection" not in found()


def test_the_page_is_made_of_the_pieces_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("## B\n\n\n")
    (tmp_path / "a.md").write_text("## A\n\n![text](a-b.svg)\n")
    (tmp_path / "a.svg").write_text("<svg/>")
    assert assembled(tmp_path) == INTRODUCTION + "\n## A\n\n![text](performance/a-b.svg)\n\n## B\n"


def test_a_plot_is_a_picture_with_every_name_apart_from_the_others() -> None:
    picture = plot.lines_of(
        {"one <b>": [(1_000, 0.5), (100_000, 3)], "other": [(1_000, 0.4), (100_000, 3.1)]},
        title="a & b",
        across="series",
        up="ms",
    )
    texts = ET.fromstring(picture).findall("{http://www.w3.org/2000/svg}text")
    places = {each.text: float(each.attrib["y"]) for each in texts}
    assert {"one <b>", "other", "a & b", "1,000", "100,000", "0.1", "10"} <= places.keys()
    assert abs(places["one <b>"] - places["other"]) >= 12


@pytest.mark.parametrize("series", [1_000, 10_000])
def test_worlds_have_about_as_many_series_as_asked_for(series: int) -> None:
    found = list(subjects.samples(subjects.exposition(series)))
    assert series * 0.9 < len(found) < series * 1.1
    assert len({(name, tuple(labels.items())) for name, labels, _ in found}) == len(found)


def test_a_poll_in_which_one_percent_changed_leaves_the_rest_as_it_was() -> None:
    made = accounts(10_000)
    before = [each.snapshot() for each in made]
    after = [each.go_on(0.01) for each in made]
    changed = total = 0
    for one, other in zip(before, after, strict=True):
        assert one.figures is not None
        assert other.figures is not None
        for old, new in zip(one.figures.windows, other.figures.windows, strict=True):
            changed += old != new
            total += 1
    assert 0.005 < changed / total < 0.03


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        (Goal("a", 1.1, 1.05), ("a", "at most 1.1 x", "1.05 x", "reached")),
        (Goal("a", 1.1, 1.25), ("a", "at most 1.1 x", "1.25 x", "**missed**")),
        (Goal("a", 12, 54.2, at_least=True), ("a", "at least 12 x", "54.2 x", "reached")),
        (Goal("a", 50, 60, " MB"), ("a", "at most 50 MB", "60 MB", "**missed**")),
    ],
)
def test_a_goal_says_whether_it_was_reached(goal: Goal, words: tuple[str, ...]) -> None:
    assert goal.row() == words
