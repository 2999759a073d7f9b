"""What is published over a sliding window of createdTime."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from exporter.exposition.families.family import COMMON, Families, Sample, Section, one
from exporter.snapshot import AccountSnapshot, WindowFigures

_WINDOW: Final = (*COMMON, "window")
FAMILIES: Final = Families()


def _window(
    name: str,
    labels: tuple[str, ...],
    samples: Callable[[WindowFigures], Iterable[Sample]],
    text: str,
) -> None:
    def of(snapshot: AccountSnapshot) -> Iterator[Sample]:
        for each in snapshot.figures.windows if snapshot.figures else ():
            for values, value in samples(each):
                yield (each.app, each.script, each.window, *values), value

    what = f"{text} Of the tasks created within the window, as of the last whole poll."
    FAMILIES.add(
        "gauge",
        f"itnio_voice_window_{name}",
        (*_WINDOW, *labels),
        of,
        what,
        section=Section.WINDOWS,
    )


_window(
    "tasks",
    ("status",),
    lambda each: (((status.value,), count) for status, count in each.tasks.items()),
    "Tasks by status (from status).",
)


def _window_sum(name: str, figure: str, text: str) -> None:
    _window(name, (), lambda each: one(each.figures[figure]), text)


_window_sum("numbers", "numbers", "Phone numbers in the tasks (sum of numCnt).")
_window_sum("calls", "calls", "Numbers called (sum of callNum).")
_window_sum("answered_calls", "answered", "Calls answered (sum of answeredNum).")
_window_sum("successful_calls", "successful", "Calls that succeeded (sum of success).")
_window_sum("failed_calls", "failed", "Calls that failed (sum of fail).")
_window_sum("sms_sent", "sms_sent", "Hang-up SMS sent (sum of sendSmsNum).")
_window(
    "answer_ratio",
    (),
    lambda each: one(each.answer_ratio),
    """Answered calls by calls, 0 to 1 (sum of answeredNum / sum of callNum); absent where nothing
    was called.""",
)
_window(
    "failure_ratio",
    (),
    lambda each: one(each.failure_ratio),
    """Failed calls by calls, 0 to 1 (sum of fail / sum of callNum); absent where nothing was
    called.""",
)
_window(
    "average_call_duration_seconds",
    (),
    lambda each: one(each.average_call_duration),
    """Average call duration (ACD): billed seconds by answered calls (sum of chargeLen / sum of
    answeredNum); absent where nothing was answered.""",
)
_window_sum("billed_seconds", "billed_seconds", "Billed seconds of the calls (sum of chargeLen).")
_window_sum(
    "agent_billed_seconds",
    "agent_billed_seconds",
    "Billed seconds of the AI Agent product (sum of agentTotalFeetime).",
)
_window(
    "spend",
    ("kind", "currency"),
    lambda each: (
        ((kind.value, currency), amount) for (kind, currency), amount in each.spend.items()
    ),
    """Fees by kind: agent (agentFee), call (groupCallPayFee), sms (smsPayFee); summed as exact
    decimals.""",
)
_window(
    "spend_unreconciled",
    ("currency",),
    lambda each: (((currency,), amount) for currency, amount in each.unreconciled.items()),
    """Total fees (taskSumPayFee) minus the sum of their parts; 0 where the provider's figures add
    up. Tasks that lack any of the four stay out of it.""",
)


def _design_effects(snapshot: AccountSnapshot) -> Iterator[Sample]:
    for each in snapshot.figures.dispersions if snapshot.figures else ():
        yield (each.app, each.window), each.design_effect


FAMILIES.add(
    "gauge",
    "itnio_voice_window_answer_design_effect",
    ("app", "window"),
    _design_effects,
    """Kish's design effect of an app's answer ratio, 1 or more: tasks differ from each other more
    than coin flips do, so that N calls tell as much as N / effect independent ones (from callNum
    and answeredNum of each task); absent for fewer than 10 tasks that have called. Of the tasks
    created within the window, as of the last whole poll.""",
)
