"""Rows: what the account itself does: corrections, other currencies, suspensions, deletions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from exporter.simulator import FaultKind as K
from exporter.simulator import Incident, IncidentKind, SimulatedWorld
from tests.faults.during import Group, api, nothing
from tests.faults.row import FOLLOWS, Counters, Event, Meanwhile, Row, Setting, Sums, Up, Windows

if TYPE_CHECKING:
    from tests.faults.bench import Bench

_world = Group("The account itself")
_RISE = Meanwhile(Up.YES, Windows.OTHER, Counters.RISE)
_ALWAYS_SWEPT = "full_sweep: 59s"
_RECORDS = Setting(records=True)
_ZONE = ZoneInfo("Asia/Shanghai")


def _incident(kind: IncidentKind, **more: Any) -> Event:
    async def begin(bench: "Bench") -> None:
        world = bench.faulty.world
        assert isinstance(world, SimulatedWorld)
        now = bench.clock()
        bench.kept["incident"] = world.add_incident(
            Incident(kind=kind, begin=now, end=now + 86_400, **more)
        )

    return begin


async def _incident_ends(bench: "Bench") -> None:
    world = bench.faulty.world
    assert isinstance(world, SimulatedWorld)
    world.end_incident(bench.kept["incident"], bench.clock())


def _happens(name: str, fault: str, kind: IncidentKind, **more: Any) -> Row:
    meanwhile = more.pop("meanwhile", FOLLOWS)
    return _world.row(
        name, fault, _incident(kind, **more), meanwhile, ends=_incident_ends, minutes=5
    )


def _changed(*steps: Callable[["Bench"], None]) -> Event:
    async def change(bench: "Bench") -> None:
        for step in steps:
            step(bench)

    return change


def _update(task_id: int, **fields: Any) -> Callable[["Bench"], None]:
    def update(bench: "Bench") -> None:
        bench.scripted.update(task_id, **fields)

    return update


def _create(*task_ids: int, **fields: Any) -> Callable[["Bench"], None]:
    def create(bench: "Bench") -> None:
        for task_id in task_ids:
            created = bench.clock() - 90 + task_id % 60
            bench.scripted.add(bench.record(task_id, created, _ZONE, **fields))

    return create


def _delete(*task_ids: int) -> Callable[["Bench"], None]:
    def delete(bench: "Bench") -> None:
        for task_id in task_ids:
            bench.kept.setdefault("deleted", []).append(bench.scripted.record(task_id))
            bench.scripted.delete(task_id)

    return delete


def _undelete(bench: "Bench") -> None:
    for record in bench.kept["deleted"]:
        bench.scripted.add(record)


def _written(
    name: str, fault: str, begins: Event, ends: Event, meanwhile: Meanwhile = FOLLOWS, **more: Any
) -> Row:
    more.setdefault("setting", _RECORDS)
    return _world.row(name, fault, begins, meanwhile, ends=ends, peaks=True, **more)


_MORE = _create(7, 8, 9)
_LESS = {
    "callNum": 4,
    "answeredNum": 3,
    "success": 3,
    "fail": 1,
    "chargeLen": 100,
    "groupCallPayFee": "0.01(USD)",
}
_FULLER = {
    "callNum": 20,
    "answeredNum": 12,
    "success": 15,
    "fail": 5,
    "chargeLen": 700,
    "groupCallPayFee": "1.000001(USD)",
}

ROWS: list[Row] = [
    _happens(
        "currency changes",
        "new tasks are billed in EUR",
        IncidentKind.CURRENCY_CHANGE,
        strength=1.0,
        meanwhile=Meanwhile(Up.YES, Windows.FOLLOW, Counters.RISE),
    ),
    _happens(
        "suspended",
        "calling tasks are suspended, and resume later",
        IncidentKind.SUSPENDED,
        strength=1.0,
    ),
    _happens("stuck", "calls stop, and go on later", IncidentKind.STUCK_CALLING),
    _happens("silence", "nothing is created, and calls stop", IncidentKind.SILENCE),
    _happens("spend runs away", "every price is eightfold", IncidentKind.SPEND_RUNAWAY),
    _happens(
        "fees do not add up", "the total exceeds its parts by a tenth", IncidentKind.FEE_MISMATCH
    ),
    _happens(
        "submission fails", "most tasks fail to be submitted", IncidentKind.SUBMISSION_FAILURES
    ),
    _world.row(
        "late settlement",
        "every call fee rises within 2 minutes of the task's end",
        nothing,
        FOLLOWS,
        ends=nothing,
        minutes=5,
        setting=Setting(
            world={"late_settlement_share": 1.0, "late_settlement_delay": 120.0}, poll=_ALWAYS_SWEPT
        ),
    ),
    _world.row(
        "downward corrections",
        "every call fee and length goes down within 5 minutes of the task's end",
        nothing,
        FOLLOWS,
        ends=nothing,
        minutes=6,
        peaks=True,
        setting=Setting(
            world={"correction_share": 1.0, "correction_delay": 300.0}, poll=_ALWAYS_SWEPT
        ),
        note="counters hold the highest that was shown; windows go down",
    ),
    _world.row(
        "figures in another currency",
        "all fees but agentFee are in EUR for a while, then in USD again",
        api(K.OTHER_CURRENCY),
        _RISE,
        sums=Sums.NONE,
        recovery=6,
        note="what was shown in EUR stays counted in EUR; USD is exact",
    ),
    _written(
        "settles late",
        "a fee rises 2 minutes after the task's end",
        _changed(_create(2, status=1)),
        _changed(_update(2, status=2)),
        setting=Setting(records=True, poll="full_sweep: 6h"),
    ),
    _written(
        "correction down",
        "calls, lengths and a fee go down",
        _changed(_update(1, **_LESS)),
        _changed(_MORE),
        _RISE,
        recovery=6,
        note="read again by the next full sweep at the latest; counters keep the mark",
    ),
    _written(
        "correction up",
        "calls, lengths and a fee go up two hours later",
        _changed(_update(1, **_FULLER)),
        _changed(_MORE),
        _RISE,
        recovery=6,
        note="read again by the next full sweep at the latest",
    ),
    _written(
        "down and beyond",
        "figures go down, then beyond where they were",
        _changed(_update(1, **_LESS)),
        _changed(_update(1, **_FULLER)),
        _RISE,
        recovery=6,
        minutes=5,
        note="only what lies beyond the mark is counted",
    ),
    _written(
        "a task resumes",
        "a finished task calls on",
        _changed(_create(2)),
        _changed(_update(2, status=1, **_FULLER)),
        recovery=6,
    ),
    _written(
        "deleted",
        "a task is deleted upstream, and another comes",
        _changed(_delete(1), _MORE),
        _changed(_create(17)),
        _RISE,
        recovery=6,
        note="windows lose it by the next full sweep, counters keep it",
    ),
    _written(
        "deleted and back",
        "a task is deleted upstream, and is there again later",
        _changed(_create(3, 4), _delete(1)),
        _changed(_undelete),
        _RISE,
        minutes=6,
        recovery=6,
        note="not counted twice",
    ),
    _written(
        "many in a second",
        "300 tasks are created in one second",
        _changed(_create(*range(60, 60 * 301, 60))),
        _changed(_MORE),
        recovery=6,
    ),
]
