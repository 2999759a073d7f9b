"""A running simulator: the API and its control on one port."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from exporter.simulator.account import ApiRules
from exporter.simulator.api_server import ApiServer
from exporter.simulator.clock import Clock, ScaledClock
from exporter.simulator.control import Control
from exporter.simulator.fault_answers import Sleep
from exporter.simulator.faults import FaultBoard
from exporter.simulator.incidents import Incident
from exporter.simulator.settings import Settings
from exporter.simulator.world import SimulatedWorld, World


@dataclass(frozen=True, slots=True)
class Simulator:
    """A server that runs until it is closed; also an asynchronous context manager."""

    url: str
    api: ApiServer
    _runner: web.AppRunner

    @property
    def world(self) -> World:
        """What the API serves."""
        return self.api.world

    @property
    def faults(self) -> FaultBoard:
        """The faults that are switched on."""
        return self.api.faults

    async def close(self) -> None:
        """Stop serving; requests that still hang are cancelled."""
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def application(api: ApiServer, *, control: bool = True) -> web.Application:
    """Return the application of an API, with its control unless told otherwise."""
    app = web.Application()
    api.add_routes(app)
    if control:
        Control(api).add_routes(app)
    return app


async def serve(
    settings: Settings | World | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    incidents: Sequence[Incident] = (),
    rules: ApiRules | None = None,
    faults: FaultBoard | None = None,
    clock: Clock | None = None,
    signing_clock: Clock | None = None,
    sleep: Sleep = asyncio.sleep,
    control: bool = True,
) -> Simulator:
    """Serve a simulated account (given its settings), or a ready world.

    Port 0 takes a free one; the result's `url` has it. OSError where the port is taken.
    `clock` is the world's time: by default the real one, which control can slow down or stop,
    while timestamps are still checked against the real one. See ApiServer for the rest.
    """
    if clock is None:
        clock, signing_clock = ScaledClock(time.time), signing_clock or time.time
    if settings is None or isinstance(settings, Settings):
        world: World = SimulatedWorld(settings, incidents)
    else:
        world = settings
    api = ApiServer(
        world, clock, rules=rules, faults=faults, signing_clock=signing_clock, sleep=sleep
    )
    runner = web.AppRunner(
        application(api, control=control),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=0.05,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    bound_host, bound_port = runner.addresses[0][:2]
    return Simulator(url_of(bound_host, bound_port), api, runner)


def url_of(host: str, port: int) -> str:
    """Return the URL of a server at an address."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
