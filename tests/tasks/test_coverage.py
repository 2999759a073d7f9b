import math
from functools import cache
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.tasks.coverage import (
    BEYOND,
    LONGEST_HEAD,
    OVERLAP,
    PAGE,
    REQUESTS_A_POLL,
    SETTLE_AT,
    SWEEP_SLICE,
    Range,
    cost,
    cover,
    has_gap,
    head,
    newest_from,
    settling,
    slices,
    sweep_span,
)
from exporter.tasks.inventory import Inventory, ScriptLabels
from exporter.tasks.task import Status, Task
from tests.tasks.invented import NOW, inventory_of, quick, task

LOOKBACK: Final = 24 * 3600


def crowded(*crowds: tuple[int, int]) -> Inventory:
    """Return an inventory of so many tasks at each of some moments."""
    return inventory_of(*(moment for moment, size in crowds for _ in range(size)))


def fewest(inventory: Inventory, moments: list[int]) -> int:
    """Return the requests of the best of all ways to cut moments into ranges."""

    @cache
    def best(first: int) -> int:
        if first == len(moments):
            return 0
        return min(
            cost(inventory, [Range(moments[first], moments[last])]) + best(last + 1)
            for last in range(first, len(moments))
        )

    return best(0)


# Few moments; of those, some with many tasks, since a bulk of campaigns is created in one second.
crowds = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from([0, 1, 5, 30, 48, 50, 95, 100, 101, 150, 205])),
    max_size=8,
)


@quick
@given(crowds, st.sets(st.integers(0, 12), max_size=8))
def test_a_cover_holds_all_moments_at_the_fewest_requests(
    crowds: list[tuple[int, int]], moments: set[int]
) -> None:
    inventory = crowded(*crowds)
    ranges = cover(inventory, moments)
    assert all(sum(moment in each for each in ranges) == 1 for moment in moments)
    assert all(each.begin in moments and each.end in moments for each in ranges)
    assert all(one.end < other.begin for one, other in pairwise(ranges))
    assert cost(inventory, ranges) == fewest(inventory, sorted(moments))


def test_a_cover_joins_neighbours_in_any_order_and_repeated() -> None:
    inventory = crowded((1, 40), (2, 40), (3, 20), (4, 1))
    assert cover(inventory, [4, 3, 2, 1, 3]) == [Range(1, 3), Range(4, 4)]
    assert cover(inventory, []) == []


@pytest.mark.parametrize(
    ("crowds", "requests"),
    [
        ([], 1),
        ([(3, PAGE)], 1),
        ([(3, PAGE), (4, 1)], 2),
        ([(1, PAGE * 5), (3, 1), (9, PAGE * 5)], 1),
        ([(2, 2 * PAGE)], 2),
    ],
)
def test_a_range_costs_a_request_for_each_page(
    crowds: list[tuple[int, int]], requests: int
) -> None:
    assert cost(crowded(*crowds), [Range(2, 8)]) == requests


@quick
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 200 * SWEEP_SLICE))
def test_slices_are_the_whole_span_each_moment_once(begin: int, length: int, total: int) -> None:
    parts = slices(Range(begin, begin + length), total)[::-1]
    assert (parts[0].begin, parts[-1].end) == (begin, begin + length)
    assert all(one.end + 1 == other.begin for one, other in pairwise(parts))
    assert all(part.begin <= part.end for part in parts)
    assert len(parts) == min(max(1, math.ceil(total / SWEEP_SLICE)), length + 1)


# --- the head -----------------------------------------------------------------------------------

ages = st.integers(-BEYOND, LOOKBACK + 600) | st.integers(-60, 1200)
records = st.builds(lambda age, status: (NOW - age, status), ages, st.sampled_from([*Status]))


def inventory_with(known: list[tuple[int, Status]]) -> Inventory:
    inventory = Inventory(ScriptLabels(5))
    tasks = {number: task(number, *each) for number, each in enumerate(known)}
    inventory.update(tasks, 0.0, NOW, settle=0)
    return inventory


