"""What PostgreSQL means, in words, and what to do about it."""

from typing import Final

import asyncpg

from exporter.storage.model import StorageError

BROKEN: Final = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what came was no answer: the server's farewell, for one
    OSError,
    TimeoutError,
    EOFError,
)
"""What a connection can fail with that is not to be used any more."""

FAILURES: Final = (asyncpg.PostgresError, *BROKEN)
"""What a statement or a connection can fail with."""

_REMEDIES: Final[tuple[tuple[tuple[type[BaseException], ...], str, str], ...]] = (
    (
        (
            asyncpg.InvalidAuthorizationSpecificationError,
            asyncpg.InvalidCatalogNameError,
        ),
        "refused",
        "see user, password and database of --storage.url",
    ),
    (
        (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError),
        "unwritable",
        "let the role create and write the tables, on the primary server",
    ),
    ((asyncpg.DiskFullError,), "full", "free space on the server's disk"),
    (
        (
            asyncpg.PostgresConnectionError,
            asyncpg.OperatorInterventionError,
            asyncpg.TooManyConnectionsError,
            *BROKEN,
        ),
        "unreachable",
        "polling goes on when it answers again",
    ),
)


def storage_error(error: BaseException, where: str) -> StorageError:
    """Return the StorageError of a failure; ``where`` names the database without its password."""
    text = str(error) or type(error).__name__
    for kinds, reason, remedy in _REMEDIES:
        if isinstance(error, kinds):
            return StorageError(reason, f"{where}: {text}; {remedy}")
    return StorageError("failed", f"{where}: {text}; see the server's log")
