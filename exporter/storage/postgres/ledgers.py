"""The ledgers in their tables: read whole, written as far as they changed."""

import asyncio
import re
from collections.abc import Sequence
from typing import Final

import asyncpg

from exporter.storage.encoding import read_above, read_record, read_total, written_above
from exporter.storage.model import Changes, State, TotalRow
from exporter.tasks.ledger import Series

_ROWS_AT_ONCE: Final = 1_000
_WRITTEN_AT_ONCE: Final = 10_000
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


async def load(connection: asyncpg.Connection, account: str, app: str) -> State:
    """Return the state of an app; the event loop is never held for longer than some rows take."""
    state = State()
    async with connection.transaction(readonly=True, isolation="repeatable_read"):
        row = await connection.fetchrow(
            "SELECT id, counted_from, selection FROM apps WHERE account = $1 AND app = $2",
            text(account),
            text(app),
        )
        if row is None:
            return state
        number, state.counted_from, selection = row
        state.selection = read_text(selection)
        scripts = await connection.fetch(
            "SELECT script_id FROM scripts WHERE app = $1 ORDER BY place", number
        )
        state.scripts = [read_text(script) for (script,) in scripts]
        tasks = await connection.cursor(
            "SELECT task_id, record, above, progressed_at FROM tasks WHERE app = $1", number
        )
        while rows := await tasks.fetch(_ROWS_AT_ONCE):
            for task_id, record, above, progressed_at in rows:
                state.records[task_id] = read_record(record)
                if marks := read_above(above):
                    state.above[task_id] = marks
                if progressed_at is not None:
                    state.progressed[task_id] = progressed_at
            await asyncio.sleep(0)
        totals = await connection.fetch(
            "SELECT figure, script, kind, currency, total, introduced FROM totals WHERE app = $1",
            number,
        )
        state.totals = [
            TotalRow(
                Series(figure, read_text(script), kind, currency), read_total(total), introduced
            )
            for figure, script, kind, currency, total, introduced in totals
        ]
    return state


async def write(connection: asyncpg.Connection, changes: Changes) -> None:
    """Write what has changed of an app, within a transaction of the caller's."""
    number = await connection.fetchval(
        "INSERT INTO apps (account, app, counted_from, selection) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (account, app) DO UPDATE"
        " SET counted_from = excluded.counted_from, selection = excluded.selection"
        " RETURNING id",
        text(changes.account),
        text(changes.app),
        changes.counted_from,
        text(changes.selection),
    )
    await _write_scripts(connection, number, changes.scripts)
    kept = [(task_id, record) for task_id, record in changes.records.items() if record is not None]
    for begin in range(0, len(kept), _WRITTEN_AT_ONCE):
        await _write_tasks(connection, number, kept[begin : begin + _WRITTEN_AT_ONCE], changes)
    forgotten = [task_id for task_id, record in changes.records.items() if record is None]
    if forgotten:
        await connection.execute(
            "DELETE FROM tasks WHERE app = $1 AND task_id = ANY($2::bigint[])", number, forgotten
        )
    if changes.totals:
        await connection.execute(
            "INSERT INTO totals (app, figure, script, kind, currency, total, introduced)"
            " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[],"
            " $6::text[], $7::boolean[])"
            " ON CONFLICT (app, figure, script, kind, currency) DO UPDATE"
            " SET total = excluded.total, introduced = excluded.introduced",
            number,
            [row.series.figure for row in changes.totals],
            [text(row.series.script) for row in changes.totals],
            [row.series.kind for row in changes.totals],
            [row.series.currency for row in changes.totals],
            [str(row.total) for row in changes.totals],
            [row.introduced for row in changes.totals],
        )


async def size(connection: asyncpg.Connection) -> int:
    """Return the bytes that the ledgers of all replicas take on the server's disk."""
    found: int = await connection.fetchval(
        "SELECT sum(pg_total_relation_size(name::regclass))::bigint"
        " FROM unnest(ARRAY['apps', 'scripts', 'tasks', 'totals']) AS name"
    )
    return found


async def _write_tasks(
    connection: asyncpg.Connection,
    number: int,
    kept: Sequence[tuple[int, bytes]],
    changes: Changes,
) -> None:
    await connection.execute(
        "INSERT INTO tasks (app, task_id, record, above, progressed_at)"
        " SELECT $1, * FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::float8[])"
        " ON CONFLICT (app, task_id) DO UPDATE SET record = excluded.record,"
        " above = excluded.above, progressed_at = excluded.progressed_at",
        number,
        [task_id for task_id, _ in kept],
        [record for _, record in kept],
        [written_above(changes.above.get(task_id)) for task_id, _ in kept],
        [changes.progressed.get(task_id) for task_id, _ in kept],
    )


async def _write_scripts(
    connection: asyncpg.Connection, number: int, scripts: Sequence[str]
) -> None:
    """Write the scripts that are not there yet: there are only ever more of them."""
    stored = await connection.fetchval("SELECT count(*) FROM scripts WHERE app = $1", number)
    if stored < len(scripts):
        await connection.execute(
            "INSERT INTO scripts (app, place, script_id)"
            " SELECT $1, * FROM unnest($2::integer[], $3::text[])",
            number,
            list(range(stored, len(scripts))),
            [text(script) for script in scripts[stored:]],
        )


def text(value: str) -> str:
    """Return how a text is written: without NUL, which PostgreSQL does not take in one."""
    return value.replace("\\", "\\\\").replace("\0", "\\0")


def read_text(written: str) -> str:
    """Return a text as it was before it was written."""
    return _ESCAPED.sub(lambda found: "\0" if found[1] == "0" else found[1], written)
