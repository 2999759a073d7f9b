"""The store that replicas share: whoever owns an account writes for it, and nobody else."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import asyncpg
import structlog

from exporter.storage.model import Changes, State, StorageError
from exporter.storage.observer import Observer, reported
from exporter.storage.postgres import ledgers
from exporter.storage.postgres.session import Session

_Result = TypeVar("_Result")

log = structlog.get_logger("store")


class SharedStore:
    """The ledgers of the accounts that are owned. Raises StorageError.

    ``epochs`` gives the epoch by which this replica owns an account, for those that it owns: a
    commit is for the very epoch that stands in the database, or for nothing.
    """

    def __init__(
        self,
        session: Session,
        epochs: Mapping[str, int],
        observer: Observer,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._epochs = epochs
        self._observer = observer
        self._monotonic = monotonic

    async def load(self, account: str, app: str) -> State:
        """Return what is stored of an app."""
        return await self._do(lambda found: ledgers.load(found, account, app))

    async def commit(self, changes: Sequence[Changes]) -> None:
        """Store all changes or none; with the server when this returns."""
        begun = self._monotonic()

        async def write(connection: asyncpg.Connection) -> int:
            async with connection.transaction():
                for account in sorted({each.account for each in changes}):
                    await self._make_sure(connection, account)
                for each in changes:
                    await ledgers.write(connection, each)
            return await ledgers.size(connection)

        size = await self._do(write)
        self._observer.store_committed(self._monotonic() - begun, size)

    async def close(self) -> None:
        """Release the store, and with it every account."""
        await self._session.close()

    async def _do(self, work: Callable[[asyncpg.Connection], Awaitable[_Result]]) -> _Result:
        with reported(self._observer, self._session.where):
            return await self._session.use(work)

    async def _make_sure(self, connection: asyncpg.Connection, account: str) -> None:
        """Hold an account's epoch as it is until the end of the transaction."""
        ours = self._epochs.get(account)
        epoch = await connection.fetchval(
            "SELECT epoch FROM accounts WHERE account = $1 FOR SHARE", ledgers.text(account)
        )
        if ours is None or epoch != ours:
            raise StorageError(
                "not_owned",
                f"another replica has taken over account {account}; it goes on counting there",
            )
