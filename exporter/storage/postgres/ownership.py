"""Which accounts this replica polls: each account is polled by exactly one replica.

Replicas tell each other by a heartbeat that they live. Of those that do, every account has one that
it belongs to by rendezvous hashing, so that a replica that comes or goes moves its own share and no
more. Whoever an account belongs to takes it as soon as its lock is free; who holds one that belongs
to another gives it up, a few at each beat.
"""

import asyncio
import contextlib
import hashlib
import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import asyncpg
import structlog

from exporter.storage.model import StorageError
from exporter.storage.postgres import roll
from exporter.storage.postgres.session import Session

_GIVEN_UP_AT_ONCE: Final = 0.1
"""Of the accounts that are held, at one beat; at least one."""
BEATS_UNTIL_DEAD: Final = 3
_LONGEST_FAREWELL: Final = 1.0
"""Seconds for telling the others that all is theirs: a process that is told to end has five."""

log = structlog.get_logger("ownership")


def owner(account: str, replicas: Collection[str]) -> str | None:
    """Return which of the replicas an account belongs to; None where there are none."""

    def weight(replica: str) -> bytes:
        return hashlib.blake2b(f"{account}\0{replica}".encode(), digest_size=8).digest()

    return max(replicas, key=weight, default=None)


class Hands(Protocol):
    """What is done with an account that comes or goes."""

    async def take(self, account: str) -> None:
        """Poll an account from now on; one that rests goes on from where it was."""

    async def rest(self) -> None:
        """Stop polling everything, and remember it all: it may be ours again in a moment."""

    async def give_up(self, account: str) -> None:
        """Stop polling an account, and forget it."""


@dataclass(frozen=True, slots=True)
class _View:
    alive: list[str]
    epochs: dict[str, int]
    """Those in force of the accounts that rest."""


