"""When one account is polled: at a fixed rate, never twice at once, seldom where it is refused."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from exporter.poller.account import AccountPoller

LONGEST_BACK_OFF: Final = 300.0
"""Seconds between tries of an account that is refused, in the end."""
LARGEST_JITTER: Final = 5.0
"""Seconds within which accounts begin, so that many of them do not ask at the same moment."""

log = structlog.get_logger("poller")


class Renewable(Protocol):
    """Credentials that may become others while an account is polled."""

    renewals: int
    """How many times they have."""

    async def refresh(self) -> None:
        """Take over what they are now; never fails."""


class PollLoop:
    """Polls one account every ``interval`` seconds.

    ``random`` gives numbers from 0 to 1; ``monotonic`` is the clock that ``sleep`` goes by.
    """

    def __init__(
        self,
        poller: AccountPoller,
        *,
        interval: float,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        credentials: Renewable | None = None,
    ) -> None:
        self._poller = poller
        self._interval = interval
        self._clock = clock
        self._monotonic = monotonic
        self._random = random
        self._sleep = sleep
        self._refusals = 0
        self._credentials = credentials
        self._renewals = 0

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            await self._sleep(self._random() * min(LARGEST_JITTER, self._interval / 10))
            first = self._monotonic()
            resume_at = first
            while True:
                try:
                    resume_at = await self._tick(first, resume_at)
                except Exception:
                    # Whatever it was, the account must not be left unwatched for it.
                    log.exception("a fault of the exporter", account=self._poller.name)
                await self._sleep(self._until_next(first))
        finally:
            await self._poller.close()

    async def _tick(self, first: float, resume_at: float) -> float:
        """Poll where it is time to, and publish; return when to poll again at the earliest."""
        renewed = await self._renewed()
        begun = self._monotonic()
        if begun >= resume_at or renewed:
            failure = await self._poller.poll()
            resume_at = self._back_off(begun, refused=failure is not None and failure.refusal)
        # Also where no poll was made: what is shown may have become stale meanwhile.
        self._poller.publish(self._next_poll(first, resume_at))
        return resume_at

    async def _renewed(self) -> bool:
        """Whether the credentials are others than at the last tick: refusals were of the old."""
        if self._credentials is None:
            return False
        await self._credentials.refresh()
        renewed = self._credentials.renewals != self._renewals
        if renewed:
            self._renewals = self._credentials.renewals
            self._refusals = 0
            self._poller.renewed()
        return renewed

    def _back_off(self, begun: float, *, refused: bool) -> float:
        """Return when to try again: where an account is refused, twice as late each time."""
        self._refusals = self._refusals + 1 if refused else 0
        if self._refusals < 2:  # noqa: PLR2004  # a single refusal may pass
            return 0.0
        pause = min(LONGEST_BACK_OFF, self._interval * 2.0 ** min(self._refusals - 1, 30))
        # A tick that comes a hair early must not wait for the one after it.
        return begun + pause - self._interval / 100

    def _until_next(self, first: float) -> float:
        """Return the time to the next tick of the fixed rate; those that were overrun are left."""
        elapsed = self._monotonic() - first
        ticks = math.floor(elapsed / self._interval) + 1
        return max(0.0, ticks * self._interval - elapsed)

    def _next_poll(self, first: float, resume_at: float) -> float:
        """Return the Unix time at which the next poll is due."""
        wait = self._until_next(first)
        while self._monotonic() + wait < resume_at:
            wait += self._interval
        return self._clock() + wait
