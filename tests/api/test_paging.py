"""Whole ranges from an API whose pages shift, repeat, lie and refuse."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.api import errors
from exporter.api.client import Client, Limits, Query
from exporter.api.paging import MOST_CUTS, RangeReader, Selection
from exporter.api.reading import Reading
from exporter.api.records import Page
from exporter.api.width import RELAX_AFTER, SPLIT_AGAIN
from exporter.simulator import (
    EXAMPLE_RECORD,
    ApiRules,
    Fault,
    FaultKind,
    Order,
    ScriptedWorld,
    Simulator,
    serve,
)
from exporter.tasks.task import Status, Task
from tests.api.answers import LOCALE
from tests.api.clients import asking
from tests.virtual_time import BEGIN, VirtualTime

NOW = 1_700_000_000
DAY = 86_400
AHEAD = 26 * 3600
ALL = Selection()
ORDERS = ("ascending", "descending", "id", "random")


@dataclass
class Shelf:
    """An API in place of the client: tasks by id with the seconds of their labels.

    ``before`` is called before each page: there tasks come and go.
    """

    tasks: dict[int, int]
    order: str = "descending"
    largest_page: int = 100
    says_size: bool = True
    clamps: bool = False
    """Whether a page beyond the last shows the last once more."""
    total: Callable[[int], int | None] = lambda number: number
    widest: int | None = None
    before: Callable[["Shelf"], None] = lambda _: None
    now: float = NOW
    asked: list[Query] = field(default_factory=list)
    locale = LOCALE
    limits = Limits(10, 4, 100)
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    async def page(self, query: Query) -> Page:
        self.asked.append(query)
        assert len(self.asked) < 5000, "it asks for ever"
        for _ in range(self.rng.randrange(3)):
            await asyncio.sleep(0)
        self.before(self)
        begin, end = seconds(query.begin), seconds(query.end)
        if self.widest is not None and end - begin > self.widest:
            raise errors.of_code(-22, "too wide")
        found = self.sorted([id_ for id_, at in self.tasks.items() if begin <= at <= end])
        size = min(query.size, self.largest_page)
        number = min(query.page, max(1, -(-len(found) // size))) if self.clamps else query.page
        shown = found[(number - 1) * size : number * size]
        said = self.total(len(found))
        return Page([task(id_, self.tasks[id_]) for id_ in shown], [], said, self.says(query))

    def says(self, query: Query) -> int | None:
        return query.size if self.says_size else None

    def sorted(self, found: list[int]) -> list[int]:
        if self.order == "random":
            return self.rng.sample(found, len(found))
        if self.order == "ties":  # as a database may, that is not told how to order equal times
            return sorted(self.rng.sample(found, len(found)), key=lambda id_: self.tasks[id_])
        if self.order == "id":
            return sorted(found, key=lambda id_: id_ * 2654435761 % 2**32)
        return sorted(
            found, key=lambda id_: (self.tasks[id_], id_), reverse=self.order == "descending"
        )

    def reader(self) -> RangeReader:
        return RangeReader(cast("Client", self), lambda: self.now, lambda: self.now)

    def whole(self, begin: int = NOW - DAY, end: int = NOW + AHEAD) -> Reading:
        return run(self.reader().whole(begin, end, ALL))


def run(reading: Coroutine[Any, Any, Reading]) -> Reading:
    return asyncio.run(reading)


def seconds(label: str) -> int:
    return int(datetime.fromisoformat(label).replace(tzinfo=UTC).timestamp())


def task(task_id: int, created: int) -> Task:
    return Task(task_id, "", Status.FINISHED, "1", created)


def spread(number: int, *, begin: int = NOW - DAY, end: int = NOW - 1) -> dict[int, int]:
    """Return so many tasks evenly over a range."""
    return {n + 1: begin + (end - begin) * n // max(1, number) for n in range(number)}


# --- ranges that stand still --------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 199, 200, 201, 250, 431])
def test_a_range_is_whole_in_any_order(order: str, number: int) -> None:
    shelf = Shelf(spread(number), order)
    assert shelf.whole().tasks.keys() == shelf.tasks.keys()


@pytest.mark.parametrize("order", ["ascending", "descending", "id"])
@pytest.mark.parametrize(("number", "requests"), [(0, 1), (1, 1), (100, 1), (101, 4), (1000, 12)])
def test_no_more_is_asked_than_needed(order: str, number: int, requests: int) -> None:
    shelf = Shelf(spread(number), order)
    shelf.whole()
    assert len(shelf.asked) <= requests


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("says_size", [True, False])
@pytest.mark.parametrize("largest", [10, 50, 99])
@pytest.mark.parametrize("with_total", [True, False])
@pytest.mark.parametrize("clamps", [True, False])
def test_an_api_that_puts_fewer_on_a_page_than_asked(
    order: str, says_size: bool, largest: int, with_total: bool, clamps: bool
) -> None:
    shelf = Shelf(spread(120), order, largest_page=largest, says_size=says_size, clamps=clamps)
    if not with_total:
        shelf.total = lambda _: None
        if says_size:  # it says that there is room for more: that is all there is to know
            return
    if order == "random":
        with suppress(errors.IncompleteError):  # 120 in parts of 10 are too many for it
            assert shelf.whole().tasks.keys() == shelf.tasks.keys()
    else:
        assert shelf.whole().tasks.keys() == shelf.tasks.keys()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 200, 250])
@pytest.mark.parametrize("clamps", [True, False])
@pytest.mark.parametrize("says_size", [True, False])
def test_without_a_total_a_range_is_whole_as_well(
    order: str, number: int, clamps: bool, says_size: bool
) -> None:
    shelf = Shelf(spread(number), order, clamps=clamps, says_size=says_size, total=lambda _: None)
    if order == "random" and number > 100:
        with suppress(errors.IncompleteError):
            shelf.whole()
        return
    assert shelf.whole().tasks.keys() == shelf.tasks.keys()
    assert len(shelf.asked) < 20


@pytest.mark.parametrize("order", ["ascending", "descending", "id"])
def test_all_of_them_in_the_same_second(order: str) -> None:
    for second in (NOW - 5000, NOW - 1, NOW, NOW + 1):
        shelf = Shelf(dict.fromkeys(range(1, 351), second), order)
        assert len(shelf.whole().tasks) == 350


@pytest.mark.parametrize("order", ["random", "ties"])
@pytest.mark.parametrize("number", [150, 350, 600])
@pytest.mark.parametrize("second", [NOW - 5000, NOW - 1, NOW])
def test_all_of_them_in_the_same_second_in_no_order_come_together(
    order: str, number: int, second: int
) -> None:
    shelf = Shelf(dict.fromkeys(range(1, number + 1), second), order)
    assert shelf.whole().tasks.keys() == shelf.tasks.keys()
    # Each reading of all pages shows anew what is on more than half of them.
    assert len(shelf.asked) < 40 * (number // 100 + 1)


def test_a_second_of_which_the_api_hides_tasks_is_given_up() -> None:
    shelf = Shelf(dict.fromkeys(range(1, 351), NOW - 5000), "random", total=lambda n: n + 7)
    with pytest.raises(errors.IncompleteError, match="the API says"):
        shelf.whole()
    assert len(shelf.asked) < 200


# --- totals that lie ----------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("number", [0, 1, 100, 250, 1000])
@pytest.mark.parametrize("clamps", [True, False])
@pytest.mark.parametrize("wrong", [7, 10**6, 10**18, -1])
def test_a_wrong_total_is_incomplete_after_a_bounded_number_of_requests(
    order: str, number: int, wrong: int, clamps: bool
) -> None:
    if number + wrong < 0:
        return
    shelf = Shelf(spread(number), order, clamps=clamps, total=lambda n: max(0, n + wrong))
    with pytest.raises(errors.IncompleteError, match=r"the API says \d+ tasks, its pages show"):
        shelf.whole()
    a_reading = number // 100 + 1 + shelf.limits.concurrency
    assert len(shelf.asked) <= (MOST_CUTS + 2) * a_reading


def test_a_passing_reading_is_bounded_as_well() -> None:
    for clamps in (True, False):
        shelf = Shelf(spread(250), clamps=clamps, total=lambda _: 10**18)
        reading = run(shelf.reader().passing(NOW - DAY, NOW + AHEAD, ALL))
        assert reading.tasks.keys() == shelf.tasks.keys()
        assert len(shelf.asked) <= 3 + shelf.limits.concurrency


# --- ranges that are too wide -------------------------------------------------------------------


@pytest.mark.parametrize("widest", [5 * 3600, 6 * 3600, 12 * 3600, 86_399, DAY, 100_000])
def test_ranges_that_are_too_wide_are_split_and_the_width_is_learned(widest: int) -> None:
    shelf = Shelf(spread(250), widest=widest)
    reader = shelf.reader()
    assert run(reader.whole(NOW - DAY, NOW + AHEAD, ALL)).tasks.keys() == shelf.tasks.keys()
    learned = len(shelf.asked)
    assert learned < 40
    shelf.asked.clear()
    refused = [0]

    def count(_: Shelf) -> None:
        query = shelf.asked[-1]
        refused[0] += seconds(query.end) - seconds(query.begin) > widest

    shelf.before = count
    assert run(reader.whole(NOW - DAY, NOW + AHEAD, ALL)).tasks.keys() == shelf.tasks.keys()
    assert refused == [0]
    assert len(shelf.asked) <= learned


def test_a_query_that_is_refused_for_itself_is_not_split_for_ever() -> None:
    shelf = Shelf({}, widest=-1)
    for begin in (NOW - DAY, NOW - 30 * DAY, NOW - 365 * DAY):
        shelf.asked.clear()
        with pytest.raises(errors.ParameterError):
            shelf.whole(begin)
        assert len(shelf.asked) <= 16
    assert list(shelf.reader()._width.accepted(0, 30 * DAY)) == [(0, 30 * DAY)]


def test_what_was_refused_for_itself_is_asked_once_a_poll_and_later_tried_in_parts_again() -> None:
    shelf = Shelf(spread(250), widest=-1)
    reader = shelf.reader()
    for expected in (range(2, 9), range(1, 2), range(1, 2)):
        shelf.asked.clear()
        with pytest.raises(errors.ParameterError):
            run(reader.whole(NOW - DAY, NOW + AHEAD, ALL))
        assert len(shelf.asked) in expected
    shelf.widest = 12 * 3600
    shelf.now += SPLIT_AGAIN
    assert run(reader.whole(NOW - DAY, NOW + AHEAD, ALL)).tasks.keys() == shelf.tasks.keys()


def test_a_wider_range_is_tried_again_after_hours() -> None:
    shelf = Shelf(spread(250), widest=12 * 3600)
    reader = shelf.reader()
    run(reader.whole(NOW - DAY, NOW + AHEAD, ALL))
    shelf.asked.clear()
    run(reader.whole(NOW - DAY, NOW + AHEAD, ALL))
    narrow = len(shelf.asked)
    shelf.widest = 10 * DAY
    shelf.now += RELAX_AFTER + 1
    shelf.asked.clear()
    assert run(reader.whole(NOW - DAY, NOW + AHEAD, ALL)).tasks.keys() == shelf.tasks.keys()
    assert len(shelf.asked) < narrow
    assert list(reader._width.accepted(0, 30 * DAY)) == [(0, 30 * DAY)]


# --- pages that shift ---------------------------------------------------------------------------


def stream(shelf: Shelf, *, per_request: float, lag: int = 0) -> None:
    """Have tasks created steadily while pages are read; labels are ``lag`` seconds off."""
    due = [0.0]

    def create(shelf: Shelf) -> None:
        shelf.now += 0.2
        due[0] += per_request
        while due[0] >= 1:
            due[0] -= 1
            shelf.tasks[max(shelf.tasks, default=0) + 1] = int(shelf.now) + lag

    shelf.before = create


@pytest.mark.parametrize("order", ["ascending", "descending", "id", "ties", "random"])
@pytest.mark.parametrize("per_request", [0.3, 5])
@pytest.mark.parametrize("hours", [-8, -1, 0, 8])
@pytest.mark.parametrize("number", [50, 900])
def test_a_steady_stream_neither_fails_nor_hides(
    order: str, per_request: float, hours: int, number: int
) -> None:
    lag = hours * 3600
    shelf = Shelf(spread(number, begin=NOW - DAY + lag, end=NOW - 1 + lag), order)
    within = {id_ for id_, at in shelf.tasks.items() if at >= NOW - DAY}
    stream(shelf, per_request=per_request, lag=lag)
    for _ in range(3):
        reading = shelf.whole()
        assert within <= reading.tasks.keys()
        assert reading.tasks.keys() <= shelf.tasks.keys()
        within |= reading.tasks.keys()
    assert len(shelf.asked) < 3 * (20 + 6 * number // 100)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    order=st.sampled_from(ORDERS),
    number=st.integers(0, 320),
    creations=st.sampled_from([0.0, 0.2, 1.0]),
    deletions=st.sampled_from([0.0, 0.1, 0.5]),
    hours=st.sampled_from([0, 0, 8, -8]),
)
def test_what_existed_throughout_is_in_a_reading(  # noqa: PLR0917
    seed: int, order: str, number: int, creations: float, deletions: float, hours: int
) -> None:
    """The one promise of a Reading, whatever else comes and goes; else it says Incomplete.

    Where the zone is wrong, nothing tells a range that stands still: there a deletion and a
    creation between two pages make up for each other in every total, and cannot be told.
    """
    if hours and creations:
        deletions = 0.0
    rng = random.Random(seed)
    lag = hours * 3600
    shelf = Shelf(spread(number, begin=NOW - DAY + lag, end=NOW - 1 + lag), order, rng=rng)
    deleted: set[int] = set()

    def change(shelf: Shelf) -> None:
        shelf.now += rng.random()
        if rng.random() < creations:
            shelf.tasks[max(shelf.tasks, default=0) + 1] = int(shelf.now) + lag
        if rng.random() < deletions and shelf.tasks:
            gone = rng.choice(list(shelf.tasks))
            deleted.add(gone)
            del shelf.tasks[gone]

    shelf.before = change
    before = {id_ for id_, at in shelf.tasks.items() if at >= NOW - DAY}
    try:
        reading = shelf.whole()
    except errors.IncompleteError:
        assert len(shelf.asked) < 1000
        return
    assert before - deleted <= reading.tasks.keys()
    assert reading.tasks.keys() <= shelf.tasks.keys() | deleted


# --- over HTTP ----------------------------------------------------------------------------------


def records(number: int) -> Iterable[dict[str, Any]]:
    for n in range(number):
        created = datetime.fromtimestamp(BEGIN - 60 * (n + 1), UTC)
        label = created.strftime("%Y-%m-%d %H:%M:%S")
        yield {**EXAMPLE_RECORD, "taskId": 5000 + n, "createdTime": label}


async def read_by_http(simulator: Simulator, time: VirtualTime) -> Reading:
    async with asking(simulator.url, time) as client:
        reader = RangeReader(client, time.now, time.monotonic)
        return await reader.whole(int(BEGIN) - DAY, int(BEGIN) + AHEAD, ALL)


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault(kind=FaultKind.APPEARING, times=4),
        Fault(kind=FaultKind.VANISHING, times=4),
        Fault(kind=FaultKind.DUPLICATES),
        Fault(kind=FaultKind.TOTAL_AS_TEXT),
        Fault(kind=FaultKind.LOST_RECORDS, times=2, share=0.1),
        Fault(kind=FaultKind.EMPTY_PAGE, times=2),
        Fault(kind=FaultKind.RECORDS_NULL, times=1),
        Fault(kind=FaultKind.WRONG_TOTAL, times=2),
    ],
    ids=lambda fault: fault.kind if fault else "none",
)
async def test_over_http_in_each_order(
    time: VirtualTime, order: Order, fault: Fault | None
) -> None:
    world = ScriptedWorld(records(150))
    async with await serve(world, clock=time.now, rules=ApiRules(order=order)) as simulator:
        if fault:
            simulator.faults.add(fault)
        reading = await read_by_http(simulator, time)
    assert reading.tasks.keys() == {5000 + n for n in range(150)}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.LOST_RECORDS, share=0.1),
        Fault(kind=FaultKind.EMPTY_PAGE),
        Fault(kind=FaultKind.RECORDS_NULL),
        Fault(kind=FaultKind.WRONG_TOTAL),
    ],
    ids=lambda fault: fault.kind,
)
async def test_over_http_what_never_adds_up_is_incomplete(time: VirtualTime, fault: Fault) -> None:
    async with await serve(ScriptedWorld(records(150)), clock=time.now) as simulator:
        simulator.faults.add(fault)
        with pytest.raises(errors.IncompleteError):
            await read_by_http(simulator, time)
        assert simulator.api.log.total < 60


async def test_records_that_cannot_be_read_count_as_seen(time: VirtualTime) -> None:
    world = ScriptedWorld(records(150))
    world.update(5003, callNum=-1)
    world.update(5004, agentFee="free")
    async with await serve(world, clock=time.now) as simulator:
        reading = await read_by_http(simulator, time)
    assert len(reading.tasks) == 148
    assert reading.rejected_ids == {5003, 5004}
    assert sorted(reading.rejected) == ["figure", "money"]
