"""All accounts of a configuration at work: which of them run here, and what they show."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from exporter import __version__, storage
from exporter.api.errors import REASONS
from exporter.config import Account, Config
from exporter.exposition.scrape import Exposition
from exporter.exposition.telemetry import Telemetry
from exporter.history import History
from exporter.poller.books import Storage
from exporter.running import Clocks, RunningAccount, Surroundings
from exporter.snapshot import AccountSnapshot, Failure, Shared
from exporter.storage import Database, ThreadedStore

if TYPE_CHECKING:
    from exporter.storage.postgres.share import Share


_SHARE_REMEDY: Final = (
    "Look whether the database answers. Polling goes on by itself as soon as it does."
)


class _Store(Storage, Protocol):
    async def close(self) -> None: ...


class Accounts:
    """The accounts of a configuration, polled and ready to be scraped.

    ``state`` is the folder in which the counters are kept, or the URL of the database that replicas
    share; None: in memory only. Those who share one poll some of the accounts each.
    """

    def __init__(
        self,
        config: Config,
        clocks: Clocks | None = None,
        state: Path | Database | None = None,
    ) -> None:
        self.clocks = clocks or Clocks()
        self.telemetry = Telemetry(__version__, REASONS)
        self.exposition = Exposition(self.telemetry.registry, self.clocks.monotonic)
        self._config = config
        self._running: dict[str, RunningAccount] = {}
        self._snapshots: dict[str, AccountSnapshot] = {}
        self._histories: dict[str, History] = {}
        self._heard_of: set[str] = set()
        self.telemetry.reloaded(self.clocks.now(), successful=True)
        self._leaving = False
        self._store: _Store | None = None
        self._share: Share | None = None
        if isinstance(state, Database):
            self._share = self._shared(state)
            self._store = self._share.store
        elif state is not None:
            self._store = ThreadedStore(state, self.telemetry.store(storage.REASONS))

    @property
    def snapshots(self) -> Mapping[str, AccountSnapshot]:
        """The latest snapshot of each account, in the order of the configuration."""
        self._withdraw_what_may_not_be_shown()
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

    @property
    def shared(self) -> Shared | None:
        """How the accounts are shared with other replicas, where they are."""
        if self._share is None:
            return None
        here = sum(running.is_polled for running in self._running.values())
        failure = self._share.failure
        return Shared(
            here,
            len(self._names()) - here,
            None
            if failure is None
            else Failure(failure.reason, str(failure), _SHARE_REMEDY, self.clocks.now()),
        )

    async def scrape(
        self, *, openmetrics: bool, compressed: bool, names: frozenset[str] = frozenset()
    ) -> Sequence[bytes]:
        """Return the exposition in pieces: of shared accounts only what no other can show."""
        self._withdraw_what_may_not_be_shown()
        return await self.exposition.pieces(
            openmetrics=openmetrics, compressed=compressed, names=names
        )

    def awaited(self) -> list[str]:
        """Return the accounts that have neither had figures nor failed a poll yet."""
        mine = self._names() if self._share is None else self._running
        return [name for name in mine if name not in self._heard_of]

    async def open(self) -> None:
        """Make everything ready to poll, and publish the counters that are kept."""
        if self._share is not None:
            # Whatever is ours comes with the first beat.
            for name in self._names():
                self.telemetry.owned(name, owned=False)
            return
        for account in self._config.accounts:
            if account.name not in self._running:
                await self._begin(account)

    async def start(self) -> None:
        """Begin to poll every account."""
        await self.open()
        for running in self._running.values():
            running.start()
        if self._share is not None:
            self._share.start()

    async def poll_once(self) -> bool:
        """Poll every account once, its whole lookback included; return whether all were whole."""
        await self.open()
        return all(
            await asyncio.gather(*(running.poll_whole() for running in self._running.values()))
        )

    async def stop(self) -> None:
        """Stop polling; every account's connections are closed, and the store is released."""
        if self._share is not None:
            self._leave()
            await self._share.leave()
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
            elif not shared or not await running.is_configured_as(account):
                await self._replace(running, account)
        if self._share is not None:
            for name in self._names():
                running_here = self._running.get(name)
                self.telemetry.owned(
                    name, owned=running_here is not None and running_here.is_polled
                )
            self._share.reconsider()
            return
        for account in config.accounts:
            if account.name not in self._running:
                await self._begin(account)
                self._running[account.name].start()

    # --- as the hands of a share ------------------------------------------------------------------

    async def take(self, account: str) -> None:
        """Poll an account from now on; one that rests goes on from where it was."""
        running = self._running.get(account)
        if running is None:
            configured = next(
                (each for each in self._config.accounts if each.name == account), None
            )
            if configured is None:
                return  # it is configured no more, which is found at the next beat
            await self._begin(configured)
        else:
            running.poller.publish()
        running = self._running.get(account)
        if running is not None:
            running.start()
            self.telemetry.owned(account, owned=True)

    async def rest(self) -> None:
        """Stop polling, and remember everything."""
        for name in self._running:
            self.telemetry.owned(name, owned=False)
        await asyncio.gather(*(running.pause() for running in self._running.values()))

    async def give_up(self, account: str) -> None:
        """Stop polling an account, and forget it."""
        self._hide(account)
        running = self._running.get(account)
        try:
            if running is not None:
                await self._end(running)
        finally:
            # However that went: others are told that they may have it.
            if not self._leaving:
                self._forget(account)

    def _shared(self, database: Database) -> "Share":
        from exporter.storage.postgres.share import Share  # noqa: PLC0415  # asyncpg is an extra

        return Share(
            database,
            self._names,
            self,
            self.telemetry.store(storage.REASONS),
            interval=self._config.poll.interval,
        )

    async def _begin(self, account: Account, successor_of: RunningAccount | None = None) -> None:
        running: RunningAccount

        def publish(snapshot: AccountSnapshot) -> None:
            # What was given up or replaced may still be ending what it was doing.
            if self._running.get(account.name) is running:
                self._publish(snapshot)

        running = RunningAccount(
            account,
            Surroundings(
                self._config,
                self.clocks,
                self._store,
                self.exposition,
                self.telemetry.account(account.name),
                publish,
            ),
        )
        self._running[account.name] = running
        await running.begin(successor_of)

    async def _replace(self, running: RunningAccount, account: Account) -> None:
        """Go on as an account is configured now, where it is not given up meanwhile."""
        name = account.name
        was_polled = running.is_polled
        await running.end()
        if self._running.get(name) is not running:
            return
        await self._begin(account, successor_of=running)
        successor = self._running.get(name)
        if successor is None:
            return
        if self._share is None or (was_polled and self._share.owns(name)):
            successor.start()

    async def _end(self, running: RunningAccount) -> None:
        name = running.account.name
        if self._running.get(name) is running:
            del self._running[name]
        await running.end()

    def _withdraw_what_may_not_be_shown(self) -> None:
        if self._share is None:
            return
        for name in list(self._snapshots):
            if not self._share.may_show(name):
                self._hide(name)
                self.telemetry.owned(name, owned=False)

    def _leave(self) -> None:
        """Show no account any more, all at once: others wait to hear that they may have them.

        To clear up after each takes the longer the more there are, and nobody will ever look.
        """
        self._leaving = True
        for name in self._names():
            self.telemetry.owned(name, owned=False)
        self._snapshots.clear()
        self.exposition = Exposition(self.telemetry.registry, self.clocks.monotonic)

    def _forget(self, name: str) -> None:
        self._hide(name)
        self._histories.pop(name, None)
        self._heard_of.discard(name)
        self.telemetry.forget(name)
        if self._share is not None:
            self.telemetry.owned(name, owned=False if name in self._names() else None)

    def _hide(self, name: str) -> None:
        self._snapshots.pop(name, None)
        self.exposition.remove(name)

    def _names(self) -> list[str]:
        return [account.name for account in self._config.accounts]

    def _publish(self, snapshot: AccountSnapshot) -> None:
        if self._share is not None and (
            self._leaving or not self._share.may_show(snapshot.account)
        ):
            return
        self.exposition.publish(snapshot)
        self._snapshots[snapshot.account] = snapshot
        history = self._histories.get(snapshot.account, History())
        self._histories[snapshot.account] = history.followed_by(snapshot)
        if snapshot.figures is not None or snapshot.health.up is False:
            self._heard_of.add(snapshot.account)
