"""The unfinished tasks as the page shows them: first what needs attention. Pure."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exporter.snapshot import UnfinishedTask
from exporter.tasks.task import Money, Status, Task
from exporter.web.wording import money, visible

STALLED_AFTER: Final = 600.0
"""Seconds for which a calling task has made no call, from which on that is worth a look."""

_WORDS: Final = {
    Status.WAITING: "waiting",
    Status.CALLING: "calling",
    Status.FINISHED: "finished",
    Status.SUBMISSION_FAILED: "submission failed",
    Status.CANCELLED: "cancelled",
    Status.SUSPENDED: "suspended",
    Status.SUBMITTING: "submitting",
    Status.UNKNOWN: "unknown status",
}


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task. Seconds; ratios from 0 to 1; None where the API gave no figure."""

    app: str
    task_id: int
    name: str
    status: str
    """The status in words."""
    tone: str
    """What the status looks like: its label, or ``stalled``."""
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


def task_rows(
    unfinished: Sequence[UnfinishedTask], *, now: float, taken_at: float, most: int
) -> list[TaskRow]:
    """Return at most so many rows: the longest stalled first, then suspended, then the newest.

    What stalls is told as of ``taken_at``, when it was last looked at, not as of ``now``.
    """

    def urgency(each: UnfinishedTask) -> tuple[int, float, int]:
        stalled = _stalled_for(each, taken_at)
        if stalled is not None:
            return (0, -stalled, each.task.task_id)
        rank = _RANKS.get(each.task.status, 2)
        return (rank, -each.task.created, -each.task.task_id)

    return [
        _row(each, now=now, taken_at=taken_at)
        for each in heapq.nsmallest(most, unfinished, key=urgency)
    ]


def stalled_count(unfinished: Sequence[UnfinishedTask], taken_at: float) -> int:
    """Return how many tasks are calling without making calls."""
    return sum(_stalled_for(each, taken_at) is not None for each in unfinished)


_RANKS: Final = {Status.UNKNOWN: 1, Status.SUSPENDED: 1}


def _stalled_for(each: UnfinishedTask, taken_at: float) -> float | None:
    if each.task.status is not Status.CALLING:
        return None
    seconds = taken_at - each.progressed_at
    return seconds if seconds >= STALLED_AFTER else None


def _row(each: UnfinishedTask, *, now: float, taken_at: float) -> TaskRow:
    task = each.task
    stalled = _stalled_for(each, taken_at)
    return TaskRow(
        app=visible(each.app),
        task_id=task.task_id,
        name=visible(task.name),
        status=_WORDS[task.status],
        tone=task.status.value if stalled is None else "stalled",
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
        stalled_for=stalled,
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
