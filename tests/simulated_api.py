"""The simulated API in a thread of its own, for tests of real processes."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import NamedTuple

from exporter.simulator import ApiRules, Fault, FaultKind, Settings, Simulator, serve


class Served(NamedTuple):
    """A simulator that runs in a thread of its own."""

    simulator: Simulator
    loop: asyncio.AbstractEventLoop

    def go_wrong(
        self,
        kind: FaultKind,
        amount: float | None = None,
        text: str | None = None,
        api_key: str | None = None,
        times: int | None = None,
    ) -> None:
        fault = Fault(kind=kind, amount=amount, text=text, api_key=api_key, times=times)
        self.loop.call_soon_threadsafe(self.simulator.faults.add, fault)

    def mend(self) -> None:
        self.loop.call_soon_threadsafe(self.simulator.faults.clear)


@contextmanager
def simulated_api(credentials: Mapping[str, str]) -> Iterator[Served]:
    """The API for as long as the context lasts; `credentials` are secrets by keys."""
    ready: Future[Served] = Future()
    finished = asyncio.Event()

    async def run() -> None:
        rules = ApiRules(credentials=dict(credentials))
        async with await serve(Settings(tasks_per_day=50), rules=rules) as simulator:
            ready.set_result(Served(simulator, asyncio.get_running_loop()))
            await finished.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    served = ready.result(10)
    try:
        yield served
    finally:
        served.loop.call_soon_threadsafe(finished.set)
        thread.join(10)
