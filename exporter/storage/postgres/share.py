"""One replica's share of the accounts: its session, what it owns by it, and the store."""

import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from exporter.storage.model import Database, StorageError
from exporter.storage.observer import Observer
from exporter.storage.postgres.ownership import BEATS_UNTIL_DEAD, Hands, Ownership
from exporter.storage.postgres.session import Session
from exporter.storage.postgres.store import SharedStore

# An account is to be taken over within two intervals: three beats until a replica is dead, one
# until that is seen, and a poll; and once more where the successor dies of the same cause.
_BEATS_IN_AN_INTERVAL: Final = 8
_SHORTEST_BEAT: Final = 0.5
_LONGEST_BEAT: Final = 10.0


def since_boot() -> float:
    """Return seconds on a clock that is never set, and goes on while the machine sleeps.

    The usual one stands still meanwhile, and others do not wait for who sleeps.
    """
    clock: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class SharedObserver(Observer, Protocol):
    """What is told of a store that is used without storing: it is asked who owns what."""

    def store_answered(self) -> None:
        """Take note that the store answers."""


class Share:
    """What one replica has of the accounts. ``interval`` is between two polls, in seconds."""

    def __init__(
        self,
        database: Database,
        accounts: Callable[[], Sequence[str]],
        hands: Hands,
        observer: SharedObserver,
        *,
        interval: float,
    ) -> None:
        replica = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        beat = min(_LONGEST_BEAT, max(_SHORTEST_BEAT, interval / _BEATS_IN_AN_INTERVAL))
        self._session = Session(
            database.url,
            silence=beat * BEATS_UNTIL_DEAD,
            name=replica,
            lost=self._lost,
            monotonic=since_boot,
        )
        self._ownership = Ownership(
            self._session,
            replica,
            accounts,
            hands,
            beat=beat,
            failed=observer.store_failed,
            answered=observer.store_answered,
            monotonic=since_boot,
        )
        self.store = SharedStore(self._session, self._ownership.epochs, observer)

    @property
    def failure(self) -> StorageError | None:
        """Why nobody can tell which accounts are ours, at present."""
        return self._ownership.failure

    def may_show(self, account: str) -> bool:
        """Whether nobody else can be polling an account, as far as it was ours."""
        return self._ownership.may_show(account)

    def owns(self, account: str) -> bool:
        """Whether an account is to be polled here."""
        return self._ownership.owns(account)

    def start(self) -> None:
        """Take what is ours, from now on."""
        self._ownership.start()

    def reconsider(self) -> None:
        """Look at once what is ours: there are other accounts than before."""
        self._ownership.wake()

    async def leave(self) -> None:
        """Hand everything over, at once."""
        await self._ownership.drain()

    def _lost(self) -> None:
        self._ownership.lost()
