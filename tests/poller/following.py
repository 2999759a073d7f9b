"""Accounts that run on virtual time over a simulated API, and what they show."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from exporter.accounts import Accounts
from exporter.config import Config
from exporter.running import Clocks
from exporter.simulator import (
    EXAMPLE_RECORD,
    ApiRules,
    Fault,
    FaultKind,
    ScriptedWorld,
    Simulator,
    World,
    serve,
)
from exporter.simulator.wire import label
from tests.accounts import config_for, samples, value
from tests.virtual_time import BEGIN, VirtualTime

CALLING, FINISHED, SUSPENDED = 1, 2, 5
ACCOUNT = "production"


def record(task_id: int, created: float, **fields: Any) -> dict[str, Any]:
    """The vendor's example as another task; `created` in Unix seconds, shown as UTC."""
    return {
        **EXAMPLE_RECORD,
        "taskId": task_id,
        "taskName": f"task {task_id}",
        "createdTime": label(int(created)),
        **fields,
    }


@dataclass(frozen=True)
class Run:
    """Accounts at work over a simulator."""

    simulator: Simulator
    accounts: Accounts
    time: VirtualTime

    @property
    def world(self) -> ScriptedWorld:
        assert isinstance(self.simulator.world, ScriptedWorld)
        return self.simulator.world

    def text(self) -> bytes:
        return self.accounts.exposition.text(openmetrics=False)

    async def scrape(self) -> bytes:
        """What a scraper would get: unlike `text`, it counts as seen."""
        return await self.accounts.exposition.scrape(openmetrics=False, compressed=False)

    def value(self, name: str, **labels: str) -> float | None:
        return value(self.text(), name, **labels)

    def sum(self, name: str, **labels: str) -> float:
        return sum(
            each
            for (found, of), each in samples(self.text()).items()
            if found == name and labels.items() <= dict(of).items()
        )

    def failures(self, account: str = ACCOUNT) -> dict[str, float]:
        """The failed polls so far by their reasons."""
        return {
            dict(of)["reason"]: each
            for (name, of), each in samples(self.text()).items()
            if name == "itnio_exporter_poll_failures_total" and dict(of)["account"] == account
            if each
        }

    def asked_at(self) -> list[float]:
        """When the API was asked, in seconds since the test began; to the millisecond."""
        return [round(each.at - BEGIN, 3) for each in self.simulator.api.log.recent]

    def go_wrong(self, kind: FaultKind, amount: float | None = None, **fields: Any) -> None:
        self.simulator.faults.add(Fault(kind=kind, amount=amount, **fields))

    async def until(self, moment: float) -> None:
        """Let time go on until so many seconds since the test began."""
        await asyncio.sleep(moment - self.time.monotonic())


@asynccontextmanager
async def following(
    time: VirtualTime,
    world: World | None = None,
    poll: str = "",
    account: str = "",
    *,
    config: Callable[[Simulator], Config] | None = None,
    rules: ApiRules | None = None,
    clock: Callable[[], float] | None = None,
    random: Callable[[], float] = lambda: 0.0,
    requests_per_second: float = 1000,
    start: bool = True,
) -> AsyncIterator[Run]:
    """Accounts that are polled from now on, unless told otherwise; `clock` is the world's."""
    async with await serve(
        ScriptedWorld() if world is None else world, clock=clock or time.now, rules=rules
    ) as simulator:
        made = config_for(simulator, poll, account) if config is None else config(simulator)
        asked = replace(made.poll, requests_per_second=requests_per_second)
        made = replace(made, poll=asked)
        accounts = Accounts(made, Clocks(time.now, time.monotonic, random))
        try:
            if start:
                await accounts.start()
                await asyncio.sleep(0.5)  # the first poll, which takes some milliseconds
                # New counters stay at 0 until somebody has seen them there.
                accounts.exposition.text(openmetrics=False)
            yield Run(simulator, accounts, time)
        finally:
            await accounts.stop()
