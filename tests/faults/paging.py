"""Rows: pages that shift, repeat, or come in any order."""

from dataclasses import replace
from typing import TYPE_CHECKING

from exporter.simulator import Fault
from exporter.simulator import FaultKind as K
from exporter.simulator.account import Order
from tests.faults.during import Group, api
from tests.faults.row import FOLLOWS, Counters, Event, Meanwhile, Row, Up, Windows

if TYPE_CHECKING:
    from tests.faults.bench import Bench

_paging = Group("Paging")
_UNSURE = Meanwhile(Up.EITHER, Windows.OTHER, Counters.RISE)


def _ordered(order: Order, *faults: Fault) -> Event:
    async def change(bench: "Bench") -> None:
        bench.faulty.api.rules = replace(bench.faulty.api.rules, order=order)
        for each in faults:
            bench.faulty.faults.add(each)

    return change


async def _usual(bench: "Bench") -> None:
    bench.faulty.faults.clear()
    await _ordered(Order.CREATED_DESCENDING)(bench)


def _order(order: Order, words: str) -> Row:
    return _paging.row(
        f"sorted {words}",
        f"records are sorted {words}",
        _ordered(order),
        FOLLOWS,
        ends=_usual,
        minutes=5,
    )


def _shifting(name: str, fault: str, order: Order, kind: K, amount: float) -> Row:
    begins = _ordered(order, Fault(kind=kind, amount=amount))
    return _paging.row(
        name,
        fault,
        begins,
        _UNSURE,
        ends=_usual,
        minutes=5,
        note="read again in parts that stand still; `incomplete` where that does not help",
    )


ROWS: list[Row] = [
    _order(Order.CREATED_ASCENDING, "oldest first"),
    _order(Order.CREATED_DESCENDING, "newest first"),
    _order(Order.TASK_ID, "by id"),
    _order(Order.RANDOM, "at random, anew for each request"),
    _shifting(
        "created while paging",
        "a task is created with each request, newest first",
        Order.CREATED_DESCENDING,
        K.APPEARING,
        1,
    ),
    _shifting(
        "created while paging, oldest first",
        "a task is created with each request, oldest first",
        Order.CREATED_ASCENDING,
        K.APPEARING,
        1,
    ),
    _shifting(
        "many created while paging",
        "five tasks are created with each request",
        Order.CREATED_DESCENDING,
        K.APPEARING,
        5,
    ),
    _shifting(
        "deleted while paging",
        "a task is deleted with each request, newest first",
        Order.CREATED_DESCENDING,
        K.VANISHING,
        1,
    ),
    _shifting(
        "deleted while paging, oldest first",
        "a task is deleted with each request, oldest first",
        Order.CREATED_ASCENDING,
        K.VANISHING,
        1,
    ),
    _paging.row(
        "page 2 empty",
        "every page but the first is empty",
        api(K.EMPTY_PAGE, page=2),
        _UNSURE,
        minutes=5,
    ),
    _paging.row(
        "page 2 hangs", "page 2 is never answered", api(K.HANG, page=2), _UNSURE, minutes=5
    ),
    _paging.row(
        "page 2 loses records",
        "records are missing from page 2",
        api(K.LOST_RECORDS, page=2, share=0.5),
        _UNSURE,
        minutes=5,
    ),
    _paging.row(
        "total differs by page",
        "page 2 tells another total",
        api(K.WRONG_TOTAL, 3, page=2),
        _UNSURE,
        minutes=5,
    ),
]
