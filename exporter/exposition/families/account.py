"""What there is once for an account: objectives, balance, and how its polls go."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from exporter.exposition.families.family import Families, Sample, Value, one
from exporter.snapshot import AccountSnapshot, Health, Objective

FAMILIES: Final = Families()


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
    FAMILIES.add("gauge", f"itnio_voice_objective_{name}", ("app", *labels), of, what)


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


def _balances(snapshot: AccountSnapshot) -> Iterator[Sample]:
    if snapshot.balance is not None:
        yield from snapshot.balance.amounts.items()


FAMILIES.add(
    "gauge",
    "itnio_account_balance",
    ("kind", "currency"),
    _balances,
    """Money of the account by kind: balance (paid in), gift (given by the provider), credit (how
    far it may go below), as last looked up; only where balance is on. Absent where the API does
    not tell a kind, and once no look-up has succeeded for poll.stale_after.""",
)


def _health(name: str, value: Callable[[Health], Value | None], text: str) -> None:
    def of(snapshot: AccountSnapshot) -> Iterable[Sample]:
        return one(value(snapshot.health))

    FAMILIES.add("gauge", name, (), of, text)


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
