"""The commit of a poll against SQLite's own executemany of the same rows, on the same disk."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median

from exporter.storage import Changes, ThreadedStore, TotalRow
from exporter.storage.sqlite import FILE
from exporter.tasks.ledger import Series
from exporter.tasks.packed import packed
from exporter.tasks.task import COUNTED, Money, Status, Task


@dataclass(frozen=True, slots=True)
class Commits:
    """Seconds, medians of interleaved commits of the same rows."""

    ours: float
    sqlite: float


class _Deaf:
    def store_committed(self, seconds: float, size: int) -> None:
        """Take no note."""

    def store_failed(self, reason: str) -> None:
        """Take no note: the error is raised, too."""


def measure(changed: int = 1000, known: int = 100_000, rounds: int = 15) -> Commits:
    """Commit ``changed`` tasks of ``known`` again and again, by the store and without it."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder), changed, known, rounds))


async def _measured(folder: Path, changed: int, known: int, rounds: int) -> Commits:
    store = ThreadedStore(folder / "ours", _Deaf())
    await store.commit([_changes(range(known), 0)])
    await store.close()
    own = folder / "own"
    own.mkdir()
    (own / FILE).write_bytes((folder / "ours" / FILE).read_bytes())
    store = ThreadedStore(folder / "ours", _Deaf())
    ours: list[float] = []
    sqlite: list[float] = []
    with closing(sqlite3.connect(own / FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        await store.load("bench", "")
        for turn in range(1, rounds + 1):
            changes = _changes(range(turn, known, known // changed), turn)
            begun = time.perf_counter()
            await store.commit([changes])
            ours.append(time.perf_counter() - begun)
            tasks = [(1, task_id, each, None, 1.0) for task_id, each in changes.records.items()]
            totals = [(1, *row.series, str(row.total), True) for row in changes.totals]
            begun = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?)", tasks)
            connection.executemany(
                "INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?, ?, ?, ?)", totals
            )
            connection.execute("COMMIT")
            sqlite.append(time.perf_counter() - begun)
    await store.close()
    return Commits(median(ours), median(sqlite))


def _changes(task_ids: Sequence[int], turn: int) -> Changes:
    return Changes(
        account="bench",
        app="",
        counted_from=0,
        selection="",
        scripts=tuple(map(str, range(30))),
        records={task_id: packed(_task(task_id, turn)) for task_id in task_ids},
        totals=[
            TotalRow(Series(name, str(script)), turn * 1000, introduced=True)
            for script in range(30)
            for name in COUNTED
        ],
        progressed=dict.fromkeys(task_ids, 1.0),
    )


def _task(task_id: int, turn: int) -> Task:
    fee = Money(Decimal("0.034827") * (turn + 1), "USD")
    counted = dict.fromkeys(COUNTED, 100 + turn)
    return Task(
        task_id,
        f"task {task_id}",
        Status.CALLING,
        str(task_id % 30),
        1_700_000_000 + task_id,
        0.5,
        1000,
        **counted,
        agent_fee=fee,
        call_fee=fee,
        sms_fee=fee,
        total_fee=fee,
    )
