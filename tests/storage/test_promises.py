"""What both stores promise: SQLite in a folder, and PostgreSQL that replicas share."""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.storage import Changes, State, StorageError, ThreadedStore
from tests.postgres import PostgresServer, postgres_server
from tests.storage.states import a_change, changes, total
from tests.storage.test_shared_store import Observed, Replica
from tests.storage.test_store import as_kept, as_read

pytestmark = pytest.mark.integration

examples = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Kept(Protocol):
    """A store as the books see it."""

    async def load(self, account: str, app: str) -> State: ...
    async def commit(self, changes: Sequence[Changes]) -> None: ...


class Place(Protocol):
    """Where stores are: empty at first, and what one leaves the next one finds."""

    def empty(self) -> AbstractAsyncContextManager[None]: ...
    def store(self, accounts: Collection[str]) -> AbstractAsyncContextManager[Kept]: ...


class Folder:
    """SQLite."""

    def __init__(self) -> None:
        self._path = Path()

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[None]:
        with TemporaryDirectory() as folder:
            self._path = Path(folder)
            yield

    @asynccontextmanager
    async def store(self, accounts: Collection[str]) -> AsyncIterator[Kept]:  # noqa: ARG002
        store = ThreadedStore(self._path, Observed())
        yield store
        await store.close()


class Database:
    """PostgreSQL; each store is another replica, which takes the accounts over."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._epoch = 0

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[None]:
        one = Replica(self._url)

        async def empty(connection: asyncpg.Connection) -> None:
            await connection.execute("TRUNCATE apps, scripts, tasks, totals, accounts")

        await one.session.use(empty)
        await one.store.close()
        yield

    @asynccontextmanager
    async def store(self, accounts: Collection[str]) -> AsyncIterator[Kept]:
        one = Replica(self._url)
        self._epoch += 1
        for account in accounts:
            await one.own(account, self._epoch)
        yield one.store
        await one.store.close()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, server: PostgresServer) -> Place:
    return Folder() if request.param == "SQLite" else Database(server.database())


@examples
@given(change=changes())
async def test_any_state_comes_back(place: Place, change: Changes) -> None:
    async with place.empty():
        async with place.store([change.account]) as store:
            await store.commit([change])
        async with place.store([change.account]) as store:
            found = await store.load(change.account, change.app)
    *rest, totals = as_read(found)
    assert rest == list(as_kept(change)[:-1])
    assert isinstance(totals, dict)
    # Whole amounts of money come back as whole numbers, which add up to the same.
    assert {key: value[::2] for key, value in totals.items()} == {
        row.series: (row.total, row.introduced) for row in change.totals
    }


@examples
@given(first=changes(), second=changes())
async def test_apps_are_kept_apart(place: Place, first: Changes, second: Changes) -> None:
    async with place.empty(), place.store({first.account, second.account}) as store:
        await store.commit([first, second])
        found = await store.load(second.account, second.app)
        other = await store.load(first.account, first.app)
    assert found.records.keys() >= second.records.keys()
    if (first.account, first.app) != (second.account, second.app):
        assert as_read(found)[3:6] == as_kept(second)[3:6]
        assert as_read(other)[3:6] == as_kept(first)[3:6]


@examples
@given(units=st.integers(0, 10**40))
async def test_money_is_kept_to_the_last_of_18_places(place: Place, units: int) -> None:
    amount = Decimal(units).scaleb(-18)
    async with place.empty(), place.store(["a"]) as store:
        await store.commit([a_change(total=amount)])
        assert total(await store.load("a", "")) == amount


async def test_an_app_that_was_never_stored_is_empty(place: Place) -> None:
    async with place.empty(), place.store([]) as store:
        assert await store.load("nobody", "nothing") == State()


async def test_a_later_commit_writes_over_an_earlier_one(place: Place) -> None:
    async with place.empty(), place.store(["a"]) as store:
        await store.commit([a_change(1, 2, total=1)])
        for _ in range(2):  # nobody can tell whether the first got through: it is said again
            await store.commit([a_change(2, 3, total=Decimal("2.5"))])
        state = await store.load("a", "")
    assert sorted(state.records) == [1, 2, 3]
    assert total(state) == Decimal("2.5")


async def test_many_tasks_come_and_go(place: Place) -> None:
    async with place.empty(), place.store(["a"]) as store:
        await store.commit([a_change(*range(25_000), scripts=50)])
        change = a_change(total=7, scripts=60)
        await store.commit([replace(change, records=dict.fromkeys(range(1, 25_000)))])
        state = await store.load("a", "")
    assert list(state.records) == [0]
    assert state.scripts == [str(number) for number in range(60)]
    assert total(state) == 7


async def test_a_commit_is_all_or_nothing(place: Place) -> None:
    broken = replace(a_change(3, account="b"), records={3: b"", 2**63: b""})
    async with place.empty(), place.store(["a", "b"]) as store:
        await store.commit([a_change(1, total=1)])
        with pytest.raises(StorageError):
            await store.commit([a_change(1, 2, total=2), broken])
        assert as_read(await store.load("a", "")) == as_kept(a_change(1, total=1))
        assert await store.load("b", "") == State()
