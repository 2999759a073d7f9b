"""100,000 tasks in the lookback: what a poll asks for, and what it looks at."""

import asyncio
from statistics import fmean
from typing import Any

import pytest

from exporter.accounts import Accounts
from exporter.tasks.ledger import Ledger
from exporter.tasks.task import Task
from exporter.tasks.windows import Sums
from tests.scale.worlds import (
    DAY,
    Course,
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
POLLS = 90
STRIDE = 3000


# What a poll must ask for follows the newest tasks: five a minute since longer than `settle`.
STEADY = BEGIN - 3 * 3600
END = BEGIN + 3 * 3600


def young(time: VirtualTime) -> LargeWorld:
    """Five new tasks a minute that live ten minutes: the 50 unfinished are the newest."""
    world = LargeWorld(time)
    world.add(courses(BEGIN - DAY, STEADY, TASKS - 900, life=600, first_id=1))
    world.add(courses(STEADY, END, 5 * 360, life=600, first_id=10**6, seed=2))
    return world


def spread(time: VirtualTime) -> LargeWorld:
    """Half of the 50 unfinished have been calling for long, all over the lookback."""
    world = LargeWorld(time)
    world.add(courses(BEGIN - DAY, STEADY, TASKS - 925, life=600, first_id=1))
    world.add(courses(STEADY, END, 5 * 360, life=300, first_id=10**6, seed=2))
    world.add(
        Course(2 * 10**6 + n, int(BEGIN - n * 3300) - 600, life=5 * DAY, numbers=50_000, script="1")
        for n in range(25)
    )
    return world


def ending(time: VirtualTime) -> LargeWorld:
    """Half of the 50 lie all over the lookback, and every ten minutes one of them ends."""
    world = LargeWorld(time)
    world.add(courses(BEGIN - DAY, STEADY, TASKS - 925, life=600, first_id=1))
    world.add(courses(STEADY, END, 5 * 360, life=300, first_id=10**6, seed=2))
    world.add(
        Course(
            2 * 10**6 + n,
            created := int(BEGIN - STRIDE * (n * 7 % 25) - 4000),
            life=int(BEGIN + 630 + n * 600 - created),
            numbers=5_000,
            script="1",
        )
        for n in range(25)
    )
    return world


async def polls(world: LargeWorld, number: int) -> list[int]:
    """How many requests each of the next polls makes."""
    counts: list[int] = []
    for _ in range(number):
        before = world.requests
        await asyncio.sleep(60)
        counts.append(world.requests - before)
    return counts


async def begun(accounts: Accounts) -> None:
    """Until the lookback is known, then half a minute on: between two polls."""
    await accounts.start()
    while accounts.snapshots["production"].figures is None:  # noqa: ASYNC110
        await asyncio.sleep(1)
    elapsed = accounts.clocks.monotonic() % 60
    await asyncio.sleep(90 - elapsed)


@pytest.mark.parametrize("kind", [young, spread, ending])
async def test_a_poll_asks_for_what_can_have_changed(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    world = kind(time)
    async with accounts_over(world, monkeypatch, poll="full_sweep: 1d") as accounts:
        await begun(accounts)
        sweep = world.requests
        unfinished = len(world.unfinished())
        counts = await polls(world, POLLS)
        shown = gauges(accounts)
        tracked = accounts.snapshots["production"].health.tracked_tasks
    report = (
        f"{kind.__name__}: {tracked} tracked, {unfinished} unfinished; start {sweep} requests,"
        f" then {POLLS} polls: mean {fmean(counts):.2f}, max {max(counts)}"
    )
    print(f"\n{report}")  # noqa: T201
    assert max(counts) <= 5, f"{report}: {counts}"
    set_back(time, accounts)
    assert shown == await swept_afresh(world, monkeypatch)


async def test_what_a_poll_looks_at_follows_what_has_changed(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = {"sums": 0, "ledger": 0}
    change, count = Sums.change, Ledger.count

    def counted_change(self: Sums, task: Task, sign: int) -> None:
        looked_at["sums"] += 1
        change(self, task, sign)

    def counted_count(self: Ledger, task: Task, script: str, record: bytes | None = None) -> None:
        looked_at["ledger"] += 1
        count(self, task, script, record)

    monkeypatch.setattr(Sums, "change", counted_change)
    monkeypatch.setattr(Ledger, "count", counted_count)
    world = young(time)
    async with accounts_over(world, monkeypatch, poll="full_sweep: 1d") as accounts:
        await begun(accounts)
        first = dict(looked_at)
        looked_at.update(sums=0, ledger=0)
        await polls(world, 30)
        leaving = len(world.between(time.now() - DAY - 1800, time.now() - DAY))
        leaving += len(world.between(time.now() - 3600 - 1800, time.now() - 3600))
    print(  # noqa: T201  # what was measured, with -s
        f"\nfirst sweep: {first}; 30 polls: {looked_at}, of which about {leaving} tasks leave a"
        " window"
    )
    # A task that has changed is taken out of its two windows and put in again.
    changed = looked_at["ledger"]
    assert changed <= 30 * (50 + 2 * 5 + 5)
    assert looked_at["sums"] <= 4 * changed + leaving * 2 + 100
    assert looked_at["sums"] / 30 < first["sums"] / 100
