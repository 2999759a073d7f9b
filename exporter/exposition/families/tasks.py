"""Single tasks, the newest of those that have not ended."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal

from exporter.exposition.families.family import Families, Sample, Section, one
from exporter.snapshot import AccountSnapshot, UnfinishedTask

FAMILIES: Final = Families()


def _per_task(
    kind: Literal["gauge", "info"],
    name: str,
    labels: tuple[str, ...],
    samples: Callable[[UnfinishedTask], Iterable[Sample]],
    text: str,
) -> None:
    def of(snapshot: AccountSnapshot) -> Iterator[Sample]:
        unfinished = snapshot.figures.unfinished if snapshot.figures else ()
        for each in unfinished[: snapshot.task_limit]:
            for values, value in samples(each):
                yield (each.app, str(each.task.task_id), *values), value

    what = f"{text} For the newest unfinished tasks, at most metrics.task_limit of an account."
    labels = ("app", "task_id", *labels)
    FAMILIES.add(kind, f"itnio_voice_task_{name}", labels, of, what, section=Section.UNFINISHED)


_per_task(
    "info",
    "info",
    ("task_name", "script_id", "status"),
    lambda each: (((each.task.name, each.script, each.task.status.value), 1),),
    "What a task is called (taskName), its script and its status; always 1.",
)
_per_task(
    "gauge",
    "progress_ratio",
    (),
    lambda each: one(each.task.progress),
    "Progress of a task, 0 to 1 (rate).",
)
_per_task(
    "gauge",
    "answer_ratio",
    (),
    lambda each: one(_ratio(each.task.answered, each.task.calls)),
    "Answered calls by calls of a task (answeredNum / callNum); absent before its first call.",
)
_per_task(
    "gauge",
    "average_call_duration_seconds",
    (),
    lambda each: one(_ratio(each.task.billed_seconds, each.task.answered)),
    """Billed seconds by answered calls of a task (chargeLen / answeredNum); absent before its
    first answered call.""",
)
_per_task(
    "gauge",
    "failed_calls",
    (),
    lambda each: one(each.task.failed),
    "Calls of a task that failed (fail).",
)
_per_task(
    "gauge",
    "spend",
    ("currency",),
    lambda each: (((currency,), amount) for currency, amount in each.task.spend().items()),
    "Fees of a task (sum of agentFee, groupCallPayFee and smsPayFee).",
)


def _ratio(above: int | None, below: int | None) -> float | None:
    return above / below if above is not None and below else None
