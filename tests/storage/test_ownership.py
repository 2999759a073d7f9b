"""Each account is one replica's: whoever comes, goes, dies or is cut off."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.storage.model import Database
from exporter.storage.postgres.ownership import BEATS_UNTIL_DEAD, Ownership, owner
from exporter.storage.postgres.roll import key
from exporter.storage.postgres.session import Session
from exporter.storage.postgres.share import Share
from tests.fleet.wire import Proxy, Wire
from tests.postgres import PostgresServer, postgres_server

pytestmark = pytest.mark.integration

ACCOUNTS = [f"account {number}" for number in range(40)]
BEAT = 0.2


@given(
    st.lists(st.text(max_size=9), unique=True),
    st.sets(st.text(max_size=9), min_size=2, max_size=6),
    st.data(),
)
def test_who_leaves_moves_only_its_own_accounts(
    accounts: list[str], replicas: set[str], data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(sorted(replicas)))
    for account in accounts:
        before, after = owner(account, replicas), owner(account, replicas - {gone})
        assert before in replicas
        assert after in replicas - {gone}
        if before != gone:
            assert after == before


def test_nobody_owns_anything_where_there_is_nobody() -> None:
    assert owner("a", []) is None


def test_accounts_are_spread_evenly() -> None:
    replicas = [f"host-{number}" for number in range(4)]
    share = Counter(owner(f"account {number}", replicas) for number in range(4000))
    assert set(share) == set(replicas)
    assert max(share.values()) < 1.15 * 1000


class Replica:
    """An owner of accounts, and what its hands hold. Never two hold an account at a time."""

    held_by_all: dict[str, str]

    def __init__(self, url: str, name: str, held_by_all: dict[str, str]) -> None:
        self.held_by_all = held_by_all
        self.name = name
        self.polled: set[str] = set()
        self.remembered: set[str] = set()
        self.accounts = list(ACCOUNTS)
        self.given_up = 0
        self.session = Session(url, silence=BEAT * BEATS_UNTIL_DEAD, lost=self._lost)
        self.ownership = Ownership(self.session, name, lambda: self.accounts, self, beat=BEAT)

    def _lost(self) -> None:
        self.ownership.lost()
        # From now on nothing is committed here, so that others may.
        for account in self.polled:
            self.held_by_all.pop(account, None)

    async def take(self, account: str) -> None:
        assert self.held_by_all.setdefault(account, self.name) == self.name
        self.polled.add(account)
        self.remembered.add(account)

    async def rest(self) -> None:
        self.polled.clear()

    async def give_up(self, account: str) -> None:
        if self.held_by_all.get(account) == self.name:
            del self.held_by_all[account]
        self.polled.discard(account)
        self.remembered.discard(account)
        self.given_up += 1

    def shown(self) -> set[str]:
        return {each for each in ACCOUNTS if self.ownership.may_show(each)}

    def cut_off(self) -> None:
        """As the network does: not a word gets through, and nobody is told."""
        connection = self.session._connection
        assert connection is not None
        connection._transport.pause_reading()
        connection._transport.abort()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


class Fleet:
    """Replicas over one database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.held: dict[str, str] = {}
        self._numbers = itertools.count()

    def replica(self) -> Replica:
        one = Replica(self.url, f"replica {next(self._numbers)}", self.held)
        one.ownership.start()
        return one


async def until(seconds: float, *replicas: Replica, accounts: int = len(ACCOUNTS)) -> None:
    """Wait until these replicas have all accounts among them, each one of them only."""
    async with asyncio.timeout(seconds):
        while sum(len(one.polled) for one in replicas) != accounts:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    names = [account for one in replicas for account in one.polled]
    assert len(set(names)) == len(names)


@pytest.fixture
async def fleet(server: PostgresServer) -> AsyncIterator[tuple[Fleet, AsyncExitStack]]:
    fleet = Fleet(server.database())
    async with AsyncExitStack() as stack:
        yield fleet, stack


def begun(place: tuple[Fleet, AsyncExitStack]) -> Replica:
    fleet, stack = place
    one = fleet.replica()

    async def end() -> None:
        await one.ownership.drain()
        await one.session.close()

    stack.push_async_callback(end)
    return one


