"""Passwords against bcrypt hashes: off the event loop, once for each, in bounded memory."""

import asyncio
import hashlib
import hmac
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import bcrypt

from exporter.config.secret import Secret

_LONGEST: Final = 72
"""Bytes of a password that bcrypt looks at; what follows them never mattered anywhere."""
MOST_REFUSED: Final = 256
MOST_WAITING: Final = 64
MOST_WAITING_OF_ONE: Final = 4


class TooManyChecksError(Exception):
    """So many passwords are being checked that this one has to be sent again."""


class Passwords:
    """Checks passwords, one at a time, in a thread of its own.

    What was found out is remembered under a keyed hash, so that no password stays in memory: the
    right ones as long as their users are there, of the wrong ones the latest. A flood of wrong ones
    neither displaces the right ones nor takes more than that thread, and of those that wait for it
    only a few are of one address. An unknown user costs what a known one does: the password is
    checked against the hash of a known one, always the same, and refused whatever comes of it.
    """

    def __init__(self, matches: Callable[[bytes, bytes], bool] = bcrypt.checkpw) -> None:
        self._matches = matches
        self._key = secrets.token_bytes(32)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bcrypt")
        self._accepted: dict[bytes, bytes] = {}
        self._refused: OrderedDict[bytes, None] = OrderedDict()
        self._running: dict[bytes, asyncio.Future[bool]] = {}
        self._waiting: Counter[str] = Counter()

    async def accepts(
        self, users: Mapping[bytes, Secret], user: bytes, password: bytes, client: str
    ) -> bool:
        """Whether this is the user's password; `client` is the address that asks.

        TooManyChecksError where others have to be checked first.
        """
        password = password[:_LONGEST]
        stand_in = self._stand_in(users, user)
        hashed = users.get(user, stand_in).reveal().encode()
        known = user in users
        question = self._digest(user, hashed, password)
        if known and hmac.compare_digest(self._accepted.get(user, b""), question):
            return True
        if question in self._refused:
            self._refused.move_to_end(question)
            return False
        check = self._running.get(question)
        if check is None:
            check = self._begin(question, password, hashed, client)
        # The others who ask the same must not lose their answer with this client.
        right = await asyncio.shield(check) and known
        self._remember(users, user, question, right=right)
        return right

    def close(self) -> None:
        """Check nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _stand_in(self, users: Mapping[bytes, Secret], user: bytes) -> Secret:
        number = int.from_bytes(self._digest(user), "big")
        return list(users.values())[number % len(users)]

    def _digest(self, *parts: bytes) -> bytes:
        content = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._key, content, hashlib.sha256)

    def _begin(
        self, question: bytes, password: bytes, hashed: bytes, client: str
    ) -> asyncio.Future[bool]:
        if len(self._running) >= MOST_WAITING or self._waiting[client] >= MOST_WAITING_OF_ONE:
            raise TooManyChecksError
        loop = asyncio.get_running_loop()
        check = loop.run_in_executor(self._thread, self._matches, password, hashed)
        self._running[question] = check
        self._waiting[client] += 1

        def ended(_: asyncio.Future[bool]) -> None:
            del self._running[question]
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]

        check.add_done_callback(ended)
        return check

    def _remember(
        self, users: Mapping[bytes, Secret], user: bytes, question: bytes, *, right: bool
    ) -> None:
        if right:
            self._accepted = {name: of for name, of in self._accepted.items() if name in users}
            self._accepted[user] = question
            return
        self._refused[question] = None
        while len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)
