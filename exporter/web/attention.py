"""The unfinished tasks of all accounts: what each needs, in which order they are shown. Pure."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from exporter.snapshot import AccountSnapshot, UnfinishedTask
from exporter.tasks.task import Money, Status, Task
from exporter.web.wording import money, visible

STALLED_AFTER: Final = 600.0
"""Seconds for which a calling task has made no call, from which on that is worth a look."""
OVERDUE_AFTER: Final = 1_800.0
"""Seconds after its creation from which on a task should have begun to call."""

STATUS_WORDS: Final = {
    Status.WAITING: "waiting",
    Status.CALLING: "calling",
    Status.FINISHED: "finished",
    Status.SUBMISSION_FAILED: "submission failed",
    Status.CANCELLED: "cancelled",
    Status.SUSPENDED: "suspended",
    Status.SUBMITTING: "submitting",
    Status.UNKNOWN: "unknown status",
}
_BEFORE_CALLING: Final = frozenset({Status.WAITING, Status.SUBMITTING})


class Concern(enum.IntEnum):
    """Why a task needs attention, the most urgent first."""

    STALLED = 0
    OVERDUE = 1
    SUSPENDED = 2
    NONE = 3


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A task that has not ended, with what it needs."""

    account: str
    """The account's name as it is shown."""
    each: UnfinishedTask
    concern: Concern
    since: float
    """Seconds for which it has stalled, or has been overdue; 0 for others."""

    @property
    def urgency(self) -> tuple[int, float, int, int]:
        """Sorts what needs attention longest before the rest, which comes newest first."""
        task = self.each.task
        return (self.concern, -self.since, -task.created, -task.task_id)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task. Seconds; ratios from 0 to 1; None where the API gave no figure."""

    account: str
    app: str
    task_id: int
    name: str
    status: str
    """The status in words."""
    tone: str
    """What the status looks like: its label, or ``stalled`` or ``overdue``."""
    script: str
    created: int
    age: float
    progress: float | None
    numbers: int | None
    calls: int | None
    answered: int | None
    answer_ratio: float | None
    average_call_duration: float | None
    spend: str
    stalled_for: float | None
    """For calling tasks that have made no call for STALLED_AFTER or longer."""
    overdue_for: float | None
    """For tasks that have not begun to call OVERDUE_AFTER after their creation, or later."""


def unfinished_tasks(snapshots: Iterable[AccountSnapshot]) -> list[Unfinished]:
    """Return the tasks of all accounts, first what needs attention.

    What they need is told as of when they were last looked at, not as of now.
    """
    found = [
        _judged(name, each, figures.taken_at)
        for snapshot in snapshots
        if (figures := snapshot.figures) is not None
        for name in (visible(snapshot.account),)
        for each in figures.unfinished
    ]
    found.sort(key=lambda task: task.urgency)
    return found


def _judged(account: str, each: UnfinishedTask, taken_at: float) -> Unfinished:
    status = each.task.status
    if status is Status.CALLING:
        silent = taken_at - each.progressed_at
        if silent >= STALLED_AFTER:
            return Unfinished(account, each, Concern.STALLED, silent)
    elif status in _BEFORE_CALLING:
        age = taken_at - each.task.created
        if age >= OVERDUE_AFTER:
            return Unfinished(account, each, Concern.OVERDUE, age)
    elif status in (Status.SUSPENDED, Status.UNKNOWN):
        return Unfinished(account, each, Concern.SUSPENDED, 0.0)
    return Unfinished(account, each, Concern.NONE, 0.0)


def row(unfinished: Unfinished, now: float) -> TaskRow:
    """Return a task as the table shows it."""
    each, task = unfinished.each, unfinished.each.task
    stalled = unfinished.concern is Concern.STALLED
    overdue = unfinished.concern is Concern.OVERDUE
    return TaskRow(
        account=unfinished.account,
        app=visible(each.app),
        task_id=task.task_id,
        name=visible(task.name),
        status=STATUS_WORDS[task.status],
        tone="stalled" if stalled else "overdue" if overdue else task.status.value,
        script=visible(each.script),
        created=task.created,
        age=max(0.0, now - task.created),
        progress=_progress(task),
        numbers=task.numbers,
        calls=task.calls,
        answered=task.answered,
        answer_ratio=_divided(task.answered, task.calls),
        average_call_duration=_divided(task.billed_seconds, task.answered),
        spend=_spend(task),
        stalled_for=unfinished.since if stalled else None,
        overdue_for=unfinished.since if overdue else None,
    )


def _progress(task: Task) -> float | None:
    return None if task.progress is None else min(1.0, max(0.0, task.progress))


def _divided(above: int | None, below: int | None) -> float | None:
    return above / below if above is not None and below else None


def _spend(task: Task) -> str:
    """Return the total fee; where the API gave none, its parts."""
    if task.total_fee is not None:
        return _money(task.total_fee)
    return " + ".join(_money(fee) for _, fee in task.fees() if fee is not None)


def _money(fee: Money) -> str:
    return money(fee.amount, visible(fee.currency))
