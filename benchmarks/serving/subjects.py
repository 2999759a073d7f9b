"""What is scraped: ``python -m benchmarks.serving.subjects NAME SERIES [API]`` tells its port.

All of them have the same series: those that this exporter makes of the accounts of ``tracked``.
"""

import asyncio
import gc
import json
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from prometheus_client.aiohttp import make_aiohttp_handler
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.polling.polls import config_text
from benchmarks.serving.tracked import TrackedAccount, accounts
from exporter import logs
from exporter.accounts import Accounts
from exporter.app import SEARCHES, App
from exporter.config import parse
from exporter.exposition.kept import Renderer
from exporter.snapshot import AccountSnapshot
from exporter.web.application import build
from exporter.web.listening import listen
from exporter.web.options import WebOptions, parse_address

OURS: Final = "itnio-exporter"
BUSY: Final = "itnio-exporter, busy"
READING: Final = "itnio-exporter, busy and reading"
STATIC: Final = "static response"
CLIENT: Final = "prometheus_client, aiohttp"
SCRIPT: Final = "the usual script"
_EVERY: Final = 1.0
"""Seconds between two polls in which everything changes."""


def serve_ours(series: int) -> Coroutine[Any, Any, None]:
    """Serve by the exporter itself, as its ``run`` does, but with snapshots that are made here."""
    return _exporter(accounts(series), busy=False)


def serve_busy(series: int) -> Coroutine[Any, Any, None]:
    """Serve by the exporter while every account's figures change every second."""
    return _exporter(accounts(series), busy=True)


async def serve_reading(series: int, url: str) -> None:
    """Serve the same while an account's many tasks are read at ``url``, from nothing, for ever."""
    reading = asyncio.create_task(_read_again_and_again(url))
    await asyncio.gather(reading, _exporter(accounts(series), busy=True))


async def serve_static(series: int) -> None:
    """Serve the very same bytes, ready in memory, by aiohttp."""
    app = _app(accounts(series))
    plain = app.accounts.exposition.text(openmetrics=False)
    packed = await app.accounts.exposition.scrape(openmetrics=False, compressed=True)
    headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}

    async def answer(request: web.Request) -> web.Response:
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=packed, headers={**headers, "Content-Encoding": "gzip"})
        return web.Response(body=plain, headers=headers)

    await _serve_aiohttp(answer)


async def serve_client(series: int) -> None:
    """Serve by the handler that prometheus_client has for aiohttp."""
    await _serve_aiohttp(make_aiohttp_handler(_gauges(series)))


async def serve_script(series: int) -> None:
    """Serve as the script does that sets gauges after each request: by start_http_server."""
    server, _ = start_http_server(0, addr="127.0.0.1", registry=_gauges(series))
    _tell(server.server_port)
    await asyncio.to_thread(threading.Event().wait)


SUBJECTS: Final[dict[str, Callable[..., Coroutine[Any, Any, None]]]] = {
    OURS: serve_ours,
    BUSY: serve_busy,
    READING: serve_reading,
    STATIC: serve_static,
    CLIENT: serve_client,
    SCRIPT: serve_script,
}


def exposition(series: int) -> bytes:
    """Return the accounts' families in text 0.0.4, without the exporter's own metrics."""
    renderer = Renderer()
    for each in accounts(series):
        renderer.update(each.snapshot())
    renderer.settle()
    families = b"".join(renderer.body.plain(openmetrics=False)).split(b"# HELP ")
    return b"".join(b"# HELP " + each for each in families if each.startswith(b"itnio_voice_"))


def samples(text: bytes) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield each series of an exposition with its value."""
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def write_samples(text: bytes, path: Path) -> None:
    """Write the series for the Go exporter, one a line."""
    with path.open("w") as lines:
        for name, labels, value in samples(text):
            lines.write(json.dumps({"name": name, "labels": labels, "value": value}) + "\n")


def _app(made: list[TrackedAccount]) -> App:
    lines = [
        f"  - {{name: {each.name}, api_key: k, api_secret: s, timezone: UTC}}" for each in made
    ]
    config = parse("\n".join(["accounts:", *lines]), {})
    app = App(config, lambda: config, WebOptions([parse_address("127.0.0.1:0")]))
    for each in made:
        app.accounts.telemetry.account(each.name)
        app.accounts.exposition.publish(each.snapshot())
    app.accounts.exposition.text(openmetrics=False)
    return app


async def _exporter(made: list[TrackedAccount], *, busy: bool) -> None:
    async def _make() -> App:
        return _app(made)

    app = await _make()
    listening = await listen(build(app), [parse_address("127.0.0.1:0")])
    gc.set_threshold(*SEARCHES)
    polls = [[each.go_on(1.0) for each in made] for _ in range(2)] if busy else []
    _tell(int(listening.urls[0].rpartition(":")[2]))
    while True:
        await asyncio.sleep(_EVERY)
        for snapshot in _turn(polls):
            app.accounts.exposition.publish(snapshot)


async def _read_again_and_again(url: str) -> None:
    while True:
        reading = Accounts(parse(config_text(url), {}))
        await reading.open()
        if not await reading.poll_once():
            raise RuntimeError("a poll was not whole")  # then something else was measured
        await reading.stop()


def _turn(polls: list[list[AccountSnapshot]]) -> list[AccountSnapshot]:
    polls.reverse()
    return polls[0] if polls else []


def _gauges(series: int) -> CollectorRegistry:
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for name, labels, value in samples(exposition(series)):
        if name not in gauges:
            gauges[name] = Gauge(name, "The same series.", list(labels), registry=registry)
        gauges[name].labels(**labels).set(value)
    return registry


async def _serve_aiohttp(answer: Any) -> None:
    application = web.Application()
    application.add_routes([web.get("/metrics", answer)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _tell(runner.addresses[0][1])
    await asyncio.Event().wait()


def _tell(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logs.configure("error", "logfmt", sys.stderr)
    asyncio.run(SUBJECTS[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:]))
