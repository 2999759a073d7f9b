"""The ledger on disk: SQLite, a transaction for each commit, only what has changed.

What is scraped has been committed before (the poller sees to that), so a crash takes nothing back:
each commit is on the disk when it returns. The store of one exporter is held by a lock file, so
that two processes never count into it. Everything here blocks; it is run in a thread.
"""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from exporter.storage.encoding import (
    read_above,
    read_record,
    read_total,
    written_above,
)
from exporter.storage.lock import UNWRITABLE, locked
from exporter.storage.model import Changes, State, StorageError, TotalRow
from exporter.tasks.ledger import Series

FILE: Final = "state.sqlite3"

# Each script takes the schema from the version of its place to the next; none is ever changed.
MIGRATIONS: Final = (
    """
    CREATE TABLE apps (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        app TEXT NOT NULL,
        counted_from INTEGER,
        UNIQUE (account, app)
    );
    CREATE TABLE scripts (
        app INTEGER NOT NULL REFERENCES apps (id),
        place INTEGER NOT NULL,
        script_id TEXT NOT NULL,
        PRIMARY KEY (app, place)
    ) WITHOUT ROWID;
    CREATE TABLE tasks (
        app INTEGER NOT NULL REFERENCES apps (id),
        task_id INTEGER NOT NULL,
        record BLOB NOT NULL,
        above BLOB,
        progressed_at REAL,
        PRIMARY KEY (app, task_id)
    ) WITHOUT ROWID;
    CREATE TABLE totals (
        app INTEGER NOT NULL REFERENCES apps (id),
        figure TEXT NOT NULL,
        script TEXT NOT NULL,
        kind TEXT NOT NULL,
        currency TEXT NOT NULL,
        total TEXT NOT NULL,
        introduced INTEGER NOT NULL,
        PRIMARY KEY (app, figure, script, kind, currency)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE apps ADD COLUMN selection TEXT NOT NULL DEFAULT '';
    """,
    # Tasks are written as they are packed. Those that were written before are read as they are;
    # the number keeps an earlier version from taking ours for damaged.
    "",
)


