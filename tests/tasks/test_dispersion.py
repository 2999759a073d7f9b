"""The design effect, against the definition and against worlds whose correlation is known."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.tasks.dispersion import FEWEST_TASKS, Spread
from exporter.tasks.task import Status, Task


def task(calls: int | None, answered: int | None) -> Task:
    return Task(1, "", Status.CALLING, "7", 0, calls=calls, answered=answered)


def spread_of(*figures: tuple[int | None, int | None]) -> Spread:
    spread = Spread()
    for calls, answered in figures:
        spread.change(task(calls, answered), 1)
    return spread


def test_tasks_that_are_all_alike_tell_as_much_as_their_calls() -> None:
    assert spread_of(*[(100, 30)] * 20).design_effect() == 1


def test_tasks_that_are_all_or_nothing_tell_as_much_as_one_call_each() -> None:
    effect = spread_of(*[(100, 100)] * 10, *[(100, 0)] * 10).design_effect()
    assert effect == pytest.approx(100)


def test_nothing_is_said_of_few_tasks_or_of_one_outcome() -> None:
    assert spread_of(*[(100, 30)] * (FEWEST_TASKS - 1)).design_effect() is None
    assert spread_of(*[(100, 0)] * 50).design_effect() is None
    assert spread_of(*[(100, 100)] * 50).design_effect() is None


def test_a_missing_figure_is_no_zero() -> None:
    assert spread_of(*[(100, 30)] * 20, (100, None), (None, 5), (0, 0)).tasks == 20


def test_one_call_a_task_is_a_coin_flip_each() -> None:
    assert spread_of(*[(1, 1)] * 5, *[(1, 0)] * 15).design_effect() == 1


@pytest.mark.parametrize("correlation", [0.02, 0.1, 0.3])
def test_a_known_correlation_is_found(correlation: float) -> None:
    chance = random.Random(7)
    total = 1 / correlation - 1
    spread = Spread()
    for _ in range(3000):
        ratio = chance.betavariate(0.3 * total, 0.7 * total)
        answered = sum(chance.random() < ratio for _ in range(50))
        spread.change(task(50, answered), 1)
    effect = spread.design_effect()
    assert effect is not None
    assert (effect - 1) / 49 == pytest.approx(correlation, rel=0.15)


figures = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(lambda f: (max(f), min(f)))


@given(st.lists(figures, max_size=30), st.lists(figures, max_size=30))
def test_what_is_taken_away_leaves_no_trace(
    kept: list[tuple[int, int]], gone: list[tuple[int, int]]
) -> None:
    spread = spread_of(*kept, *gone)
    for calls, answered in gone:
        spread.change(task(calls, answered), -1)
    merged = spread_of(*kept[::2])
    merged.add(spread_of(*kept[1::2]))
    once = spread_of(*kept)
    for name in Spread.__slots__:
        assert getattr(spread, name) == getattr(merged, name) == getattr(once, name)
    effect = once.design_effect()
    assert effect is None or effect >= 1
