"""What is put into the store comes back: all of it, exactly, and no more is written than that."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from exporter.storage import Changes, State, StorageError, Store
from exporter.storage.sqlite import FILE, MIGRATIONS
from exporter.tasks.packed import packed, unpacked
from exporter.tasks.task import Money, Status
from tests.storage.states import a_change, a_task, read

# Each migration that has been released, by the hash of its script: stores out there have run it.
RELEASED = [
    "f450bffa747a5584",
    "a473fc22b19f9f95",
    "e3b0c44298fc1c14",
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def as_kept(change: Changes) -> tuple[object, ...]:
    return (
        change.counted_from,
        change.selection,
        list(change.scripts),
        dict(change.records),
        dict(change.above),
        dict(change.progressed),
        {row.series: (row.total, type(row.total) is int, row.introduced) for row in change.totals},
    )


def as_read(state: State) -> tuple[object, ...]:
    return (
        state.counted_from,
        state.selection,
        state.scripts,
        state.records,
        state.above,
        state.progressed,
        {row.series: (row.total, type(row.total) is int, row.introduced) for row in state.totals},
    )


def test_a_forgotten_task_is_deleted(store: Store) -> None:
    store.commit([a_change(1, 2)])
    change = a_change()
    store.commit([Changes("a", "", 5, "all", change.scripts, {1: None}, [])])
    assert list(store.load("a", "").records) == [2]


def test_only_what_has_changed_is_written(store: Store) -> None:
    store.commit([a_change(*range(1000), scripts=50)])
    before = store._connection.total_changes
    store.commit([a_change(7, total=2, scripts=50)])
    # One task, one total, and the app's own row; no script again.
    assert store._connection.total_changes - before == 3
    store.commit([a_change(total=3, scripts=51)])
    assert store._connection.total_changes - before == 3 + 3


def test_a_commit_is_all_or_nothing(store: Store, tmp_path: Path) -> None:
    store.commit([a_change(1, total=1)])
    broken = a_change(2, total=2)
    records = {**broken.records, 2**70: packed(a_task(3))}
    broken = Changes("a", "", 5, "all", (), records, broken.totals)
    with pytest.raises(OverflowError):
        store.commit([a_change(4, total=9, account="b", scripts=3), broken])
    assert as_read(store.load("a", "")) == as_kept(a_change(1, total=1))
    assert store.load("b", "") == State()
    # And it goes on: also what was believed to be written already is written now.
    store.commit([a_change(4, total=9, account="b", scripts=3)])
    store.close()
    assert as_read(read(tmp_path, "b")) == as_kept(a_change(4, total=9, scripts=3))
    store.__init__(tmp_path)  # type: ignore[misc]  # for the fixture to close


def test_migrations_that_have_been_released_are_never_changed() -> None:
    hashes = [hashlib.sha256(script.encode()).hexdigest()[:16] for script in MIGRATIONS]
    assert hashes[: len(RELEASED)] == RELEASED, "stores out there have run the old script: add one"
    assert len(hashes) == len(RELEASED), f"a new migration is pinned here: {hashes[-1]}"


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    store = Store(tmp_path)
    assert store._connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    store.close()


def test_a_store_is_taken_forward_and_keeps_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.commit([a_change(1, total=Decimal("0.5"))])
    store.close()
    later = (*MIGRATIONS, "ALTER TABLE tasks ADD COLUMN colour TEXT; CREATE TABLE more (a);")
    monkeypatch.setattr("exporter.storage.sqlite.MIGRATIONS", later)
    store = Store(tmp_path)
    assert store._connection.execute("PRAGMA user_version").fetchone() == (len(later),)
    assert as_read(store.load("a", "")) == as_kept(a_change(1, total=Decimal("0.5")))
    assert store._connection.execute("SELECT colour FROM tasks").fetchall() == [(None,)]
    store.close()


_BY_NAME: Final[list[dict[str, Any]]] = [
    {
        "task_id": 1, "name": "a", "status": "calling", "script_id": "7",
        "created": 1_700_000_000, "progress": 0.5, "numbers": None, "calls": 7, "answered": None,
        "successful": None, "failed": None, "billed_seconds": None, "agent_billed_seconds": None,
        "sms_sent": None, "agent_fee": ["0.125", "USD"], "call_fee": None, "sms_fee": None,
        "total_fee": None,
    },
    {
        "task_id": 2, "name": "a", "status": "finished", "script_id": "7",
        "created": 1_700_000_000, "progress": 1.0, "numbers": None, "calls": None,
        "answered": None, "successful": None, "failed": None, "billed_seconds": None,
        "agent_billed_seconds": None, "sms_sent": None, "agent_fee": None, "call_fee": None,
        "sms_fee": None, "total_fee": None,
    },
]  # fmt: skip
"""As version 0.1 wrote them."""


def test_a_store_of_the_first_version_is_taken_forward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("exporter.storage.sqlite.MIGRATIONS", MIGRATIONS[:1])
        store = Store(tmp_path)
        store._connection.execute("INSERT INTO apps VALUES (1, 'a', '', 5)")
        store._connection.executemany(
            "INSERT INTO tasks VALUES (1, ?, ?, NULL, NULL)",
            [(each["task_id"], msgspec.msgpack.encode(each)) for each in _BY_NAME],
        )
        store.close()
    state = read(tmp_path)
    assert (state.counted_from, state.selection) == (5, "")
    assert {task_id: unpacked(record) for task_id, record in state.records.items()} == {
        1: a_task(1, progress=0.5, calls=7, agent_fee=Money(Decimal("0.125"), "USD")),
        2: a_task(2, name="", status=Status.FINISHED, calls=None),
    }


def test_a_migration_that_fails_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.commit([a_change(1)])
    store.close()
    with monkeypatch.context() as patch:
        patch.setattr(
            "exporter.storage.sqlite.MIGRATIONS",
            (*MIGRATIONS, "CREATE TABLE more (a); INSERT INTO nowhere VALUES (1);"),
        )
        with pytest.raises(StorageError):
            Store(tmp_path)
    assert as_read(read(tmp_path)) == as_kept(a_change(1))
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name='more'").fetchall()


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(StorageError, match="newer version") as refused:
        Store(tmp_path)
    assert refused.value.reason == "newer"
