"""What is stored of an app, and what can keep it from being stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from exporter.tasks.ledger import Mark, Marks, Series


@dataclass(frozen=True, slots=True)
class Database:
    """Where ledgers are shared: a PostgreSQL."""

    url: str = field(repr=False)
    """``postgresql://user:password@host:port/name``."""


class StorageError(Exception):
    """The store cannot be used; the message says why and what to do, ``reason`` is its label."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


REASONS: Final = (
    "corrupt",
    "full",
    "locked",
    "newer",
    "unwritable",
    "unreachable",
    "refused",
    "not_owned",
    "failed",
)
"""Every value of the ``reason`` label."""


@dataclass(frozen=True, slots=True)
class TotalRow:
    """One counter: its total, and whether it has been seen at 0 by a scrape."""

    series: Series
    total: Mark
    introduced: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed of one app since its last commit."""

    account: str
    app: str
    counted_from: int | None
    selection: str
    """Which tasks are asked for."""
    scripts: Sequence[str]
    """All scripts with a label of their own, first come first."""
    records: Mapping[int, bytes | None]
    """Last counted records by task, packed; None: the task is forgotten."""
    totals: Sequence[TotalRow]
    above: Mapping[int, Marks] = field(default_factory=dict)
    """Marks that lie above those records, where there are such."""
    progressed: Mapping[int, float] = field(default_factory=dict)
    """Unix time of a task's last seen progress, where it has not ended; of its end, soon after."""


@dataclass(slots=True)
class State:
    """One app as it was stored; empty where it was never."""

    counted_from: int | None = None
    selection: str = ""
    scripts: list[str] = field(default_factory=list)
    records: dict[int, bytes] = field(default_factory=dict)
    totals: list[TotalRow] = field(default_factory=list)
    above: dict[int, Marks] = field(default_factory=dict)
    progressed: dict[int, float] = field(default_factory=dict)
