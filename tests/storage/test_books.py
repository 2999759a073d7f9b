"""Committed first, published second: what is scraped was on the disk before, and stays so."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from exporter.poller.books import Books
from exporter.storage import Changes, State, StorageError, Store
from exporter.tasks.coverage import Range
from exporter.tasks.ledger import Mark, Series
from exporter.tasks.task import Status
from exporter.tasks.tracking import TrackedApp
from tests.storage.states import a_task

NOW = 1_700_000_000.0
CALLS = Series("calls", "7")


@dataclass
class Disk:
    """A store that does at once what it is asked to, or fails as it is told to."""

    store: Store
    failure: StorageError | None = None
    committed: list[Sequence[Changes]] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def load(self, account: str, app: str) -> State:
        self._fail()
        return self.store.load(account, app)

    async def commit(self, changes: Sequence[Changes]) -> None:
        self._fail()
        if self.hold is not None:
            await self.hold.wait()
        self.store.commit(changes)
        self.committed.append(changes)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@dataclass
class Scrapers:
    served: int = 0

    def patience(self) -> float:
        return 100.0


@dataclass
class Life:
    """One process's life: an account with its apps, and what is published of it."""

    disk: Disk | None
    account: str = "a"
    apps: tuple[str, ...] = ("",)
    scrapers: Scrapers = field(default_factory=Scrapers)
    now: float = NOW
    reads: float = 0.0
    settle: float = 0.0

    def __post_init__(self) -> None:
        self.tracked = [
            TrackedApp(name, lookback=86_400, settle=self.settle, windows={}, script_limit=100)
            for name in self.apps
        ]
        self.books = Books(
            self.account, self.tracked, self.disk, clock=lambda: self.now, audience=self.scrapers
        )

    def read(self, calls: int, *, task_id: int = 1, app: int = 0, **fields: Any) -> None:
        """Read one task's record; it was created after the state was begun."""
        tracked = self.tracked[app]
        if tracked.counting and tracked.ledger.counted_from is None:
            tracked.begin(Range(int(NOW) - 100, int(NOW)), {})
        self.reads += 1
        task = a_task(task_id, created=int(NOW) - 50, calls=calls, **fields)
        tracked.take({task_id: task}, read_at=self.reads, now=self.now)

    async def poll(self, calls: int, **which: Any) -> Mark | None:
        await self.books.open()
        self.read(calls, **which)
        await self.books.commit()
        return self.published(app=which.get("app", 0))

    def published(self, app: int = 0, series: Series = CALLS) -> Mark | None:
        for counters in self.books.counters():
            if counters.app == self.apps[app]:
                return counters.totals.get(series)
        return None

    async def scraped_poll(self, calls: int, **which: Any) -> Mark | None:
        self.scrapers.served += 1
        return await self.poll(calls, **which)

    def failed(self) -> str | None:
        return None if self.books.failure is None else self.books.failure.reason


FULL = StorageError("full", "no room")


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(Store(tmp_path))


async def test_a_counter_begins_at_0_and_is_published_once_it_was_seen(disk: Disk) -> None:
    life = Life(disk)
    assert await life.poll(3) == 0
    assert await life.poll(4) == 0  # nobody has scraped
    assert await life.scraped_poll(5) == 5


async def test_what_cannot_be_committed_is_not_published(disk: Disk) -> None:
    life = Life(disk)
    await life.poll(3)
    assert await life.scraped_poll(4) == 4
    disk.failure = FULL
    assert await life.scraped_poll(9) == 4
    assert await life.scraped_poll(12) == 4
    assert life.failed() == "full"
    disk.failure = None
    assert await life.scraped_poll(12) == 12
    assert life.failed() is None
    assert {row.total for row in disk.store.load("a", "").totals if row.series == CALLS} == {12}


async def test_what_is_published_was_committed_before(disk: Disk) -> None:
    life = Life(disk)
    await life.poll(3)
    disk.hold = asyncio.Event()
    commit = asyncio.ensure_future(life.scraped_poll(7))
    await asyncio.sleep(0)
    life.read(20)  # by a sweep, while the disk is slow: this is for the next commit
    assert life.published() == 0
    disk.hold.set()
    assert await commit == 7
    assert await life.poll(20) == 20


