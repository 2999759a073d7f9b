"""What polling an account will cost, and which settings would suit it better. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exporter.config import Metrics, Poll, format_duration
from exporter.inspection.findings import Proposal
from exporter.tasks.coverage import OVERLAP, PAGE, REQUESTS_A_POLL

_DAY: Final = 86_400
_PATIENT: Final = 600.0
"""Seconds after which a first sweep is worth hastening."""
_FASTEST: Final = 20
"""Requests a second that are proposed at most: the vendor documents no limit."""
_MOST_TASK_SERIES: Final = 500
_SERIES_STEP: Final = 50


@dataclass(frozen=True, slots=True)
class AppLoad:
    """One app, or the whole account: what the lookback holds of it."""

    name: str
    tasks: int
    unfinished: int
    scripts: int
    """Scripts in the tasks that were looked at: there may be more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the API answered; seconds. ``slowed``: it asked to wait."""

    median: float
    slowest: float
    slowed: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests, and the seconds that a whole sweep takes within the account's limits."""

    least_a_poll: int
    most_a_poll: int
    sweep: int
    sweep_seconds: float
    least_a_day: int
    most_a_day: int


def cost(apps: Sequence[AppLoad], poll: Poll, pace: Pace) -> Cost:
    """Return what polling as configured costs."""
    least = most = 0
    for app in apps:
        new = _pages(app.tasks / poll.lookback * (poll.interval + OVERLAP))
        least += new
        open_ = _pages(app.unfinished) if app.unfinished else 0
        most += max(new + open_, REQUESTS_A_POLL if poll.settle else 0)
    sweep = sum(_pages(app.tasks) for app in apps)
    polls, sweeps = _DAY / poll.interval, _DAY / max(poll.full_sweep, poll.interval)
    return Cost(
        least,
        most,
        sweep,
        max(sweep / poll.requests_per_second, sweep * pace.median / poll.concurrency),
        round(polls * least + sweeps * sweep),
        round(polls * most + sweeps * sweep),
    )


def _pages(tasks: float) -> int:
    return max(1, math.ceil(tasks / PAGE))


def proposals(
    apps: Sequence[AppLoad], poll: Poll, metrics: Metrics, pace: Pace
) -> Iterator[Proposal]:
    """Yield what would better be set otherwise, with its reason; nothing where all is well."""
    expected = cost(apps, poll, pace)
    rate = poll.requests_per_second
    if pace.slowed:
        rate = max(0.5, rate / 2)
        yield Proposal(
            "poll.requests_per_second",
            f"{poll.requests_per_second:g}",
            f"{rate:g}",
            "the API asked to wait (HTTP 429)",
        )
    elif expected.sweep / rate > _PATIENT and rate < _FASTEST:
        rate = min(_FASTEST, math.ceil(expected.sweep / _PATIENT))
        yield Proposal(
            "poll.requests_per_second",
            f"{poll.requests_per_second:g}",
            f"{rate:g}",
            f"a whole sweep is {expected.sweep} requests; ask the provider what is allowed",
        )
    needed = min(100, math.ceil(rate * pace.median))
    if needed > poll.concurrency:
        yield Proposal(
            "poll.concurrency",
            str(poll.concurrency),
            str(needed),
            f"at {pace.median:.1f} s an answer, fewer do not reach {rate:g} requests a second",
        )
    yield from _times(poll, pace, expected, rate)
    yield from _limits(apps, metrics)


def _times(poll: Poll, pace: Pace, expected: Cost, rate: float) -> Iterator[Proposal]:
    if pace.slowest > poll.timeout / 2:
        yield Proposal(
            "poll.timeout",
            format_duration(poll.timeout),
            format_duration(math.ceil(pace.slowest * 3)),
            f"an answer took {pace.slowest:.1f} s",
        )
    busy = max(expected.most_a_poll / rate, expected.most_a_poll * pace.median / poll.concurrency)
    if busy > poll.deadline:
        interval = math.ceil(busy * 1.5 / 30) * 30
        yield Proposal(
            "poll.interval",
            format_duration(poll.interval),
            format_duration(interval),
            f"a poll may take {expected.most_a_poll} requests, which is {busy:.0f} s",
        )
    if expected.sweep_seconds > poll.full_sweep / 2:
        sweep = math.ceil(expected.sweep_seconds * 4 / 3600) * 3600
        yield Proposal(
            "poll.full_sweep",
            format_duration(poll.full_sweep),
            format_duration(sweep),
            f"reading everything takes {format_duration(math.ceil(expected.sweep_seconds))}",
        )


def _limits(apps: Sequence[AppLoad], metrics: Metrics) -> Iterator[Proposal]:
    scripts = max((app.scripts for app in apps), default=0)
    if scripts > metrics.script_limit:
        yield Proposal(
            "metrics.script_limit",
            str(metrics.script_limit),
            str(math.ceil(scripts / _SERIES_STEP) * _SERIES_STEP),
            f"one app has {scripts} scripts; the rest are summed as other",
        )
    unfinished = sum(app.unfinished for app in apps)
    if 0 < metrics.task_limit < unfinished <= _MOST_TASK_SERIES:
        yield Proposal(
            "metrics.task_limit",
            str(metrics.task_limit),
            str(math.ceil(unfinished / _SERIES_STEP) * _SERIES_STEP),
            f"{unfinished} tasks are unfinished; the older ones get no series of their own",
        )
