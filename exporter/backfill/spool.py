"""What has been read and worked out so far, in one file beside the output.

A backfill that is interrupted, by whatever, is taken up again from it: each transaction is whole
or has not happened. The disk holds what memory must not: all tasks of the range, and all lines
until they can be put in the order that OpenMetrics demands.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import msgspec

from exporter.backfill.course import Known
from exporter.backfill.request import differing
from exporter.tasks.task import Status, Task

_FORMAT: Final = "1"
_SCHEMA: Final = """
    CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE apps (
        account INTEGER NOT NULL,
        app INTEGER NOT NULL,
        read_to INTEGER NOT NULL,
        PRIMARY KEY (account, app)
    );
    CREATE TABLE tasks (
        account INTEGER NOT NULL,
        app INTEGER NOT NULL,
        task_id INTEGER NOT NULL,
        created INTEGER NOT NULL,
        calling INTEGER NOT NULL,
        read_at REAL NOT NULL,
        record BLOB NOT NULL,
        PRIMARY KEY (account, app, task_id)
    );
    CREATE INDEX tasks_by_creation ON tasks (account, app, created, task_id);
    CREATE TABLE replayed (account INTEGER PRIMARY KEY);
    CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        family INTEGER NOT NULL,
        account INTEGER NOT NULL,
        labels TEXT NOT NULL,
        UNIQUE (family, account, labels)
    );
    CREATE TABLE points (
        series INTEGER NOT NULL,
        part INTEGER NOT NULL,
        lines BLOB NOT NULL,
        PRIMARY KEY (series, part)
    ) WITHOUT ROWID;
