"""One account: what a poll asks, what becomes of the answers, and what is published."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from exporter.api import errors
from exporter.api.client import Client
from exporter.api.paging import RangeReader, Reading, Selection
from exporter.poller.sweep import Sweep
from exporter.snapshot import (
    AccountSnapshot,
    AppCounters,
    Failure,
    Figures,
    Health,
    Objective,
    figures,
)
from exporter.tasks import coverage
from exporter.tasks.coverage import Range
from exporter.tasks.inventory import Change
from exporter.tasks.ledger import Introductions
from exporter.tasks.task import CODES, UNFINISHED
from exporter.tasks.tracking import TrackedApp

FUTURE: Final = 60
"""Seconds: a task created so much later than now is no matter of a clock's jitter any more."""
_ENOUGH_FOR_FIGURES: Final = 0.5
"""Seconds before the deadline at which a poll stops waiting for the sweep it has started."""

log = structlog.get_logger("poller")


class Telemetry(Protocol):
    """What the poller tells for the exporter's own metrics, and hears from the client by it."""

    requests: int
    last_clock_skew: float | None

    def poll(self, seconds: float, failure: str | None) -> None:
        """Take note of a poll that has ended, and of the reason where it was not whole."""

    def rejected(self, reasons: Sequence[str]) -> None:
        """Take note of records that could not be read."""

    def corrected(self, figures: int) -> None:
        """Take note of figures that went down upstream."""

    def sweep_corrected(self, tasks: int) -> None:
        """Take note of tasks that a sweep found otherwise than polls had left them."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a poll may take, how often all is read, how long figures keep. Seconds."""

    deadline: float
    full_sweep: float
    stale_after: float


class FollowedApp:
    """An app's tracked tasks, and how they are asked for."""

    def __init__(self, tracked: TrackedApp, app_id: int | None) -> None:
        self.tracked = tracked
        self.app_id = app_id
        self.introductions = Introductions()
        self.sweep: Sweep | None = None
        self.swept_at: float | None = None
        """When the last whole sweep was begun, by the monotonic clock; None before the first."""

    def succeed(self, earlier: "FollowedApp") -> None:
        """Go on counting where an earlier configuration of the app left off."""
        self.introductions = earlier.introductions
        self.tracked.ledger = earlier.tracked.ledger
        self.tracked.inventory.labels.own = earlier.tracked.inventory.labels.own


