"""An account's balance, looked up beside its polls: never a reason for one to fail."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import structlog

from exporter.api import errors
from exporter.snapshot import Balance, Failure
from exporter.tasks.task import Money

SHORTEST_INTERVAL: Final = 60.0
"""Seconds: so seldom at least, also where polls are more frequent."""
LONGEST_BACK_OFF: Final = 300.0
"""Seconds between look-ups that are refused, in the end."""
_PATIENCE: Final = 1.0
"""Seconds for which a poll's figures wait for the answer."""

log = structlog.get_logger("balance")


class Source(Protocol):
    """Who can be asked for the balance."""

    async def balance(self) -> Mapping[str, Money]:
        """Return what is left, by kind; ApiError where that cannot be said."""


class Telemetry(Protocol):
    """What is told for the exporter's own metrics."""

    def balance_failed(self, reason: str) -> None:
        """Take note of a look-up that failed."""


class BalanceWatch:
    """The last good balance of an account, for as long as it is worth showing.

    ``interval`` is that of the polls, which are followed by look-ups; ``stale_after`` is how long
    a figure keeps. Seconds.
    """

    def __init__(
        self,
        account: str,
        source: Source,
        telemetry: Telemetry,
        *,
        interval: float,
        stale_after: float,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self.failure: Failure | None = None
        """Why the last look-up failed; None where it did not."""
        self._account = account
        self._source = source
        self._telemetry = telemetry
        self._every = max(interval, SHORTEST_INTERVAL)
        # Polls do not end at equal distances: one that comes early must not wait for the next.
        self._slack = interval / 2
        self._stale_after = stale_after
        self._clock = clock
        self._monotonic = monotonic
        self._looking: asyncio.Task[None] | None = None
        self._resume_at = 0.0
        self._refusals = 0
        self._good: Balance | None = None
        self._good_at = 0.0

    @property
    def shown(self) -> Balance | None:
        """The last good balance, None once it has become stale."""
        fresh = self._monotonic() - self._good_at <= self._stale_after
        return self._good if fresh else None

    def renewed(self) -> None:
        """Forget refusals: the credentials are others now."""
        self._refusals = 0
        self._resume_at = 0.0

    def succeed(self, earlier: "BalanceWatch") -> None:
        """Show what an earlier configuration of the account knew, until more is known."""
        self._good, self._good_at = earlier._good, earlier._good_at  # noqa: SLF001  # one class

    async def look_up(self) -> None:
        """Look it up where that is due, and wait a moment for the answer, but no longer."""
        if self._looking is None or self._looking.done():
            if self._monotonic() < self._resume_at:
                return
            self._looking = asyncio.create_task(self._ask(), name=f"balance {self._account}")
        await asyncio.wait({self._looking}, timeout=_PATIENCE)

    async def finish(self) -> None:
        """Wait for the look-up that is under way, if one is."""
        if self._looking is not None:
            await asyncio.wait({self._looking})

    async def close(self) -> None:
        """Stop the look-up that is under way, if one is."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _ask(self) -> None:
        begun = self._monotonic()
        try:
            amounts = await self._source.balance()
        except errors.ApiError as error:
            self._failed(error)
        except Exception as error:
            log.exception("look-up failed by a fault of the exporter", account=self._account)
            self._failed(errors.ApiError(f"{type(error).__name__} in the exporter itself"))
        else:
            if self.failure is not None:
                log.info("the balance is known again", account=self._account)
            self.failure = None
            self._refusals = 0
            self._good = Balance(
                {(kind, money.currency): money.amount for kind, money in amounts.items()},
                self._clock(),
            )
            self._good_at = self._monotonic()
        self._resume_at = begun + self._pause() - self._slack

    def _failed(self, error: errors.ApiError) -> None:
        self._telemetry.balance_failed(error.reason)
        self._refusals = self._refusals + 1 if error.refusal else 0
        known = self.failure is not None and self.failure.reason == error.reason
        self.failure = Failure(error.reason, str(error), error.remedy, self._clock())
        (log.debug if known else log.warning)(
            "the balance could not be looked up; polls go on",
            account=self._account,
            reason=error.reason,
            error=str(error),
            remedy=error.remedy,
        )

    def _pause(self) -> float:
        """Return the time to the next look-up: where it is refused, twice as long each time."""
        if self._refusals < 2:  # noqa: PLR2004  # a single refusal may pass
            return self._every
        longest = max(LONGEST_BACK_OFF, self._every)
        return min(longest, self._every * 2.0 ** min(self._refusals - 1, 30))
