"""The store off the event loop: it is never held, and what is cancelled is still whole."""

import asyncio
import threading
from pathlib import Path

import pytest

from exporter.storage import State, StorageError, Store, ThreadedStore
from tests.storage.states import a_change, read, total


class Told:
    """Takes note of what the store tells."""

    def __init__(self) -> None:
        self.committed: list[int] = []
        self.failed: list[str] = []

    def store_committed(self, seconds: float, size: int) -> None:
        assert seconds >= 0
        self.committed.append(size)

    def store_failed(self, reason: str) -> None:
        self.failed.append(reason)


class Slow(Store):
    """A store whose disk waits until it is told to go on."""

    go_on = threading.Event()
    begun = threading.Event()

    def commit(self, changes: object) -> None:
        self.begun.set()
        assert self.go_on.wait(10)
        super().commit(changes)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Slow.go_on.clear()
    Slow.begun.clear()


async def test_a_slow_commit_does_not_hold_the_loop(tmp_path: Path) -> None:
    told = Told()
    store = ThreadedStore(tmp_path, told, opened=Slow)
    commit = asyncio.ensure_future(store.commit([a_change(1)]))
    turns = 0
    while not Slow.begun.is_set() or turns < 100:
        await asyncio.sleep(0.001)
        turns += 1
    assert not commit.done()
    Slow.go_on.set()
    await commit
    await store.close()
    assert turns >= 100
    assert len(told.committed) == 1
    assert told.committed[0] > 0


async def test_a_commit_that_is_cancelled_is_whole_and_the_next_comes_after_it(
    tmp_path: Path,
) -> None:
    store = ThreadedStore(tmp_path, Told(), opened=Slow)
    commit = asyncio.ensure_future(store.commit([a_change(1, 2, total=1)]))
    while not Slow.begun.is_set():  # noqa: ASYNC110  # set by a thread
        await asyncio.sleep(0.001)
    commit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await commit
    after = asyncio.ensure_future(store.commit([a_change(3, total=2)]))
    await asyncio.sleep(0.01)
    Slow.go_on.set()
    await after
    await store.close()
    found = read(tmp_path)
    assert found.records.keys() == {1, 2, 3}
    assert total(found) == 2


async def test_closing_waits_for_the_commit_under_way(tmp_path: Path) -> None:
    store = ThreadedStore(tmp_path, Told(), opened=Slow)
    commit = asyncio.ensure_future(store.commit([a_change(1)]))
    while not Slow.begun.is_set():  # noqa: ASYNC110  # set by a thread
        await asyncio.sleep(0.001)
    closing = asyncio.ensure_future(store.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    Slow.go_on.set()
    await closing
    await commit
    assert total(read(tmp_path)) == 1


async def test_it_can_be_closed_unused_and_twice(tmp_path: Path) -> None:
    store = ThreadedStore(tmp_path / "never", Told())
    await store.close()
    await store.close()
    assert not (tmp_path / "never").exists()


async def test_it_is_opened_when_it_can_be(tmp_path: Path) -> None:
    told = Told()
    holder = Store(tmp_path)
    store = ThreadedStore(tmp_path, told)
    with pytest.raises(StorageError):
        await store.load("a", "")
    holder.close()
    assert await store.load("a", "") == State()
    await store.close()
    assert told.failed == ["locked"]


async def test_whatever_goes_wrong_is_an_error_of_the_store(tmp_path: Path) -> None:
    told = Told()

    def broken(folder: Path) -> Store:
        raise ZeroDivisionError(folder)

    store = ThreadedStore(tmp_path, told, opened=broken)
    with pytest.raises(StorageError, match="ZeroDivisionError"):
        await store.load("a", "")
    await store.close()
    assert told.failed == ["failed"]