class Ownership:
    """The accounts of one replica.

    ``beat`` is in seconds; ``accounts`` gives all there are; ``failed`` is told the reason of each
    beat that failed. ``session`` must be given up after ``BEATS_UNTIL_DEAD`` beats of silence, and
    tell ``lost`` when it is.
    """

    def __init__(
        self,
        session: Session,
        replica: str,
        accounts: Callable[[], Sequence[str]],
        hands: Hands,
        *,
        beat: float,
        failed: Callable[[str], None] = lambda _: None,
        answered: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.epochs: dict[str, int] = {}
        """The accounts that are owned, each with the epoch that says so."""
        self.failure: StorageError | None = None
        """Why nobody can tell which accounts are owned, at present."""
        self._session = session
        self._replica = replica
        self._member = roll.Member(replica, beat * BEATS_UNTIL_DEAD)
        self._accounts = accounts
        self._hands = hands
        self._beat = beat
        self._patience = beat * BEATS_UNTIL_DEAD
        self._failed = failed
        self._answered = answered
        self._monotonic = monotonic
        self._locked: set[str] = set()
        """What this session holds the locks of."""
        self._kept: dict[str, int] = {}
        """What the hands remember, polled or at rest, each as of which epoch."""
        self._polled: set[str] = set()
        self._lost = False
        self._told_at = -math.inf
        """When the others were last told that this replica lives."""
        self._shown_until: dict[str, float] = {}
        """Until when no other can be polling what was owned in a session that is lost."""
        self._alive: list[str] = []
        """Who lived when that was last asked."""
        self._awaited: set[str] = set()
        """Who lived before a session was lost, and is given time to come back for its own."""
        self._considerate_until = -math.inf
        self._gave_at = -math.inf
        self._woken = asyncio.Event()
        self._listening: asyncpg.Connection | None = None
        self._loop: asyncio.Task[None] | None = None

    def lost(self) -> None:
        """Take note that nothing is locked any more: from now on nothing is committed."""
        # To tell the others once more does not move this: by then they may have taken it.
        self._shown_until.update(dict.fromkeys(self.epochs, self._told_at + self._patience))
        self.epochs.clear()
        self._locked.clear()
        self._lost = True
        self._listening = None
        if not self._is_considerate():
            self._awaited.clear()
        self._awaited.update(self._alive)
        self._considerate_until = math.inf
        self.wake()

    def may_show(self, account: str) -> bool:
        """Whether nobody else can be polling an account, as far as it was ours."""
        self._session.give_up_if_silent()
        until = self._shown_until.get(account, -math.inf)
        return account in self.epochs or self._monotonic() <= until

    def owns(self, account: str) -> bool:
        """Whether an account is to be polled here."""
        return account in self.epochs

    def wake(self) -> None:
        """Look at once who owns what, instead of at the next beat."""
        self._woken.set()

    def start(self) -> None:
        """Beat from now on."""
        self._loop = asyncio.create_task(self._run(), name="ownership")

    async def beat(self) -> None:
        """Tell that this replica lives, and give and take what the others' lives ask for."""
        if self._lost:
            self._lost = False
            self._polled.clear()
            await self._hands.rest()
        try:
            view = await self._look()
            await self._give_up_what_is_not_ours(view)
            await self._claim_what_is_ours(view)
            await self._poll_what_is_ours()
        except StorageError as error:
            if self.failure is None:
                log.error("nobody can tell which accounts are ours", error=str(error))  # noqa: TRY400
            self.failure = error
            self._failed(error.reason)
            return
        self._answered()
        if self.failure is not None:
            log.info("accounts are owned again", accounts=len(self.epochs))
        self.failure = None

    async def drain(self) -> None:
        """Give everything to the others, at once; where they cannot be told, they find out."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        await self._let_go({*self.epochs, *self._kept})
        with contextlib.suppress(StorageError, TimeoutError):
            async with asyncio.timeout(_LONGEST_FAREWELL):
                await self._session.use(self._member.leave)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self.beat()
            except Exception:
                log.exception("a fault in owning accounts")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._beat):
                    await self._woken.wait()

    def _is_considerate(self) -> bool:
        return self._monotonic() < self._considerate_until

    async def _look(self) -> _View:
        begun = self._monotonic()
        view = await self._session.use(self._tell_and_look)
        self._told_at = begun
        self._alive = view.alive
        if self._considerate_until == math.inf:
            # Where the server was away for all, the others come back as well, each for its own.
            self._considerate_until = self._monotonic() + self._patience
        return view

    async def _tell_and_look(self, connection: asyncpg.Connection) -> _View:
        if self._listening is not connection:
            await connection.add_listener(roll.CHANNEL, self._told)
            self._listening = connection
        alive = await self._member.tell(connection)
        resting = [account for account in self._kept if account not in self.epochs]
        return _View(alive, await roll.epochs(connection, resting))

    def _told(self, _connection: object, _process: int, _channel: str, replica: object) -> None:
        # What is told by ourselves is no news, and what is given up gently would go at once.
        if replica != self._replica:
            self.wake()

    async def _give_up_what_is_not_ours(self, view: _View) -> None:
        ours = self._ours(view)
        await self._let_go(
            {
                account
                for account, epoch in self._kept.items()
                if account not in self.epochs
                and (account not in ours or view.epochs.get(account) != epoch)
            }
        )
        surplus = [account for account in self._locked if account not in ours]
        known = set(self._accounts())
        # What is configured no more is nobody's, and need not go gently.
        leaving = [each for each in surplus if each not in known]
        leaving += [each for each in surplus if each in known][: self._given_up_at_once()]
        if leaving:
            self._gave_at = self._monotonic()
            await self._let_go(leaving)
        # Also what is recorded as ours and is not: what was at rest, or whose claim was not heard
        # of. As long as this replica lives, nobody else would take it.
        held = {*self.epochs, *self._kept, *self._locked} - set(leaving)
        await self._session.use(lambda found: self._member.give_up(found, leaving, held))
        self._locked.difference_update(leaving)
        if leaving:
            log.info("gave up accounts", accounts=len(leaving), held=len(self.epochs))

    def _given_up_at_once(self) -> int:
        """Return how many accounts may go now: none where the last ones have only just gone.

        Those who are told of what is given up look at once, and would all give and tell in turn.
        """
        if self._monotonic() - self._gave_at < self._beat:
            return 0
        return max(1, math.ceil(len(self._locked) * _GIVEN_UP_AT_ONCE))

    async def _let_go(self, accounts: Collection[str]) -> None:
        """Stop polling accounts and forget them; their locks are given up by the caller."""
        gone = await asyncio.gather(*map(self._hands.give_up, accounts), return_exceptions=True)
        for account, fault in zip(accounts, gone, strict=True):
            if isinstance(fault, Exception):
                log.error("a fault in giving up an account", account=account, exc_info=fault)
            self.epochs.pop(account, None)
            self._kept.pop(account, None)
            self._shown_until.pop(account, None)
            self._polled.discard(account)

    async def _claim_what_is_ours(self, view: _View) -> None:
        missing = [account for account in self._ours(view) if account not in self.epochs]
        if not missing:
            return
        claimed = await self._session.use(lambda found: self._claim(found, missing))
        # Another has counted since: what is remembered here is out of date.
        await self._let_go(
            {each for each, epoch in claimed.items() if self._kept.get(each, epoch) != epoch}
        )
        if not self._lost:
            self.epochs.update(claimed)
        if claimed:
            log.info("took accounts", accounts=len(claimed), held=len(self.epochs))

    async def _claim(
        self, connection: asyncpg.Connection, missing: Sequence[str]
    ) -> dict[str, int]:
        """Return the accounts whose locks were free, each with its epoch, which is in force now."""
        claimed: dict[str, int] = {}
        # After an outage nobody is alive: those who were there before are waited for.
        awaited = self._awaited if self._is_considerate() else ()
        for account in await self._member.free(connection, missing, awaited):
            if account not in self._locked:
                if not await roll.lock(connection, account):
                    continue
                if connection.is_closed():
                    # The answer came, and the session was given up before it could be read.
                    break
                self._locked.add(account)
            epoch = await self._member.claim(connection, account, self._kept.get(account), awaited)
            if epoch is None:
                await roll.unlock(connection, account)
                self._locked.discard(account)
            else:
                claimed[account] = epoch
        return claimed

    async def _poll_what_is_ours(self) -> None:
        """Have the hands take what they have not taken yet, or could not."""
        for account, epoch in list(self.epochs.items()):
            if account in self._polled:
                continue
            if self.epochs.get(account) != epoch:
                return  # the session was lost meanwhile, and everything with it
            self._kept[account] = epoch
            try:
                await self._hands.take(account)
            except Exception:
                log.exception("a fault in taking an account", account=account)
                continue  # at the next beat once more
            self._polled.add(account)
            if self._monotonic() - self._told_at > self._beat:
                # What is large takes its time to load, and others may have come or gone.
                self.wake()
                return

    def _ours(self, view: _View) -> set[str]:
        return {each for each in self._accounts() if owner(each, view.alive) == self._replica}
