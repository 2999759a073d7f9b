"""One connection: what was locked in it is ours for as long as it lives, and no longer.

The server ends it when nothing is heard for a while, so that a replica that was stopped or cut off
holds nothing, and cannot write when it wakes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from urllib.parse import urlsplit

import asyncpg

from exporter.storage.postgres.failures import BROKEN, FAILURES, storage_error
from exporter.storage.postgres.schema import SCHEMA, migrate

_LAST_WORD: Final = 1.0
"""Seconds that an exchange has left when whoever began it does not want it any more."""
_LONGEST_NAME: Final = 63
"""Bytes of an application_name that PostgreSQL keeps."""

_Result = TypeVar("_Result")


class Session:
    """A connection that is opened when it is needed and was lost. Raises StorageError.

    ``silence`` is after how many seconds without a word the server gives it up; ``lost`` is called
    whenever what was locked in it is ours no more. ``name`` is how the server shows it, beside
    ``itnio-exporter``.
    """

    def __init__(
        self,
        url: str,
        *,
        silence: float,
        name: str = "",
        lost: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._silence = silence
        self._name = f"itnio-exporter {name}".strip()[:_LONGEST_NAME]
        self._lost = lost
        self._monotonic = monotonic
        self._heard_at = monotonic()
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self.where = _shown(url)
        """The database, without its password."""

    async def use(self, work: Callable[[asyncpg.Connection], Awaitable[_Result]]) -> _Result:
        """Do something with the connection, one after the other."""
        async with self._turn:
            connection = self._connection or await self._opened()
            return await self._done(work, connection)

    def give_up_if_silent(self) -> None:
        """Lose the connection if the server must have: a process that was stopped learns it here.

        What the server said meanwhile may not have been read yet.
        """
        if self._monotonic() - self._heard_at > self._silence:
            self._give_up()

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

    async def _done(
        self,
        work: Callable[[asyncpg.Connection], Awaitable[_Result]],
        connection: asyncpg.Connection,
    ) -> _Result:
        begun = self._monotonic()
        doing = asyncio.ensure_future(work(connection))
        try:
            try:
                await asyncio.wait({doing}, timeout=self._silence)
            except asyncio.CancelledError:
                # An account is given up while it is stored: the others' locks are in this session
                # too, and half of an exchange would cost it.
                await asyncio.wait({doing}, timeout=_LAST_WORD)
                raise
        finally:
            if not doing.done():
                # Ended before it is cancelled: nothing may wait for a server that is not there,
                # not even a transaction for its rollback.
                connection.terminate()
                doing.cancel()
                await asyncio.wait({doing}, timeout=_LAST_WORD)
            unfinished = not doing.done() or doing.cancelled()
            error = TimeoutError("no answer") if unfinished else doing.exception()
            if connection.is_closed() or isinstance(error, BROKEN):
                connection.terminate()
                if connection is self._connection:
                    self._give_up()
        if error is None:
            self._heard_at = begun
            return doing.result()
        if isinstance(error, FAILURES):
            raise storage_error(error, self.where) from error
        raise error

    async def _opened(self) -> asyncpg.Connection:
        try:
            connection = await asyncpg.connect(
                self._url,
                timeout=min(5.0, self._silence),
                server_settings={"application_name": self._name},
            )
        except (*FAILURES, ValueError) as error:
            raise storage_error(error, self.where) from error
        try:
            await self._done(self._prepare, connection)
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection
        connection.add_termination_listener(self._ended)
        return connection

    async def _prepare(self, connection: asyncpg.Connection) -> None:
        """Have the server keep to what is promised, and its tables be as they have to be."""
        milliseconds = self._silence * 1000
        settings = {
            "idle_session_timeout": f"{milliseconds:.0f}",
            "idle_in_transaction_session_timeout": f"{milliseconds:.0f}",
            # What it does for us, or has yet to send, may not keep it any longer either.
            "statement_timeout": f"{milliseconds:.0f}",
            "tcp_user_timeout": f"{milliseconds:.0f}",
            "lock_timeout": f"{milliseconds / 2:.0f}",
            "search_path": SCHEMA,
            # What was published must not be lost by a crash of the server, whatever the
            # database's own setting is.
            "synchronous_commit": "on",
        }
        # Not when connecting: a pooler refuses there what it does not know, or leaves it out.
        await connection.execute(
            "SELECT set_config(name, value, false)"
            " FROM unnest($1::text[], $2::text[]) AS setting (name, value)",
            list(settings),
            list(settings.values()),
        )
        await migrate(connection)

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
