"""The store that replicas share keeps the same promises, on a real PostgreSQL."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from exporter.storage import State, StorageError
from exporter.storage.postgres.schema import MIGRATIONS, SCHEMA
from exporter.storage.postgres.session import Session
from exporter.storage.postgres.store import SharedStore
from tests.postgres import PostgresServer, postgres_server
from tests.storage.states import a_change
from tests.storage.test_store import as_kept, as_read

pytestmark = pytest.mark.integration


@dataclass
class Observed:
    """What the store told."""

    sizes: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def store_committed(self, seconds: float, size: int) -> None:
        assert seconds >= 0
        self.sizes.append(size)

    def store_failed(self, reason: str) -> None:
        self.failures.append(reason)


@dataclass
class Replica:
    """A store over a database, with the accounts that are said to be its own."""

    url: str
    epochs: dict[str, int] = field(default_factory=dict)
    observed: Observed = field(default_factory=Observed)
    lost: int = 0

    def __post_init__(self) -> None:
        self.session = Session(self.url, silence=5, lost=self._lost)
        self.store = SharedStore(self.session, self.epochs, self.observed)

    def _lost(self) -> None:
        self.lost += 1

    async def own(self, account: str, epoch: int = 1) -> None:
        async def write(connection: asyncpg.Connection) -> None:
            await connection.execute(
                "INSERT INTO accounts (account, epoch, replica) VALUES ($1, $2, 'a')"
                " ON CONFLICT (account) DO UPDATE SET epoch = excluded.epoch",
                account.replace("\\", "\\\\").replace("\0", "\\0"),
                epoch,
            )

        await self.session.use(write)
        self.epochs[account] = epoch


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
async def replica(server: PostgresServer) -> AsyncIterator[Replica]:
    one = Replica(server.database())
    yield one
    await one.store.close()


async def test_a_commit_is_all_or_nothing(replica: Replica) -> None:
    for account in ("a", "b"):
        await replica.own(account)
    await replica.store.commit([a_change(1, total=1)])
    del replica.epochs["b"]
    with pytest.raises(StorageError) as refused:
        await replica.store.commit([a_change(1, 2, total=2), a_change(3, account="b")])
    assert refused.value.reason == "not_owned"
    assert as_read(await replica.store.load("a", "")) == as_kept(a_change(1, total=1))
    assert await replica.store.load("b", "") == State()


async def test_nobody_writes_over_a_successor(server: PostgresServer) -> None:
    url = server.database()
    first, second = Replica(url), Replica(url)
    await first.own("a", epoch=1)
    await first.store.commit([a_change(1, total=1)])
    await second.own("a", epoch=2)
    await second.store.commit([a_change(2, total=Decimal("2.5"))])
    with pytest.raises(StorageError, match="another replica has taken over account a"):
        await first.store.commit([a_change(1, total=9)])
    assert [row.total for row in (await second.store.load("a", "")).totals] == [Decimal("2.5")]
    assert first.observed.failures == ["not_owned"]
    await first.store.close()
    await second.store.close()


async def test_without_the_server_it_says_so_and_goes_on_afterwards() -> None:
    with postgres_server() as server:
        one = Replica(server.database())
        await one.own("a")
        await one.store.commit([a_change(1, total=1)])
        server.stop("immediate")
        for _ in range(2):
            with pytest.raises(StorageError, match=r"127\.0\.0\.1.*polling goes on") as failed:
                await one.store.commit([a_change(2, total=2)])
            assert failed.value.reason == "unreachable"
            assert "pa" + " ss" not in str(failed.value)
        assert one.lost == 1
        server.start()
        await one.store.commit([a_change(2, total=2)])
        assert [row.total for row in (await one.store.load("a", "")).totals] == [2]
        assert sorted((await one.store.load("a", "")).records) == [1, 2]
        await one.store.close()


async def test_a_wrong_password_is_told_without_it(server: PostgresServer) -> None:
    one = Replica(server.database().replace("pa%20ss", "geheim"))
    with pytest.raises(StorageError, match="see user, password") as refused:
        await one.store.load("a", "")
    assert refused.value.reason == "refused"
    assert "geheim" not in str(refused.value)


async def test_two_that_begin_at_once_create_the_tables_once(server: PostgresServer) -> None:
    url = server.database()
    many = [Replica(url) for _ in range(4)]
    for one in many:
        assert await one.store.load("a", "") == State()
    connection = await asyncpg.connect(url)
    version = await connection.fetchval(f"SELECT version FROM {SCHEMA}.version")
    assert version == len(MIGRATIONS)
    await connection.execute(f"UPDATE {SCHEMA}.version SET version = {version + 1}")
    await connection.close()
    for one in many:
        await one.store.close()
    with pytest.raises(StorageError, match="newer version") as refused:
        await Replica(url).store.load("a", "")
    assert refused.value.reason == "newer"


async def lock(connection: asyncpg.Connection) -> bool:
    got: bool = await connection.fetchval("SELECT pg_try_advisory_lock(1)")
    return got


async def wait_for_lock(connection: asyncpg.Connection) -> None:
    await connection.execute("SET lock_timeout = '4s'")
    await connection.execute("SELECT pg_advisory_lock(1)")


async def test_what_is_silent_for_long_is_given_up_by_the_server(server: PostgresServer) -> None:
    url = server.database()
    noticed: list[bool] = []
    stopped = Session(url, silence=1, lost=lambda: noticed.append(True))
    other = Session(url, silence=5)

    assert await stopped.use(lock)
    assert not await other.use(lock)
    await other.use(wait_for_lock)
    # The one that was silent knows, or learns at its next word.
    with contextlib.suppress(StorageError):
        assert not await stopped.use(lock)
    assert noticed == [True]
    await stopped.close()
    await other.close()


@pytest.mark.parametrize(
    "busy",
    [
        pytest.param("SELECT pg_sleep(30)", id="at work"),
        pytest.param("SELECT repeat('x', 1000000) FROM generate_series(1, 200)", id="sending"),
    ],
)
async def test_what_was_stopped_in_the_middle_of_an_exchange_holds_nothing(
    server: PostgresServer, busy: str
) -> None:
    url = server.database()
    stopped, other = Session(url, silence=1), Session(url, silence=5)

    assert await stopped.use(lock)
    connection = stopped._connection
    assert connection is not None
    exchange = asyncio.ensure_future(connection.execute(busy))
    await asyncio.sleep(0.05)
    # As SIGSTOP: the connection stands, and what the server sends is not read.
    connection._transport.pause_reading()
    await other.use(wait_for_lock)
    connection.terminate()
    await asyncio.gather(exchange, return_exceptions=True)
    await stopped.close()
    await other.close()


async def test_what_a_session_promises_is_set_through_a_pooler_too(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = asyncpg.connect

    async def pooled(url: str, **options: Any) -> asyncpg.Connection:
        # As PgBouncer: refused at the door, or ignored, is what it does not know itself.
        assert set(options.pop("server_settings")) <= {"application_name"}
        return await connect(url, **options)

    async def settings(connection: asyncpg.Connection) -> list[str]:
        names = ("idle_session_timeout", "tcp_user_timeout", "synchronous_commit", "search_path")
        return [await connection.fetchval("SELECT current_setting($1)", each) for each in names]

    monkeypatch.setattr(asyncpg, "connect", pooled)
    session = Session(server.database(), silence=1.5)
    assert await session.use(settings) == ["1500ms", "1500", "on", SCHEMA]
    await session.close()
