"""A store that cannot be used: refused in words that say why, and never begun anew by itself."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from exporter.storage import REASONS, State, StorageError, Store
from exporter.storage.lock import LOCK
from exporter.storage.sqlite import FILE
from tests.storage.states import a_change, read, total

NOBODY = 65534
HOLDER = """
import sys, time
from pathlib import Path
from exporter.storage import Store
store = Store(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may look into, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made)
        path.chmod(0o755)
        yield path


def filled(folder: Path) -> Path:
    """A store with something in each table, closed; the path of its file."""
    store = Store(folder)
    store.commit([a_change(*range(400), total=7, scripts=20)])
    store.close()
    return folder / FILE


def refusal(folder: Path) -> StorageError:
    with pytest.raises(StorageError) as refused:
        read(folder)
    assert refused.value.reason in REASONS
    assert FILE in str(refused.value)
    return refused.value


# --- Corrupt --------------------------------------------------------------------------------------


def overwritten(file: Path) -> None:
    file.write_bytes(random.Random(1).randbytes(20_000))


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:10_000])


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for place in range(4096, len(content), 4096):  # the head of every page but the first
        content[place : place + 8] = bytes(byte ^ 0xFF for byte in content[place : place + 8])
    file.write_bytes(content)


def scribbled(file: Path) -> None:
    content = file.read_bytes()
    record = content.index(b"calling")
    file.write_bytes(content[:record] + b"\xff" * 7 + content[record + 7 :])


def of_something_else(file: Path) -> None:
    file.write_text("counters: all\n" * 100)


@pytest.mark.parametrize("damage", [overwritten, truncated, flipped, scribbled, of_something_else])
def test_a_damaged_file_is_refused_and_left_as_it_is(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    file = filled(folder)
    damage(file)
    before = file.read_bytes()
    error = refusal(folder)
    assert error.reason == "corrupt"
    assert "restore it from a backup, or move it away" in str(error)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tasks.record", b"\x00"),
        ("tasks.record", 7),
        ("tasks.above", b"\xc1"),
        ("totals.total", "many"),
        ("totals.total", b"1"),
    ],
)
def test_what_cannot_have_been_written_is_not_read(
    folder: Path, column: str, value: object
) -> None:
    file = filled(folder)
    table, _, name = column.partition(".")
    connection = sqlite3.connect(file)
    connection.execute(f"UPDATE {table} SET {name} = ?", (value,))
    connection.commit()
    connection.close()
    assert refusal(folder).reason == "corrupt"


# --- Not to be written ----------------------------------------------------------------------------


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user who may not do everything, as the superuser may."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    folder.chmod(0o555)
    with as_nobody(), pytest.raises(StorageError, match="let the exporter's user") as refused:
        Store(folder / "state")
    assert refused.value.reason == "unwritable"


def test_a_file_that_cannot_be_written(folder: Path) -> None:
    filled(folder).chmod(0o444)
    (folder / LOCK).chmod(0o666)
    folder.chmod(0o777)
    with as_nobody(), pytest.raises(StorageError, match="let the exporter's user") as refused:
        Store(folder)
    assert refused.value.reason == "unwritable"


def test_a_folder_that_is_a_file(folder: Path) -> None:
    (folder / "state").write_text("")
    with pytest.raises(StorageError, match="let the exporter's user write") as refused:
        Store(folder / "state")
    assert refused.value.reason == "unwritable"


# --- Full -----------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system with little room, where one may be mounted."""
    mounted = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)],
            check=False,
            capture_output=True,
        ).returncode
        == 0
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _refused_in_the_end(store: Store) -> StorageError:
    for number in range(100):
        try:
            store.commit([a_change(*range(number * 100, number * 100 + 100), total=1)])
        except StorageError as error:
            return error
    raise AssertionError("there was room for everything")


def test_a_full_disk_takes_nothing_back_and_can_be_freed(folder: Path) -> None:
    with small_disk(folder) as mounted:
        store = Store(folder)
        if not mounted:
            store._connection.execute("PRAGMA max_page_count = 40")
        store.commit([a_change(1, total=1)])
        (folder / "ballast").write_bytes(b"x" * 60_000)
        error = _refused_in_the_end(store)
        assert error.reason == "full"
        assert "free space" in str(error)
        kept = store.load("a", "")
        with pytest.raises(StorageError):
            store.commit([a_change(*range(10**6, 10**6 + 2000), total=99)])
        assert store.load("a", "") == kept
        (folder / "ballast").unlink()
        store._connection.execute("PRAGMA max_page_count = 100000")
        store.commit([a_change(5, total=3)])
        assert total(store.load("a", "")) == 3
        store.close()


def test_a_disk_without_room_for_a_store(folder: Path) -> None:
    with small_disk(folder) as mounted:
        if mounted:
            with (folder / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
                while True:
                    ballast.write(b"x" * 4096)
            with pytest.raises(StorageError) as refused:
                Store(folder)
            assert refused.value.reason in {"full", "unwritable", "failed"}
            (folder / "ballast").unlink()
        Store(folder).close()


# --- In use ---------------------------------------------------------------------------------------


def test_one_process_a_store_even_if_the_other_is_killed(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match=rf"process {holder.pid}\)") as refused:
            Store(folder)
        assert refused.value.reason == "locked"
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
        # The number of the dead process is still in the file, and means nothing.
        assert (folder / LOCK).read_text() == str(holder.pid)
        store = Store(folder)
        assert (folder / LOCK).read_text() == str(os.getpid())
        store.close()


def test_two_stores_in_one_process_are_one_too_many(folder: Path) -> None:
    store = Store(folder)
    with pytest.raises(StorageError, match=str(os.getpid())):
        Store(folder)
    store.close()
    Store(folder).close()


def test_a_store_that_was_refused_leaves_nothing_open(folder: Path) -> None:
    overwritten(filled(folder))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        refusal(folder)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_somebody_else_who_writes_is_waited_for_then_named(folder: Path) -> None:
    store = Store(folder)
    other = sqlite3.connect(folder / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another program has it open") as refused:
        store.commit([a_change(1)])
    assert refused.value.reason == "locked"
    other.execute("ROLLBACK")
    other.close()
    store.commit([a_change(1)])
    store.close()


# --- Taken away -----------------------------------------------------------------------------------


def test_a_file_that_is_deleted_is_missed_at_the_next_commit(folder: Path) -> None:
    store = Store(folder)
    store.commit([a_change(1)])
    (folder / FILE).unlink()
    with pytest.raises(StorageError, match="has been deleted") as refused:
        store.commit([a_change(2)])
    assert refused.value.reason == "failed"
    assert store.size() >= 0
    store.close()
    assert read(folder) == State()


def test_a_file_in_the_place_of_the_opened_one_is_not_taken_for_it(folder: Path) -> None:
    backup = filled(folder).read_bytes()
    store = Store(folder)
    store.commit([a_change(1, total=9)])
    (folder / "restored").write_bytes(backup)
    (folder / "restored").rename(folder / FILE)
    with pytest.raises(StorageError, match="put in the place"):
        store.commit([a_change(2, total=10)])
    store.close()
