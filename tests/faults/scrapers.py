"""Rows: those who scrape, and others who knock at the exporter's own port."""

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import aiohttp

from exporter.web.application import build
from exporter.web.listening import listen
from exporter.web.options import Address
from tests.faults.during import Group
from tests.faults.row import FOLLOWS, Event, Row

if TYPE_CHECKING:
    from tests.faults.bench import Bench

_scrapers = Group("Scrapers")
_MALFORMED = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET /metrics HTTP/9.9\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
    b"GET /metrics HTTP/1.1\r\nHost : a\r\n\x00: b\r\n\r\n",
    b"\xff" * 5000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)


async def _listen(bench: "Bench") -> int:
    """Serve the exporter's own pages; return the port."""
    listening = await listen(build(bench.app), [Address("127.0.0.1", 0)])
    bench.cleanups.append(listening.stop)
    port = int(listening.urls[0].rpartition(":")[2])
    bench.kept["url"] = f"http://127.0.0.1:{port}/metrics"
    bench.kept["open"] = []
    return port


async def _get(url: str, **headers: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        assert answer.status == 200
        return await answer.read()


async def _connect(bench: "Bench", port: int, sent: bytes, *, small: bool = False) -> Any:
    """Return a connection over which something has been sent; it stays until the row ends."""
    sock = socket.socket()
    if small:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    bench.kept["open"].append(writer)
    writer.write(sent)
    return reader


async def _still_serves(bench: "Bench") -> None:
    for writer in bench.kept["open"]:
        writer.transport.abort()
    body = await _get(bench.kept["url"])
    assert b'itnio_up{account="healthy"} 1' in body


async def _crowd(bench: "Bench") -> None:
    await _listen(bench)
    url = bench.kept["url"]
    kinds: tuple[dict[str, str], ...] = (
        {},
        {"Accept": "application/openmetrics-text"},
        {"Accept-Encoding": "gzip"},
    )
    bodies = await asyncio.gather(*(_get(url, **kinds[n % 3]) for n in range(200)))
    assert all(b'itnio_up{account="healthy"} 1' in body for body in bodies)


def _clients(number: int, sent: bytes, *, small: bool = False) -> Event:
    """Open connections over which something is sent, and nothing is ever read."""

    async def begin(bench: "Bench") -> None:
        port = await _listen(bench)
        for _ in range(number):
            await _connect(bench, port, sent, small=small)

    return begin


async def _slow(bench: "Bench") -> None:
    port = await _listen(bench)
    for _ in range(50):
        reader = await _connect(bench, port, _SCRAPE, small=True)
        assert await reader.read(1) == b"H"


async def _leave(bench: "Bench") -> None:
    port = await _listen(bench)
    for _ in range(50):
        await _connect(bench, port, _SCRAPE)
        await asyncio.sleep(0)
        bench.kept["open"][-1].transport.abort()


def _refused(*requests: bytes) -> Event:
    """Send requests that must be refused, or at least be answered or ended."""

    async def begin(bench: "Bench") -> None:
        port = await _listen(bench)
        for request in requests:
            reader = await _connect(bench, port, request)
            first = await reader.read(12)
            assert first[9:] in {b"", b"400", b"431", b"413"}, first

    return begin


_SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


def _row(name: str, fault: str, begins: Event, note: str = "") -> Row:
    return _scrapers.row(name, fault, begins, FOLLOWS, ends=_still_serves, minutes=2, note=note)


ROWS: list[Row] = [
    _row("200 scrapers", "200 scrapers at once, in all formats", _crowd, "each is answered"),
    _row("slow readers", "50 clients that stop after the first byte of their answer", _slow),
    _row(
        "never read",
        "50 clients that ask 20 times each and never read",
        _clients(50, _SCRAPE * 20, small=True),
    ),
    _row(
        "half a request",
        "50 clients that never end their request",
        _clients(50, b"GET /metrics HTT"),
    ),
    _row("nothing sent", "100 clients that connect and say nothing", _clients(100, b"")),
    _row("gone at once", "50 clients that leave before they are answered", _leave),
    _row(
        "oversized header",
        "headers of 64 KiB, and 1,000 of them",
        _refused(
            b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 65_536 + b"\r\n\r\n",
            b"GET /metrics HTTP/1.1\r\n" + b"X: a\r\n" * 1000 + b"\r\n",
        ),
        "refused",
    ),
    _row(
        "malformed",
        "TLS, HTTP/2, nonsense and bad lengths where HTTP/1.1 is expected",
        _refused(*_MALFORMED),
        "refused",
    ),
    _row(
        "large body",
        "a POST that promises 10 GB",
        _refused(b"POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n"),
        "refused",
    ),
]
