"""The first poll of 100,000 tasks keeps every connection busy from its beginning to its end."""

import asyncio
from typing import Any

import pytest

from exporter.api.client import Client
from tests.scale import worlds
from tests.scale.worlds import DAY, LargeWorld, accounts_over, client_of, courses
from tests.virtual_time import BEGIN, VirtualTime

pytestmark = pytest.mark.integration

TASKS = 100_000
LATENCY = 0.05
CONCURRENCY = 16


def slow_client_of(world: LargeWorld) -> type[Client]:
    """A client whose answers take their time."""

    async def exchange(self: Client, request: Any, skew: list[float]) -> Any:
        await asyncio.sleep(LATENCY)
        return await direct._exchange(self, request, skew)

    direct = client_of(world)
    return type("SlowClient", (direct,), {"_exchange": exchange})


async def test_no_connection_is_idle_for_long(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "client_of", slow_client_of)
    world = LargeWorld(time)
    world.add(courses(BEGIN - DAY + 60, BEGIN - 1, TASKS, life=600, first_id=1))
    poll = f"concurrency: {CONCURRENCY}"
    async with accounts_over(world, monkeypatch, requests_per_second=5000, poll=poll) as accounts:
        begun = time.monotonic()
        assert await accounts.poll_once()
        took = time.monotonic() - begun
        tracked = accounts.snapshots["production"].health.tracked_tasks
    limit = TASKS / 100 * LATENCY / CONCURRENCY
    report = f"{world.requests} requests in {took:.3f} s of virtual time, limit {limit:.3f} s"
    print(f"\n{report}: {took / limit:.3f}")  # noqa: T201  # what was measured, with -s
    assert tracked == TASKS
    assert took <= 1.10 * limit, report
    assert world.requests <= TASKS / 100 * 1.1
