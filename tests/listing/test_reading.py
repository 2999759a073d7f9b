"""The newest tasks, of the right accounts, and no more of the API than that takes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from exporter.api.errors import AuthenticationError
from exporter.config import parse
from exporter.listing.reading import Listing, Wanted, newest_of_all, selections
from exporter.simulator import ApiRules, Order, ScriptedWorld, Simulator, serve
from tests.accounts import config_for
from tests.inspection.accounts import DAY, evenly, record
from tests.virtual_time import VirtualTime


@asynccontextmanager
async def listing(
    time: VirtualTime, world: ScriptedWorld, account: str = ""
) -> AsyncIterator[tuple[Listing, Simulator]]:
    rules = ApiRules(order=Order.RANDOM)
    async with await serve(world, clock=time.now, rules=rules, control=False) as simulator:
        config = config_for(simulator, account=account)
        one = Listing(config.accounts[0], config, clock=time.now, monotonic=time.monotonic)
        async with one:
            yield one, simulator


def ids(found: object) -> list[int]:
    return [each.task.task_id for each in found]  # type: ignore[attr-defined]


async def test_the_newest_come_first_and_the_rest_is_not_asked_for(time: VirtualTime) -> None:
    async with listing(time, evenly(time.now(), offset=0, every=60)) as (one, simulator):
        found = await one.newest(Wanted(time.now() - 7 * DAY, 5))
        assert ids(found) == [1, 2, 3, 4, 5]
        assert simulator.api.log.total == 1


async def test_it_goes_back_as_far_as_it_must_and_no_further(time: VirtualTime) -> None:
    now = round(time.now())
    world = ScriptedWorld(record(n, now - n * 5 * 3600) for n in range(1, 20))
    async with listing(time, world) as (one, _):
        assert ids(await one.newest(Wanted(now - 2 * DAY, 100))) == list(range(1, 10))
        assert ids(await one.newest(Wanted(now - 9 * DAY, 3))) == [1, 2, 3]


async def test_a_task_ahead_of_now_is_seen_too(time: VirtualTime) -> None:
    now = round(time.now())
    async with listing(time, ScriptedWorld([record(1, now + 8 * 3600)])) as (one, _):
        assert ids(await one.newest(Wanted(now - DAY, 10))) == [1]


async def test_search_beside_the_accounts_own(time: VirtualTime) -> None:
    now = round(time.now())
    names = ["red apple", "red pear", "green apple"]
    world = ScriptedWorld(record(n, now - 60, taskName=name) for n, name in enumerate(names, 1))
    async with listing(time, world, "search: red") as (one, _):
        assert ids(await one.newest(Wanted(now - DAY, 10, search="APPLE"))) == [1]
    async with listing(time, world) as (one, _):
        assert ids(await one.newest(Wanted(now - DAY, 10, search="apple"))) == [3, 1]


TWO = """
accounts:
- {name: a, api_key: demo-key, api_secret: demo-secret, timezone: UTC, statuses: [waiting, calling],
   apps: [{id: 12, name: collections}, {id: 15, name: reminders}]}
- {name: b, api_key: other, api_secret: demo-secret, timezone: UTC}
"""


@pytest.mark.parametrize(
    ("wanted", "of_a", "of_b"),
    [
        (Wanted(0, 1), {"collections": 12, "reminders": 15}, {"": None}),
        (Wanted(0, 1, app="reminders"), {"reminders": 15}, {}),
        (Wanted(0, 1, app="12"), {"collections": 12}, {"12": 12}),
        (Wanted(0, 1, app="99"), {}, {"99": 99}),
        (Wanted(0, 1, statuses=(2,)), {}, {"": None}),
    ],
    ids=str,
)
def test_what_is_asked_of_which_account(
    wanted: Wanted, of_a: dict[str, int], of_b: dict[str, int | None]
) -> None:
    a, b = parse(TWO, {}).accounts
    assert {app: each.app_id for app, each in selections(a, wanted).items()} == of_a
    assert {app: each.app_id for app, each in selections(b, wanted).items()} == of_b


def test_a_status_narrows_what_the_account_watches() -> None:
    a, b = parse(TWO, {}).accounts
    assert selections(a, Wanted(0, 1, statuses=(1, 2)))["reminders"].statuses == (1,)
    assert selections(b, Wanted(0, 1, statuses=(1, 2)))[""].statuses == (1, 2)
    assert selections(a, Wanted(0, 1))["reminders"].statuses == (0, 1)


async def test_one_bad_account_hides_no_other(time: VirtualTime) -> None:
    world = evenly(time.now(), offset=0)
    async with await serve(world, clock=time.now, control=False) as simulator:
        text = f"""
accounts:
- {{name: bad, api_key: demo-key, api_secret: wrong, timezone: UTC, base_url: {simulator.url}}}
- {{name: good, api_key: demo-key, api_secret: demo-secret, timezone: UTC,
   base_url: {simulator.url}}}
"""
        config = parse(text, {})
        listings = [
            Listing(each, config, clock=time.now, monotonic=time.monotonic)
            for each in config.accounts
        ]
        async with listings[0], listings[1]:
            found, failed = await newest_of_all(listings, Wanted(time.now() - DAY, 3))
    assert ids(found) == [1, 2, 3]
    assert {each.account for each in found} == {"good"}
    ((account, error),) = failed
    assert account.name == "bad"
    assert isinstance(error, AuthenticationError)


async def test_a_fault_of_our_own_hides_no_other_account(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listing(time, evenly(time.now(), offset=0)) as (one, simulator):

        async def broken(_: Wanted) -> None:
            raise ZeroDivisionError

        config = config_for(simulator)
        other = Listing(config.accounts[0], config, clock=time.now, monotonic=time.monotonic)
        monkeypatch.setattr(other, "newest", broken)
        found, failed = await newest_of_all([other, one], Wanted(time.now() - DAY, 2))
    assert ids(found) == [1, 2]
    ((_account, error),) = failed
    assert str(error) == "ZeroDivisionError in the exporter itself"
