"""Rows: the store of the counters is full, damaged, taken, or gone."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.accounts import Accounts
from exporter.running import Clocks
from exporter.storage import ThreadedStore
from exporter.storage.lock import LOCK
from exporter.storage.sqlite import FILE
from tests.faults.during import Group
from tests.faults.row import FOLLOWS, Counters, Event, Meanwhile, Row, Setting, Up, Windows

if TYPE_CHECKING:
    from tests.faults.bench import Bench

_store = Group("The store")
_STANDS = Meanwhile(Up.YES, Windows.FOLLOW, Counters.STILL)
_WITHHELD = Meanwhile(Up.YES, Windows.FOLLOW, Counters.WITHHELD)
_NOT_STARTED = Setting(start=False)


def _reason(bench: "Bench") -> str | None:
    failure = bench.snapshot().health.store_failure
    return None if failure is None else failure.reason


def _told(reason: str, ends: Callable[["Bench"], None]) -> Event:
    """End a fault after it has been told under its reason."""

    async def end(bench: "Bench") -> None:
        assert _reason(bench) == reason, bench.snapshot().health.store_failure
        scrape = await bench.scrape()
        assert scrape["itnio_exporter_store_up"] == 0
        assert scrape[f'itnio_exporter_store_failures_total{{reason="{reason}"}}'] > 0
        ends(bench)

    return end


def _at_once(change: Callable[["Bench"], None]) -> Event:
    async def event(bench: "Bench") -> None:
        change(bench)

    return event


def _connection(bench: "Bench") -> sqlite3.Connection:
    store = bench.accounts._store
    assert isinstance(store, ThreadedStore)
    assert store._store is not None
    return store._store._connection


def _database(bench: "Bench") -> Path:
    return bench.folder / FILE


def _begin_judging(bench: "Bench") -> None:
    """Count from now on: what is there is baseline."""
    for judge in bench.judges.values():
        judge.begin()


# --- full ---------------------------------------------------------------------------------------


def _mount(folder: Path) -> bool:
    """Put a folder on a disk of its own, where this machine lets us have one."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


async def _on_small_disk(bench: "Bench") -> None:
    folder = bench.folder
    if _mount(folder):
        bench.kept["disk"] = folder
        bench.cleanups.append(lambda: subprocess.run(["umount", str(folder)], check=True))
    await bench.accounts.start()
    await bench.until(55)
    await bench.scrape()
    bench.polls += 1
    _fill(bench)


def _fill(bench: "Bench") -> None:
    if "disk" in bench.kept:
        with (bench.kept["disk"] / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"\0" * 4096) == 4096:
                    pass
            except OSError:
                pass
        return
    # SQLite's own limit: the same error, from the same place.
    pages = _connection(bench).execute("PRAGMA page_count").fetchone()[0]
    _connection(bench).execute(f"PRAGMA max_page_count = {pages}")


def _free(bench: "Bench") -> None:
    if "disk" in bench.kept:
        (bench.kept["disk"] / "filler").unlink()
    else:
        _connection(bench).execute("PRAGMA max_page_count = 1000000")


def _limit(bench: "Bench") -> None:
    pages = _connection(bench).execute("PRAGMA page_count").fetchone()[0]
    _connection(bench).execute(f"PRAGMA max_page_count = {pages}")


def _unlimit(bench: "Bench") -> None:
    _connection(bench).execute("PRAGMA max_page_count = 1000000")


# --- at the start -------------------------------------------------------------------------------


def _garbage(bench: "Bench") -> None:
    bench.folder.mkdir(parents=True)
    _database(bench).write_bytes(b"this is no database" * 1000)


def _moved_away(bench: "Bench") -> None:
    _database(bench).rename(bench.folder / "moved")
    _begin_judging(bench)


def _file_instead(bench: "Bench") -> None:
    bench.folder.parent.mkdir(parents=True, exist_ok=True)
    bench.folder.write_text("no folder")


def _no_file(bench: "Bench") -> None:
    bench.folder.unlink()
    _begin_judging(bench)


def _newer(bench: "Bench") -> None:
    bench.folder.mkdir(parents=True)
    connection = sqlite3.connect(_database(bench))
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def _older_again(bench: "Bench") -> None:
    connection = sqlite3.connect(_database(bench))
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    _begin_judging(bench)


