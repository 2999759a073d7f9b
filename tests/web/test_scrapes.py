"""Scrapes over real sockets: many at once, clients that do not read, clients that leave."""

import asyncio
import contextlib
import gc
import gzip
import socket
import tracemalloc
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from benchmarks.serving.tracked import accounts
from exporter.exposition.scrape import Exposition
from exporter.exposition.telemetry import Telemetry
from exporter.web.access.access import Access
from exporter.web.connection import Connection
from exporter.web.guard import Guard
from exporter.web.metrics import MOST_AT_ONCE, MetricsRoute
from tests.web.worlds import InventedSite

MIB = 2**20
COMPLETE = Guard(Access()).complete


@dataclass
class HeldSite(InventedSite):
    """A site whose scrapes wait until they may go on."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0

    async def scrape(
        self, openmetrics: bool, compressed: bool, names: frozenset[str]
    ) -> Sequence[bytes]:
        self.waiting += 1
        await self.go_on.wait()
        return await super().scrape(openmetrics, compressed, names)


@dataclass
class LargeSite(InventedSite):
    """A site over the real exposition of many accounts."""

    series: int = 100_000

    def __post_init__(self) -> None:
        self.real = Exposition(Telemetry("1", ()).registry)
        for each in accounts(self.series):
            self.real.publish(each.snapshot())
        self.text = self.real.text(openmetrics=False)

    async def scrape(
        self, openmetrics: bool, compressed: bool, names: frozenset[str]
    ) -> Sequence[bytes]:
        return await self.real.pieces(openmetrics=openmetrics, compressed=compressed, names=names)


@contextlib.asynccontextmanager
async def listening(route: MetricsRoute) -> AsyncIterator[int]:
    """Serve a route as the exporter does, and give the port."""
    application = web.Application()
    application.add_routes([web.get("/metrics", route.__call__)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    assert runner.server is not None
    loop, made = asyncio.get_running_loop(), runner.server
    server = await loop.create_server(lambda: Connection(made, loop=loop), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()


@dataclass
class HugeSite(InventedSite):
    """A site whose answer no socket takes at once."""

    mebibytes: int = 30
    asked: int = 0

    async def scrape(self, *_: object) -> Sequence[bytes]:
        self.asked += 1
        return [b"x" * MIB] * self.mebibytes


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to be")


Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def asked(port: int, encoding: str = "identity") -> Client:
    """Connect, and ask for the metrics."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {encoding}\r\n\r\n"
    writer.write(request.encode())
    return reader, writer


async def answer(client: Client) -> tuple[int, dict[str, str], bytes]:
    reader, writer = client
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(fields["content-length"]))
    writer.close()
    return int(head[0].split()[1]), fields, body


async def test_scrapes_beyond_the_most_at_once_are_refused() -> None:
    site = HeldSite()
    async with listening(MetricsRoute(site, COMPLETE, most_at_once=3)) as port:
        held = [await asked(port) for _ in range(3)]
        await until(lambda: site.waiting == 3)
        status, fields, body = await answer(await asked(port))
        assert (status, fields["retry-after"]) == (503, "5")
        assert body == b"503: 3 scrapes are being answered already; try again later.\n"
        assert site.refused == 1
        site.go_on.set()
        assert [(await answer(each))[0] for each in held] == [200, 200, 200]
        assert (await answer(await asked(port)))[0] == 200
    assert site.refused == 1


async def test_those_who_fail_or_leave_take_no_place() -> None:
    class Failing(InventedSite):
        async def scrape(self, *_: object) -> Sequence[bytes]:
            raise RuntimeError

    route = MetricsRoute(Failing(), COMPLETE, most_at_once=1)
    async with listening(route) as port:
        for _ in range(3):
            assert (await answer(await asked(port)))[0] == 500
    assert route._answering == 0


@pytest.mark.integration
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_an_answer_in_pieces_is_whole(encoding: str) -> None:
    site = LargeSite()
    async with listening(MetricsRoute(site, COMPLETE)) as port:
        status, fields, body = await answer(await asked(port, encoding))
    assert status == 200
    assert fields.get("content-encoding", "identity") == encoding
    text = gzip.decompress(body) if encoding == "gzip" else body
    ours = [line for line in text.splitlines() if line.startswith(b"itnio_")]
    assert ours == [line for line in site.text.splitlines() if line.startswith(b"itnio_")]
    assert len(ours) > 90_000