"""
_encode: Final = msgspec.msgpack.Encoder().encode
_record: Final = msgspec.msgpack.Decoder(Task)


class SpoolError(Exception):
    """The file cannot be used; the message says why and what to do."""


class OtherArgumentsError(SpoolError):
    """The file is of a backfill that was started with other arguments."""


class Spool:
    """The file, locked while it is open. Accounts and apps go by their places in the config.

    ``arguments``: all that the result depends on, as text, by names that a person understands;
    ``resolved``: what these came to mean when the backfill was first started.
    """

    def __init__(
        self, path: Path, arguments: Mapping[str, str], resolved: Mapping[str, int]
    ) -> None:
        self.path = path
        self.resumed = path.exists()
        """Whether an earlier run is taken up again."""
        self.resolved = dict(resolved)
        with self._in_words():
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=0)
            try:
                self._open(arguments)
            except BaseException:
                self._connection.close()
                raise

    def _open(self, arguments: Mapping[str, str]) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA synchronous = NORMAL")
        execute("BEGIN EXCLUSIVE")
        tables = execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if tables:
            execute("COMMIT")
            self._take_up(arguments)
            return
        self.resumed = False
        for statement in _SCHEMA.split(";"):
            execute(statement)
        about = {
            "format": _FORMAT,
            "arguments": json.dumps(dict(arguments)),
            "resolved": json.dumps(self.resolved),
        }
        self._connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        execute("COMMIT")

    def _take_up(self, arguments: Mapping[str, str]) -> None:
        about = dict(self._connection.execute("SELECT name, value FROM about"))
        if about.get("format") != _FORMAT:
            raise SpoolError(
                f"{self.path} is of another version of this program; delete it to begin anew"
            )
        names = differing(json.loads(about["arguments"]), arguments)
        if names:
            raise OtherArgumentsError(
                f"{self.path} is of a backfill that was begun with another {' and '.join(names)};"
                " run that one again to finish it, or delete the file to begin anew"
            )
        self.resolved = json.loads(about["resolved"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def delete(self) -> None:
        """Close and remove the file: the output is there."""
        self._connection.close()
        self.path.unlink(missing_ok=True)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            text = str(error)
            if "locked" in text:
                text = "another backfill is writing to it; wait until it has ended"
            elif "unable to open" in text:
                text = "it cannot be written; create its folder, or correct --output"
            raise SpoolError(f"{self.path}: {text}") from None
        except sqlite3.DatabaseError as error:
            raise SpoolError(
                f"{self.path}: {error}; if it is no file of a backfill, choose another --output,"
                " else delete it to begin anew"
            ) from None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._in_words():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    # --- tasks ----------------------------------------------------------------------------------

    def read_to(self, account: int, app: int) -> int | None:
        """Return up to when (Unix seconds, included) an app has been read; None: not at all."""
        row = self._connection.execute(
            "SELECT read_to FROM apps WHERE account = ? AND app = ?", (account, app)
        ).fetchone()
        return None if row is None else int(row[0])

    def keep(
        self, app: tuple[int, int], tasks: Iterable[Task], *, read_at: float, read_to: int
    ) -> None:
        """Keep what was read of an app (its account's place and its own), now up to ``read_to``.

        Of a task that comes again, the last reading is kept.
        """
        rows = (
            (
                *(*app, task.task_id, task.created),
                *(task.status is Status.CALLING, read_at, _encode(task)),
            )
            for task in tasks
        )
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO tasks"
                " (account, app, task_id, created, calling, read_at, record)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            connection.execute("INSERT OR REPLACE INTO apps VALUES (?, ?, ?)", (*app, read_to))

    def tasks(self, account: int, app: int, begin: int, end: int) -> Iterator[Known]:
        """Yield the tasks created from ``begin`` to ``end`` (both included), oldest first."""
        for read_at, record in self._connection.execute(
            "SELECT read_at, record FROM tasks"
            " WHERE account = ? AND app = ? AND created BETWEEN ? AND ? ORDER BY created, task_id",
            (account, app, begin, end),
        ):
            yield Known(_record.decode(record), read_at)

    def calling(self, account: int) -> Iterator[Known]:
        """Yield the tasks of an account that were calling when they were read."""
        for read_at, record in self._connection.execute(
            "SELECT read_at, record FROM tasks WHERE account = ? AND calling ORDER BY app, task_id",
            (account,),
        ):
            yield Known(_record.decode(record), read_at)

    # --- lines ----------------------------------------------------------------------------------

    def is_replayed(self, account: int) -> bool:
        """Whether all lines of an account are there."""
        query = "SELECT 1 FROM replayed WHERE account = ?"
        return self._connection.execute(query, (account,)).fetchone() is not None

    def begin_replay(self, account: int) -> None:
        """Drop the lines of an account that an earlier run did not finish."""
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM points WHERE series IN (SELECT id FROM series WHERE account = ?)",
                (account,),
            )
            connection.execute("DELETE FROM series WHERE account = ?", (account,))

    def add_series(self, account: int, series: Iterable[tuple[int, str]]) -> list[int]:
        """Give series (place of the family, labels) their numbers, in the same order."""
        with self._transaction() as connection:
            return [
                int(
                    connection.execute(
                        "INSERT INTO series (family, account, labels) VALUES (?, ?, ?)"
                        " RETURNING id",
                        (family, account, labels),
                    ).fetchone()[0]
                )
                for family, labels in series
            ]

    def add_points(self, part: int, lines: Iterable[tuple[int, bytes]]) -> None:
        """Add lines of series: those of a later part are of later moments."""
        rows = ((series, part, text) for series, text in lines)
        with self._transaction() as connection:
            connection.executemany("INSERT INTO points VALUES (?, ?, ?)", rows)

    def end_replay(self, account: int) -> None:
        """Take note that all lines of an account are there."""
        with self._transaction() as connection:
            connection.execute("INSERT INTO replayed VALUES (?)", (account,))

    def series(self, family: int, accounts: Collection[int]) -> Sequence[tuple[int, str]]:
        """Return the series of a family and of these accounts: numbers and labels, in order."""
        rows = self._connection.execute(
            "SELECT account, id, labels FROM series WHERE family = ? ORDER BY account, labels",
            (family,),
        )
        return [(number, labels) for account, number, labels in rows if account in accounts]

    def points(self, series: int) -> Iterator[bytes]:
        """Yield the lines of a series in the order of time."""
        query = "SELECT lines FROM points WHERE series = ? ORDER BY part"
        for (lines,) in self._connection.execute(query, (series,)):
            yield lines
