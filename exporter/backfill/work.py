"""All accounts of a configuration: read side by side, worked out one by one, written at last."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from exporter.api.client import Client, Credentials, Limits
from exporter.api.errors import ApiError
from exporter.api.paging import RangeReader, Selection
from exporter.api.records import Locale
from exporter.backfill.course import usual_duration
from exporter.backfill.lines import LineWriter, write
from exporter.backfill.reading import Part, Watcher, read_history
from exporter.backfill.replay import History, replay
from exporter.backfill.request import Request
from exporter.backfill.spool import Spool
from exporter.config import Account, Config
from exporter.tasks.coverage import Range
from exporter.tasks.task import Status
from exporter.tasks.tracking import TrackedApp

STDOUT: Final = "-"

log = structlog.get_logger("backfill")


class _Unobserved:
    """Hears of each request, and publishes nothing."""

    def request(self, code: str, seconds: float) -> None:
        """Take no note."""

    def clock_skew(self, seconds: float) -> None:
        """Take no note."""


@dataclass(frozen=True, slots=True)
class Outside:
    """The world outside: clocks, a sleep, the way to the API."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    client: type[Client] = Client


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: the accounts that are not in the output, and why."""

    failed: Mapping[str, ApiError] = field(default_factory=dict)
    written: bool = True


def part_of(output: str) -> Path:
    """Return where an unfinished backfill is kept."""
    return Path(f"{output}.part")


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, and who hears how far it is.

    ``arguments`` are those on which the result depends, as they were typed; ``output`` is a path,
    or ``-`` for standard output.
    """

    config: Config
    request: Request
    arguments: Mapping[str, str]
    output: str
    watcher: Watcher


async def backfill(job: Job, outside: Outside | None = None) -> Outcome:
    """Write the history of all accounts.

    Raises SpoolError where an unfinished backfill is of others or cannot be used, and OSError
    where the output cannot be written.
    """
    with ExitStack() as stack:
        part = part_of(job.output)
        if job.output == STDOUT:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="itnio-backfill-"))
            part = Path(folder) / "part"
        spool = stack.enter_context(
            Spool(
                part,
                {**job.arguments, **_told(job.config)},
                {"begin": job.request.begin, "end": job.request.end},
            )
        )
        # What `now` was when it was begun is what it is still.
        request = replace(job.request, begin=spool.resolved["begin"], end=spool.resolved["end"])
        return await _Backfill(replace(job, request=request), spool, outside or Outside()).run()


