"""The metric catalogue: each family's name, type, help and labels, and where its samples are.

One table for what is served, and for docs/metrics.md, which is generated from it.
"""

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from exporter.snapshot import (
    AccountSnapshot,
    Health,
    LiveFigures,
    Objective,
    UnfinishedTask,
    WindowFigures,
)
from exporter.tasks.ledger import SPEND, TRANSITIONS

Value = int | float | Decimal
Sample = tuple[tuple[str, ...], Value]
"""Label values, in the order of the family's labels without ``account``; and the value."""

COMMON: Final = ("app", "script_id")
_WINDOW: Final = (*COMMON, "window")


class Section(enum.Enum):
    """What of a snapshot a family's samples are made from, and nothing else."""

    ACCOUNT = "account"
    """Health, objectives, and what there is once for an app: a few lines."""
    WINDOWS = "windows"
    COUNTERS = "counters"
    LIVE = "live"
    AGES = "ages"
    """What grows older in it, and is another at every moment."""
    UNFINISHED = "unfinished"

    __hash__ = object.__hash__  # as in Status


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family. ``account`` is the first label of all and is not repeated here."""

    name: str
    """As its samples are called: counters end in ``_total``, infos in ``_info``."""
    kind: Literal["gauge", "counter", "info"]
    help: str
    labels: tuple[str, ...]
    samples: Callable[[AccountSnapshot], Iterable[Sample]]
    section: Section = Section.ACCOUNT
    """Samples are made part by part of it, so that what has not changed is not rendered anew."""


CATALOGUE: list[Family] = []


def _add(
    kind: Literal["gauge", "counter", "info"],
    name: str,
    labels: tuple[str, ...],
    samples: Callable[[AccountSnapshot], Iterable[Sample]],
    text: str,
    *,
    section: Section = Section.ACCOUNT,
) -> None:
    CATALOGUE.append(Family(name, kind, " ".join(text.split()), labels, samples, section))


# --- Over a sliding window of createdTime -------------------------------------------------------


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
    _add(
        "gauge",
        f"itnio_voice_window_{name}",
        (*_WINDOW, *labels),
        of,
        what,
        section=Section.WINDOWS,
    )


def _one(value: Value | None) -> Iterable[Sample]:
    return () if value is None else (((), value),)


_window(
    "tasks",
    ("status",),
    lambda each: (((status.value,), count) for status, count in each.tasks.items()),
    "Tasks by status (from status).",
)


def _window_sum(name: str, figure: str, text: str) -> None:
    _window(name, (), lambda each: _one(each.figures[figure]), text)


_window_sum("numbers", "numbers", "Phone numbers in the tasks (sum of numCnt).")
_window_sum("calls", "calls", "Numbers called (sum of callNum).")
_window_sum("answered_calls", "answered", "Calls answered (sum of answeredNum).")
_window_sum("successful_calls", "successful", "Calls that succeeded (sum of success).")
_window_sum("failed_calls", "failed", "Calls that failed (sum of fail).")
_window_sum("sms_sent", "sms_sent", "Hang-up SMS sent (sum of sendSmsNum).")
_window(
    "answer_ratio",
    (),
    lambda each: _one(each.answer_ratio),
    """Answered calls by calls, 0 to 1 (sum of answeredNum / sum of callNum); absent where nothing
    was called.""",
)
_window(
    "failure_ratio",
    (),
    lambda each: _one(each.failure_ratio),
    """Failed calls by calls, 0 to 1 (sum of fail / sum of callNum); absent where nothing was
    called.""",
)
_window(
    "average_call_duration_seconds",
    (),
    lambda each: _one(each.average_call_duration),
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


_add(
    "gauge",
    "itnio_voice_window_answer_design_effect",
    ("app", "window"),
    _design_effects,
    """Kish's design effect of an app's answer ratio, 1 or more: tasks differ from each other more
    than coin flips do, so that N calls tell as much as N / effect independent ones (from callNum
    and answeredNum of each task); absent for fewer than 10 tasks that have called. Of the tasks
    created within the window, as of the last whole poll.""",
)

# --- Counters -----------------------------------------------------------------------------------


def _counter(name: str, figure: str, labels: tuple[str, ...], text: str) -> None:
    def of(snapshot: AccountSnapshot) -> Iterator[Sample]:
        for counters in snapshot.counters:
            for series, total in counters.totals.items():
                if series.figure == figure:
                    extra = (series.kind, series.currency)[: len(labels)]
                    yield (counters.app, series.script, *extra), total

    what = f"{text} Since the state was begun; never goes down."
    _add(
        "counter",
        f"itnio_voice_{name}_total",
        (*COMMON, *labels),
        of,
        what,
        section=Section.COUNTERS,
    )


_counter("calls", "calls", (), "Numbers called (growth of callNum).")
_counter("answered_calls", "answered", (), "Calls answered (growth of answeredNum).")
_counter("successful_calls", "successful", (), "Calls that succeeded (growth of success).")
_counter("failed_calls", "failed", (), "Calls that failed (growth of fail).")
_counter("billed_seconds", "billed_seconds", (), "Billed seconds of calls (growth of chargeLen).")
_counter(
    "agent_billed_seconds",
    "agent_billed_seconds",
    (),
    "Billed seconds of the AI Agent product (growth of agentTotalFeetime).",
)
_counter("sms_sent", "sms_sent", (), "Hang-up SMS sent (growth of sendSmsNum).")
_counter(
    "spend",
    SPEND,
    ("kind", "currency"),
    """Fees by kind: agent (agentFee), call (groupCallPayFee), sms (smsPayFee); added up as exact
    decimals.""",
)
_counter("task_transitions", TRANSITIONS, ("status",), "Tasks seen to enter a status.")

# --- Live state ---------------------------------------------------------------------------------


def _live(
    name: str,
    labels: tuple[str, ...],
    samples: Callable[[LiveFigures, float], Iterable[Sample]],
    text: str,
    section: Section = Section.AGES,
) -> None:
    def of(snapshot: AccountSnapshot) -> Iterator[Sample]:
        figures = snapshot.figures
        for each in figures.live if figures else ():
            for values, value in samples(each, figures.taken_at if figures else 0):
                yield (each.app, each.script, *values), value

    what = f"{text} Over the whole lookback, as of the last whole poll."
    _add("gauge", f"itnio_voice_{name}", (*COMMON, *labels), of, what, section=section)


_live(
    "unfinished_tasks",
    ("status",),
    lambda each, _: (((status.value,), count) for status, count in each.unfinished.items()),
    "Tasks that are waiting, calling, suspended or submitting (from status).",
    Section.LIVE,
)
_live(
    "oldest_unfinished_task_age_seconds",
    ("status",),
    lambda each, now: (
        ((status.value,), max(0.0, now - created)) for status, created in each.oldest.items()
    ),
    """Time since the oldest unfinished task of a status was created (createdTime); absent where
    there is none.""",
)
_live(
    "oldest_stalled_task_seconds",
    (),
    lambda each, now: _one(
        None if each.stalled_since is None else max(0.0, now - each.stalled_since)
    ),
    """Of the tasks in calling, the longest time without a change of callNum; absent where none is
    calling.""",
)

# --- Per task -----------------------------------------------------------------------------------


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
    _add(kind, f"itnio_voice_task_{name}", labels, of, what, section=Section.UNFINISHED)


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
    lambda each: _one(each.task.progress),
    "Progress of a task, 0 to 1 (rate).",
)
_per_task(
    "gauge",
    "answer_ratio",
    (),
    lambda each: _one(_ratio(each.task.answered, each.task.calls)),
    "Answered calls by calls of a task (answeredNum / callNum); absent before its first call.",
)
_per_task(
    "gauge",
    "average_call_duration_seconds",
    (),
    lambda each: _one(_ratio(each.task.billed_seconds, each.task.answered)),
    """Billed seconds by answered calls of a task (chargeLen / answeredNum); absent before its
    first answered call.""",
)
_per_task(
    "gauge",
    "failed_calls",
    (),
    lambda each: _one(each.task.failed),
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


# --- Objectives ---------------------------------------------------------------------------------


def _objective(
    name: str,
    labels: tuple[str, ...],
    value: Callable[[Objective], Value | None],
    text: str,
) -> None:
    def of(snapshot: AccountSnapshot) -> Iterator[Sample]:
        for each in snapshot.objectives:
            aim = value(each)
            if aim is not None:
                yield (each.app, each.currency)[: 1 + len(labels)], aim

    what = f"{text} From the configuration; app is empty for the whole account."
    _add("gauge", f"itnio_voice_objective_{name}", ("app", *labels), of, what)


_objective("answer_ratio", (), lambda each: each.answer_ratio, "Lowest answer ratio aimed at.")
_objective("failure_ratio", (), lambda each: each.failure_ratio, "Highest failure ratio aimed at.")
_objective(
    "average_call_duration_seconds",
    (),
    lambda each: each.average_call_duration,
    "Shortest average call duration aimed at.",
)
_objective(
    "daily_spend", ("currency",), lambda each: each.daily_spend, "Highest spend a day aimed at."
)

_objective(
    "minimum_balance",
    ("currency",),
    lambda each: each.minimum_balance,
    "Least money that is to be left, balance and gift together.",
)

# --- Balance ------------------------------------------------------------------------------------


def _balances(snapshot: AccountSnapshot) -> Iterator[Sample]:
    if snapshot.balance is not None:
        yield from snapshot.balance.amounts.items()


_add(
    "gauge",
    "itnio_account_balance",
    ("kind", "currency"),
    _balances,
    """Money of the account by kind: balance (paid in), gift (given by the provider), credit (how
    far it may go below), as last looked up; only where balance is on. Absent where the API does
    not tell a kind, and once no look-up has succeeded for poll.stale_after.""",
)

# --- How polling goes ---------------------------------------------------------------------------


def _health(name: str, value: Callable[[Health], Value | None], text: str) -> None:
    def of(snapshot: AccountSnapshot) -> Iterable[Sample]:
        return _one(value(snapshot.health))

    _add("gauge", name, (), of, text)


_health(
    "itnio_up",
    lambda health: health.up,
    "1 where the account's last poll was whole, 0 where it failed; absent before the first.",
)
_health(
    "itnio_exporter_last_success_timestamp_seconds",
    lambda health: health.last_success,
    "Unix time of the account's last whole poll; absent before the first.",
)
_health(
    "itnio_exporter_sweep_progress_ratio",
    lambda health: health.sweep_progress,
    """How much of the running sweep of the whole lookback is read, 0 to 1; absent while none is
    running.""",
)
_health(
    "itnio_exporter_tracked_tasks",
    lambda health: health.tracked_tasks,
    "Tasks of the lookback that the exporter knows.",
)
_health(
    "itnio_exporter_future_tasks",
    lambda health: health.future_tasks,
    """Tasks whose createdTime lies more than a minute ahead of now: where there are any, the
    account's timezone is configured wrongly, or a clock is off.""",
)
_health(
    "itnio_exporter_overflowed_scripts",
    lambda health: health.overflowed_scripts,
    """Scripts of the lookback that are summed under script_id="other", since metrics.script_limit
    is reached.""",
)
_health(
    "itnio_exporter_clock_skew_seconds",
    lambda health: health.clock_skew,
    "The API server's clock (its Date header) minus ours; absent before the first answer.",
)
