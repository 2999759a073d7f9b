"""One account: polled, kept in its books, and published."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from exporter.api import errors
from exporter.api.client import Client
from exporter.poller.balance import BalanceWatch
from exporter.poller.books import Books
from exporter.poller.following import FollowedApp
from exporter.poller.side_by_side import side_by_side
from exporter.poller.turns import in_turns
from exporter.snapshot import (
    AccountSnapshot,
    AppFigures,
    Failure,
    Figures,
    Health,
    Objective,
    figures_of,
    together,
)

FUTURE: Final = 60
"""Seconds: a task created so much later than now is no matter of a clock's jitter any more."""
_TO_APPLY: Final = 0.5
"""Seconds before the deadline at which a poll stops waiting for the sweep it has started."""
_STORE_REMEDY: Final = "Counters are withheld or stand still until the store can be used again."

log = structlog.get_logger("poller")


class Telemetry(Protocol):
    """What the poller tells for the exporter's own metrics, and hears of the client."""

    requests: int
    last_clock_skew: float | None

    def poll(self, seconds: float, failure: str | None) -> None:
        """Take note of a poll that has ended, and of the reason where it was not whole."""

    def corrected(self, figures: int) -> None:
        """Take note of figures that went down upstream."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a poll may take, how often all is read, how long figures keep. Seconds."""

    deadline: float
    full_sweep: float
    stale_after: float


