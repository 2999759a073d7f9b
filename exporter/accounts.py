"""All accounts of a configuration at work: each with its client, its tasks and its loop."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import structlog

from exporter import __version__, storage
from exporter.api.client import Client, Limits
from exporter.api.errors import REASONS
from exporter.api.paging import RangeReader, Selection
from exporter.api.records import Locale
from exporter.config import Account, Config, Objectives
from exporter.credentials import AccountCredentials
from exporter.exposition.scrape import Exposition
from exporter.exposition.telemetry import AccountTelemetry, Telemetry
from exporter.history import History
from exporter.poller.account import AccountPoller, Pace
from exporter.poller.balance import BalanceWatch
from exporter.poller.books import Books
from exporter.poller.following import Asking, FollowedApp
from exporter.poller.loop import PollLoop
from exporter.snapshot import AccountSnapshot, Failure, Objective
from exporter.storage import ThreadedStore
from exporter.tasks.tracking import TrackedApp

log = structlog.get_logger("accounts")


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where time and chance come from: Unix time, a clock never set back, numbers in [0, 1)."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random


@dataclass(slots=True)
class _Running:
    """One account at work."""

    account: Account
    credentials: AccountCredentials
    client: Client
    poller: AccountPoller
    loop: asyncio.Task[None] | None = None


class Accounts:
    """The accounts of a configuration, polled and ready to be scraped.

    ``state`` is the folder in which the counters are kept; None: in memory only.
    """

    def __init__(
        self, config: Config, clocks: Clocks | None = None, state: Path | None = None
    ) -> None:
        self.clocks = clocks or Clocks()
        self.telemetry = Telemetry(__version__, REASONS)
        self.exposition = Exposition(self.telemetry.registry, self.clocks.monotonic)
        self._config = config
        self._running: dict[str, _Running] = {}
        self._snapshots: dict[str, AccountSnapshot] = {}
        self._histories: dict[str, History] = {}
        self._heard_of: set[str] = set()
        self.telemetry.reloaded(self.clocks.now(), successful=True)
        self._store: ThreadedStore | None = None
        if state is not None:
            self._store = ThreadedStore(state, self.telemetry.store(storage.REASONS))

    @property
    def snapshots(self) -> Mapping[str, AccountSnapshot]:
        """The latest snapshot of each account, in the order of the configuration."""
        names = (account.name for account in self._config.accounts)
        return {name: self._snapshots[name] for name in names if name in self._snapshots}

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    @property
    def histories(self) -> Mapping[str, History]:
        """How the figures of each account went over the last hours."""
        return self._histories

    def awaited(self) -> list[str]:
        """Return the accounts that have neither had figures nor failed a poll yet."""
        return [each.name for each in self._config.accounts if each.name not in self._heard_of]

    async def open(self) -> None:
        """Make everything ready to poll, and publish the counters that are kept."""
        for account in self._config.accounts:
            if account.name not in self._running:
                await self._begin(account)

    async def start(self) -> None:
        """Begin to poll every account."""
        await self.open()
        for running in self._running.values():
            self._start_loop(running)

    async def poll_once(self) -> bool:
        """Poll every account once, its whole lookback included; return whether all were whole."""
        await self.open()
        return all(await asyncio.gather(*map(_poll_whole, self._running.values())))

    async def stop(self) -> None:
        """Stop polling; every account's connections are closed, and the store is released."""
        await asyncio.gather(*map(self._end, list(self._running.values())))
        if self._store is not None:
            await self._store.close()

    async def reload(self, config: Config) -> None:
        """Take over another configuration: accounts that are the same in it go on untouched."""
        before, self._config = self._config, config
        shared = before.poll == config.poll and before.metrics == config.metrics
        wanted = {account.name: account for account in config.accounts}
        for running in list(self._running.values()):
            name = running.account.name
            account = wanted.get(name)
            if account is None:
                await self._end(running)
                self._forget(name)
            elif not shared or not await _is_same(running, account):
                await self._end(running)
                await self._begin(account, successor_of=running)
                self._start_loop(self._running[name])
        for account in config.accounts:
            if account.name not in self._running:
                await self._begin(account)
                self._start_loop(self._running[account.name])

    async def _begin(self, account: Account, successor_of: _Running | None = None) -> None:
        config, clocks = self._config, self.clocks
        telemetry = self.telemetry.account(account.name)
        credentials = AccountCredentials(account)
        client = Client(
            account.base_url,
            credentials,
            Locale(account.timezone, account.currency),
            Limits(config.poll.timeout, config.poll.concurrency, config.poll.requests_per_second),
            telemetry,
            clock=clocks.now,
            monotonic=clocks.monotonic,
        )
        await client.__aenter__()
        tracked = self._tracked_apps(account)
        books = Books(
            account.name,
            tracked,
            self._store,
            clock=clocks.now,
            audience=self.exposition,
        )
        balance = None
        if account.balance:
            telemetry.balance_watched()
            balance = BalanceWatch(
                account.name,
                client,
                telemetry,
                interval=config.poll.interval,
                stale_after=config.poll.stale_after,
                clock=clocks.now,
                monotonic=clocks.monotonic,
            )
        poller = AccountPoller(
            account.name,
            _followed_apps(account, tracked, _asking(client, telemetry, clocks)),
            books,
            client,
            Pace(config.poll.deadline, config.poll.full_sweep, config.poll.stale_after),
            telemetry=telemetry,
            objectives=_objectives(account),
            task_limit=config.metrics.task_limit,
            clock=clocks.now,
            monotonic=clocks.monotonic,
            publish=lambda snapshot: self._publish(_masked(snapshot, credentials)),
            balance=balance,
        )
        if successor_of is not None:
            poller.succeed(successor_of.poller)
        self._running[account.name] = _Running(account, credentials, client, poller)
        poller.publish()
        await poller.open()

    def _tracked_apps(self, account: Account) -> list[TrackedApp]:
        config = self._config
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

    def _start_loop(self, running: _Running) -> None:
        loop = PollLoop(
            running.poller,
            interval=self._config.poll.interval,
            clock=self.clocks.now,
            monotonic=self.clocks.monotonic,
            random=self.clocks.random,
            credentials=running.credentials,
        )
        running.loop = asyncio.create_task(loop.run(), name=f"poll {running.account.name}")
        running.loop.add_done_callback(_report_death)

    async def _end(self, running: _Running) -> None:
        if running.loop is not None:
            running.loop.cancel()
            await asyncio.gather(running.loop, return_exceptions=True)
        await running.poller.close()
        await running.client.__aexit__()
        self._running.pop(running.account.name, None)

    def _forget(self, name: str) -> None:
        self._snapshots.pop(name, None)
        self._histories.pop(name, None)
        self._heard_of.discard(name)
        self.exposition.remove(name)
        self.telemetry.forget(name)

    def _publish(self, snapshot: AccountSnapshot) -> None:
        self.exposition.publish(snapshot)
        self._snapshots[snapshot.account] = snapshot
        history = self._histories.get(snapshot.account, History())
        self._histories[snapshot.account] = history.followed_by(snapshot)
        if snapshot.figures is not None or snapshot.health.up is False:
            self._heard_of.add(snapshot.account)


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


async def _is_same(running: _Running, account: Account) -> bool:
    """Whether an account is configured as it runs: with the secret that its file holds by now."""
    await running.credentials.refresh()
    return account == replace(running.account, api_secret=running.credentials.secret)


async def _poll_whole(running: _Running) -> bool:
    failure = await running.poller.poll()
    if failure is None:
        failure = await running.poller.finish_sweep()
    await running.poller.finish_look_up()
    running.poller.publish()
    return failure is None


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
