"""What the trends on the status page are drawn from: dense at first, bounded, never invented."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exporter.history import MOST_FRAMES, SPAN, History
from exporter.snapshot import AccountSnapshot, WindowFigures
from tests.web.worlds import polled, window

MINUTE = 60.0


def taken(at: float, *windows: WindowFigures) -> AccountSnapshot:
    snapshot = polled(windows=windows or [window()])
    assert snapshot.figures is not None
    return replace(snapshot, taken_at=at, figures=replace(snapshot.figures, taken_at=at))


def withdrawn(at: float) -> AccountSnapshot:
    return replace(polled(), taken_at=at, figures=None)


def after(snapshots: Iterable[AccountSnapshot]) -> History:
    history = History()
    for snapshot in snapshots:
        history = history.followed_by(snapshot)
    return history


def times(history: History) -> list[float]:
    return [frame.at for frame in history.frames]


def test_every_poll_is_a_point_at_first() -> None:
    assert times(after(taken(10.0 * n) for n in range(100))) == [10.0 * n for n in range(100)]


def test_two_days_of_polls_leave_one_day_in_a_bounded_number_of_points() -> None:
    history = after(taken(n * MINUTE) for n in range(2 * 24 * 60))
    last = 2 * 24 * 60 * MINUTE
    assert MOST_FRAMES / 3 <= len(history.frames) <= MOST_FRAMES
    assert last - SPAN <= times(history)[0] <= last - SPAN + 20 * MINUTE
    assert last - times(history)[-1] <= 15 * MINUTE
    assert max(b - a for a, b in pairwise(times(history))) <= 15 * MINUTE


@given(
    st.lists(
        st.tuples(st.floats(-3 * SPAN, 3 * SPAN), st.booleans()), min_size=1, max_size=MOST_FRAMES
    ),
    st.floats(0.1, 4_000),
)
def test_whatever_the_clock_does_it_stays_ordered_and_bounded(
    jumps: list[tuple[float, bool]], step: float
) -> None:
    history, at = History(), 1e9
    for jump, known in jumps:
        at += jump if abs(jump) > SPAN else step
        history = history.followed_by(taken(at) if known else withdrawn(at))
        assert times(history) == sorted(times(history))
        assert len(history.frames) <= MOST_FRAMES
        assert all(at - SPAN < each <= at for each in times(history))


def test_figures_that_come_and_go_all_the_time_do_not_make_it_grow() -> None:
    history = after(
        snapshot for n in range(2_000) for snapshot in (taken(n * 2.0), withdrawn(n * 2.0 + 1))
    )
    assert len(history.frames) <= MOST_FRAMES


def test_very_many_apps_make_the_points_fewer() -> None:
    windows = [window(app=f"app {number}") for number in range(200)]
    history = after(taken(n * MINUTE, *windows) for n in range(200))
    assert sum(len(frame.points) for frame in history.frames) <= 20_000


def test_figures_that_are_withdrawn_leave_a_gap() -> None:
    history = after([taken(0.0), withdrawn(300.0), withdrawn(360.0), taken(420.0)])
    assert [bool(frame.points) for frame in history.frames] == [True, False, True]


def test_the_same_figures_published_again_are_no_second_point() -> None:
    failed = replace(taken(0.0), taken_at=60.0)
    assert times(after([taken(0.0), failed, taken(120.0)])) == [0.0, 120.0]


def test_a_point_is_that_of_the_sums() -> None:
    history = after(
        [
            taken(
                0.0,
                window(app="a", calls=900, answered=90),
                window(app="b", calls=100, answered=90),
                window("24h", app="b", calls=100, answered=90),
            )
        ]
    )
    points = history.frames[0].points
    assert {place: point.answer_ratio for place, point in points.items()} == {
        ("", "1h"): 0.18,
        ("a", "1h"): 0.1,
        ("b", "1h"): 0.9,
        ("", "24h"): 0.9,
        ("b", "24h"): 0.9,
    }