async def test_a_commit_that_is_cancelled_is_made_up_for(disk: Disk) -> None:
    life = Life(disk)
    await life.poll(3)
    disk.hold = asyncio.Event()
    commit = asyncio.ensure_future(life.scraped_poll(7))
    await asyncio.sleep(0)
    commit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await commit
    assert life.published() == 0
    disk.hold = None
    assert await life.poll(7) == 7
    assert {row.total for row in disk.store.load("a", "").totals if row.series == CALLS} == {7}


async def test_a_counter_that_failed_to_appear_begins_at_0_all_the_same(disk: Disk) -> None:
    life = Life(disk)
    await life.books.open()
    disk.failure = FULL
    assert await life.poll(3) is None
    assert await life.scraped_poll(4) is None
    disk.failure = None
    # Scrapes in the meantime have not seen it.
    assert await life.scraped_poll(5) == 0
    assert await life.scraped_poll(5) == 5


async def test_a_scrape_during_the_commit_has_not_seen_what_is_new(disk: Disk) -> None:
    life = Life(disk)
    disk.hold = asyncio.Event()
    commit = asyncio.ensure_future(life.poll(3))
    await asyncio.sleep(0)
    life.scrapers.served += 1
    disk.hold.set()
    assert await commit == 0
    assert await life.poll(3) == 0
    assert await life.scraped_poll(3) == 3


async def test_counters_are_withheld_while_their_totals_are_not_known(disk: Disk) -> None:
    first = Life(disk)
    await first.poll(3)
    await first.scraped_poll(10)

    second = Life(disk)
    disk.failure = StorageError("locked", "in use")
    assert await second.poll(12) is None
    assert await second.scraped_poll(15) is None
    assert second.books.counters() == ()
    assert not second.tracked[0].ledger.totals  # nothing is counted that would be counted again
    disk.failure = None
    # Attached late: what was read meanwhile is counted from the stored mark on.
    assert await second.poll(15) == 15


async def test_what_was_introduced_stays_so_over_a_restart(disk: Disk) -> None:
    first = Life(disk)
    await first.poll(3)
    second = Life(disk)  # before anybody has scraped: the series begins at 0 once more
    assert await second.poll(4) == 0
    assert await second.scraped_poll(5) == 5
    third = Life(disk)
    assert await third.poll(6) == 6


async def test_totals_marks_and_baselines_survive(disk: Disk) -> None:
    first = Life(disk)
    await first.books.open()
    old = a_task(2, created=int(NOW) - 60, calls=1000)
    first.tracked[0].begin(Range(int(NOW) - 100, int(NOW)), {2: old})
    first.tracked[0].take({2: old}, read_at=0.5, now=NOW)
    await first.poll(10)
    await first.scraped_poll(4)  # a correction: the mark stays at 10

    second = Life(disk)
    assert await second.poll(9) == 10
    assert await second.poll(11) == 11
    second.read(1003, task_id=2)
    assert await second.poll(11) == 14


@pytest.mark.parametrize(
    ("ended_for", "down_for", "read_again"),
    [
        (600, 60, True),  # it had ended, and its money may still settle
        (None, 60, True),  # it ended while nobody looked
        (600, 3600, False),  # that was long ago
        (5000, 60, False),
    ],
)
async def test_late_money_is_waited_for_over_a_restart(
    disk: Disk, ended_for: float | None, down_for: float, read_again: bool
) -> None:
    first = Life(disk, settle=3600)
    await first.poll(3)
    first.now += 20_000
    if ended_for is not None:
        await first.poll(3, status=Status.FINISHED)
        first.now += ended_for
        await first.poll(3, status=Status.FINISHED)
    second = Life(disk, settle=3600, now=first.now + down_for, reads=1000)
    await second.poll(3, status=Status.FINISHED)
    settling = second.tracked[0].inventory.settling
    assert (1 in settling) is read_again
    if read_again:
        # As long as it would have been without the restart: by the clock of readings.
        assert settling[1].ended_at == 1001 - (down_for + ended_for if ended_for else 0)


async def test_a_reload_goes_on_waiting_for_late_money(disk: Disk) -> None:
    before = Life(disk, settle=3600)
    await before.poll(3)
    before.now += 20_000
    await before.poll(3, status=Status.FINISHED)
    after = Life(disk, settle=3600, now=before.now + 60, reads=1000)
    after.books.succeed(before.books)
    await after.poll(3, status=Status.FINISHED)
    assert after.tracked[0].inventory.settling[1].ended_at == 1001 - 60


