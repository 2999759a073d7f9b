"""The history of one app, read from the API into the spool, from the oldest on.

A day at a time, in slices that memory bears; each is whole, and kept before the next is asked
for. Ranges that the API refuses as too wide are split where ranges are read, in `api.paging`.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import structlog

from exporter.api.errors import ApiError
from exporter.api.paging import RangeReader, Selection
from exporter.api.reading import Reading
from exporter.backfill.spool import Spool
from exporter.tasks import coverage
from exporter.tasks.coverage import Range

A_DAY: Final = 86_400
PAUSES: Final = (10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds after which a slice is tried again, while what it ended in can pass by itself."""

log = structlog.get_logger("backfill")
_Answer = TypeVar("_Answer")


class Watcher(Protocol):
    """Who is told how far a backfill is, from 0 to 1."""

    def reading(self, account: str, done: float) -> None:
        """Take note of how much of an account's history is read."""

    def replaying(self, account: str, done: float) -> None:
        """Take note of how much of an account's figures are worked out."""

    def writing(self, done: float) -> None:
        """Take note of how much of the output is written."""


@dataclass(frozen=True, slots=True)
class Part:
    """One app of an account, by names, and by their places in the configuration."""

    account_name: str
    app_name: str
    account: int
    app: int
    apps: int
    """How many apps the account has."""


async def read_history(
    reader: RangeReader,
    selection: Selection,
    span: Range,
    spool: Spool,
    part: Part,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    watcher: Watcher,
) -> None:
    """Read what of ``span`` is not in the spool yet.

    ``clock`` is Unix time. Raises the ApiError that a slice has ended in, again and again where
    trying again could help; what was read before stays in the spool.
    """
    read_to = spool.read_to(part.account, part.app)
    begin = span.begin if read_to is None else read_to + 1
    rejected: Counter[str] = Counter()

    def keep(reading: Reading, read_at: float) -> None:
        rejected.update(reading.rejected)
        spool.keep(
            (part.account, part.app), reading.tasks.values(), read_at=read_at, read_to=reading.end
        )
        done = (reading.end + 1 - span.begin) / (span.end + 1 - span.begin)
        watcher.reading(part.account_name, (part.app + done) / part.apps)

    ask = _Patience(part.account_name, sleep)
    while begin <= span.end:
        day = Range(begin, min(begin + A_DAY - 1, span.end))
        read_at = clock()
        total, reading = await ask(reader.first_page, day, selection)
        if reading is not None:
            keep(reading, read_at)
        else:
            for each in coverage.slices(day, total)[::-1]:
                read_at = clock()
                keep(await ask(reader.whole, each, selection), read_at)
        begin = day.end + 1
    if rejected:
        log.warning(
            "records that cannot be read are left out",
            account=part.account_name,
            app=part.app_name,
            reasons=dict(sorted(rejected.items())),
        )


@dataclass(frozen=True, slots=True)
class _Patience:
    """Asks for a range; again, after a pause, while what that ends in can pass by itself."""

    account: str
    sleep: Callable[[float], Awaitable[None]]

    async def __call__(
        self,
        ask: Callable[[int, int, Selection], Awaitable[_Answer]],
        span: Range,
        selection: Selection,
    ) -> _Answer:
        for pause in PAUSES:
            try:
                return await ask(span.begin, span.end, selection)
            except ApiError as error:
                if not error.passing:
                    raise
                log.warning(
                    "the API fails; the same is asked for again",
                    account=self.account,
                    reason=error.reason,
                    error=str(error),
                    pause=f"{pause:.0f}s",
                )
                await self.sleep(pause)
        return await ask(span.begin, span.end, selection)
