"""Which accounts are simulated, what goes wrong in them, and when.

Everything follows from seeds. Those that rules may be tuned on and those that are reported are
different ones.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

from benchmarks.detection.other_world import Habits
from exporter.simulator import App, Incident, IncidentKind, Settings

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
EPOCH: Final = 1_704_067_200  # Monday, 2024-01-01T00:00:00Z; on every grid that rules sample by
WARM_UP: Final = 8 * DAY
"""Nothing is scored before: baselines are of seven days that ended a day ago."""
ZONE_OFFSET: Final = int(timedelta(hours=8).total_seconds())  # of Settings' Asia/Shanghai

PROVIDER_ERRORS: Final = "provider_errors"
REFUSED: Final = "auth_refused"
POLL_TROUBLES: Final = (PROVIDER_ERRORS, REFUSED)
"""What goes wrong with polls rather than in the world."""

KINDS: Final = (
    IncidentKind.ANSWER_COLLAPSE.value,
    IncidentKind.ANSWER_HALVING.value,
    IncidentKind.SHORT_CALLS.value,
    IncidentKind.LONG_CALLS.value,
    IncidentKind.FAILURES.value,
    IncidentKind.STUCK_WAITING.value,
    IncidentKind.STUCK_CALLING.value,
    IncidentKind.SUBMISSION_FAILURES.value,
    IncidentKind.SUSPENDED.value,
    IncidentKind.SPEND_RUNAWAY.value,
    IncidentKind.SILENCE.value,
    IncidentKind.SMS_SURGE.value,
    PROVIDER_ERRORS,
    REFUSED,
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """An incident as it is scored: ``app`` None where it hits the whole account."""

    kind: str
    begin: int
    end: int
    app: int | None = None

    def in_world(self) -> Incident | None:
        """Return it as the simulator knows it; None where only polls are hit."""
        if self.kind in POLL_TROUBLES:
            return None
        kind = IncidentKind(self.kind)
        return Incident(kind=kind, begin=self.begin, end=self.end, app=self.app)


@dataclass(frozen=True, slots=True)
class Account:
    """One simulated account from ``EPOCH`` to ``end``.

    ``daily_spend`` and
    ``answer_ratio`` are its objectives, if any.
    """

    name: str
    settings: Settings | Habits
    incidents: tuple[Labelled, ...]
    end: int
    daily_spend: Decimal | None = None
    scored_from: int = EPOCH + WARM_UP
    answer_ratio: float | None = None

    @property
    def scored_weeks(self) -> float:
        """How long it is scored."""
        return (self.end - self.scored_from) / (7 * DAY)


REPORTED: Final = 20_000
TUNED: Final = 1_000
"""First seeds of the two families. A seed that has been looked at for tuning is not reported."""

_SIZES: Final = (300.0, 1200.0, 600.0, 150.0)
_APPS: Final = (
    App(id=12, name="collections", share=3.0, scripts=2, answer_ratio=0.32, peak_hour=11.0),
    App(id=15, name="reminders", share=2.0, scripts=1, answer_ratio=0.45, peak_hour=15.0),
    App(id=21, name="surveys", share=1.0, scripts=1, answer_ratio=0.27, peak_hour=18.0),
)


def settings(seed: int, size: float) -> Settings:
    """Return what an account is like: `size` tasks a working day, some wilder than others."""
    chance = Random(f"settings {seed}")  # noqa: S311
    return Settings(
        seed=seed,
        apps=_APPS,
        tasks_per_day=size,
        epoch=EPOCH,
        burstiness=chance.choice((0.3, 0.5, 0.8)),
        dispersion=chance.choice((8.0, 12.0, 20.0)),
    )


def accounts(first_seed: int, troubled: int, quiet: int, quiet_days: int) -> list[Account]:
    """Return accounts with every kind of incident once, and accounts with none."""
    made = []
    for number in range(troubled):
        seed = first_seed + number
        size = _SIZES[number % len(_SIZES)]
        budget = daily_budget(size) if number % 2 else None
        made.append(
            Account(
                f"troubled-{seed}",
                settings(seed, size),
                schedule(seed),
                EPOCH + WARM_UP + 7 * DAY,
                budget,
            )
        )
    for number in range(quiet):
        seed = first_seed + 500 + number
        size = _SIZES[number % len(_SIZES)]
        budget = daily_budget(size) if number % 2 else None
        end = EPOCH + WARM_UP + quiet_days * DAY
        made.append(Account(f"quiet-{seed}", settings(seed, size), (), end, budget))
    return made


def daily_budget(size: float) -> Decimal:
    """Return a budget of about one and a half times what a working day costs."""
    return Decimal(round(size * 3.5))


def schedule(seed: int, apps: tuple[App, ...] = _APPS) -> tuple[Labelled, ...]:
    """Return each kind once in the scored week: one in the morning and one in the evening a day."""
    chance = Random(f"schedule {seed}")  # noqa: S311
    kinds = list(KINDS)
    chance.shuffle(kinds)
    found = []
    for place, kind in enumerate(kinds):
        day, evening = divmod(place, 2)
        local = (16.5 if evening else 9.0) + chance.random() * 2
        begin = EPOCH + WARM_UP + day * DAY + round(local * 60) * MINUTE - ZONE_OFFSET
        begin += chance.randrange(MINUTE)
        app = None
        if kind not in POLL_TROUBLES and chance.random() < 1 / 2:
            app = chance.choice(apps).id
        found.append(Labelled(kind, begin, begin + 2 * HOUR, app))
    return tuple(found)


def without_incidents(account: Account) -> Account:
    """Return the same account as it would have been."""
    return replace(account, incidents=())
