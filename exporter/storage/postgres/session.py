"""One connection: what was locked in it is ours for as long as it lives, and no longer.

The server ends it when nothing is heard for a while, so that a replica that was stopped or cut off
holds nothing, and cannot write when it wakes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg

from exporter.storage.postgres.failures import BROKEN, FAILURES, storage_error
from exporter.storage.postgres.schema import SCHEMA, migrate

_Result = TypeVar("_Result")


class Session:
    """A connection that is opened when it is needed and was lost. Raises StorageError.

    ``silence`` is after how many seconds without a word the server gives it up; ``lost`` is called
    whenever what was locked in it is ours no more.
    """

    def __init__(
        self,
        url: str,
        *,
        silence: float,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._url = url
        self._silence = silence
        self._lost = lost
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self.where = _shown(url)
        """The database, without its password."""

    async def use(self, work: Callable[[asyncpg.Connection], Awaitable[_Result]]) -> _Result:
        """Do something with the connection, one after the other."""
        async with self._turn:
            connection = self._connection or await self._opened()
            try:
                async with asyncio.timeout(self._silence):
                    return await work(connection)
            except FAILURES as error:
                if connection.is_closed() or isinstance(error, BROKEN):
                    self._give_up()
                raise storage_error(error, self.where) from error
            except asyncio.CancelledError:
                # Half of an exchange may be under way: nobody can tell what the next answer is to.
                self._give_up()
                raise

    async def close(self) -> None:
        """Let go of everything that was locked."""
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                self._lost()
                try:
                    await connection.close(timeout=1)
                except FAILURES:
                    connection.terminate()

    async def _opened(self) -> asyncpg.Connection:
        try:
            connection = await asyncpg.connect(
                self._url,
                timeout=min(5.0, self._silence),
                server_settings={
                    "application_name": "itnio-exporter",
                    "idle_session_timeout": f"{self._silence * 1000:.0f}",
                    "idle_in_transaction_session_timeout": f"{self._silence * 1000:.0f}",
                    "lock_timeout": f"{self._silence * 500:.0f}",
                    "search_path": SCHEMA,
                },
            )
        except (*FAILURES, ValueError) as error:
            raise storage_error(error, self.where) from error
        try:
            async with asyncio.timeout(self._silence):
                await migrate(connection)
        except BaseException as error:
            connection.terminate()
            if isinstance(error, FAILURES):
                raise storage_error(error, self.where) from error
            raise
        self._connection = connection
        connection.add_termination_listener(self._ended)
        return connection

    def _ended(self, connection: asyncpg.Connection) -> None:
        """Take note that the server has closed the connection; nobody need be using it."""
        if connection is self._connection:
            self._give_up()

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
            self._lost()


def _shown(url: str) -> str:
    """Return what of a URL may be shown: all but user, password and parameters."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "postgresql"
    return f"postgresql://{parts.hostname or 'localhost'}{port}{parts.path}"
