"""The tables, and how they are taken from one version to the next."""

from typing import Final

import asyncpg

from exporter.storage.model import StorageError

SCHEMA: Final = "itnio_exporter"
# Two replicas that start at once must not both create the tables; the number is arbitrary.
_MIGRATING: Final = 0x69746E696F

# Each script takes the schema from the version of its place to the next; none is ever changed.
MIGRATIONS: Final = (
    """
    -- Who polls an account. A replica that takes it over raises the epoch, and nothing is written
    -- for an account by whoever holds an earlier one.
    CREATE TABLE accounts (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        account TEXT NOT NULL UNIQUE,
        epoch BIGINT NOT NULL,
        replica TEXT NOT NULL
    );
    CREATE TABLE replicas (
        replica TEXT PRIMARY KEY,
        beat TIMESTAMPTZ NOT NULL
    );
    CREATE TABLE apps (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        account TEXT NOT NULL,
        app TEXT NOT NULL,
        counted_from BIGINT,
        selection TEXT NOT NULL,
        UNIQUE (account, app)
    );
    CREATE TABLE scripts (
        app BIGINT NOT NULL REFERENCES apps (id),
        place INTEGER NOT NULL,
        script_id TEXT NOT NULL,
        PRIMARY KEY (app, place)
    );
    CREATE TABLE tasks (
        app BIGINT NOT NULL REFERENCES apps (id),
        task_id BIGINT NOT NULL,
        record BYTEA NOT NULL,
        above BYTEA,
        progressed_at DOUBLE PRECISION,
        PRIMARY KEY (app, task_id)
    );
    CREATE TABLE totals (
        app BIGINT NOT NULL REFERENCES apps (id),
        figure TEXT NOT NULL,
        script TEXT NOT NULL,
        kind TEXT NOT NULL,
        currency TEXT NOT NULL,
        total TEXT NOT NULL,
        introduced BOOLEAN NOT NULL,
        PRIMARY KEY (app, figure, script, kind, currency)
    );
    """,
)


async def migrate(connection: asyncpg.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Create the tables or take them forward, once for however many replicas begin at a time.

    StorageError where a later version of the exporter has been here.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATING)
        # Asked for first: a role that may not create it can use one that is there.
        if not await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", SCHEMA):
            await connection.execute(f"CREATE SCHEMA {SCHEMA}")
        await connection.execute(f"SET search_path TO {SCHEMA}")
        if not await connection.fetchval("SELECT to_regclass('version') IS NOT NULL"):
            await connection.execute("CREATE TABLE version (version INTEGER NOT NULL)")
            await connection.execute("INSERT INTO version VALUES (0)")
        version = await connection.fetchval("SELECT version FROM version")
        if version > len(migrations):
            raise StorageError(
                "newer",
                f"the tables of schema {SCHEMA} were written by a newer version of "
                "itnio-exporter; run that version, or give this one a database of its own",
            )
        for script in migrations[version:]:
            await connection.execute(script)
        if version < len(migrations):
            await connection.execute("UPDATE version SET version = $1", len(migrations))