def idle_socket(port: int) -> socket.socket:
    """A client that asks for the plain text and reads none of it, with room for little."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n\r\n")
    return client


@pytest.mark.integration
async def test_twenty_who_never_read_cost_little_and_harm_nobody() -> None:
    site = LargeSite()
    route = MetricsRoute(site, COMPLETE)
    async with listening(route) as port:
        await answer(await asked(port))
        gc.collect()
        tracemalloc.start()
        idle = [await asyncio.to_thread(idle_socket, port) for _ in range(20)]
        await until(lambda: route._answering == 20)
        for _ in range(5):
            assert (await answer(await asked(port, "gzip")))[0] == 200
            status, _, body = await answer(await asked(port))
            assert status == 200
            assert body.count(b"\n") > 90_000
        del body
        gc.collect()
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(site.text) > 10 * MIB
        assert grown < 20 * MIB
        for each in idle:
            each.close()


async def test_who_does_not_read_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    site = HugeSite()
    route = MetricsRoute(site, COMPLETE, most_at_once=1, write_patience=0.05)
    async with listening(route) as port:
        client = await asyncio.to_thread(idle_socket, port)
        await until(lambda: site.asked == 1 and route._answering == 0)
        # The place is free again, and the connection is not kept half answered.
        route._write_patience = 60
        status, _, body = await answer(await asked(port))
        assert (status, len(body)) == (200, 30 * MIB)
        client.settimeout(5)
        got = await asyncio.to_thread(read_all, client)
        assert got < 30 * MIB
        client.close()
    assert "Traceback" not in caplog.text


def read_all(client: socket.socket) -> int:
    """Read until the end of the connection; how it ends is not what is asked here."""
    got = 0
    with contextlib.suppress(ConnectionError):
        while some := client.recv(MIB):
            got += len(some)
    return got


async def test_who_reads_slowly_gets_all(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(
        MetricsRoute(HugeSite(mebibytes=12), COMPLETE, write_patience=5.0)
    ) as port:
        reader, writer = await asked(port)
        await reader.readuntil(b"\r\n\r\n")
        got = 0
        while got < 12 * MIB:
            got += len(await reader.read(65_536))
            await asyncio.sleep(0)
        writer.close()
    assert got == 12 * MIB
    assert "Traceback" not in caplog.text


async def test_who_leaves_in_the_middle_leaves_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    site = HugeSite()
    route = MetricsRoute(site, COMPLETE)
    async with listening(route) as port:
        for _ in range(5):
            reader, writer = await asked(port)
            await reader.readexactly(1000)
            writer.transport.abort()
        await until(lambda: site.asked == 5 and route._answering == 0)
        assert len((await answer(await asked(port)))[2]) == 30 * MIB
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert "Traceback" not in caplog.text


async def test_a_small_answer_is_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    site = LargeSite(series=1_000)
    sent: list[int] = []
    original = asyncio.selector_events._SelectorSocketTransport.write  # type: ignore[attr-defined]

    def noted(self: object, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1") or sent:
            sent.append(len(data))
        original(self, data)

    async with listening(MetricsRoute(site, COMPLETE)) as port:
        client = await asked(port, "gzip")
        monkeypatch.setattr(asyncio.selector_events._SelectorSocketTransport, "write", noted)  # type: ignore[attr-defined]
        _, _, body = await answer(client)
    assert len(sent) == 1
    assert sent[0] > len(body) > 5_000


def test_the_most_at_once_leaves_room_beside_twenty_who_never_read() -> None:
    assert MOST_AT_ONCE > 20


async def test_connections_beyond_the_most_are_closed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("exporter.web.connection.MOST", 3)
    site = HugeSite(mebibytes=0)
    async with (
        listening(MetricsRoute(site, COMPLETE)) as port,
        contextlib.AsyncExitStack() as stack,
    ):
        kept = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            kept.append((reader, writer))
        await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stack.callback(writer.close)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        for reader, writer in kept:
            writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 404")
