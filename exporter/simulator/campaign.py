"""One campaign (the API calls it a task) as it was planned, before anything happens to it."""

import math
from dataclasses import dataclass
from enum import IntEnum
from random import Random

from exporter.simulator.incidents import MILLION
from exporter.simulator.settings import App, Settings

NEVER = -1
CALL = 1_000_000_000  # dialling progress that makes one call; see Campaign.dial_rate


class Status(IntEnum):
    """The vendor's status codes."""

    WAITING = 0
    CALLING = 1
    FINISHED = 2
    SUBMISSION_FAILED = 3
    CANCELLED = 4
    SUSPENDED = 5
    SUBMITTING = 6


ENDED = frozenset({Status.FINISHED, Status.SUBMISSION_FAILED, Status.CANCELLED})


@dataclass(slots=True)
class Campaign:
    """A campaign's plan; integers throughout, so that what follows from it is exact.

    Times that end in `_ms` are milliseconds, `created` and `local` seconds (Unix, and the
    same moment read from a local clock as if it were UTC). `answer`, `passing` and `sms` are
    millionths of a call, a call, and an answered call. `dial_rate` is progress a millisecond,
    of which CALL makes one call. `cancel_at` and `suspend_at` are numbers of calls, or NEVER.
    `luck` (0 to 999,999) decides which campaigns an incident with a share hits. Not changed
    once its hour is complete: `id` is given there, when the hour's campaigns are in order.
    """

    app: int
    script: int
    created: int
    local: int
    title: str
    numbers: int
    dial_rate: int
    answer: int
    passing: int
    sms: int
    length_ms: int
    agent_ms: int
    waiting_ms: int
    submitting_ms: int
    submission_fails: bool
    cancel_at: int
    suspend_at: int
    suspended_ms: int
    settles_ms: int
    settlement: int
    corrected_ms: int
    correction: int
    luck: int
    phase: int
    id: int = 0


@dataclass(frozen=True, slots=True)
class Script:
    """An AI Agent template: some are answered better and talk longer than others."""

    id: int
    title: str
    weight: float
    answer_ratio: float
    call_length: float


_TITLES = ("first notice", "second notice", "renewal", "welcome", "confirmation", "feedback")


def scripts_of(app: App, settings: Settings) -> tuple[Script, ...]:
    """Return the app's scripts; the first ones are used most."""
    rng = chance(settings.seed, "scripts", app.id)
    return tuple(
        Script(
            id=app.id * 1000 + number + 1,
            title=f"{app.name} {_TITLES[number % len(_TITLES)]}",
            weight=1.0 / (number + 1),
            answer_ratio=min(0.9, app.answer_ratio * rng.uniform(0.8, 1.2)),
            call_length=settings.mean_call_length * rng.uniform(0.6, 1.4),
        )
        for number in range(app.scripts)
    )


def chance(*key: object) -> Random:
    """Return a random source that depends on the key alone, in every process alike."""
    return Random("/".join(map(str, key)))  # noqa: S311  # repeatable on purpose, not secret


def plan(
    rng: Random, settings: Settings, app: App, script: Script, *, created: int, local: int
) -> Campaign:
    """Draw one campaign. Each call takes what it needs from `rng`, in a fixed order."""
    numbers = max(1, round(_lognormal(rng, settings.mean_numbers, 0.9)))
    duration_ms = max(1000, round(1000 * _lognormal(rng, settings.mean_task_duration, 0.6)))
    mean = script.answer_ratio
    answer = rng.betavariate(mean * settings.dispersion, (1 - mean) * settings.dispersion)
    failing = min(0.9, settings.failure_share * _lognormal(rng, 1.0, 0.5))
    length_ms = max(1000, round(1000 * _lognormal(rng, script.call_length, 0.3)))
    fate, pause, settle, correct = rng.random(), rng.random(), rng.random(), rng.random()
    cancel_at = suspend_at = NEVER
    if fate > 1 - settings.cancelled_share:
        cancel_at = rng.randrange(numbers)
    if pause < settings.suspended_share:
        suspend_at = rng.randrange(numbers)
    settles_ms = corrected_ms = NEVER
    if settle < settings.late_settlement_share:
        settles_ms = 1 + round(1000 * settings.late_settlement_delay * rng.random())
    if correct < settings.correction_share:
        corrected_ms = 1 + round(1000 * settings.correction_delay * rng.random())
    passing = round((1 - failing) * MILLION)
    return Campaign(
        app=app.id,
        script=script.id,
        created=created,
        local=local,
        title=script.title,
        numbers=numbers,
        dial_rate=max(1, numbers * CALL // duration_ms),
        answer=min(round(answer * MILLION), passing),
        passing=passing,
        sms=round(settings.sms_share * rng.uniform(0, 2) * MILLION),
        length_ms=length_ms,
        agent_ms=round(length_ms * rng.uniform(0.5, 0.9)),
        waiting_ms=round(1000 * rng.expovariate(1.0) * settings.mean_waiting),
        submitting_ms=round(1000 * rng.expovariate(1.0) * settings.mean_submitting),
        submission_fails=fate < settings.submission_failure_share,
        cancel_at=cancel_at,
        suspend_at=suspend_at,
        suspended_ms=round(1000 * rng.uniform(120, 1800)),
        settles_ms=settles_ms,
        settlement=round(rng.uniform(0.01, 0.1) * MILLION),
        corrected_ms=corrected_ms,
        correction=round(rng.uniform(0.05, 0.3) * MILLION),
        luck=rng.randrange(MILLION),
        phase=rng.randrange(MILLION),
    )


def _lognormal(rng: Random, mean: float, sigma: float) -> float:
    """Draw from the log-normal law with this mean (not this median)."""
    return mean * math.exp(sigma * rng.gauss(0.0, 1.0) - sigma * sigma / 2)
