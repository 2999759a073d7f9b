"""The roll: which replicas live, and whose each account is, as the tables have it.

All times are the server's, so that no clock has to be right here. An account is locked by a number
of its own, and recorded under the name of the replica that had it last until that one gives it up.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import asyncpg

from exporter.storage.postgres import ledgers

CHANNEL: Final = "itnio_exporter_ownership"
"""Where whoever comes, goes or gives something up tells of it, by its name."""
_REMEMBERED: Final = 100
"""So many times as long as it takes to be dead, replicas are kept in the table."""

_IS_ANOTHERS: Final = """(
    accounts.replica NOT IN ($1, '') AND (
        accounts.replica = ANY($2) OR accounts.replica IN (
            SELECT replica FROM replicas WHERE beat >= clock_timestamp() - $3 * interval '1 second'
        )
    )
)"""


@dataclass(frozen=True, slots=True)
class Member:
    """A replica. ``patience``: after so many seconds of silence one is dead to the others."""

    name: str
    patience: float

    async def tell(self, connection: asyncpg.Connection) -> list[str]:
        """Tell that this one lives; return all that do."""
        # One that is new is told of, so that the others need not wait for their next beat.
        is_new = await connection.fetchval(
            "INSERT INTO replicas (replica, beat) VALUES ($1, clock_timestamp())"
            " ON CONFLICT (replica) DO UPDATE SET beat = excluded.beat RETURNING xmax = 0",
            self.name,
        )
        if is_new:
            await self._notify(connection)
        await connection.execute(
            "DELETE FROM replicas WHERE beat < clock_timestamp() - $1 * interval '1 second'",
            self.patience * _REMEMBERED,
        )
        alive = await connection.fetch(
            "SELECT replica FROM replicas"
            " WHERE beat >= clock_timestamp() - $1 * interval '1 second'",
            self.patience,
        )
        return [replica for (replica,) in alive]

    async def free(
        self, connection: asyncpg.Connection, accounts: Collection[str], awaited: Collection[str]
    ) -> list[str]:
        """Return those that were ours, were given up, or were of a replica that is dead to all.

        One that has lost its session and lives shows what it had until it is dead to the others.
        ``awaited`` are not held dead.
        """
        rows = await connection.fetch(
            f"SELECT account FROM accounts WHERE {_IS_ANOTHERS} AND account = ANY($4)",  # noqa: S608  # all of it is written here
            self.name,
            list(awaited),
            self.patience,
            list(map(ledgers.text, accounts)),
        )
        others = {ledgers.read_text(account) for (account,) in rows}
        return [account for account in accounts if account not in others]

    async def claim(
        self,
        connection: asyncpg.Connection,
        account: str,
        epoch: int | None,
        awaited: Collection[str],
    ) -> int | None:
        """Record an account that is locked as ours; return its epoch, which is in force from now.

        It is the ``epoch`` that is remembered here where nobody has had it since. None: it is
        another's after all, who has come back since it was found free, and may be showing it.
        """
        claimed: int | None = await connection.fetchval(
            "INSERT INTO accounts (account, epoch, replica) VALUES ($4, 1, $1)"  # noqa: S608  # all of it is written here
            " ON CONFLICT (account) DO UPDATE SET replica = excluded.replica, epoch ="
            " accounts.epoch + (accounts.replica <> $1 OR accounts.epoch <> $5)::integer"
            f" WHERE NOT {_IS_ANOTHERS} RETURNING epoch",
            self.name,
            list(awaited),
            self.patience,
            ledgers.text(account),
            -1 if epoch is None else epoch,
        )
        return claimed

    async def give_up(
        self, connection: asyncpg.Connection, locked: Iterable[str], but: Collection[str]
    ) -> None:
        """Unlock accounts, and give up what is recorded as ours ``but`` for some."""
        released = await connection.fetch(
            "UPDATE accounts SET replica = '' WHERE replica = $1 AND NOT account = ANY($2)"
            " RETURNING account",
            self.name,
            list(map(ledgers.text, but)),
        )
        for account in locked:
            await unlock(connection, account)
        if released:
            await self._notify(connection)

    async def leave(self, connection: asyncpg.Connection) -> None:
        """Give everything up, and be gone."""
        await connection.execute("DELETE FROM replicas WHERE replica = $1", self.name)
        await connection.execute("UPDATE accounts SET replica = '' WHERE replica = $1", self.name)
        await connection.execute("SELECT pg_advisory_unlock_all()")
        await self._notify(connection)

    async def _notify(self, connection: asyncpg.Connection) -> None:
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, self.name)


async def epochs(connection: asyncpg.Connection, accounts: Iterable[str]) -> dict[str, int]:
    """Return the epochs in force of those accounts that have one."""
    rows = await connection.fetch(
        "SELECT account, epoch FROM accounts WHERE account = ANY($1)",
        list(map(ledgers.text, accounts)),
    )
    return {ledgers.read_text(account): epoch for account, epoch in rows}


async def lock(connection: asyncpg.Connection, account: str) -> bool:
    """Lock an account for as long as the session lives; False where another holds it.

    One that is locked twice has to be unlocked twice.
    """
    got: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", key(account))
    return got


async def unlock(connection: asyncpg.Connection, account: str) -> None:
    """Let others lock an account."""
    await connection.execute("SELECT pg_advisory_unlock($1)", key(account))


def key(account: str) -> int:
    """Return the number of an account's lock: 64 bits, so that no two accounts share one."""
    digest = hashlib.blake2b(b"itnio-exporter\0" + account.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
