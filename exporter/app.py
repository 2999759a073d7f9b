"""One running exporter: wires the rooms together, starts them, reloads them, stops them.

The only module that knows all others.
"""

import asyncio
import contextlib
import gc
import resource
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from exporter import __version__, logs
from exporter.accounts import Accounts
from exporter.config import Config, ConfigError, both
from exporter.history import History
from exporter.running import Clocks
from exporter.snapshot import AccountSnapshot, Failure, Shared
from exporter.storage import Database
from exporter.web.access.access import LOOK_EVERY, Access
from exporter.web.access.model import WebConfig
from exporter.web.application import build
from exporter.web.demonstration import Demonstration
from exporter.web.listening import Listening, listen
from exporter.web.options import WebOptionError, WebOptions

log = structlog.get_logger("app")

SEARCHES: Final = (700, 10, 5_000)
"""When garbage is searched for: as Python does, but seldom among what has lived for long.

There is hardly any, and among the figures of a hundred thousand series it takes 120 ms, in which
no scrape is answered.
"""
_RELOAD_REMEDY: Final = "The old one stays in force. Correct the file and load it again."


class App:
    """A running exporter, as the web sees it (a ``Site``).

    ``load`` reads the configuration anew for a reload; ConfigError where it cannot be used.
    ``state`` is where counters are kept: a folder, or a database that is shared; None: in memory
    only. ``access`` decides who is let in; None: everybody. ``demonstration`` is what the demo lets
    go wrong.
    """

    version = __version__

    def __init__(
        self,
        config: Config,
        load: Callable[[], Config],
        options: WebOptions,
        state: Path | Database | None = None,
        clocks: Clocks | None = None,
        *,
        access: Access | None = None,
        demonstration: Demonstration | None = None,
    ) -> None:
        self._load = load
        self._options = options
        self._clocks = clocks or Clocks()
        self._reloading = asyncio.Lock()
        self._access = access or Access()
        # Of the last reload, and of the web configuration, which is also read when it changes.
        self._reload_failure: Failure | None = None
        self._access_failure: Failure | None = None
        self.demonstration = demonstration
        self.accounts = Accounts(announced(config), self._clocks, state)

    async def run(self, started: Callable[[Sequence[str]], None]) -> None:
        """Serve and poll until SIGTERM or SIGINT; SIGHUP loads the configuration anew.

        ``started`` is told the URLs. OSError where an address cannot be listened on,
        WebOptionError where a path cannot be served.
        """
        try:
            application = build(self, self._access)
        except ValueError as error:
            raise WebOptionError(str(error)) from None
        allow_all_descriptors()
        told_to_stop = stop_signals()
        hangups: set[asyncio.Task[None]] = set()

        def hang_up() -> None:
            task = asyncio.create_task(self._reload_on_signal())
            hangups.add(task)
            task.add_done_callback(hangups.discard)

        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hang_up)
        try:
            # The counters are there before anybody can ask for them. A hangup waits for its turn.
            async with self._reloading:
                await self.accounts.open()
            # What is there by now stays; searched for garbage with the rest it would hold up
            # scrapes for tens of milliseconds.
            gc.freeze()
            gc.set_threshold(*SEARCHES)
            listening = await listen(
                application, self._options.addresses, ssl_context=self._access.tls
            )
        except BaseException:
            await self.accounts.stop()
            raise
        watch = asyncio.create_task(self._watch_access(), name="watch web configuration")
        try:
            async with self._reloading:
                await self.accounts.start()
            log.info("listening", urls=" ".join(listening.urls), version=self.version)
            started(listening.urls)
            await told_to_stop.wait()
            log.info("stopping")
        finally:
            watch.cancel()
            self._access.close()
            await _stop(listening, self.accounts)

    # --- what the web asks of a Site --------------------------------------------------------------

    @property
    def telemetry_path(self) -> str:
        """The path of the metrics."""
        return self._options.telemetry_path

    @property
    def reload(self) -> Callable[[], Awaitable[None]] | None:
        """Load the configuration anew, where that is enabled over HTTP."""
        return self.load_anew if self._options.lifecycle else None

    def now(self) -> float:
        """Return the time in Unix seconds."""
        return self._clocks.now()

    def snapshots(self) -> Mapping[str, AccountSnapshot]:
        """Return the latest snapshot of every account."""
        return self.accounts.snapshots

    def histories(self) -> Mapping[str, History]:
        """Return how the figures of the accounts went over the last hours."""
        return self.accounts.histories

    def config(self) -> Config:
        """Return the configuration in force."""
        return self.accounts.config

    def reload_failure(self) -> Failure | None:
        """Return why the last attempt to load the configuration failed, where it did."""
        return self._reload_failure or self._access_failure

    def shared(self) -> Shared | None:
        """Return how the accounts are shared with other replicas, where they are."""
        return self.accounts.shared

    def ready(self) -> bool:
        """Whether each account either has its first figures or has failed a poll."""
        return not self.accounts.awaited()

    async def scrape(
        self, openmetrics: bool, compressed: bool, names: frozenset[str]
    ) -> Sequence[bytes]:
        """Return the exposition in pieces."""
        return await self.accounts.scrape(
            openmetrics=openmetrics, compressed=compressed, names=names
        )

    def scrape_refused(self) -> None:
        """Take note of a scrape that was not answered."""
        self.accounts.telemetry.refused_scrape()

    # --- reloading --------------------------------------------------------------------------------

    async def load_anew(self) -> None:
        """Take over both configurations as they are now; ConfigError where one cannot be used.

        The old ones are then kept, untouched.
        """
        async with self._reloading:
            try:
                config, web_config = await asyncio.to_thread(self._read)
            except ConfigError as error:
                self._reload_failure = self._refused(error)
                raise
            await self.accounts.reload(announced(config))
            self._access.take(web_config)
            self._reload_failure = self._access_failure = None
            self._accepted()
            log.info("configuration loaded anew", accounts=len(config.accounts))

    def _read(self) -> tuple[Config, WebConfig]:
        """Return both configurations; ConfigError with the problems of both at once."""
        return both(self._load, self._access.read)

    async def _watch_access(self) -> None:
        """Take over the web configuration, with its certificates and users, when it changes."""
        while self._access.path is not None:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if await asyncio.to_thread(self._access.has_changed):
                    await self._load_access_anew()
            except Exception:
                # The next change has to be seen all the same.
                log.exception("the web configuration could not be looked at")

    async def _load_access_anew(self) -> None:
        async with self._reloading:
            try:
                web_config = await asyncio.to_thread(self._access.read)
            except ConfigError as error:
                self._access_failure = self._refused(error)
                return
            self._access.take(web_config)
            self._access_failure = None
            self._accepted()
            log.info("web configuration loaded anew", users=len(web_config.users))

    def _refused(self, error: ConfigError) -> Failure:
        self.accounts.telemetry.reloaded(self.now(), successful=False)
        log.error("the new configuration is not used", error=str(error))
        return Failure("config", str(error), _RELOAD_REMEDY, self.now())

    def _accepted(self) -> None:
        if self.reload_failure() is None:
            self.accounts.telemetry.reloaded(self.now(), successful=True)

    async def _reload_on_signal(self) -> None:
        try:
            await self.load_anew()
        except ConfigError:
            return  # it has been logged, and there is nobody to answer
        except Exception:
            log.exception("reload failed")


def stop_signals() -> asyncio.Event:
    """Return an event that SIGTERM or SIGINT sets, from now on."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    return told_to_stop


def allow_all_descriptors() -> None:
    """Raise the soft limit of open files to the hard one, as servers written in Go do."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # where even that is forbidden, less must do
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def announced(config: Config) -> Config:
    """Return a configuration after its secrets are masked in logs and its warnings are given."""
    for account in config.accounts:
        logs.mask(account.api_key, account.api_secret)
    for warning in config.warnings:
        log.warning("configuration", problem=str(warning))
    return config


async def _stop(listening: Listening, accounts: Accounts) -> None:
    await asyncio.gather(listening.stop(), accounts.stop())
