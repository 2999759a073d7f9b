"""What is stored of an app, and what can keep it from being stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from exporter.tasks.ledger import Mark, Marks, Series
from exporter.tasks.task import Task


class StorageError(Exception):
    """The store cannot be used; the message says why and what to do, ``reason`` is its label."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


REASONS: Final = ("corrupt", "full", "locked", "newer", "unwritable", "failed")
"""Every value of the ``reason`` label."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """What is kept of a task: its last counted record, and marks that lie above it."""

    task_id: int
    task: Task | None
    """None: the task is forgotten."""
    above: Marks | None = None
    progressed_at: float | None = None
    """Unix time of its last seen progress, where it has not ended; of its end, soon after it."""


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
    tasks: Sequence[TaskRow]
    totals: Sequence[TotalRow]


@dataclass(slots=True)
class State:
    """One app as it was stored; empty where it was never."""

    counted_from: int | None = None
    selection: str = ""
    scripts: list[str] = field(default_factory=list)
    tasks: list[TaskRow] = field(default_factory=list)
    totals: list[TotalRow] = field(default_factory=list)
