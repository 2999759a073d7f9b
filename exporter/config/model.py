"""The configuration as the rest of the program sees it: frozen, typed, complete.

Durations are seconds. Defaults stand in `fields`, not here; what has a default here is what may be
absent altogether.
"""

from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from pathlib import Path

from exporter.config.problems import Problem
from exporter.config.secret import Secret


@dataclass(frozen=True, slots=True)
class Window:
    """A sliding window for which gauges are published; `label` is as written in the file."""

    label: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """How the API is asked."""

    interval: float
    timeout: float
    deadline: float
    concurrency: int
    requests_per_second: float
    lookback: float
    windows: tuple[Window, ...]
    settle: float
    full_sweep: float
    stale_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """How many series may come of it."""

    script_limit: int
    task_limit: int


@dataclass(frozen=True, slots=True)
class Objectives:
    """What the operator wants to hold; None where nothing was said."""

    answer_ratio: float | None = None
    failure_ratio: float | None = None
    average_call_duration: float | None = None
    daily_spend: Decimal | None = None
    minimum_balance: Decimal | None = None
    """Of accounts only, and only of those whose balance is asked for."""


@dataclass(frozen=True, slots=True)
class App:
    """An AI Agent application of an account; `id` is the API's `idxAppId`, `name` our label."""

    id: int
    name: str
    objectives: Objectives = Objectives()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account of the API. `statuses` empty means all; the codes are the API's, 0 to 6."""

    name: str
    api_key: Secret
    api_secret: Secret
    api_secret_file: Path | None = None
    base_url: str
    timezone: tzinfo
    timezone_name: str
    currency: str
    apps: tuple[App, ...] = ()
    objectives: Objectives = Objectives()
    balance: bool = False
    search: str = ""
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole file. `warnings` are worth a log line and change nothing."""

    poll: Poll
    metrics: Metrics
    accounts: tuple[Account, ...]
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
