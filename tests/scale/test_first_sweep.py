"""The first sweep of 100,000 tasks at a low rate; and five hours without the API."""

import asyncio
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.accounts import samples
from tests.scale.worlds import (
    DAY,
    LargeWorld,
    accounts_over,
    courses,
    gauges,
    set_back,
    swept_afresh,
)
from tests.virtual_time import BEGIN, VirtualTime

pytestmark = pytest.mark.integration

TASKS = 100_000


def spent(world: LargeWorld, since: float) -> dict[str, Decimal]:
    """What tasks created since a moment have cost by now."""
    sums = {"agent": Decimal(0), "call": Decimal(0), "sms": Decimal(0)}
    for course in world.between(since, 2e9):
        for kind, fee in world.shown(course).fees():
            assert fee is not None
            sums[kind.value] += fee.amount
    return sums


async def test_a_long_first_sweep_hides_nothing_new(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = LargeWorld(time)
    world.add(courses(BEGIN - DAY, BEGIN - 1, TASKS, life=60, first_id=1))
    world.add(courses(BEGIN, BEGIN + 1200, 100, life=300, first_id=10**6, seed=2))
    progress: list[float] = []
    shown_before = 0
    async with accounts_over(world, monkeypatch, requests_per_second=2) as accounts:
        await accounts.start()
        await asyncio.sleep(57)  # the first poll waits for the sweep as long as its deadline allows
        poller = accounts._running["production"].poller
        (app,) = poller._apps
        while accounts.snapshots["production"].figures is None:
            health = accounts.snapshots["production"].health
            if health.sweep_progress is not None:
                progress.append(health.sweep_progress)
            shown_before += len(gauges(accounts))
            assert health.up
            # Whatever was there when the poll of this minute began is known.
            for course in world.between(BEGIN, time.now() - 57):
                assert course.task_id in app.tracked.inventory
            assert len(progress) < 30, progress
            await asyncio.sleep(60)
        took = time.monotonic()
        print(  # noqa: T201  # what was measured, with -s
            f"\n{world.requests} requests in {took:.0f} s of virtual time at 2/s; progress at each"
            f" poll: {' '.join(f'{each:.2f}' for each in progress)}"
        )
        assert shown_before == 0
        assert len(set(progress)) >= 5
        assert all(earlier <= later for earlier, later in pairwise(progress))
        assert world.requests < TASKS / 100 * 1.1 + 60
        await asyncio.sleep(2400)  # until the last of them has ended
        shown = gauges(accounts)
        set_back(time, accounts)
    assert shown == await swept_afresh(world, monkeypatch)


async def test_after_hours_without_the_api_everything_is_exact(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = LargeWorld(time)
    world.add(courses(BEGIN - DAY, BEGIN - 1000, 20_000, life=300, first_id=1))
    world.add(courses(BEGIN + 60, BEGIN + 8 * 3600, 8_000, life=900, first_id=10**6, seed=2))
    async with accounts_over(world, monkeypatch, poll="full_sweep: 1d") as accounts:
        await accounts.start()
        await asyncio.sleep(1800)
        world.down = True
        await asyncio.sleep(5 * 3600)
        assert accounts.snapshots["production"].health.up is False
        assert gauges(accounts) == {}
        world.down = False
        await asyncio.sleep(2 * 3600 + 30)
        shown = gauges(accounts)
        counted = samples(accounts.exposition.text(openmetrics=False))
        set_back(time, accounts)
        totals: dict[str, float] = {}
        for (name, of), value in counted.items():
            if name == "itnio_voice_spend_total":
                kind = dict(of)["kind"]
                totals[kind] = totals.get(kind, 0.0) + value
        expected = spent(world, BEGIN)
    assert totals == pytest.approx(
        {kind: float(each) for kind, each in expected.items()}, rel=1e-12
    )
    assert shown == await swept_afresh(world, monkeypatch)
