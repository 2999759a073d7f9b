import asyncio
import errno
import socket

import aiohttp
import pytest
from aiohttp import web

from exporter.web.application import build
from exporter.web.listening import ListenError, listen
from exporter.web.options import Address, parse_address
from tests.web.worlds import InventedSite

PLAIN = {"Accept-Encoding": "identity"}
LOCAL = parse_address("127.0.0.1:0")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (":10911", "", 10911),
        ("127.0.0.1:9000", "127.0.0.1", 9000),
        ("[::1]:9000", "::1", 9000),
        ("[fe80::1%eth0]:9000", "fe80::1%eth0", 9000),
        ("localhost:0", "localhost", 0),
        ("exporter.internal:65535", "exporter.internal", 65535),
        (" :1 ", "", 1),
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("[::]:80", "::", 80),
    ],
)
def test_addresses_are_written_as_prometheus_does(text: str, host: str, port: int) -> None:
    assert parse_address(text) == Address(host, port)
    assert parse_address(str(parse_address(text))) == Address(host, port)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "HOST:PORT"),
        ("10911", "HOST:PORT"),
        ("localhost", "HOST:PORT"),
        ("localhost:", "HOST:PORT"),
        (":http", "HOST:PORT"),
        (":-1", "HOST:PORT"),
        ("::1:9000", "HOST:PORT"),
        ("http://localhost:9000", "HOST:PORT"),
        (":65536", "65535"),
        ("[localhost]:80", "IPv6"),
        ("[]:80", "IPv6"),
        ("local host:80", "host"),
        ("a/b:80", "host"),
    ],
)
def test_other_addresses_are_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse_address(text)
    assert repr(text) in str(caught.value)


async def fetch(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/-/healthy") as answer:
        assert answer.headers["Server"] == "itnio-exporter"
        return await answer.text()


async def test_all_addresses_are_served_and_their_ports_told() -> None:
    listening = await listen(build(InventedSite()), [LOCAL, parse_address("localhost:0")])
    try:
        first, second = listening.urls
        assert first.startswith("http://127.0.0.1:")
        assert second.startswith("http://localhost:")
        assert {await fetch(first), await fetch(second)} == {"itnio-exporter is healthy.\n"}
    finally:
        await listening.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetch(first)


async def test_no_host_means_every_interface_in_both_families() -> None:
    listening = await listen(build(InventedSite()), [parse_address(":0")])
    try:
        (url,) = listening.urls
        port = int(url.rpartition(":")[2])
        assert await fetch(f"http://127.0.0.1:{port}")
        if has_ipv6():
            assert await fetch(f"http://[::1]:{port}")
    finally:
        await listening.stop()


def has_ipv6() -> bool:
    """Whether this machine has an IPv6 loopback; containers often have none."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_an_address_in_use_is_told_in_a_sentence_and_nothing_is_left_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = Address("127.0.0.1", probe.getsockname()[1])
        with pytest.raises(ListenError) as caught:
            await listen(build(InventedSite()), [free, Address("127.0.0.1", port)])
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{port}: another program listens there; "
        "stop it or choose another address"
    )
    with socket.socket() as probe:
        assert probe.connect_ex((free.host, free.port)) == errno.ECONNREFUSED


async def test_an_address_of_another_machine_is_told_in_a_sentence() -> None:
    with pytest.raises(ListenError, match="this machine does not have that address"):
        await listen(build(InventedSite()), [Address("192.0.2.1", 0)])


async def test_a_name_that_cannot_be_resolved_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unresolved(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unresolved)
    with pytest.raises(ListenError, match="cannot be resolved"):
        await listen(build(InventedSite()), [Address("nowhere.invalid", 0)])


async def test_what_is_no_http_is_answered_like_everything_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listening = await listen(build(InventedSite()), [LOCAL])
    try:
        for sent in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: " + b"x" * 9_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 300 + b"\r\n",
            b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n",
        ):
            answer = await exchange(listening.urls[0], sent)
            assert answer.partition(b"\r\n")[0].endswith(b" 400 Bad Request")
            assert b"Server: itnio-exporter\r\n" in answer
            assert b"Content-Security-Policy: " in answer
            assert answer.endswith(b"\r\n\r\n400: bad request.\n")
    finally:
        await listening.stop()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def exchange(url: str, sent: bytes) -> bytes:
    reader, writer = await connected(url)
    writer.write(sent)
    answer = await reader.read()
    writer.close()
    return answer


async def connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def test_a_client_that_leaves_in_the_middle_leaves_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, left, served = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Slow(InventedSite):
        async def scrape(self, *_: object, **__: object) -> list[bytes]:
            begun.set()
            await left.wait()
            served.set()
            return [b"x" * 10_000_000]

    listening = await listen(build(Slow()), [LOCAL])
    try:
        _, writer = await connected(listening.urls[0])
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        await begun.wait()
        transport = writer.transport
        transport.abort()
        left.set()
        await served.wait()
        assert await fetch(listening.urls[0]) == "itnio-exporter is healthy.\n"
    finally:
        await listening.stop()
    assert [record for record in caplog.records if record.exc_info] == []
    assert "Traceback" not in caplog.text


async def test_stopping_waits_for_nobody_for_long() -> None:
    hung = asyncio.Event()

    class Hanging(InventedSite):
        async def scrape(self, *_: object, **__: object) -> list[bytes]:
            if not hung.is_set():
                hung.set()
                await asyncio.Event().wait()
            return [b"x" * 50_000_000]

    listening = await listen(build(Hanging()), [LOCAL])
    writers = []
    for sent in (
        b"GET /metrics HTTP/1.1\r\nHost: hangs\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: reads nothing\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: says no more\r\n",
        b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx",
        b"",
    ):
        _, writer = await connected(listening.urls[0])
        writer.write(sent)
        writers.append(writer)
    await hung.wait()
    async with asyncio.timeout(3.0):
        await listening.stop()
    for writer in writers:
        writer.transport.abort()


async def test_an_answer_under_way_is_finished_before_stopping() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(InventedSite):
        async def scrape(self, *_: object, **__: object) -> list[bytes]:
            begun.set()
            await go_on.wait()
            return [b"whole\n"]

    listening = await listen(build(Slow()), [LOCAL])

    async def scrape() -> bytes:
        url = f"{listening.urls[0]}/metrics"
        async with aiohttp.ClientSession(headers=PLAIN) as session, session.get(url) as answer:
            return await answer.read()

    scraping = asyncio.create_task(scrape())
    await begun.wait()
    stopping = asyncio.create_task(listening.stop())
    await asyncio.sleep(0)
    go_on.set()
    body, _ = await asyncio.gather(scraping, stopping)
    assert body == b"whole\n"


async def test_an_application_that_cannot_start_leaves_nothing_listening() -> None:
    application = build(InventedSite())

    async def broken(_: web.Application) -> None:
        raise RuntimeError("no")

    application.on_startup.append(broken)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = Address("127.0.0.1", probe.getsockname()[1])
    with pytest.raises(RuntimeError, match="no"):
        await listen(application, [free])
    with socket.socket() as probe:
        assert probe.connect_ex((free.host, free.port)) == errno.ECONNREFUSED