class _Backfill:
    """One backfill, its spool open."""

    def __init__(self, job: Job, spool: Spool, outside: Outside) -> None:
        self._job = job
        self._config = job.config
        self._request = job.request
        self._spool = spool
        self._outside = outside

    async def run(self) -> Outcome:
        if self._spool.resumed:
            log.info("an unfinished backfill is taken up again", file=str(self._spool.path))
        failed = await self._read()
        accounts = enumerate(self._config.accounts)
        whole = [place for place, account in accounts if account.name not in failed]
        for place in whole:
            for _ in self._replay(place):
                await asyncio.sleep(0)  # an interruption is heard here
        if not whole:
            return Outcome(failed, written=False)
        for _ in self._write(whole):
            await asyncio.sleep(0)
        if not failed and self._job.output != STDOUT:
            self._spool.delete()
        return Outcome(failed)

    # --- reading --------------------------------------------------------------------------------

    async def _read(self) -> dict[str, ApiError]:
        """Read all accounts, side by side; return the errors of those that could not be read."""
        readers = [
            asyncio.ensure_future(self._read_account(place))
            for place in range(len(self._config.accounts))
        ]
        try:
            errors = await asyncio.gather(*readers)
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
        return {
            account.name: error
            for account, error in zip(self._config.accounts, errors, strict=True)
            if error is not None
        }

    async def _read_account(self, place: int) -> ApiError | None:
        account = self._config.accounts[place]
        if self._spool.is_replayed(place):
            return None
        try:
            async with self._client(account) as client:
                await self._read_apps(place, client)
        except ApiError as error:
            log.warning(
                "an account cannot be read",
                account=account.name,
                reason=error.reason,
                error=str(error),
                remedy=error.remedy,
            )
            return error
        return None

    async def _read_apps(self, place: int, client: Client) -> None:
        outside, account = self._outside, self._config.accounts[place]
        selections = _selections(account)

        def now() -> float:
            return outside.now() + client.clock_correction

        reader = RangeReader(client, now, outside.monotonic)
        for number, (app, selection) in enumerate(selections):
            part = Part(account.name, app, place, number, len(selections))
            await read_history(
                reader,
                selection,
                Range(self._horizon, self._request.end),
                self._spool,
                part,
                clock=now,
                sleep=outside.sleep,
                watcher=self._job.watcher,
            )

    def _client(self, account: Account) -> Client:
        poll, outside = self._config.poll, self._outside
        return outside.client(
            account.base_url,
            lambda: Credentials(account.api_key.reveal(), account.api_secret.reveal()),
            Locale(account.timezone, account.currency),
            Limits(poll.timeout, poll.concurrency, poll.requests_per_second),
            _Unobserved(),
            clock=outside.now,
            monotonic=outside.monotonic,
        )

    @property
    def _horizon(self) -> int:
        """From when on tasks are in the lookback of the first moment."""
        return int(self._request.begin - self._config.poll.lookback) + 1

    # --- working out ----------------------------------------------------------------------------

    def _replay(self, place: int) -> Iterator[None]:
        account, spool, moments = self._config.accounts[place], self._spool, self._request.moments
        if spool.is_replayed(place):
            return
        spool.begin_replay(place)
        histories = [
            History(
                self._tracked(app),
                spool.tasks(place, number, self._horizon, moments[-1]),
                not account.statuses or Status.CALLING.code in account.statuses,
            )
            for number, (app, _) in enumerate(_selections(account))
        ]
        writer = LineWriter(spool, place, account.name, self._request)
        snapshots = replay(account.name, histories, moments, self._task_duration(place))
        for done, snapshot in enumerate(snapshots, start=1):
            if writer.add(snapshot) or not done % 100:
                self._job.watcher.replaying(account.name, done / len(moments))
                yield
        writer.flush()
        spool.end_replay(place)
        self._job.watcher.replaying(account.name, 1.0)

    def _tracked(self, app: str) -> TrackedApp:
        poll = self._config.poll
        return TrackedApp(
            app,
            lookback=poll.lookback,
            settle=0,
            windows={window.label: window.seconds for window in poll.windows},
            script_limit=self._config.metrics.script_limit,
        )

    def _task_duration(self, place: int) -> float:
        """Return how long (seconds) a task of an account calls, as far as that is known."""
        if self._request.task_duration is not None:
            return self._request.task_duration
        account = self._config.accounts[place].name
        duration = usual_duration(self._spool.calling(place))
        if duration is None:
            log.warning(
                "too few tasks are calling now to tell how long one does: what a task has counts"
                " as of its creation; --task-duration spreads it",
                account=account,
            )
            return 0.0
        log.info("tasks are taken to call for so long", account=account, seconds=round(duration))
        return duration

    # --- writing --------------------------------------------------------------------------------

    def _write(self, accounts: Sequence[int]) -> Iterator[None]:
        output = self._job.output
        if output == STDOUT:
            yield from self._write_to(sys.stdout.buffer, accounts)
            sys.stdout.buffer.flush()
            return
        unfinished = Path(f"{output}.new")
        try:
            with unfinished.open("wb") as file:
                yield from self._write_to(file, accounts)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(output)
        finally:
            unfinished.unlink(missing_ok=True)

    def _write_to(self, to: BinaryIO, accounts: Sequence[int]) -> Iterator[None]:
        for done in write(self._spool, accounts, to):
            self._job.watcher.writing(done)
            yield


def _told(config: Config) -> Mapping[str, str]:
    """Return what of the configuration the result depends on."""
    poll, metrics = config.poll, config.metrics
    told = {
        "poll.lookback": repr(poll.lookback),
        "poll.windows": repr([(each.label, each.seconds) for each in poll.windows]),
        "metrics.script_limit": repr(metrics.script_limit),
        "list of accounts": repr([each.name for each in config.accounts]),
    }
    for account in config.accounts:
        told[f"account {account.name}"] = repr(
            (
                *(account.base_url, account.timezone_name, account.currency),
                [(app.id, app.name) for app in account.apps],
                *(account.search, account.statuses),
            )
        )
    return told


def _selections(account: Account) -> list[tuple[str, Selection]]:
    """Return the apps of an account by name, and what is asked for of each."""
    ids: dict[str, int | None] = {app.name: app.id for app in account.apps} or {"": None}
    return [
        (name, Selection(app_id, account.statuses, account.search)) for name, app_id in ids.items()
    ]