@quick
@given(
    st.lists(records, max_size=40),
    st.none() | st.integers(-300, LONGEST_HEAD),
    st.floats(0, 1, exclude_max=True),
)
def test_the_head_misses_nothing(
    known: list[tuple[int, Status]], since: int | None, fraction: float
) -> None:
    inventory = inventory_with(known)
    now = NOW + fraction
    last_whole = None if since is None else now - since
    plan = head(inventory, now, last_whole=last_whole, lookback=LOOKBACK)
    horizon = math.floor(now - LOOKBACK) + 1
    # What is new.
    first = math.floor(min(now, now if last_whole is None else last_whole)) - OVERLAP
    assert plan.newest.begin <= max(first, horizon)
    assert plan.newest.begin >= horizon
    assert plan.newest.end >= now + 14 * 3600
    # What has not ended: in the head, asked for by its status, or in a range of its own.
    older = [
        entry.task.created
        for entry in inventory.unfinished.values()
        if horizon <= entry.task.created < plan.newest.begin
    ]
    if not plan.filtered:
        assert all(any(created in each for each in plan.ranges) for created in older)
    else:
        assert not plan.ranges
    if not older:
        assert not plan.filtered
    # Ranges never cost more than asking by status would.
    assert cost(inventory, plan.ranges) <= max(1, math.ceil(len(inventory.unfinished) / PAGE))


@quick
@given(st.lists(records, max_size=40))
def test_reaching_further_back_costs_no_request(known: list[tuple[int, Status]]) -> None:
    inventory = inventory_with(known)
    plan = head(inventory, NOW, last_whole=NOW - 60, lookback=LOOKBACK)
    begin = max(newest_from(inventory, NOW, last_whole=NOW - 60), math.floor(NOW - LOOKBACK) + 1)
    alone = cost(inventory, [Range(begin, plan.newest.end)])
    assert cost(inventory, [plan.newest]) == alone


def test_where_the_zone_is_behind_the_newest_known_task_is_where_new_ones_begin() -> None:
    inventory = inventory_with([(NOW - 3 * 3600, Status.FINISHED)])
    begin = newest_from(inventory, NOW, last_whole=NOW - 60)
    assert begin == NOW - 3 * 3600 - OVERLAP


def test_where_the_zone_is_ahead_new_tasks_are_asked_for_beyond_now() -> None:
    inventory = inventory_with([(NOW + 3 * 3600, Status.FINISHED)])
    plan = head(inventory, NOW, last_whole=NOW - 60, lookback=LOOKBACK)
    assert NOW + 3 * 3600 in plan.newest
    assert NOW - 60 - OVERLAP in plan.newest


def test_a_clock_that_was_set_back_does_not_hide_what_is_new_by_it() -> None:
    plan = head(inventory_with([]), NOW, last_whole=NOW + 7200, lookback=LOOKBACK)
    assert NOW - OVERLAP in plan.newest


def test_what_was_missed_for_long_is_left_to_a_sweep() -> None:
    assert not has_gap(NOW, last_whole=NOW - LONGEST_HEAD)
    assert has_gap(NOW, last_whole=NOW - LONGEST_HEAD - 1)
    plan = head(inventory_with([]), NOW, last_whole=NOW - 7200, lookback=LOOKBACK)
    assert plan.newest.begin == NOW - LONGEST_HEAD - OVERLAP


def test_few_unfinished_tasks_far_apart_are_asked_for_by_status() -> None:
    plan = head(
        inventory_with(
            [(NOW - 3600 * hour, Status.CALLING) for hour in range(1, 20)]
            + [(NOW - age, Status.FINISHED) for age in range(300, LOOKBACK, 20)]
        ),
        NOW,
        last_whole=NOW - 60,
        lookback=LOOKBACK,
    )
    assert plan.filtered


@quick
@given(st.lists(records, max_size=10), st.none() | st.integers(0, 7200), st.integers(0, 99))
def test_a_sweep_and_the_poll_that_began_it_leave_nothing_between_them(
    known: list[tuple[int, Status]], since: int | None, later: int
) -> None:
    last_whole = None if since is None else NOW - since
    plan = head(inventory_with(known), NOW, last_whole=last_whole, lookback=LOOKBACK)
    span = sweep_span(NOW + later, LOOKBACK)
    assert span.begin == NOW + later - LOOKBACK + 1
    assert span.end + 1 >= plan.newest.begin


