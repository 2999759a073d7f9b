"""Each reason why an account cannot be asked is named, with what to do about it."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509

from exporter.inspection.account import inspect
from exporter.inspection.asking import Clocks
from exporter.inspection.findings import Finding, Inspection
from exporter.simulator import ApiRules, Fault, FaultBoard, FaultKind
from tests.accounts import config_for
from tests.inspection.accounts import inspected, simulated, topics, wrongs
from tests.virtual_time import VirtualTime
from tests.web.access.certificates import Pair, issue


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def the_wrong(time: VirtualTime, fault: Fault | None = None, **rest: Any) -> Finding:
    """The one thing that is wrong with an otherwise good account."""
    faults = FaultBoard(faults=[fault] if fault else [])
    async with await simulated(time, faults=faults, rules=rest.pop("rules", None)) as simulator:
        found = await inspected(simulator, time, **rest)
    (finding,) = wrongs(found)
    assert not found.fine
    return finding


async def test_a_good_account_is_fine(time: VirtualTime) -> None:
    async with await simulated(time) as simulator:
        found = await inspected(simulator, time)
    assert wrongs(found) == []
    assert found.fine
    assert topics(found)["credentials"].text == "the API accepts key and secret"
    assert topics(found)["reached"].text.startswith("directly, first answer after ")
    assert "agrees" in topics(found)["clock"].text


async def test_a_wrong_secret(time: VirtualTime) -> None:
    rules = ApiRules(credentials={"demo-key": "another"})
    async with await simulated(time, rules=rules) as simulator:
        config = config_for(simulator)
        simulator.api.rules = ApiRules(credentials={"demo-key": "demo-secret"})
        found = await inspect(config.accounts[0], config, Clocks(time.now, time.monotonic))
    (finding,) = wrongs(found)
    assert finding.topic == "credentials"
    assert finding.text.startswith("wrong key or secret: the API refuses the credentials (code -1)")
    assert "Copy api_key and api_secret again" in finding.remedy
    assert "another" not in str(found)


async def test_a_blocked_address(time: VirtualTime) -> None:
    rules = ApiRules(allowed_addresses=frozenset({"203.0.113.7"}))
    finding = await the_wrong(time, rules=rules)
    assert finding.topic == "address"
    assert finding.text.startswith("blocked address: ")
    assert "127.0.0.1, which is not a public address" in finding.remedy
    assert "allow-list" in finding.remedy


async def test_a_blocked_address_that_the_api_names(time: VirtualTime) -> None:
    fault = Fault(kind=FaultKind.API_CODE, amount=-2, text="ip 203.0.113.9 not allowed")
    finding = await the_wrong(time, fault)
    assert "The API sees 203.0.113.9." in finding.remedy


@pytest.mark.parametrize(("skew", "words"), [(600, "600 s behind"), (-7200, "7200 s ahead of")])
async def test_a_skewed_clock_that_is_refused(time: VirtualTime, skew: float, words: str) -> None:
    async with await simulated(time) as simulator:
        time.wall_offset = -skew
        simulator.api._signing_clock = lambda: time.now() + skew
        found = await inspected(simulator, time)
    (finding,) = wrongs(found)
    assert finding.topic == "clock"
    assert finding.text.startswith("skewed clock: ")
    assert f"{words} the API's" in finding.text
    assert "code -16" in finding.text
    assert "NTP" in finding.remedy


async def test_a_skewed_clock_that_is_taken(time: VirtualTime) -> None:
    finding = await the_wrong(time, Fault(kind=FaultKind.CLOCK_SKEW, amount=-93))
    # Date is in whole seconds.
    assert finding.text.startswith("skewed clock: this host's clock is 9")
    assert finding.text.endswith(" s ahead of the API's")


async def test_a_time_out(time: VirtualTime) -> None:
    finding = await the_wrong(time, Fault(kind=FaultKind.HANG), poll="timeout: 3s")
    assert finding.topic == "connection"
    assert finding.text.startswith(
        "time-out: no answer within 3 s (poll.timeout), though 127.0.0.1"
    )
    assert "raise poll.timeout" in finding.remedy


async def test_a_web_page_instead_of_an_answer(time: VirtualTime) -> None:
    finding = await the_wrong(time, Fault(kind=FaultKind.HTML))
    assert finding.topic == "answer"
    assert finding.text.startswith("a web page instead of JSON: ")
    assert "base_url is not the API" in finding.remedy


@pytest.mark.parametrize(
    ("fault", "text", "remedy"),
    [
        (Fault(kind=FaultKind.HTTP_STATUS, amount=404), "HTTP 404", "path in base_url"),
        (Fault(kind=FaultKind.HTTP_STATUS, amount=403), "HTTP 403", "A gateway"),
        (Fault(kind=FaultKind.HTTP_STATUS, amount=503), "HTTP 503", "provider's side"),
        (Fault(kind=FaultKind.REDIRECT), "HTTP 307", "leads elsewhere"),
    ],
    ids=lambda value: str(getattr(value, "amount", None)),
)
async def test_http_errors(time: VirtualTime, fault: Fault, text: str, remedy: str) -> None:
    finding = await the_wrong(time, fault)
    assert finding.topic == "HTTP"
    assert finding.text.startswith("HTTP error: ")
    assert text in finding.text
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(kind=FaultKind.NOT_JSON), "not this API: the answer is not JSON"),
        (Fault(kind=FaultKind.API_CODE, amount=-18), "an exception in its own system"),
        (Fault(kind=FaultKind.API_CODE, amount=-22), "refuses the parameters"),
        (Fault(kind=FaultKind.API_CODE, amount=77), "an unlisted code (code 77)"),
        (Fault(kind=FaultKind.RATE_LIMITED), "HTTP 429"),
        (Fault(kind=FaultKind.RESET), "connection cut: "),
    ],
    ids=lambda value: str(getattr(value, "kind", None)),
)
async def test_other_answers(time: VirtualTime, fault: Fault, text: str) -> None:
    finding = await the_wrong(time, fault)
    assert text in finding.text
    assert finding.remedy


async def over(url: str, time: VirtualTime | None = None) -> Inspection:
    """What is found at an address where there is no simulator."""

    class Nowhere:
        class api:  # noqa: N801
            rules = ApiRules()

    Nowhere.url = url  # type: ignore[attr-defined]
    config = config_for(Nowhere, "timeout: 5s")  # type: ignore[arg-type]
    clocks = Clocks(time.now, time.monotonic) if time else None
    return await inspect(config.accounts[0], config, clocks)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


async def test_a_refused_connection(time: VirtualTime) -> None:
    port = closed_port()
    (finding,) = (await over(f"http://127.0.0.1:{port}", time)).findings
    assert finding.topic == "connection"
    assert finding.text == f"refused connection: nothing listens at 127.0.0.1:{port}"


async def test_a_name_that_cannot_be_resolved(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    (finding,) = (await over("https://api.misspelt.example", time)).findings
    assert finding.text == "DNS failure: the name api.misspelt.example cannot be resolved"
    assert "spelling of base_url" in finding.remedy


async def test_a_proxy_that_is_not_there(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = closed_port()
    monkeypatch.setenv("http_proxy", f"http://user:hunter2@127.0.0.1:{port}")
    (finding,) = (await over("http://api.example", time)).findings
    assert finding.text.startswith(
        f"refused connection: nothing listens at the proxy 127.0.0.1:{port}"
    )
    assert "HTTP_PROXY" in finding.remedy
    assert "hunter2" not in str(finding)


async def test_a_proxy_that_wants_a_password(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Fault(kind=FaultKind.HTTP_STATUS, amount=407)
    async with await simulated(time, faults=FaultBoard(faults=[fault])) as simulator:
        monkeypatch.setenv("http_proxy", simulator.url)
        (finding,) = (await over(simulator.url.replace("127.0.0.1", "api.example"), time)).findings
    assert "HTTP 407" in finding.text
    assert "wants user and password" in finding.remedy


async def test_a_fault_of_our_own_hides_no_other_account(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("exporter.inspection.account.ZoneInspection", broken)
    finding = await the_wrong(time)
    assert finding.topic == "internal"
    assert finding.text == "ZeroDivisionError in the exporter itself"
    assert "report it" in finding.remedy


@asynccontextmanager
async def tls_server(pair: Pair, folder: Path) -> AsyncIterator[int]:
    pair.write(folder, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    runner = web.AppRunner(web.Application(), shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


@pytest.mark.integration
@pytest.mark.parametrize(
    ("trusted", "names", "expired", "remedy"),
    [
        (False, [LOOPBACK], False, "SSL_CERT_FILE"),
        (True, [LOOPBACK], True, "has expired, or this host's clock is wrong"),
        (True, [x509.DNSName("another.example")], False, "names another host"),
    ],
    ids=["unknown", "expired", "another host"],
)
async def test_a_certificate_that_does_not_hold(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    trusted: bool,
    names: list[x509.GeneralName],
    expired: bool,
    remedy: str,
) -> None:
    authority = issue("authority", authority=True)
    (tmp_path / "root.pem").write_text(authority.cert_pem)
    context = ssl.create_default_context(cafile=str(tmp_path / "root.pem") if trusted else None)
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", context)
    pair = issue("server", authority, names=names, expired=expired)
    async with tls_server(pair, tmp_path) as port:
        (finding,) = (await over(f"https://127.0.0.1:{port}")).findings
    assert finding.text.startswith("TLS failure: the certificate of 127.0.0.1 does not hold: ")
    assert remedy in finding.remedy


@pytest.mark.integration
async def test_no_tls_where_tls_is_spoken() -> None:
    runner = web.AppRunner(web.Application(), shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        (finding,) = (await over(f"https://127.0.0.1:{runner.addresses[0][1]}")).findings
    finally:
        await runner.cleanup()
    assert finding.text.startswith("TLS failure: no TLS with 127.0.0.1:")
    assert "speaks TLS" in finding.remedy
