"""How an inspection asks: by the client that polls, with a note of what every request told."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from exporter.api import local_time
from exporter.api.client import Client, Credentials, Limits, Query
from exporter.api.records import Locale
from exporter.config import Account, Config
from exporter.tasks.coverage import PAGE


@dataclass(frozen=True, slots=True)
class Clocks:
    """Unix time, a clock that is never set back, and how to wait."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(slots=True)
class Observed:
    """What the client tells of its requests; seconds."""

    codes: list[str] = field(default_factory=list)
    answered_after: list[float] = field(default_factory=list)
    skews: list[float] = field(default_factory=list)

    def request(self, code: str, seconds: float) -> None:
        """Take note of a request; one without an answer says nothing of the API's pace."""
        self.codes.append(code)
        if code not in {"timeout", "connection"}:
            self.answered_after.append(seconds)

    def clock_skew(self, seconds: float) -> None:
        """Take note of the API's clock minus ours."""
        self.skews.append(seconds)

    @property
    def skew(self) -> float | None:
        """The API's clock minus ours; None where no answer had a Date."""
        return statistics.median(self.skews) if self.skews else None


class Asking:
    """The clients of one inspection, and the clock of the API as they show it."""

    def __init__(self, account: Account, config: Config, clocks: Clocks) -> None:
        self.account = account
        self.config = config
        self.clocks = clocks
        self.observed = Observed()

    def client(self, zone: tzinfo) -> Client:
        """Return a client, to be entered, for which the API's local times are of a zone."""
        poll, account = self.config.poll, self.account
        return Client(
            account.base_url,
            lambda: Credentials(account.api_key.reveal(), account.api_secret.reveal()),
            Locale(zone, account.currency),
            Limits(poll.timeout, poll.concurrency, poll.requests_per_second),
            self.observed,
            clock=self.clocks.now,
            monotonic=self.clocks.monotonic,
        )

    def now(self) -> float:
        """Return the time by the API's clock, as far as that is known."""
        return self.clocks.now() + (self.observed.skew or 0.0)


def wall(begin: int, end: int, size: int = PAGE) -> Query:
    """Ask for tasks by local times as they stand on the wall."""
    return Query(local_time.written(begin, UTC), local_time.written(end, UTC), size=size)