class AccountPoller:
    """Follows one account.

    ``clock`` is Unix time, ``monotonic`` measures durations; ``scrapes`` tells how many scrapes
    have been served; ``publish`` takes each new snapshot.
    """

    def __init__(
        self,
        name: str,
        apps: Sequence[FollowedApp],
        client: Client,
        pace: Pace,
        telemetry: Telemetry,
        *,
        selection: Selection,
        objectives: Sequence[Objective],
        task_limit: int,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        scrapes: Callable[[], int],
        publish: Callable[[AccountSnapshot], None],
    ) -> None:
        self.name = name
        self.snapshot = AccountSnapshot(name, clock(), objectives=tuple(objectives))
        self._apps = apps
        self._client = client
        self._pace = pace
        self._telemetry = telemetry
        self._selection = selection
        self._task_limit = task_limit
        self._clock = clock
        self._monotonic = monotonic
        self._scrapes = scrapes
        self._publish = publish
        self._reader = RangeReader(client, self._now, monotonic)
        # A sweep never has more requests waiting than can be under way: a poll's go in between.
        gate = asyncio.Semaphore(client.limits.concurrency)
        self._sweep_reader = RangeReader(client, self._now, monotonic, gate)
        self._sweeping: asyncio.Task[None] | None = None
        self._health = Health()
        self._good: Figures | None = None
        self._corrections = 0

    def _now(self) -> float:
        """Return the time by the API's clock, as far as it is known that ours is wrong."""
        return self._clock() + self._client.clock_correction

    async def poll(self) -> errors.ApiError | None:
        """Poll once; return the error that kept it from being whole. ``publish`` shows it."""
        begun = self._monotonic()
        requests = self._telemetry.requests
        self._client.last_error = None
        failure = await self._attempt(begun)
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
            self._good = self._figures()
        self._log(failure)
        return failure

    async def close(self) -> None:
        """Stop the sweep, if one is running."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
            self._sweeping = None

    async def finish_sweep(self) -> errors.ApiError | None:
        """Wait for the sweep that is running, if one is; return the error it ended in."""
        if self._sweeping is not None:
            await asyncio.wait({self._sweeping})
        try:
            self._end_sweep()
        except errors.ApiError as error:
            return error
        return None

    def succeed(self, earlier: "AccountPoller") -> None:
        """Show what an earlier configuration of the account knew, until more is known."""
        self._health = replace(earlier._health, next_poll=None)  # noqa: SLF001  # one class
        self._good = earlier._good  # noqa: SLF001
        self._corrections = earlier._corrections  # noqa: SLF001

    def publish(self, next_poll: float | None = None) -> None:
        """Publish a snapshot of what is known now; ``next_poll`` is when the next is due."""
        now = self._clock()
        health = replace(self._health, next_poll=next_poll or self._health.next_poll)
        stale = health.last_success is None or (now - health.last_success > self._pace.stale_after)
        scrapes = self._scrapes()
        self.snapshot = replace(
            self.snapshot,
            taken_at=now,
            health=replace(
                health,
                sweep_progress=self._sweep_progress(),
                tracked_tasks=sum(len(app.tracked.inventory) for app in self._apps),
                future_tasks=self._future_tasks(),
                overflowed_scripts=sum(
                    len(app.tracked.inventory.overflowing) for app in self._apps
                ),
                clock_skew=self._telemetry.last_clock_skew,
            ),
            figures=None if stale else self._good,
            counters=tuple(
                AppCounters(
                    app.tracked.name,
                    app.introductions.exposed(app.tracked.ledger.totals, now, scrapes),
                )
                for app in self._apps
                if app.tracked.begun(math.inf)
            ),
            task_limit=self._task_limit,
        )
        self._publish(self.snapshot)

    # --- asking ---------------------------------------------------------------------------------

    async def _attempt(self, begun: float) -> errors.ApiError | None:
        """Ask for what can have changed; return why that was not whole."""
        try:
            async with asyncio.timeout(self._pace.deadline):
                # An account that is refused is asked once, not once for each app.
                await self._ask(self._apps[0])
                await _gather([self._ask(app) for app in self._apps[1:]])
            await self._sweep(begun)
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

    async def _ask(self, app: FollowedApp) -> None:
        """Read what can have changed of one app since its last whole poll, and apply it."""
        tracked = app.tracked
        now = self._now()
        if tracked.last_whole is not None and coverage.has_gap(now, last_whole=tracked.last_whole):
            tracked.complete = False
        plan = coverage.head(
            tracked.inventory, now, last_whole=tracked.last_whole, lookback=tracked.lookback
        )
        requests = self._telemetry.requests
        head = await self._read(app, plan.newest)
        if not tracked.begun(now):
            tracked.begin(plan.newest, head.tasks)
        self._apply(app, head)
        ranges: Sequence[Range] = plan.ranges
        if plan.filtered:
            ranges = await self._ask_unfinished(app, plan.newest, head.begun)
        await self._read_all(app, ranges)
        spent = self._telemetry.requests - requests
        due = coverage.settling(
            tracked.inventory, self._monotonic(), settle=tracked.settle, spent=spent
        )
        await self._read_all(app, due)
        tracked.advance(self._now())
        tracked.last_whole = now

    async def _ask_unfinished(
        self, app: FollowedApp, newest: Range, since: float
    ) -> Sequence[Range]:
        """Ask for the unfinished by status; return where the known ones lie that are missing."""
        tracked = app.tracked
        horizon = math.floor(self._now() - tracked.lookback) + 1
        wanted = [CODES[status] for status in UNFINISHED]
        if self._selection.statuses:
            wanted = [code for code in wanted if code in self._selection.statuses]
        if wanted:
            selection = replace(self._selection, app_id=app.app_id, statuses=tuple(sorted(wanted)))
            self._apply(
                app, await self._reader.passing(horizon, newest.end, selection), whole=False
            )
        missing = [
            entry.task.created
            for entry in tracked.inventory.unfinished.values()
            if entry.read_at < since and entry.task.created >= horizon
        ]
        return coverage.cover(tracked.inventory, missing)

    async def _read(self, app: FollowedApp, span: Range) -> Reading:
        selection = replace(self._selection, app_id=app.app_id)
        return await self._reader.whole(span.begin, span.end, selection)

    async def _read_all(self, app: FollowedApp, ranges: Sequence[Range]) -> None:
        async def read(span: Range) -> None:
            self._apply(app, await self._read(app, span))

        await _gather([read(span) for span in ranges])

    # --- sweeping -------------------------------------------------------------------------------

    async def _sweep(self, begun: float) -> None:
        """See to the sweep of the whole lookback: start it, take it up again, end it.

        Raises the ApiError that it ended in. A poll that starts a sweep without which nothing can
        be shown waits for it as long as its deadline allows.
        """
        if self._sweeping is not None:
            if not self._sweeping.done():
                return
            self._end_sweep()
        for app in self._apps:
            if app.sweep is None and self._sweep_is_due(app):
                app.sweep = self._new_sweep(app)
        if not any(app.sweep for app in self._apps):
            return
        self._sweeping = asyncio.ensure_future(self._run_sweeps())
        if self._complete:
            return
        left = self._pace.deadline - (self._monotonic() - begun) - _ENOUGH_FOR_FIGURES
        await asyncio.wait({self._sweeping}, timeout=max(left, 0))
        if self._sweeping.done():
            self._end_sweep()

    def _end_sweep(self) -> None:
        task, self._sweeping = self._sweeping, None
        if task is not None:
            task.result()

    @property
    def _complete(self) -> bool:
        return all(app.tracked.complete for app in self._apps)

    def _sweep_is_due(self, app: FollowedApp) -> bool:
        if not app.tracked.complete or app.swept_at is None:
            return True
        return self._monotonic() - app.swept_at >= self._pace.full_sweep

    def _new_sweep(self, app: FollowedApp) -> Sweep:
        tracked = app.tracked
        now = self._now()
        begin = math.floor(now - tracked.lookback) + 1
        # What is newer than that is read by every poll.
        end = max(begin, coverage.newest_from(tracked.inventory, now, last_whole=now) - 1)
        first = app.swept_at is None or not tracked.complete

        def apply(reading: Reading) -> None:
            changes, gone = self._apply(app, reading)
            if not first:
                self._telemetry.sweep_corrected(gone + sum(map(_is_correction, changes)))

        return Sweep(
            Range(begin, end),
            replace(self._selection, app_id=app.app_id),
            self._sweep_reader,
            apply,
            expected=None if first else tracked.inventory.count_between(begin, end),
            side_by_side=self._client.limits.concurrency,
        )

    async def _run_sweeps(self) -> None:
        for app in self._apps:
            if app.sweep is None:
                continue
            begun = self._monotonic()
            await app.sweep.run()
            app.tracked.swept(app.sweep.span, self._now())
            app.swept_at = begun
            app.sweep = None
        if self._health.up:
            # Between two polls: what is whole now need not wait for the next.
            self._good = self._figures()
            self.publish()

    def _sweep_progress(self) -> float | None:
        sweeps = [app.sweep for app in self._apps if app.sweep is not None]
        if not sweeps:
            return None
        done = len(self._apps) - len(sweeps)
        return (done + sum(sweep.progress for sweep in sweeps)) / len(self._apps)

    # --- applying -------------------------------------------------------------------------------

    def _apply(
        self, app: FollowedApp, reading: Reading, *, whole: bool = True
    ) -> tuple[list[Change], int]:
        """Take in a reading; return what it changed, and how many tasks it shows to be deleted."""
        self._telemetry.rejected(reading.rejected)
        tracked = app.tracked
        changes = tracked.take(reading.tasks, read_at=reading.begun, now=self._now())
        gone = 0
        if whole:
            present = reading.tasks.keys() | reading.rejected_ids
            gone = tracked.drop_absent(
                Range(reading.begin, reading.end), present, read_at=reading.begun
            )
        return changes, gone

    def _figures(self) -> Figures | None:
        """Return the figures as they are now; None while part of the lookback is not known."""
        if not self._complete:
            return None
        now = self._now()
        for app in self._apps:
            app.tracked.advance(now)
        return figures((app.tracked for app in self._apps), now)

    def _future_tasks(self) -> int:
        first = math.floor(self._now()) + FUTURE
        return sum(app.tracked.inventory.count_between(first, 2**62) for app in self._apps)

    def _tell_corrections(self) -> None:
        corrections = sum(app.tracked.ledger.corrections for app in self._apps)
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


def _is_correction(change: Change) -> bool:
    """Whether a sweep's change is one that polls should have seen."""
    return change.before is None or change.before.status.ended


def _described(failure: errors.ApiError | None, now: float) -> Failure | None:
    if failure is None:
        return None
    return Failure(failure.reason, str(failure), failure.remedy, now)


async def _gather(work: Sequence[Coroutine[None, None, None]]) -> None:
    """Do work side by side; where a part fails, the rest is stopped before its error is raised."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
