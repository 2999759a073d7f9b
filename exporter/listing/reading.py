"""The newest tasks of an account, read as far back as it takes to have enough of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from exporter.api import errors
from exporter.api.client import Client, Credentials, Limits
from exporter.api.paging import RangeReader, Selection
from exporter.api.records import Locale
from exporter.config import Account, Config
from exporter.tasks.coverage import BEYOND
from exporter.tasks.task import Task

_FIRST_STEP: Final = 3600
_WIDER: Final = 4
"""By how much each further step back is longer than the one before."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks are to be shown. ``app`` is a name or id; empty or None: any."""

    since: float
    """Unix seconds."""
    limit: int
    app: str = ""
    statuses: tuple[int, ...] = ()
    search: str = ""


@dataclass(frozen=True, slots=True)
class ListedTask:
    """A task, and whose it is; ``app`` is empty where the account lists none."""

    account: str
    app: str
    task: Task


class _Unheard:
    """Nobody asks how these requests went."""

    def request(self, code: str, seconds: float) -> None:
        pass

    def clock_skew(self, seconds: float) -> None:
        pass


class Listing:
    """One account, asked as often as it is to be shown; an asynchronous context manager."""

    def __init__(
        self,
        account: Account,
        config: Config,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.account = account
        poll = config.poll
        self._clock = clock
        self._client = Client(
            account.base_url,
            lambda: Credentials(account.api_key.reveal(), account.api_secret.reveal()),
            Locale(account.timezone, account.currency),
            Limits(poll.timeout, poll.concurrency, poll.requests_per_second),
            _Unheard(),
            clock=clock,
            monotonic=monotonic,
            sleep=sleep,
        )
        self._reader = RangeReader(self._client, self._now, monotonic)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__()

    def _now(self) -> float:
        return self._clock() + self._client.clock_correction

    async def newest(self, wanted: Wanted) -> list[ListedTask]:
        """Return the newest of the wanted tasks, newest first; ApiError where that fails."""
        found: list[ListedTask] = []
        for app, selection in selections(self.account, wanted).items():
            found += await self._newest_of(app, selection, wanted)
        return newest_first(found, wanted.limit)

    async def _newest_of(
        self, app: str, selection: Selection, wanted: Wanted
    ) -> Sequence[ListedTask]:
        # The account's own search goes to the API; another one beside it is done here.
        here = wanted.search.casefold() if selection.search != wanted.search else ""
        found: list[ListedTask] = []
        now = round(self._now())
        end, step = now + BEYOND, _FIRST_STEP
        begin = now
        while end >= wanted.since and len(found) < wanted.limit:
            begin = max(begin - step, round(wanted.since))
            reading = await self._reader.whole(begin, end, selection)
            found += (
                ListedTask(self.account.name, app, task)
                for task in reading.tasks.values()
                if here in task.name.casefold()
            )
            end, step = begin - 1, step * _WIDER
        return found


def newest_first(tasks: Sequence[ListedTask], limit: int) -> list[ListedTask]:
    """Return so many tasks of whichever accounts, the newest first."""
    ordered = sorted(tasks, key=lambda each: (-each.task.created, -each.task.task_id))
    return ordered[:limit]


def selections(account: Account, wanted: Wanted) -> Mapping[str, Selection]:
    """Return what is to be asked, by the names of the apps; nothing where nothing can match."""
    statuses = wanted.statuses or account.statuses
    if account.statuses:
        statuses = tuple(code for code in statuses if code in account.statuses)
        if not statuses:
            return {}
    every = Selection(None, statuses, account.search or wanted.search)
    if not account.apps:
        if not wanted.app:
            return {"": every}
        # An app that the configuration does not list can still be asked for by its id.
        return (
            {wanted.app: replace(every, app_id=int(wanted.app))} if wanted.app.isdecimal() else {}
        )
    return {
        app.name: replace(every, app_id=app.id)
        for app in account.apps
        if wanted.app in {"", app.name, str(app.id)}
    }


async def newest_of_all(
    listings: Sequence[Listing], wanted: Wanted
) -> tuple[list[ListedTask], list[tuple[Account, errors.ApiError]]]:
    """Return the newest tasks of all accounts, and why some of them could not be asked."""
    answers = await asyncio.gather(
        *(listing.newest(wanted) for listing in listings), return_exceptions=True
    )
    found: list[ListedTask] = []
    failed: list[tuple[Account, errors.ApiError]] = []
    for listing, answer in zip(listings, answers, strict=True):
        if isinstance(answer, errors.ApiError):
            failed.append((listing.account, answer))
        elif isinstance(answer, Exception):
            fault = errors.ApiError(f"{type(answer).__name__} in the exporter itself")
            failed.append((listing.account, fault))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found += answer
    return newest_first(found, wanted.limit), failed