def reason_of(one: Replica) -> str | None:
    return one.ownership.failure.reason if one.ownership.failure else None


async def test_one_has_all_and_shares_with_who_comes(fleet: tuple[Fleet, AsyncExitStack]) -> None:
    first = begun(fleet)
    await until(5, first)
    second = begun(fleet)
    names = {one.name for one in (first, second)}

    def settled() -> bool:
        return all(
            one.polled == {each for each in ACCOUNTS if owner(each, names) == one.name}
            for one in (first, second)
        )

    async with asyncio.timeout(10):
        while not settled():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert min(len(first.polled), len(second.polled)) > 10


async def test_what_is_shared_goes_gently(fleet: tuple[Fleet, AsyncExitStack]) -> None:
    first = begun(fleet)
    await until(5, first)
    second = begun(fleet)
    await asyncio.sleep(BEAT)
    # A tenth of what is held at each beat.
    assert first.given_up <= 2 * 4
    await until(10, first, second)


async def test_who_leaves_hands_over_at_once(fleet: tuple[Fleet, AsyncExitStack]) -> None:
    first, second = begun(fleet), begun(fleet)
    await until(10, first, second)
    await first.ownership.drain()
    assert first.polled == set()
    await until(BEAT, second)


async def test_who_is_silent_is_followed(fleet: tuple[Fleet, AsyncExitStack]) -> None:
    first, second = begun(fleet), begun(fleet)
    await until(10, first, second)
    # As SIGSTOP: no beat any more, and the connection stands.
    loop = first.ownership._loop
    assert loop is not None
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    had = set(first.polled)
    async with asyncio.timeout(BEAT * (BEATS_UNTIL_DEAD + 2) + 2):
        while not had <= second.polled:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert second.polled == set(ACCOUNTS)
    # When it wakes, it knows that nothing is its own, and gets its share back gently.
    assert not first.ownership.epochs
    first.ownership.start()
    await until(10, first, second)


async def test_who_is_cut_off_for_a_moment_goes_on(fleet: tuple[Fleet, AsyncExitStack]) -> None:
    only = begun(fleet)
    await until(5, only)
    epochs = dict(only.ownership.epochs)
    only.cut_off()
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        while only.ownership.epochs != epochs:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await until(5, only)
    # Nobody had them meanwhile, so that nothing was forgotten.
    assert only.given_up == 0


async def test_accounts_come_and_go_with_the_configuration(
    fleet: tuple[Fleet, AsyncExitStack],
) -> None:
    first, second = begun(fleet), begun(fleet)
    await until(10, first, second)
    for one in (first, second):
        one.accounts = [*ACCOUNTS[5:], "new"]
        one.ownership.wake()
    await until(5, first, second, accounts=len(ACCOUNTS) - 4)
    assert "new" in first.polled | second.polled
    assert not set(ACCOUNTS[:5]) & (first.polled | second.polled)


async def test_without_the_database_nothing_is_polled_and_later_nothing_shown() -> None:
    with postgres_server() as server:
        url = server.database()
        one = Fleet(url).replica()
        await until(5, one)
        server.stop("immediate")
        async with asyncio.timeout(BEAT * BEATS_UNTIL_DEAD + 5):
            while one.polled or one.shown():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert one.remembered == set(ACCOUNTS)
        assert reason_of(one) == "unreachable"
        server.start()
        await until(10, one)
        assert one.shown() == set(ACCOUNTS)
        assert one.given_up == 0
        assert reason_of(one) is None
        await one.ownership.drain()
        connection = await asyncpg.connect(url)
        left = await connection.fetchval("SELECT count(*) FROM itnio_exporter.replicas")
        await connection.close()
        assert left == 0
        await one.session.close()


