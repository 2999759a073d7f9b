"""Asks a simulator as the vendor's page says, and nothing more."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from exporter.simulator import ManualClock, Settings, SimulatedWorld, Simulator, World, serve
from exporter.simulator.signature import headers
from exporter.simulator.wire import label

NOON = 1_750_219_200  # 2025-06-18T04:00:00Z, a Wednesday, noon in Shanghai
DAY = 86_400
QUERY = "/voice/group/call/query"


class Client:
    def __init__(
        self, simulator: Simulator, session: aiohttp.ClientSession, clock: ManualClock
    ) -> None:
        self.simulator = simulator
        self.session = session
        self.clock = clock

    @property
    def api(self) -> str:
        return self.simulator.url + QUERY

    @property
    def control(self) -> str:
        return self.simulator.url + "/simulator"

    def signed(self) -> dict[str, str]:
        return headers("demo-key", "demo-secret", self.clock())

    def question(self, current: int = 1, size: int = 100, **params: Any) -> dict[str, Any]:
        seconds = self.simulator.world.local_time.seconds
        now = self.clock()
        wanted = {
            "strTime": label(seconds(now - DAY)),
            "endTime": label(seconds(now)),
            "taskType": 3,
            **params,
        }
        return {"current": current, "size": size, "params": wanted}

    def post(self, current: int = 1, size: int = 100, **params: Any) -> Any:
        body = json.dumps(self.question(current, size, **params))
        return self.session.post(self.api, data=body, headers=self.signed(), allow_redirects=False)

    async def ask(self, current: int = 1, size: int = 100, **params: Any) -> Any:
        async with self.post(current, size, **params) as response:
            return json.loads(await response.read())

    async def records(self, size: int = 100, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            data = (await self.ask(page, size, **params))["data"]
            found += data["records"]
            if page >= data["pages"]:
                return found
            page += 1


@asynccontextmanager
async def running(
    world: World | Settings | None = None, now: float = NOON, **options: Any
) -> AsyncIterator[Client]:
    clock = ManualClock(now)
    async with (
        await serve(world, clock=clock, **options) as simulator,
        aiohttp.ClientSession() as session,
    ):
        yield Client(simulator, session, clock)


def everything(world: SimulatedWorld, now: float = NOON) -> Sequence[Any]:
    return world.tasks(now, now - DAY, now)
