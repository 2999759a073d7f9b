"""At no moment is anything shown that another owns, nor is anything nobody's for long.

Answers of the database come late, sessions are lost in the middle of anything, replicas come and
go.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from exporter.storage.postgres.ownership import BEATS_UNTIL_DEAD
from exporter.storage.postgres.session import Session
from tests.postgres import PostgresServer, postgres_server
from tests.storage.test_ownership import ACCOUNTS, BEAT, Replica

pytestmark = pytest.mark.integration

LASTS = 8.0
"""Seconds of trouble."""
LATE = (0.1 * BEAT, BEAT / 2, 1.5 * BEAT, BEATS_UNTIL_DEAD * BEAT)
"""How long an answer may be on its way, up to what makes a replica dead to the others."""


class AnyReplica(Replica):
    """Hides at once what it gives up, and takes its time for everything."""

    async def take(self, account: str) -> None:
        await asyncio.sleep(random.choice([0, 0.001, 0.01]))
        self.polled.add(account)
        self.remembered.add(account)

    async def give_up(self, account: str) -> None:
        self.remembered.discard(account)
        await asyncio.sleep(random.choice([0, 0.01]))
        self.polled.discard(account)

    def _lost(self) -> None:
        self.ownership.lost()

    def owned(self) -> set[str]:
        return self.polled & self.ownership.epochs.keys()

    def shown_at_a_scrape(self) -> set[str]:
        return self.remembered & self.shown()


class AnyFleet:
    """Replicas, of which each can be befallen by anything."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.replicas: list[AnyReplica] = []
        self.faults: list[str] = []
        self._begun = 0

    def begin(self) -> None:
        self._begun += 1
        one = AnyReplica(self.url, f"replica {self._begun}", {})
        one.ownership.start()
        self.replicas.append(one)

    async def watch(self) -> None:
        while True:
            for one in self.replicas:
                for other in self.replicas:
                    if one is not other:
                        both = one.shown_at_a_scrape() & other.ownership.epochs.keys()
                        self.faults += (f"{one.name} shows {each} of {other.name}" for each in both)
            await asyncio.sleep(0.005)

    async def befall(self) -> None:
        one = random.choice(self.replicas)
        ways = (self.cut, self.cut, self.stop_reading, self.end_all_sessions, self.kill, self.drain)
        await random.choice(ways)(one)

    async def cut(self, one: AnyReplica) -> None:
        if one.session._connection is not None:
            one.cut_off()

    async def stop_reading(self, one: AnyReplica) -> None:
        connection = one.session._connection
        if connection is not None and not connection.is_closed():
            transport = connection._transport
            transport.pause_reading()
            asyncio.get_running_loop().call_later(random.choice(LATE), transport.resume_reading)

    async def end_all_sessions(self, _: AnyReplica) -> None:
        connection = await asyncpg.connect(self.url)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'itnio-exporter%' AND datname = current_database()"
        )
        await connection.close()

    async def kill(self, one: AnyReplica) -> None:
        self.replicas.remove(one)
        loop = one.ownership._loop
        assert loop is not None
        loop.cancel()
        if one.session._connection is not None:
            one.session._connection.terminate()
        self.begin()

    async def drain(self, one: AnyReplica) -> None:
        await one.ownership.drain()
        await one.session.close()
        self.replicas.remove(one)
        self.begin()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@asynccontextmanager
async def running(url: str) -> AsyncIterator[AnyFleet]:
    fleet = AnyFleet(url)
    for _ in range(4):
        fleet.begin()
    watch = asyncio.create_task(fleet.watch())
    try:
        yield fleet
    finally:
        watch.cancel()
        for one in fleet.replicas:
            await one.ownership.drain()
            await one.session.close()


def answering_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database be reached late, answer late, or its answer be read late."""
    use = Session.use

    async def late(share: float) -> None:
        if random.random() < share:
            await asyncio.sleep(random.choice(LATE))

    async def use_late(
        session: Session, work: Callable[[asyncpg.Connection], Awaitable[object]]
    ) -> object:
        async def work_late(connection: asyncpg.Connection) -> object:
            result = await work(connection)
            await late(0.1)
            return result

        await late(0.3)
        result = await use(session, work_late)
        await late(0.1)
        return result

    monkeypatch.setattr(Session, "use", use_late)


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_shown_that_another_owns_nor_left_to_nobody(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random.seed(seed)
    async with running(server.database()) as fleet:
        with monkeypatch.context() as patched:
            answering_late(patched)
            ends = time.monotonic() + LASTS
            while time.monotonic() < ends:
                await asyncio.sleep(random.uniform(BEAT / 4, 2 * BEAT))
                await fleet.befall()
        async with asyncio.timeout(10 * BEAT + 5):
            while sum(len(one.owned()) for one in fleet.replicas) < len(ACCOUNTS):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert {each for one in fleet.replicas for each in one.owned()} == set(ACCOUNTS)
        assert fleet.faults == []
