"""A task as it probably was at a past moment: the API only tells how it is now, and since when.

What it has is taken to have accrued evenly, from its creation on, over the time that a task calls.
So long it is shown as calling; then as it is now. A task that has not ended is exact at the moment
at which it was read.
"""

from collections.abc import Iterable
from decimal import ROUND_DOWN, Context, Decimal
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from exporter.tasks.task import COUNTED, EXACT, Money, Status, Task

FEWEST_CALLING: Final = 5
"""With fewer tasks that are calling, nothing is said of how long one calls."""
_MICRO: Final = Decimal("0.000001")
_figures: Final = attrgetter(*COUNTED)
_DOWN: Final = Context(prec=100, rounding=ROUND_DOWN)
_INSTANT: Final = frozenset({Status.SUBMISSION_FAILED, Status.WAITING, Status.SUBMITTING})
"""Who has called nobody, so that nothing has accrued."""


class Known(NamedTuple):
    """A task as it was read, and when (Unix seconds)."""

    task: Task
    read_at: float


def last_change(known: Known, duration: float) -> int:
    """Return from when on (Unix seconds) a task is shown as it was read."""
    task = known.task
    read_at = max(int(known.read_at), task.created)
    if task.status in _INSTANT:
        return task.created
    if task.status is Status.CALLING:
        return read_at
    return min(task.created + round(duration), read_at)


def as_of(task: Task, moment: int, end: int) -> Task:
    """Return a task as it probably was at ``moment``, where it is as it was read from ``end`` on.

    All figures are rounded alike, so that none exceeds one that it is a part of.
    """
    if moment >= end:
        return task
    age, life = max(0, moment - task.created), end - task.created
    agent, call, sms = (_part_of(fee, age, life) for _, fee in task.fees())
    figures = {
        name: None if figure is None else (2 * figure * age + life) // (2 * life)
        for name, figure in zip(COUNTED, _figures(task), strict=True)
    }
    return msgspec.structs.replace(
        task,
        status=Status.CALLING,
        progress=None if task.progress is None else task.progress * age / life,
        agent_fee=agent,
        call_fee=call,
        sms_fee=sms,
        total_fee=_total(task, (agent, call, sms), age, life),
        **figures,
    )


def _part_of(fee: Money | None, age: int, life: int) -> Money | None:
    return None if fee is None else Money(_times(fee.amount, age, life), fee.currency)


def _times(amount: Decimal, age: int, life: int) -> Decimal:
    part = _DOWN.divide(_DOWN.multiply(amount, age), life)
    return part.quantize(_MICRO, context=_DOWN)


def _total(task: Task, parts: Iterable[Money | None], age: int, life: int) -> Money | None:
    """Return the total fee so far: what it is off from the sum of its parts grows evenly."""
    total = task.total_fee
    if total is None:
        return None
    difference, so_far = total.amount, Decimal(0)
    for (_, fee), part in zip(task.fees(), parts, strict=True):
        if fee is not None and part is not None and fee.currency == total.currency:
            difference = EXACT.subtract(difference, fee.amount)
            so_far = EXACT.add(so_far, part.amount)
    amount = EXACT.add(so_far, _times(difference, age, life))
    return Money(amount, total.currency)


def usual_duration(calling: Iterable[Known]) -> float | None:
    """Return how long (seconds) a task calls, from those that are calling; None for too few.

    Each shows a rate: progress by age. Who looks at a random moment meets long tasks more often,
    in proportion to their length; the mean of the rates makes up for exactly that.
    """
    number, rates = 0, 0.0
    for task, read_at in calling:
        age = read_at - task.created
        if age <= 0:
            continue
        number += 1
        if task.calls is not None and task.numbers:
            progress = task.calls / task.numbers
        else:
            progress = task.progress or 0.0
        rates += min(progress, 1.0) / age
    return number / rates if number >= FEWEST_CALLING and rates > 0 else None
