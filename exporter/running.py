"""One account at work: its client, its tasks, its books and its loop, put together."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import structlog

from exporter.api.client import Client, Limits
from exporter.api.paging import RangeReader, Selection
from exporter.api.records import Locale
from exporter.config import Account, Config, Objectives
from exporter.credentials import AccountCredentials
from exporter.exposition.telemetry import AccountTelemetry
from exporter.poller.account import AccountPoller, Pace
from exporter.poller.balance import BalanceWatch
from exporter.poller.books import Audience, Books, Storage
from exporter.poller.following import Asking, FollowedApp
from exporter.poller.loop import PollLoop
from exporter.snapshot import AccountSnapshot, Failure, Objective
from exporter.tasks.tracking import TrackedApp

log = structlog.get_logger("accounts")


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where time and chance come from: Unix time, a clock never set back, numbers in [0, 1)."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an account is put together with, beside its own configuration."""

    config: Config
    clocks: Clocks
    storage: Storage | None
    """Where its counters are kept; None: in memory only."""
    audience: Audience
    telemetry: AccountTelemetry
    publish: Callable[[AccountSnapshot], None]


class RunningAccount:
    """One account at work. ``begin``, then ``start``; ``end`` is for good."""

    def __init__(self, account: Account, around: Surroundings) -> None:
        self.account = account
        self.credentials = AccountCredentials(account)
        self._around = around
        config, clocks = around.config, around.clocks
        self._client = Client(
            account.base_url,
            self.credentials,
            Locale(account.timezone, account.currency),
            Limits(config.poll.timeout, config.poll.concurrency, config.poll.requests_per_second),
            around.telemetry,
            clock=clocks.now,
            monotonic=clocks.monotonic,
        )
        tracked = _tracked_apps(account, config)
        self.poller = AccountPoller(
            account.name,
            _followed_apps(account, tracked, _asking(self._client, around.telemetry, clocks)),
            Books(
                account.name,
                tracked,
                around.storage,
                clock=clocks.now,
                audience=around.audience,
            ),
            self._client,
            Pace(config.poll.deadline, config.poll.full_sweep, config.poll.stale_after),
            telemetry=around.telemetry,
            objectives=_objectives(account),
            task_limit=config.metrics.task_limit,
            clock=clocks.now,
            monotonic=clocks.monotonic,
            publish=lambda snapshot: around.publish(_masked(snapshot, self.credentials)),
            balance=_balance_watch(account, self._client, around),
        )
        self._loop: asyncio.Task[None] | None = None
        self._ended = False

    async def begin(self, successor_of: "RunningAccount | None" = None) -> None:
        """Make everything ready to poll, and publish the counters that are kept."""
        await self._client.__aenter__()
        if successor_of is not None:
            self.poller.succeed(successor_of.poller)
        self.poller.publish()
        await self.poller.open()

    def start(self) -> None:
        """Poll from now on; does nothing while it is polled, or where it was ended."""
        if self._loop is not None or self._ended:
            return
        clocks = self._around.clocks
        loop = PollLoop(
            self.poller,
            interval=self._around.config.poll.interval,
            clock=clocks.now,
            monotonic=clocks.monotonic,
            random=clocks.random,
            credentials=self.credentials,
        )
        self._loop = asyncio.create_task(loop.run(), name=f"poll {self.account.name}")
        self._loop.add_done_callback(_report_death)

    @property
    def is_polled(self) -> bool:
        """Whether it has been started, and neither paused nor ended since."""
        return self._loop is not None

    async def pause(self) -> None:
        """Stop polling; ``start`` goes on from here."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)

    async def end(self) -> None:
        """Stop polling for good; its connections are closed."""
        self._ended = True
        await self.pause()
        await self.poller.close()
        await self._client.__aexit__()

    async def poll_whole(self) -> bool:
        """Poll once, the whole lookback included; return whether it was whole."""
        failure = await self.poller.poll()
        if failure is None:
            failure = await self.poller.finish_sweep()
        await self.poller.finish_look_up()
        self.poller.publish()
        return failure is None

    async def is_configured_as(self, account: Account) -> bool:
        """Whether it runs as an account is configured: with the secret its file holds by now."""
        await self.credentials.refresh()
        return account == replace(self.account, api_secret=self.credentials.secret)


def _balance_watch(account: Account, client: Client, around: Surroundings) -> BalanceWatch | None:
    if not account.balance:
        return None
    around.telemetry.balance_watched()
    return BalanceWatch(
        account.name,
        client,
        around.telemetry,
        interval=around.config.poll.interval,
        stale_after=around.config.poll.stale_after,
        clock=around.clocks.now,
        monotonic=around.clocks.monotonic,
    )


def _tracked_apps(account: Account, config: Config) -> list[TrackedApp]:
    return [
        TrackedApp(
            name,
            lookback=config.poll.lookback,
            settle=config.poll.settle,
            windows={window.label: window.seconds for window in config.poll.windows},
            script_limit=config.metrics.script_limit,
            # With another zone other tasks lie in the lookback, so it belongs to what is asked.
            selection=json.dumps({**asdict(selection), "zone": account.timezone_name}),
        )
        for name, selection in _selections(account).items()
    ]


def _asking(client: Client, telemetry: AccountTelemetry, clocks: Clocks) -> Asking:
    def now() -> float:
        return clocks.now() + client.clock_correction

    gate = asyncio.Semaphore(client.limits.concurrency)
    return Asking(
        reader=RangeReader(client, now, clocks.monotonic),
        sweep_reader=RangeReader(client, now, clocks.monotonic, gate),
        now=now,
        monotonic=clocks.monotonic,
        telemetry=telemetry,
        slices_at_once=client.limits.concurrency,
    )


def _followed_apps(
    account: Account, tracked: Sequence[TrackedApp], asking: Asking
) -> list[FollowedApp]:
    selections = _selections(account)
    return [FollowedApp(each, selections[each.name], asking) for each in tracked]


def _selections(account: Account) -> dict[str, Selection]:
    """Return what is asked for, by the names of the apps."""
    ids: dict[str, int | None] = {app.name: app.id for app in account.apps} or {"": None}
    return {
        name: Selection(app_id, account.statuses, account.search) for name, app_id in ids.items()
    }


def _report_death(loop: asyncio.Task[None]) -> None:
    if not loop.cancelled() and (error := loop.exception()) is not None:
        log.critical("an account is polled no more", task=loop.get_name(), exc_info=error)


def _masked(snapshot: AccountSnapshot, credentials: AccountCredentials) -> AccountSnapshot:
    """Hide the credentials where the API's own message repeats them: it is shown on the page."""
    failure = _without_credentials(snapshot.health.failure, credentials)
    if failure is not snapshot.health.failure:
        snapshot = replace(snapshot, health=replace(snapshot.health, failure=failure))
    of_balance = _without_credentials(snapshot.balance_failure, credentials)
    if of_balance is not snapshot.balance_failure:
        snapshot = replace(snapshot, balance_failure=of_balance)
    return snapshot


def _without_credentials(
    failure: Failure | None, credentials: AccountCredentials
) -> Failure | None:
    if failure is None:
        return None
    message = credentials.hide(failure.message)
    return failure if message == failure.message else replace(failure, message=message)


def _objectives(account: Account) -> list[Objective]:
    stated: list[tuple[str, Objectives]] = [("", account.objectives)]
    stated += ((app.name, app.objectives) for app in account.apps)
    return [
        Objective(
            app=app,
            currency=account.currency,
            answer_ratio=each.answer_ratio,
            failure_ratio=each.failure_ratio,
            average_call_duration=each.average_call_duration,
            daily_spend=each.daily_spend,
            minimum_balance=each.minimum_balance,
        )
        for app, each in stated
        if each != Objectives()
    ]