async def test_a_reload_hands_the_counters_over(disk: Disk) -> None:
    before = Life(disk)
    await before.poll(3)
    await before.scraped_poll(4)
    after = Life(disk)
    after.books.succeed(before.books)
    assert after.published() == 4  # at once, without the disk
    disk.committed.clear()
    assert await after.poll(6) == 6
    assert [len(changes) for changes in disk.committed] == [1]


async def test_a_reload_hands_nothing_over_that_was_never_known(disk: Disk) -> None:
    first = Life(disk)
    await first.poll(3)
    await first.scraped_poll(4)
    disk.failure = StorageError("locked", "in use")
    before = Life(disk)
    await before.poll(5)
    after = Life(disk)
    after.books.succeed(before.books)
    assert await after.poll(5) is None
    disk.failure = None
    assert await after.poll(5) == 5


async def test_a_reload_may_add_and_remove_apps(disk: Disk) -> None:
    before = Life(disk, apps=("x", "y"))
    await before.poll(3, app=0)
    await before.scraped_poll(5, app=1, task_id=2)
    await before.scraped_poll(5, app=1, task_id=2)
    after = Life(disk, apps=("y", "z"))
    after.books.succeed(before.books)
    assert await after.poll(6, app=0, task_id=2) == 6
    # Back again, with what it had when it left.
    back = Life(disk, apps=("x",))
    assert await back.poll(8) == 8


async def test_two_accounts_share_one_store(disk: Disk) -> None:
    one, other = Life(disk, account="one"), Life(disk, account="other")
    for life, calls in ((one, 3), (other, 5), (one, 3), (other, 5)):
        await life.scraped_poll(calls)
    assert (one.published(), other.published()) == (3, 5)
    again = Life(disk, account="other"), Life(disk, account="one")
    assert [await life.poll(6) for life in again] == [6, 6]


async def test_in_memory_only_nothing_is_noted_down_for_a_store() -> None:
    life = Life(None)
    assert await life.poll(3) == 0
    assert await life.scraped_poll(4) == 4
    ledger = life.tracked[0].ledger
    assert (ledger.touched, ledger.touched_series) == ({}, set())
    assert life.books.failure is None


async def test_while_there_is_no_store_nothing_is_noted_down_either(disk: Disk) -> None:
    life = Life(disk)
    disk.failure = FULL
    for _ in range(3):
        await life.poll(3)
        life.now += 90_000
        life.tracked[0].advance(life.now)
    await life.books.open()
    assert life.tracked[0].ledger.touched == {}


async def test_much_is_committed_before_a_poll_ends(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.poller.books.MANY", 3)
    life = Life(disk, apps=("x", "y"))
    await life.poll(3)
    disk.committed.clear()
    life.read(4, task_id=2)
    life.read(4, task_id=3, app=1)
    await life.books.commit_if_many()
    assert disk.committed == []
    life.read(4, task_id=4)
    await life.books.commit_if_many()
    assert [[set(each.records) for each in one] for one in disk.committed] == [[{2, 4}, {3}]]
    await life.books.commit_if_many()
    assert len(disk.committed) == 1


async def test_who_commits_already_or_cannot_is_not_asked_again(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.poller.books.MANY", 1)
    life = Life(disk)
    await life.poll(3)
    disk.committed.clear()
    disk.hold = asyncio.Event()
    life.read(4, task_id=2)
    first = asyncio.ensure_future(life.books.commit_if_many())
    await asyncio.sleep(0)
    life.read(4, task_id=3)
    await life.books.commit_if_many()  # at once, while the first waits
    assert not first.done()
    disk.hold.set()
    await first
    assert [list(one[0].records) for one in disk.committed] == [[2]]
    disk.failure = FULL
    await life.books.commit_if_many()
    assert life.failed() == "full"
    disk.failure = None
    await life.books.commit_if_many()
    assert len(disk.committed) == 1  # the next poll's commit is the next try
    await life.books.commit()
    assert [list(one[0].records) for one in disk.committed] == [[2], [3]]
    assert life.failed() is None