# --- settling -----------------------------------------------------------------------------------

SETTLE: Final = 3600.0


@quick
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 600)), min_size=1, max_size=12),
    st.integers(30, 600),
    st.integers(0, REQUESTS_A_POLL + 3),
    st.sampled_from([SETTLE, 600.0]),
)
def test_each_ended_task_is_read_again_a_few_times_and_then_no_more(
    known: list[tuple[int, int]], interval: int, spent: int, settle: float
) -> None:
    inventory = inventory_of(*(hour * 3600 for hour, _ in known), status=Status.CALLING)
    ended: dict[int, Task] = {}
    read: dict[int, list[float]] = {number: [] for number in range(len(known))}
    now = 0.0
    ends = dict(enumerate(at for _, at in known))
    for _ in range(math.ceil(20 * settle / interval) + len(known)):
        now += interval
        ending = {number for number, at in ends.items() if at <= now} - ended.keys()
        for number in ending:
            ended[number] = task(number, known[number][0] * 3600, Status.FINISHED)
        inventory.update({number: ended[number] for number in ending}, now, NOW, settle=settle)
        ranges = settling(inventory, now, settle=settle, spent=spent)
        assert cost(inventory, ranges) <= max(REQUESTS_A_POLL - spent, 1)
        again = {
            number: each for number, each in ended.items() if any(each.created in r for r in ranges)
        }
        for number in again:
            read[number].append(now)
        inventory.update(again, now, NOW, settle=settle)
    assert not inventory.settling
    for number, times in read.items():
        first_seen = math.ceil(max(ends[number], 1) / interval) * interval
        assert times, "it was never read again"
        assert times[-1] >= first_seen + settle * SETTLE_AT[-1]


@given(st.integers(0, 600))
def test_a_task_alone_is_read_once_for_each_part_of_settle(end: int) -> None:
    inventory = inventory_of(0, status=Status.CALLING)
    ended = {0: task(0, 0, Status.FINISHED)}
    inventory.update(ended, end, NOW, settle=SETTLE)
    times: list[float] = []
    for now in range(end, end + 2 * int(SETTLE), 60):
        if settling(inventory, now, settle=SETTLE, spent=0):
            times.append(now - end)
            inventory.update(ended, now, NOW, settle=SETTLE)
    assert times == [part * SETTLE for part in SETTLE_AT]


def test_settle_0_reads_nothing_again() -> None:
    inventory = inventory_of(0, status=Status.CALLING)
    inventory.update({0: task(0, 0, Status.FINISHED)}, 10.0, NOW, settle=0)
    assert settling(inventory, 99.0, settle=0, spent=0) == []
    assert not inventory.settling


def test_what_has_waited_for_too_long_is_read_at_any_cost() -> None:
    inventory = inventory_of(0, 9 * 3600, status=Status.CALLING)
    inventory.update({0: task(0, 0, Status.FINISHED)}, 0.0, NOW, settle=SETTLE)
    due = SETTLE * SETTLE_AT[0]
    busy = REQUESTS_A_POLL
    assert settling(inventory, due, settle=SETTLE, spent=busy) == []
    assert settling(inventory, due, settle=SETTLE, spent=busy - 1) == [Range(0, 0)]
    late = due + SETTLE / 10 + 1
    assert settling(inventory, late, settle=SETTLE, spent=busy) == [Range(0, 0)]


def test_the_longest_overdue_come_first() -> None:
    day = 24 * 3600
    # So far apart, and so many between them, that each needs a request of its own.
    inventory = crowded(*((number * day + 1, PAGE) for number in range(8)))
    late = {1000 + number: task(1000 + number, number * day) for number in range(8)}
    inventory.update(late, 0.0, NOW, settle=SETTLE)
    for number, place in enumerate((5, 2, 7, 0, 1, 3, 4, 6)):
        ended = task(1000 + place, place * day, Status.FINISHED)
        inventory.update({ended.task_id: ended}, number, NOW, settle=SETTLE)
    ranges = settling(inventory, SETTLE / 4, settle=SETTLE, spent=2)
    assert [each.begin // day for each in ranges] == [5, 2, 7]
