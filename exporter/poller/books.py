"""An account's ledgers and the store: committed first, published second.

Where there is a store that cannot be used, the tasks are followed all the same and the counters
are withheld (at the start, when their totals are not known) or stand still (later), so that what
has been scraped is never taken back and nothing is counted twice.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from exporter.snapshot import AppCounters
from exporter.storage import Changes, State, StorageError, TotalRow
from exporter.tasks.introductions import Introductions
from exporter.tasks.ledger import Ledger, Mark, Series
from exporter.tasks.tracking import TrackedApp

log = structlog.get_logger("store")

MANY: Final = 10_000
"""Tasks: storing so many takes some tenths of a second, in which others can be read."""


class Storage(Protocol):
    """Where ledgers are kept. Every method may raise StorageError."""

    async def load(self, account: str, app: str) -> State:
        """Return what is stored of an app."""

    async def commit(self, changes: Sequence[Changes]) -> None:
        """Store all changes or none."""


class Audience(Protocol):
    """Who scrapes, as far as that matters to what is shown."""

    served: int
    """How many scrapes have been answered."""

    def patience(self) -> float:
        """Return the seconds within which the next scrape can be expected."""


class _Book:
    """One app's part: its ledger, what was introduced, and what is published."""

    def __init__(self, tracked: TrackedApp) -> None:
        self.tracked = tracked
        self.introductions = Introductions()
        self.published: Mapping[Series, Mark] | None = None


class Books:
    """The counters of one account. ``storage`` None: kept in memory only."""

    def __init__(
        self,
        account: str,
        apps: Sequence[TrackedApp],
        storage: Storage | None,
        *,
        clock: Callable[[], float],
        audience: Audience,
    ) -> None:
        self.failure: StorageError | None = None
        """Why the store cannot be used at present."""
        self._account = account
        self._books = [_Book(tracked) for tracked in apps]
        self._storage = storage
        self._clock = clock
        self._audience = audience
        self._committing = asyncio.Lock()
        for tracked in apps:
            tracked.counting = storage is None

    def succeed(self, earlier: "Books") -> None:
        """Go on counting where an earlier configuration of the account left off."""
        before = {book.tracked.name: book for book in earlier._books}  # noqa: SLF001  # one class
        for book in self._books:
            predecessor = before.get(book.tracked.name)
            if predecessor is not None and predecessor.tracked.counting:
                book.introductions = predecessor.introductions
                book.published = predecessor.published
                book.tracked.succeed(predecessor.tracked, now=self._clock())

    async def open(self) -> bool:
        """Load the ledgers that are not loaded yet, where the store can be used.

        Return whether there are counters that were not there before.
        """
        if self._storage is None:
            return False
        opened = False
        for book in self._books:
            if book.tracked.counting:
                continue
            # What leaves the lookback is noted down for a store that knows nothing of it.
            book.tracked.ledger.touched.clear()
            try:
                state = await self._storage.load(self._account, book.tracked.name)
            except StorageError as error:
                self._failed(error)
                break
            _restore(book, state, self._clock())
            opened = True
            self._worked()
        return opened

    async def commit(self) -> None:
        """Store what has changed; what is published from now on is what is stored then."""
        async with self._committing:
            counting = [book for book in self._books if book.tracked.counting]
            shown: list[Mapping[Series, Mark] | None] = []
            changes: list[Changes] = []
            try:
                for book in counting:
                    shown.append(self._exposed(book))
                    changes.append(self._changes(book))
                    await asyncio.sleep(0)
                if self._storage is not None and counting:
                    await self._storage.commit(changes)
                    self._worked()
            except BaseException as error:
                for book, exposed, change in zip(counting, shown, changes, strict=False):
                    _not_stored(book.tracked.ledger, change)
                    book.introductions.not_shown(_fresh(book, exposed))
                if isinstance(error, StorageError):
                    self._failed(error)
                    return
                raise
            for book, exposed in zip(counting, shown, strict=True):
                # A scrape that came while this was committed has not seen what is new.
                book.introductions.shown(
                    _fresh(book, exposed), self._clock(), self._audience.served
                )
                book.published = exposed

    async def commit_if_many(self) -> None:
        """Commit where much has come together, so that not all of a long sweep is left to its end.

        Not while the store fails: that is for the next poll to try.
        """
        waiting = sum(len(book.tracked.ledger.touched) for book in self._books)
        if waiting >= MANY and self.failure is None and not self._committing.locked():
            await self.commit()

    def counters(self) -> tuple[AppCounters, ...]:
        """Return what may be published: what no crash can take back."""
        return tuple(
            AppCounters(book.tracked.name, book.published)
            for book in self._books
            if book.published is not None
        )

    def corrections(self) -> int:
        """Return how many figures were seen to go down so far."""
        return sum(book.tracked.ledger.corrections for book in self._books)

    def _exposed(self, book: _Book) -> Mapping[Series, Mark] | None:
        ledger = book.tracked.ledger
        if ledger.counted_from is None:
            return None
        audience = self._audience
        exposed = book.introductions.exposed(
            ledger.totals, self._clock(), audience.served, audience.patience()
        )
        ledger.touched_series |= book.introductions.take_news()
        return exposed

    def _changes(self, book: _Book) -> Changes:
        tracked, ledger = book.tracked, book.tracked.ledger
        records, ledger.touched = ledger.touched, {}
        totals, ledger.touched_series = ledger.touched_series, set()
        inventory = tracked.inventory
        # Of an ended task it is when it ended, as long as its money may still settle.
        progressed = {
            task_id: entry.progressed_at
            for watched in (inventory.unfinished, inventory.settling)
            for task_id, entry in watched.items()
            if task_id in records
        }
        return Changes(
            account=self._account,
            app=tracked.name,
            counted_from=ledger.counted_from,
            selection=ledger.selection,
            scripts=tuple(inventory.labels.own),
            records=records,
            totals=[
                TotalRow(series, ledger.totals[series], book.introductions.known(series))
                for series in totals
            ],
            above={key: marks for key, marks in ledger.above.items() if key in records},
            progressed=progressed,
        )

    def _failed(self, error: StorageError) -> None:
        if self.failure is None or self.failure.reason != error.reason:
            log.error("the store cannot be used", account=self._account, error=str(error))
        self.failure = error

    def _worked(self) -> None:
        if self.failure is not None:
            log.info("the store can be used again", account=self._account)
        self.failure = None


def _fresh(book: _Book, exposed: Mapping[Series, Mark] | None) -> set[Series]:
    """Return the series that have not been published before."""
    return set(exposed or ()) - set(book.published or ())


def _not_stored(ledger: Ledger, changes: Changes) -> None:
    """Remember for the next commit what this one could not store."""
    ledger.touched = {**changes.records, **ledger.touched}
    ledger.touched_series.update(row.series for row in changes.totals)


def _restore(book: _Book, state: State, now: float) -> None:
    ledger = Ledger(
        totals={row.series: row.total for row in state.totals},
        seen=state.records,
        above=state.above,
        counted_from=state.counted_from,
        selection=state.selection,
    )
    book.introductions = Introductions(row.series for row in state.totals if row.introduced)
    book.tracked.resume(ledger, state.scripts, state.progressed, now=now)
    if state.counted_from is not None:
        # What has been published in an earlier life need not wait for a poll in this one.
        book.published = {row.series: row.total if row.introduced else 0 for row in state.totals}
