"""What a row of the fault matrix says, in types: nothing here needs a test runner."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from exporter.simulator import ApiRules

if TYPE_CHECKING:
    from tests.faults.bench import Bench


class Up(Enum):
    """What ``itnio_up`` of the faulty account says while the fault lasts."""

    YES = "1"
    NO = "0"
    EITHER = "1 or 0"


class Windows(Enum):
    """What becomes of the faulty account's window gauges while the fault lasts."""

    FOLLOW = "equal the truth"
    STAY = "stay as they were"
    KEPT = "keep the tasks that were known"
    WITHDRAWN = "are withdrawn"
    OTHER = "are what the API shows"
    ABSENT = "not there yet"


class Counters(Enum):
    """What becomes of the faulty account's counters while the fault lasts."""

    COUNT = "equal the truth"
    STILL = "stand still"
    WITHHELD = "are withheld"
    RISE = "never go down"


class Sums(Enum):
    """Over what the counters are compared once the fault is over."""

    EACH = "every series equals the truth"
    SCRIPTS = "sums over the scripts equal the truth"
    NONE = "see the note"


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What is expected while a fault lasts; ``reasons``: which a failed poll may give."""

    up: Up
    windows: Windows
    counters: Counters
    reasons: tuple[str, ...] = ()


def fails(*reasons: str) -> Meanwhile:
    """Polls fail for one of these reasons; the last good figures stay."""
    return Meanwhile(Up.NO, Windows.STAY, Counters.STILL, reasons)


FOLLOWS = Meanwhile(Up.YES, Windows.FOLLOW, Counters.COUNT)
"""Nobody who scrapes notices anything."""

Event = Callable[["Bench"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How the bench is set up for a row, where that differs from the usual."""

    world: Mapping[str, Any] = field(default_factory=dict)
    """Of the faulty account's simulator.Settings."""
    rules: ApiRules = field(default_factory=ApiRules)
    poll: str = ""
    """Lines of YAML under ``poll``."""
    timezone: str = "Asia/Shanghai"
    """What the faulty account's configuration says."""
    begin: float = 0.0
    """Unix time at which the row begins; 0: when the clocks of tests do."""
    start: bool = True
    """Whether polling is begun before the fault comes."""
    records: bool = False
    """Whether the faulty account's world is scripted: records that the row changes itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: a fault, how it comes and goes, what happens meanwhile, what is promised after."""

    name: str
    group: str
    fault: str
    """In words, for people."""
    begins: Event
    ends: Event
    meanwhile: Meanwhile
    minutes: int = 3
    """For how many polls the fault lasts."""
    recovery: int = 4
    """After how many polls, at most, everything is as if there had been no fault."""
    sums: Sums = Sums.EACH
    peaks: bool = False
    """Whether figures go down, so that counters hold the highest that was shown."""
    shared: bool = False
    """Whether the fault lies in what both accounts share, so that it may hold up both counters."""
    restarts: bool = False
    """Whether counters may begin anew from 0, since what they were kept in is gone."""
    note: str = ""
    """What the columns do not say, in words."""
    setting: Setting = field(default_factory=Setting)
