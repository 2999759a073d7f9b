"""Rows: clocks that are wrong or set, days of 23 and 25 hours, wrong zones."""

from typing import TYPE_CHECKING

from exporter.simulator import ApiRules
from exporter.simulator import FaultKind as K
from tests.faults.during import Group, api, nothing
from tests.faults.row import FOLLOWS, Counters, Event, Meanwhile, Row, Setting, Sums, Up, Windows

if TYPE_CHECKING:
    from tests.faults.bench import Bench

_clocks = Group("Clocks")
_zones = Group("Zones")
_LENIENT = Setting(rules=ApiRules(timestamp_tolerance=1e12))
_BACK = Meanwhile(Up.YES, Windows.OTHER, Counters.COUNT)
"""Windows lack what had left the lookback already, until the next sweep."""


def _set(seconds: float) -> Event:
    async def change(bench: "Bench") -> None:
        bench.time.wall_offset += seconds

    return change


def _ours(words: str, seconds: float, meanwhile: Meanwhile = FOLLOWS, **more: object) -> Row:
    return _clocks.row(
        f"our clock {words}",
        f"our clock is set {words}, later right again",
        _set(seconds),
        meanwhile,
        ends=_set(-seconds),
        shared=True,
        recovery=6,
        **more,
    )


def _lenient(words: str, seconds: float, meanwhile: Meanwhile = FOLLOWS, **more: object) -> Row:
    return _clocks.row(
        f"our clock {words}, unnoticed",
        f"our clock is set {words}, and the API checks no timestamps",
        _set(seconds),
        meanwhile,
        ends=_set(-seconds),
        setting=_LENIENT,
        shared=True,
        recovery=6,
        **more,
    )


def _server(words: str, seconds: float, meanwhile: Meanwhile = FOLLOWS, **more: object) -> Row:
    return _clocks.row(
        f"server's clock {words}",
        f"the server's Date and timestamps are {words}",
        api(K.CLOCK_SKEW, seconds),
        meanwhile,
        recovery=6,
        **more,
    )


CLOCKS: list[Row] = [
    _server("100 s ahead", 100),
    _server("100 s behind", -100),
    _server("10 min ahead", 600, note="timestamps are corrected by Date"),
    _server("10 min behind", -600, _BACK, note="timestamps are corrected by Date"),
    _ours("100 s forward", 100),
    _ours("100 s back", -100, _BACK),
    _ours("10 min forward", 600, note="timestamps are corrected by Date"),
    _ours("10 min back", -600, _BACK, note="timestamps are corrected by Date"),
    _ours("a day forward", 86_400, note="timestamps are corrected by Date"),
    _ours("a day back", -86_400, _BACK, note="timestamps are corrected by Date"),
    _ours("to 1970", -1_699_999_000, _BACK, note="timestamps are corrected by Date"),
    _lenient("10 min forward", 600),
    _lenient("10 min back", -600, _BACK),
    _lenient("2 h forward", 7200),
    _lenient("2 h back", -7200, _BACK),
]

_SPRING = 1_710_053_460.0  # 2024-03-10 06:51 UTC: nine minutes before clocks go forward
_AUTUMN = 1_730_612_940.0  # 2024-11-03 05:49 UTC: eleven minutes before they go back
_NEW_YORK = {"timezone": "America/New_York"}


def _dst(name: str, fault: str, begin: float, minutes: int, note: str = "") -> Row:
    setting = Setting(world=_NEW_YORK, timezone="America/New_York", begin=begin)
    return _zones.row(name, fault, nothing, FOLLOWS, minutes=minutes, setting=setting, note=note)


_EARLIER = "a local time that comes twice is taken for the earlier; counters are exact"


def _told(timezone: str) -> Event:
    """Let the configuration be loaded anew with another zone."""

    async def change(bench: "Bench") -> None:
        await bench.until_polls_are_due()
        await bench.reload(timezone=timezone)
        bench.judges["faulty"].understood = float

    return change


def _wrong(name: str, fault: str, timezone: str, **more: object) -> Row:
    return _zones.row(
        name,
        fault,
        nothing,
        FOLLOWS,
        ends=_told("Asia/Shanghai"),
        setting=Setting(timezone=timezone),
        **more,
    )


ZONES: list[Row] = [
    _dst("clocks go forward", "the API's zone leaves an hour out", _SPRING, 12),
    _dst("clocks go back", "the API's zone repeats an hour", _AUTUMN, 14, _EARLIER),
    _dst(
        "in the repeated hour",
        "begun in the second of two equal hours",
        _AUTUMN + 1800,
        4,
        _EARLIER,
    ),
    _dst("after the repeated hour", "the repeated hour ends", _AUTUMN + 3900, 8, _EARLIER),
    _wrong(
        "zone 8 h behind",
        "the configuration says UTC, the API is at +08:00: tasks come from the future",
        "UTC",
        note="told by `future_tasks`; figures are right, windows are wider",
    ),
    _wrong(
        "zone 1 h ahead",
        "the configuration says +09:00, the API is at +08:00: tasks are an hour old at once",
        "Asia/Tokyo",
        sums=Sums.NONE,
        note="windows lack an hour; set right, tasks that the zone had hidden are a baseline",
    ),
]

ROWS = [*CLOCKS, *ZONES]