def _taken(bench: "Bench") -> None:
    bench.folder.mkdir(parents=True)
    descriptor = os.open(bench.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    bench.kept["lock"] = descriptor


def _released(bench: "Bench") -> None:
    os.close(bench.kept["lock"])
    _begin_judging(bench)


# --- while it runs ------------------------------------------------------------------------------


def _busy(bench: "Bench") -> None:
    _connection(bench).execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(_database(bench), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    bench.kept["other"] = other


def _idle(bench: "Bench") -> None:
    bench.kept["other"].execute("ROLLBACK")
    bench.kept["other"].close()


def _deleted(bench: "Bench") -> None:
    bench.kept["copy"] = bench.image()
    for path in bench.folder.glob(f"{FILE}*"):
        path.unlink()


async def _restored(bench: "Bench") -> None:
    """Restart over a backup of the store."""
    await bench.restart(bench.kept["copy"])


async def _corrupt_restart(bench: "Bench") -> None:
    """Restart over a store of which half was overwritten while nobody looked."""
    await bench.stop()
    bench.kept["copy"] = bench.image()
    content = bytearray(_database(bench).read_bytes())
    content[len(content) // 4 :] = b"\xa5" * (len(content) - len(content) // 4)
    _database(bench).write_bytes(bytes(content))
    await bench.until_polls_are_due()
    await bench.start()


async def _from_backup(bench: "Bench") -> None:
    assert _reason(bench) == "corrupt"
    shutil.copy(bench.kept["copy"] / FILE, _database(bench))


async def _overwritten(bench: "Bench") -> None:
    bench.kept["copy"] = bench.image()
    for path in bench.folder.glob(f"{FILE}*"):
        with path.open("r+b") as file:
            file.write(b"\xa5" * path.stat().st_size)


async def _second(bench: "Bench") -> None:
    """Run another exporter over the same folder."""
    clocks = Clocks(bench.time.now, bench.time.monotonic, lambda: 0.0)
    second = Accounts(bench.config(), clocks, bench.folder)
    bench.cleanups.append(second.stop)
    await bench.until_polls_are_due()
    await second.start()
    bench.kept["second"] = second


async def _second_held_nothing(bench: "Bench") -> None:
    for snapshot in bench.kept["second"].snapshots.values():
        assert snapshot.health.up
        assert snapshot.counters == ()
        assert snapshot.health.store_failure.reason == "locked"


def _row(
    name: str, fault: str, begins: Event, meanwhile: Meanwhile, ends: Event, **more: Any
) -> Row:
    return _store.row(name, fault, begins, meanwhile, ends=ends, shared=True, **more)


_ANEW = "counters begin at 0 with what is there then"

ROWS: list[Row] = [
    _row(
        "disk full",
        "the disk of the state has no room left (a real one, where this may be mounted)",
        _on_small_disk,
        Meanwhile(Up.YES, Windows.FOLLOW, Counters.RISE),
        _told("full", _free),
        setting=_NOT_STARTED,
        minutes=4,
    ),
    _row(
        "no page left",
        "SQLite may not take another page",
        _at_once(_limit),
        Meanwhile(Up.YES, Windows.FOLLOW, Counters.RISE),
        _at_once(_unlimit),
        minutes=6,
    ),
    _row(
        "no database",
        "the store's file is garbage at the start",
        _at_once(_garbage),
        _WITHHELD,
        _told("corrupt", _moved_away),
        setting=_NOT_STARTED,
        note=f"once it is moved away, {_ANEW}",
    ),
    _row(
        "half overwritten",
        "half of the store's file is overwritten between two runs",
        _corrupt_restart,
        _WITHHELD,
        _from_backup,
        note="once it is restored from a backup, nothing is missing",
    ),
    _row(
        "overwritten",
        "the store's files are overwritten while it is in use",
        _overwritten,
        Meanwhile(Up.YES, Windows.FOLLOW, Counters.RISE),
        _restored,
        note="restarted over a backup, nothing is missing",
    ),
    _row(
        "files deleted",
        "the store's files are deleted while it is in use",
        _at_once(_deleted),
        _STANDS,
        _restored,
        note="restarted over a backup, nothing is missing",
    ),
    _row(
        "a file for a folder",
        "--storage.path is a file: nothing can be written",
        _at_once(_file_instead),
        _WITHHELD,
        _told("unwritable", _no_file),
        setting=_NOT_STARTED,
        note=f"once it can be written, {_ANEW}",
    ),
    _row(
        "newer version",
        "the store is of a newer version",
        _at_once(_newer),
        _WITHHELD,
        _told("newer", _older_again),
        setting=_NOT_STARTED,
        note="never written, never begun anew by itself",
    ),
    _row(
        "taken",
        "another process holds the store",
        _at_once(_taken),
        _WITHHELD,
        _told("locked", _released),
        setting=_NOT_STARTED,
        note=f"once it is released, counting goes on with what it holds (here nothing: {_ANEW})",
    ),
    _row(
        "second exporter",
        "a second exporter is started over the same store",
        _second,
        FOLLOWS,
        _second_held_nothing,
        note="the second shows no counters, and says why",
    ),
    _row(
        "busy",
        "another program holds a transaction on the store",
        _at_once(_busy),
        _STANDS,
        _told("locked", _idle),
    ),
]
