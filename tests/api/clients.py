"""Clients over real servers on loopback, and what they told of their requests."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from aiohttp import web

from exporter.api.client import PATH, Client, Credentials, Limits, Query
from exporter.api.records import Locale
from tests.api.answers import LOCALE
from tests.virtual_time import VirtualTime

KEY, SECRET = "demo-key", "demo-secret"  # the simulator's
QUERY = Query("2023-11-14 00:00:00", "2023-11-15 00:00:00")


@dataclass
class Observed:
    """What a client told its observer."""

    requests: list[tuple[str, float]] = field(default_factory=list)
    skews: list[float] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        return [code for code, _ in self.requests]

    def request(self, code: str, seconds: float) -> None:
        self.requests.append((code, seconds))

    def clock_skew(self, seconds: float) -> None:
        self.skews.append(seconds)


@asynccontextmanager
async def asking(
    url: str,
    time: VirtualTime,
    observed: Observed | None = None,
    *,
    timeout: float = 10,  # noqa: ASYNC109  # the client's, not ours
    concurrency: int = 4,
    rate: float = 1000,
    zone: tzinfo = LOCALE.zone,
    key: str = KEY,
    secret: str = SECRET,
) -> AsyncIterator[Client]:
    """A client of an API, on virtual time."""
    client = Client(
        url,
        lambda: Credentials(key, secret),
        Locale(zone, LOCALE.currency),
        Limits(timeout, concurrency, rate),
        observed or Observed(),
        clock=time.now,
        monotonic=time.monotonic,
    )
    async with client:
        yield client


@dataclass
class Asked:
    """A request as it came to a server; ``at`` by the loop's clock."""

    at: float
    headers: dict[str, str]
    body: Any
    peer: object


Handler = Callable[[Asked], Awaitable[web.StreamResponse]]


@dataclass
class TinyServer:
    """A server of one handler, and what it was asked."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    @property
    def times(self) -> list[float]:
        return [each.at for each in self.asked]


@asynccontextmanager
async def served(handler: Handler, time: VirtualTime) -> AsyncIterator[TinyServer]:
    """A server that answers queries by a function."""
    server = TinyServer()

    async def handle(request: web.Request) -> web.StreamResponse:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        asked = Asked(
            time.monotonic(), dict(request.headers), json.loads(await request.read()), peer
        )
        server.asked.append(asked)
        server.in_flight += 1
        server.most_in_flight = max(server.most_in_flight, server.in_flight)
        try:
            return await handler(asked)
        finally:
            server.in_flight -= 1

    app = web.Application()
    app.router.add_post(PATH, handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