class AccountPoller:
    """Follows one account.

    ``clock`` is Unix time, ``monotonic`` measures durations; ``publish`` takes each new snapshot.
    """

    def __init__(
        self,
        name: str,
        apps: Sequence[FollowedApp],
        books: Books,
        client: Client,
        pace: Pace,
        *,
        telemetry: Telemetry,
        objectives: Sequence[Objective],
        task_limit: int,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        publish: Callable[[AccountSnapshot], None],
        balance: BalanceWatch | None = None,
    ) -> None:
        self.name = name
        self.snapshot = AccountSnapshot(
            name, clock(), objectives=tuple(objectives), task_limit=task_limit
        )
        self._apps = apps
        self._books = books
        self._client = client
        self._pace = pace
        self._telemetry = telemetry
        self._clock = clock
        self._monotonic = monotonic
        self._publish = publish
        self._balance = balance
        self._sweeping: asyncio.Task[None] | None = None
        self._sweep_failed = False
        self._health = Health()
        self._good: Figures | None = None
        self._made: dict[str, AppFigures] = {}
        """What the good figures were put together from, by app."""
        self._good_at: float | None = None
        """When the last whole poll ended, by the clock that is never set."""
        self._corrections = 0

    async def poll(self) -> errors.ApiError | None:
        """Poll once and commit; return the error that kept the poll from being whole.

        ``publish`` shows what came of it.
        """
        begun = self._monotonic()
        requests = self._telemetry.requests
        self._client.last_error = None
        await self.open()
        failure = await self._attempt(begun)
        await self._books.commit()
        took = self._monotonic() - begun
        self._telemetry.poll(took, failure.reason if failure else None)
        self._tell_corrections()
        now = self._clock()
        self._health = replace(
            self._health,
            up=failure is None,
            last_success=now if failure is None else self._health.last_success,
            last_poll=now,
            duration=took,
            requests=self._telemetry.requests - requests,
            failure=_described(failure, now),
        )
        if failure is None:
            self._good_at = self._monotonic()
        self._log(failure)
        if self._balance is not None and not (failure is not None and failure.refusal):
            await self._balance.look_up()
        return failure

    async def open(self) -> None:
        """Publish the counters of an earlier life, as soon as the store gives them."""
        if await self._books.open():
            self.publish()

    async def close(self) -> None:
        """Stop the sweep and the look-up of the balance, where one is under way."""
        if self._balance is not None:
            await self._balance.close()
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
            self._sweeping = None

    def renewed(self) -> None:
        """Take note that the credentials are others than before."""
        if self._balance is not None:
            self._balance.renewed()

    async def finish_look_up(self) -> None:
        """Wait for the balance, if it is being looked up."""
        if self._balance is not None:
            await self._balance.finish()

    async def finish_sweep(self) -> errors.ApiError | None:
        """Wait for the sweep that is running, if one is; return the error it ended in."""
        if self._sweeping is not None:
            await asyncio.wait({self._sweeping})
        error = self._end_sweep()
        if error is None:
            return None
        if not isinstance(error, errors.ApiError):
            raise error
        # No poll will come to tell it.
        self._health = replace(self._health, up=False, failure=_described(error, self._clock()))
        self._log(error)
        return error

    def succeed(self, earlier: "AccountPoller") -> None:
        """Show what an earlier configuration of the account knew, until more is known."""
        self._health = replace(earlier._health, next_poll=None)  # noqa: SLF001  # one class
        self._good = earlier._good  # noqa: SLF001
        self._good_at = earlier._good_at  # noqa: SLF001
        self._books.succeed(earlier._books)  # noqa: SLF001
        if self._balance is not None and earlier._balance is not None:  # noqa: SLF001
            self._balance.succeed(earlier._balance)  # noqa: SLF001
        # An app that is followed no more takes its corrections with it.
        untold = earlier._books.corrections() - earlier._corrections  # noqa: SLF001
        self._corrections = self._books.corrections() - untold

    def publish(self, next_poll: float | None = None) -> None:
        """Publish a snapshot of what is known now; ``next_poll`` is when the next is due."""
        now = self._clock()
        health = replace(self._health, next_poll=next_poll or self._health.next_poll)
        good_at = self._good_at
        stale = good_at is None or self._monotonic() - good_at > self._pace.stale_after
        self.snapshot = replace(
            self.snapshot,
            taken_at=now,
            health=replace(
                health,
                store_failure=_store_failure(self._books, now),
                sweep_progress=self._sweep_progress(),
                tracked_tasks=sum(len(app.tracked.inventory) for app in self._apps),
                future_tasks=self._future_tasks(),
                overflowed_scripts=sum(
                    len(app.tracked.inventory.overflowing) for app in self._apps
                ),
                clock_skew=self._telemetry.last_clock_skew,
            ),
            figures=None if stale else self._good,
            counters=self._books.counters(),
            balance=None if self._balance is None else self._balance.shown,
            balance_failure=None if self._balance is None else self._balance.failure,
        )
        self._publish(self.snapshot)

    # --- asking ---------------------------------------------------------------------------------

    async def _attempt(self, begun: float) -> errors.ApiError | None:
        """Ask for what can have changed; return why that was not whole."""
        try:
            async with asyncio.timeout(self._pace.deadline):
                # An account that is refused is asked once, not once for each app.
                await self._apps[0].ask()
                await side_by_side([app.ask() for app in self._apps[1:]])
            await self._sweep(begun)
            self._good = await self._figures()
        except TimeoutError:
            return self._client.last_error or errors.DeadlineError(
                f"the poll took longer than {self._pace.deadline:g} s"
            )
        except errors.ApiError as error:
            return error
        except Exception as error:
            log.exception("poll failed by a fault of the exporter", account=self.name)
            return errors.ApiError(f"{type(error).__name__} in the exporter itself")
        return None

    async def _sweep(self, begun: float) -> None:
        """See to the sweep of the whole lookback: start it, take it up again, end it.

        Raises what it ended in. A poll that starts a sweep without which nothing can be shown, or
        takes up one that has failed, waits for it as long as its deadline allows.
        """
        if self._sweeping is not None:
            if not self._sweeping.done():
                return
            self._end_sweep()
        for app in self._apps:
            app.begin_sweep_if_due(self._pace.full_sweep)
        if not any(app.sweep for app in self._apps):
            return
        self._sweeping = asyncio.ensure_future(self._run_sweeps())
        if self._complete and not self._sweep_failed:
            return
        left = self._pace.deadline - (self._monotonic() - begun) - _TO_APPLY
        await asyncio.wait({self._sweeping}, timeout=max(left, 0))
        if self._sweeping.done() and (error := self._end_sweep()) is not None:
            raise error

    def _end_sweep(self) -> BaseException | None:
        """Put away a sweep that is done; return what it ended in, None where that is well."""
        task, self._sweeping = self._sweeping, None
        error = None if task is None else task.exception()
        self._sweep_failed = error is not None
        return error

    async def _run_sweeps(self) -> None:
        for app in self._apps:
            await app.run_sweep(self._books.commit_if_many)
        if self._health.up:
            # Between two polls: what is whole now need not wait for the next.
            await self._books.commit()
            self._good = await self._figures()
            self.publish()

    @property
    def _complete(self) -> bool:
        return all(app.tracked.complete for app in self._apps)

    def _sweep_progress(self) -> float | None:
        sweeps = [app.sweep for app in self._apps if app.sweep is not None]
        if not sweeps:
            return None
        done = len(self._apps) - len(sweeps)
        return (done + sum(sweep.progress for sweep in sweeps)) / len(self._apps)

    # --- showing --------------------------------------------------------------------------------

    def _now(self) -> float:
        """Return the time by the API's clock, as far as it is known that ours is wrong."""
        return self._clock() + self._client.clock_correction

    async def _figures(self) -> Figures | None:
        """Return the figures as they are now; None while part of the lookback is not known."""
        if not self._complete:
            return None
        now = self._now()
        made: list[AppFigures] = []
        for app in self._apps:
            await in_turns(app.tracked.advancing(now))
            made.append(figures_of(app.tracked, self._made.get(app.tracked.name)))
            await asyncio.sleep(0)
        self._made = {app.tracked.name: each for app, each in zip(self._apps, made, strict=True)}
        return together(made, now)

    def _future_tasks(self) -> int:
        first = math.floor(self._now()) + FUTURE
        return sum(app.tracked.inventory.count_between(first, 2**62) for app in self._apps)

    def _tell_corrections(self) -> None:
        corrections = self._books.corrections()
        self._telemetry.corrected(corrections - self._corrections)
        self._corrections = corrections

    def _log(self, failure: errors.ApiError | None) -> None:
        health = self._health
        if failure is not None:
            log.warning(
                "poll failed",
                account=self.name,
                reason=failure.reason,
                error=str(failure),
                remedy=failure.remedy,
            )
            return
        log.debug("polled", account=self.name, seconds=health.duration, requests=health.requests)
        progress = self._sweep_progress()
        if progress is not None:
            log.info("reading the lookback", account=self.name, progress=f"{progress:.0%}")


def _described(failure: errors.ApiError | None, now: float) -> Failure | None:
    if failure is None:
        return None
    return Failure(failure.reason, str(failure), failure.remedy, now)


def _store_failure(books: Books, now: float) -> Failure | None:
    error = books.failure
    return None if error is None else Failure(error.reason, str(error), _STORE_REMEDY, now)