class Store:
    """An open store in a folder. Raises StorageError from every method."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._lock = locked(folder)
        try:
            self._connection = self._opened()
        except BaseException:
            os.close(self._lock)
            raise
        self._opened_file = _identity(self._file)
        self._stored_scripts: dict[int, int] = {}

    def close(self) -> None:
        """Release the store."""
        self._connection.close()
        os.close(self._lock)

    def size(self) -> int:
        """Return the bytes that the store takes on disk."""
        size = 0
        for part in (self._file, self._file.with_name(FILE + "-wal")):
            with suppress(OSError):  # deleted by somebody else
                size += part.stat().st_size
        return size

    def load(self, account: str, app: str) -> State:
        """Return the state of an app."""
        try:
            return self._load(account, app)
        except Exception as error:
            # SQLite keeps what it is given, and gives back whatever a damaged file holds.
            raise self._failure(error) from error

    def commit(self, changes: Iterable[Changes]) -> None:
        """Store what has changed, all of it or nothing; on disk when this returns."""
        if _identity(self._file) != self._opened_file:
            # SQLite would go on writing into a file that nobody will find again.
            raise StorageError(
                "failed",
                f"{self._file} has been deleted or put in the place of another; restart the "
                "exporter to go on with what is there now",
            )
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                for each in changes:
                    self._write(each)
        except BaseException as error:
            self._stored_scripts.clear()
            if isinstance(error, sqlite3.Error):
                raise self._failure(error) from error
            raise

    # --- opening ----------------------------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        try:
            # Only one thread at a time uses it; which one may differ.
            connection = sqlite3.connect(
                self._file, isolation_level=None, check_same_thread=False, timeout=1
            )
        except sqlite3.Error as error:
            raise self._failure(error) from error
        try:
            self._prepare(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise self._failure(error) from error
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        with closing(connection.execute("PRAGMA quick_check(1)")) as found:
            verdict = found.fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 4194304")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise StorageError(
                "newer",
                f"{self._file} was written by a newer version of itnio-exporter; "
                "run that version, or give this one another --storage.path",
            )
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            connection.executescript(
                f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;"
            )
        # A store that cannot be written is better known now than at the first commit. Beginning
        # to write is not enough: SQLite reads from a file that may only be read.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("ROLLBACK")

    # --- reading and writing ----------------------------------------------------------------------

    def _load(self, account: str, app: str) -> State:
        state = State()
        connection = self._connection
        row = connection.execute(
            "SELECT id, counted_from, selection FROM apps WHERE account = ? AND app = ?",
            (account, app),
        ).fetchone()
        if row is None:
            return state
        number, state.counted_from, state.selection = row
        state.scripts = [
            script
            for (script,) in connection.execute(
                "SELECT script_id FROM scripts WHERE app = ? ORDER BY place", (number,)
            )
        ]
        for task_id, record, above, progressed_at in connection.execute(
            "SELECT task_id, record, above, progressed_at FROM tasks WHERE app = ?", (number,)
        ):
            state.records[task_id] = read_record(record)
            if marks := read_above(above):
                state.above[task_id] = marks
            if progressed_at is not None:
                state.progressed[task_id] = progressed_at
        state.totals = [
            TotalRow(Series(figure, script, kind, currency), read_total(total), bool(introduced))
            for figure, script, kind, currency, total, introduced in connection.execute(
                "SELECT figure, script, kind, currency, total, introduced FROM totals"
                " WHERE app = ?",
                (number,),
            )
        ]
        return state

    def _write(self, changes: Changes) -> None:
        execute, executemany = self._connection.execute, self._connection.executemany
        ((number,),) = execute(
            "INSERT INTO apps (account, app, counted_from, selection) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (account, app) DO UPDATE"
            " SET counted_from = excluded.counted_from, selection = excluded.selection"
            " RETURNING id",
            (changes.account, changes.app, changes.counted_from, changes.selection),
        ).fetchall()
        stored = self._stored_scripts.get(number, 0)
        executemany(
            "INSERT OR REPLACE INTO scripts (app, place, script_id) VALUES (?, ?, ?)",
            [
                (number, place, script)
                for place, script in enumerate(changes.scripts[stored:], stored)
            ],
        )
        self._stored_scripts[number] = len(changes.scripts)
        executemany(
            "INSERT OR REPLACE INTO tasks (app, task_id, record, above, progressed_at)"
            " VALUES (?, ?, ?, ?, ?)",
            [
                (
                    number,
                    task_id,
                    record,
                    written_above(changes.above.get(task_id)),
                    changes.progressed.get(task_id),
                )
                for task_id, record in changes.records.items()
                if record is not None
            ],
        )
        executemany(
            "DELETE FROM tasks WHERE app = ? AND task_id = ?",
            [(number, task_id) for task_id, record in changes.records.items() if record is None],
        )
        executemany(
            "INSERT OR REPLACE INTO totals"
            " (app, figure, script, kind, currency, total, introduced) VALUES (?,?,?,?,?,?,?)",
            ((number, *row.series, str(row.total), row.introduced) for row in changes.totals),
        )

    def _failure(self, error: Exception) -> StorageError:
        """Say in words what SQLite means, and what to do."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        reason, remedy = _REMEDIES.get(code, ("failed", "see the folder and its disk"))
        if not isinstance(error, sqlite3.Error) or (
            reason == "failed" and not isinstance(error, sqlite3.OperationalError)
        ):
            reason, remedy = _CORRUPT
        return StorageError(reason, f"{self._file}: {error}; {remedy}")


def _identity(file: Path) -> tuple[int, int] | None:
    """Return what tells a file from another of its name; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


_CORRUPT: Final = (
    "corrupt",
    "restore it from a backup, or move it away to begin all counters anew from 0",
)
_REMEDIES: Final = {
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
    sqlite3.SQLITE_FULL: ("full", "free space on its disk; counters stand still until then"),
    sqlite3.SQLITE_READONLY: UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: UNWRITABLE,
    sqlite3.SQLITE_PERM: UNWRITABLE,
    sqlite3.SQLITE_BUSY: ("locked", "another program has it open"),
    sqlite3.SQLITE_LOCKED: ("locked", "another program has it open"),
}