async def test_a_session_that_is_lost_again_at_rest_leaves_nothing_at_rest(
    fleet: tuple[Fleet, AsyncExitStack],
) -> None:
    only = begun(fleet)
    await until(5, only)
    rest = only.rest

    async def rest_and_lose_again() -> None:
        await rest()
        only.rest = rest  # type: ignore[method-assign]

        async def nothing(_: asyncpg.Connection) -> None: ...

        # As the commit of a poll that is being stopped does.
        await only.session.use(nothing)
        only.cut_off()
        await asyncio.sleep(0.01)

    only.rest = rest_and_lose_again  # type: ignore[method-assign]
    only.cut_off()
    await asyncio.sleep(BEAT * 5)
    await until(5, only)
    await asyncio.sleep(BEAT * 3)
    assert only.polled == set(ACCOUNTS)


async def test_an_account_that_could_not_be_taken_is_taken_at_the_next_beat(
    fleet: tuple[Fleet, AsyncExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Replica.take
    refused: list[str] = []

    async def take_at_last(self: Replica, account: str) -> None:
        if account == ACCOUNTS[7] and len(refused) < 2:
            refused.append(account)
            raise RuntimeError(account)
        await take(self, account)

    monkeypatch.setattr(Replica, "take", take_at_last)
    await until(5, begun(fleet))
    assert len(refused) == 2


async def test_a_lock_that_was_of_no_use_is_given_up_like_any_other(
    fleet: tuple[Fleet, AsyncExitStack],
) -> None:
    place, _ = fleet
    first = begun(fleet)
    await until(5, first)
    await first.ownership.drain()
    other = await asyncpg.connect(place.url)
    holding = other.transaction()
    await holding.start()
    await other.execute(
        "SELECT 1 FROM itnio_exporter.accounts WHERE account = $1 FOR UPDATE", ACCOUNTS[3]
    )
    second = begun(fleet)
    async with asyncio.timeout(5):
        while second.ownership.failure is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await holding.rollback()
    await until(5, second)
    second.accounts = [each for each in ACCOUNTS if each != ACCOUNTS[3]]
    second.ownership.wake()
    await until(5, second, accounts=len(ACCOUNTS) - 1)
    async with asyncio.timeout(5):
        while not await other.fetchval(  # noqa: ASYNC110
            "SELECT pg_try_advisory_lock($1)", key(ACCOUNTS[3])
        ):
            await asyncio.sleep(0.02)
    await other.close()


async def test_who_was_stopped_shows_nothing_when_it_wakes(
    fleet: tuple[Fleet, AsyncExitStack],
) -> None:
    only = begun(fleet)
    await until(5, only)
    assert only.shown() == set(ACCOUNTS)
    connection = only.session._connection
    assert connection is not None
    # As SIGSTOP: what the server says meanwhile is not read before somebody asks for the figures.
    connection._transport.pause_reading()
    time.sleep(BEAT * (BEATS_UNTIL_DEAD + 1))  # noqa: ASYNC251
    assert not only.shown()
    async with asyncio.timeout(5):
        while only.shown() != set(ACCOUNTS):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await until(5, only)


async def test_nobody_waits_for_a_server_that_is_silent(server: PostgresServer) -> None:
    async with Proxy(server.port) as wire:
        url = server.database().replace(f":{server.port}/", f":{wire.port}/")
        one = Fleet(url).replica()
        await until(5, one)
        wire.become(Wire.SILENT)
        begun_at = time.monotonic()
        await one.ownership.drain()
        await one.session.close()
        assert time.monotonic() - begun_at < 4
        assert one.polled == set()


async def test_what_was_to_move_waits_until_who_lost_it_shows_it_no_more(
    fleet: tuple[Fleet, AsyncExitStack],
) -> None:
    first = begun(fleet)
    await until(5, first)
    # Cut off with most of the accounts still to be handed over: it shows them for a while.
    loop = first.ownership._loop
    assert loop is not None
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    told_at = time.monotonic()
    await first.ownership.beat()
    first.cut_off()
    second = begun(fleet)
    while first.shown():
        assert not second.polled
        await asyncio.sleep(0.01)
    assert time.monotonic() - told_at > BEAT * BEATS_UNTIL_DEAD
    await until(5, second)


async def beating_by_hand(place: tuple[Fleet, AsyncExitStack]) -> Replica:
    """A replica that beats when it is told to."""
    fleet, stack = place
    one = Replica(fleet.url, f"replica {next(fleet._numbers)}", fleet.held)

    async def end() -> None:
        await one.ownership.drain()
        await one.session.close()

    stack.push_async_callback(end)
    return one


async def one_dead_to_another(place: tuple[Fleet, AsyncExitStack]) -> tuple[Replica, Replica]:
    """One that had everything and was cut off for too long, and one that has not looked yet."""
    first, second = await beating_by_hand(place), await beating_by_hand(place)
    await first.ownership.beat()
    first.cut_off()
    await asyncio.sleep(BEAT * (BEATS_UNTIL_DEAD + 0.5))
    return first, second


async def test_who_comes_back_late_shows_only_what_it_has_got_again(
    fleet: tuple[Fleet, AsyncExitStack],
) -> None:
    first, second = await one_dead_to_another(fleet)
    # The other has looked, and finds the first one dead ...
    view = await second.ownership._look()
    # ... which tells that it lives before the other takes what it has seen to be free.
    await first.ownership._look()
    await second.ownership._claim_what_is_ours(view)
    taken = set(second.ownership.epochs)
    assert not taken & first.shown()
    await first.ownership.beat()
    assert first.shown() == set(first.ownership.epochs)
    assert not first.shown() & set(second.ownership.epochs)


async def test_what_was_found_free_is_left_to_who_came_back_and_shows_it(
    fleet: tuple[Fleet, AsyncExitStack],
) -> None:
    first, second = await one_dead_to_another(fleet)
    view = await second.ownership._look()
    await first.ownership.beat()
    assert first.polled
    first.cut_off()
    await asyncio.sleep(BEAT / 2)
    assert first.shown() == first.polled
    await second.ownership._claim_what_is_ours(view)
    assert not first.shown() & set(second.ownership.epochs)


async def test_what_rested_is_not_shown_longer_by_telling_that_one_lives(
    fleet: tuple[Fleet, AsyncExitStack],
) -> None:
    first, second = await beating_by_hand(fleet), await beating_by_hand(fleet)
    await first.ownership.beat()
    told_at = time.monotonic()
    first.cut_off()
    await asyncio.sleep(BEAT)
    await first.ownership._look()
    first.cut_off()
    await asyncio.sleep(told_at + BEAT * (BEATS_UNTIL_DEAD + 0.2) - time.monotonic())
    assert not first.shown()
    await second.ownership.beat()


async def test_what_is_shared_goes_gently_however_many_give(
    fleet: tuple[Fleet, AsyncExitStack],
) -> None:
    old = [begun(fleet) for _ in range(3)]
    await until(10, *old)
    await asyncio.sleep(BEAT * 10)
    await until(10, *old)
    before = [one.given_up for one in old]
    new = begun(fleet)
    async with asyncio.timeout(5):
        while sum(one.given_up for one in old) == sum(before):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(BEAT / 2)
    gone = [one.given_up - was for one, was in zip(old, before, strict=True)]
    # A tenth of some 13 at each beat, though each is told at once of what the others give.
    assert max(gone) <= 2
    await until(10, *old, new)


async def test_after_a_long_outage_each_goes_on_with_its_own() -> None:
    with postgres_server() as server:
        fleet = Fleet(server.database())
        async with AsyncExitStack() as stack:
            place = fleet, stack
            first, second = await beating_by_hand(place), await beating_by_hand(place)
            for _ in range(40):
                await first.ownership.beat()
                await second.ownership.beat()
                await asyncio.sleep(BEAT)
                if len(first.polled) + len(second.polled) == len(ACCOUNTS) and second.polled:
                    names = {first.name, second.name}
                    if first.polled == {e for e in ACCOUNTS if owner(e, names) == first.name}:
                        break
            before = first.given_up, second.given_up
            had = set(first.polled)
            server.stop("immediate")
            ends = time.monotonic() + BEAT * (BEATS_UNTIL_DEAD + 2)
            while time.monotonic() < ends:
                await first.ownership.beat()
                await second.ownership.beat()
                await asyncio.sleep(BEAT)
            assert not first.polled | second.polled
            server.start()
            # The first one is back before the second.
            await first.ownership.beat()
            await second.ownership.beat()
            assert first.polled == had
            assert second.polled == set(ACCOUNTS) - had
            assert (first.given_up, second.given_up) == before


async def test_after_an_outage_nobody_waits_for_who_had_died_before() -> None:
    with postgres_server() as server:
        fleet = Fleet(server.database())
        async with AsyncExitStack() as stack:
            place = fleet, stack
            dead, second = await beating_by_hand(place), await beating_by_hand(place)
            await dead.ownership.beat()
            await asyncio.sleep(BEAT * (BEATS_UNTIL_DEAD + 0.5))
            await second.ownership._look()
            await dead.session.close()
            fleet.held.clear()
            server.stop("immediate")
            server.start()
            while second.ownership.failure is not None or not second.ownership._alive:
                await second.ownership.beat()
            await second.ownership.beat()
            await second.ownership.beat()
            assert second.polled == set(ACCOUNTS)


async def test_a_lock_whose_session_was_given_up_meanwhile_is_not_held(
    fleet: tuple[Fleet, AsyncExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    only = await beating_by_hand(fleet)
    fetchval = asyncpg.Connection.fetchval

    async def answered_and_given_up(
        connection: asyncpg.Connection, query: str, *arguments: object
    ) -> object:
        answer = await fetchval(connection, query, *arguments)
        if "pg_try_advisory_lock" in query:
            # As a scrape does that finds the server silent.
            only.session._give_up()
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.Connection, "fetchval", answered_and_given_up)
        await only.ownership.beat()
    assert not only.ownership._locked
    await only.ownership.beat()
    assert only.polled == set(ACCOUNTS)


async def test_what_was_to_move_when_the_session_was_lost_moves_all_the_same(
    fleet: tuple[Fleet, AsyncExitStack],
) -> None:
    first, second = await beating_by_hand(fleet), await beating_by_hand(fleet)
    await first.ownership.beat()
    await second.ownership.beat()
    # Back before anybody holds it dead, it goes on with its own, and has let go of the rest.
    first.cut_off()
    await asyncio.sleep(BEAT / 4)
    await first.ownership.beat()
    await second.ownership.beat()
    assert first.polled | second.polled == set(ACCOUNTS)
    assert len(second.polled) > 10


async def test_what_was_claimed_without_a_word_of_it_is_nobodys(
    fleet: tuple[Fleet, AsyncExitStack], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await beating_by_hand(fleet), await beating_by_hand(fleet)
    fetchval = asyncpg.Connection.fetchval
    claimed = 0

    async def lost_on_the_way(
        connection: asyncpg.Connection, query: str, *arguments: object
    ) -> object:
        nonlocal claimed
        answer = await fetchval(connection, query, *arguments)
        claimed += "INTO accounts" in query
        if claimed == len(ACCOUNTS):
            first.session._give_up()
            raise ConnectionResetError
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.Connection, "fetchval", lost_on_the_way)
        await first.ownership.beat()
    assert not first.polled
    await second.ownership.beat()
    await first.ownership.beat()
    await second.ownership.beat()
    assert first.polled | second.polled == set(ACCOUNTS)
    assert len(second.polled) > 10


class _NoObserver:
    def store_committed(self, seconds: float, size: int) -> None: ...

    def store_failed(self, reason: str) -> None: ...

    def store_answered(self) -> None: ...


def test_a_machine_that_sleeps_is_silent_for_as_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clocks = {time.CLOCK_MONOTONIC: 100.0, time.CLOCK_BOOTTIME: 100.0}
    monkeypatch.setattr(time, "clock_gettime", clocks.__getitem__)
    url = "postgresql://127.0.0.1:1/itnio"
    hands = Replica(url, "replica", {})
    share = Share(Database(url), lambda: ACCOUNTS, hands, _NoObserver(), interval=15)
    ownership = share._ownership
    ownership._told_at = ownership._monotonic()
    ownership.epochs[ACCOUNTS[0]] = 1
    ownership.lost()
    assert share.may_show(ACCOUNTS[0])
    # What the usual clock has not seen.
    clocks[time.CLOCK_BOOTTIME] += 60
    assert not share.may_show(ACCOUNTS[0])
