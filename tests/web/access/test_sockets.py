"""TLS, certificates and passwords over real sockets."""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import bcrypt
import pytest
from cryptography import x509

from exporter.config import ConfigError
from exporter.web.access.access import Access
from exporter.web.access.passwords import Passwords
from exporter.web.guard import HEADERS
from tests.virtual_time import VirtualTime
from tests.web.access.certificates import Pair, authority, client, issue, server
from tests.web.access.serving import serving, trusting
from tests.web.worlds import InventedSite

TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
VERIFIED = f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"
PATHS = [
    "/",
    "/metrics",
    "/config",
    "/-/healthy",
    "/-/ready",
    "/static/x/y.css",
    "/nothing",
    "/%00",
]
REFUSED = (aiohttp.ClientError, ssl.SSLError, ConnectionError)


def users(**passwords: str) -> str:
    lines = (
        f"  {name}: {bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n"
        for name, password in passwords.items()
    )
    return "basic_auth_users:\n" + "".join(lines)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    server().write(tmp_path, "server")
    authority().write(tmp_path, "ca")
    return tmp_path


@pytest.fixture
def file(folder: Path) -> Path:
    return folder / "web.yml"


def write(file: Path, text: str) -> None:
    file.write_text(text)


def access(file: Path, text: str) -> Access:
    write(file, text)
    return Access(file)


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Nothing that clients do is a warning, let alone a traceback."""
    caplog.set_level(logging.DEBUG)
    yield caplog
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


# --- TLS ------------------------------------------------------------------------------------------


async def test_it_is_served_over_tls(file: Path) -> None:
    async with serving(access(file, TLS)) as served:
        assert served.url.startswith("https://127.0.0.1:")
        assert (await served.fetch(tls=trusting()))[0] == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await served.fetch(tls=ssl.create_default_context())


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
async def test_versions_that_were_asked_for_are_spoken(file: Path, version: str) -> None:
    tls = trusting()
    tls.minimum_version = tls.maximum_version = ssl.TLSVersion[version]
    async with serving(access(file, TLS)) as served:
        assert (await served.fetch(tls=tls))[0] == 200
    other = {"TLSv1_2": "min_version: TLS13", "TLSv1_3": "max_version: TLS12"}[version]
    async with serving(access(file, f"{TLS}  {other}\n")) as served:
        with pytest.raises(REFUSED):
            await served.fetch(tls=tls)


async def agreed(port: int, tls: ssl.SSLContext) -> ssl.SSLObject:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.transport.abort()
    return connection


async def test_suite_and_curve_are_those_that_were_named(file: Path) -> None:
    keys = (
        "  max_version: TLS12\n  curve_preferences: [CurveP384]\n"
        "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]\n"
    )
    async with serving(access(file, TLS + keys)) as served:
        cipher = (await agreed(served.port, trusting())).cipher()
        assert cipher is not None
        assert cipher[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
        old, other, curve = trusting(), trusting(), trusting()
        old.set_ciphers("ECDHE-ECDSA-AES128-SHA")
        cipher = (await agreed(served.port, old)).cipher()
        assert cipher is not None
        assert cipher[0] == "ECDHE-ECDSA-AES128-SHA"
        other.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        curve.set_ecdh_curve("X25519")
        for refused in (other, curve):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await agreed(served.port, refused)


async def test_http_1_1_is_what_clients_agree_on(file: Path) -> None:
    tls = trusting()
    tls.set_alpn_protocols(["h2", "http/1.1"])
    async with serving(access(file, TLS)) as served:
        assert (await agreed(served.port, tls)).selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize(
    "sent", [b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01" + bytes(600), b""]
)
async def test_what_is_no_tls_leaves_no_trace(
    file: Path, heard: pytest.LogCaptureFixture, sent: bytes
) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    async with serving(access(file, TLS)) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(sent)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            assert b"HTTP" not in await reader.read()
        writer.close()
        assert (await served.fetch(tls=trusting()))[0] == 200
    assert failures == []
    assert "Traceback" not in heard.text


async def test_a_handshake_that_stalls_is_ended(
    time: VirtualTime, file: Path, heard: pytest.LogCaptureFixture
) -> None:
    async with serving(access(file, TLS)) as served:
        readers = []
        for sent in (b"", b"\x16", b"\x16\x03\x01\x02\x00"):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(sent)
            readers.append((reader, writer))
        await asyncio.sleep(9)
        assert not any(reader.at_eof() for reader, _ in readers)
        await asyncio.sleep(2)
        for reader, writer in readers:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
        assert 11 <= time.monotonic() < 12
    assert "Traceback" not in heard.text


# --- certificates of clients ----------------------------------------------------------------------


def certified(folder: Path, pair: Pair) -> ssl.SSLContext:
    pair.write(folder, "client")
    return trusting(pair, str(folder))


async def test_only_verified_clients_are_let_in(
    folder: Path, file: Path, heard: pytest.LogCaptureFixture
) -> None:
    stranger = issue("another authority", authority=True)
    async with serving(access(file, VERIFIED)) as served:
        assert (await served.fetch(tls=certified(folder, client())))[0] == 200
        refused = [
            trusting(),
            certified(folder, client(stranger)),
            certified(folder, client(expired=True)),
            certified(folder, issue("self-made")),
            certified(folder, server()),  # a server's certificate is for no client
        ]
        for tls in refused:
            with pytest.raises(REFUSED):
                await served.fetch(tls=tls)
            tls.maximum_version = ssl.TLSVersion.TLSv1_2
            with pytest.raises(REFUSED):
                await served.fetch(tls=tls)
    assert "Traceback" not in heard.text


def told(port: int, tls: ssl.SSLContext) -> str:
    """Ask, and return what the server says against it, as OpenSSL names it; empty: nothing."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            tls.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            secured.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
            # In TLS 1.3 the server sees a certificate only once the client takes it for agreed.
            secured.recv(1000)
    except ssl.SSLError as error:
        return error.reason
    return ""


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
async def test_who_is_refused_is_told_why(
    folder: Path, file: Path, version: str, heard: pytest.LogCaptureFixture
) -> None:
    without = {
        "TLSv1_2": "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSv1_3": "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    }
    async with serving(access(file, VERIFIED)) as served:
        for pair, reason in (
            (None, without[version]),
            (issue("self-made"), "TLSV1_ALERT_UNKNOWN_CA"),
            (client(expired=True), "SSLV3_ALERT_CERTIFICATE_EXPIRED"),
        ):
            tls = trusting() if pair is None else certified(folder, pair)
            tls.minimum_version = tls.maximum_version = ssl.TLSVersion[version]
            assert await asyncio.to_thread(told, served.port, tls) == reason
        assert (await served.fetch(tls=certified(folder, client())))[0] == 200
    assert "Traceback" not in heard.text


async def test_a_version_that_is_not_spoken_is_named(file: Path) -> None:
    tls = trusting()
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(access(file, f"{TLS}  min_version: TLS13\n")) as served:
        reason = await asyncio.to_thread(told, served.port, tls)
    assert reason == "TLSV1_ALERT_PROTOCOL_VERSION"


async def test_who_was_told_and_stays_is_let_go(time: VirtualTime, file: Path) -> None:
    async with serving(access(file, TLS)) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"\x16\x03\x01\x00\x04" + bytes(4))
        assert (await reader.read(1)) == b"\x15"  # an alert
        await asyncio.sleep(11)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        assert reader.at_eof()
        assert time.monotonic() < 12
        writer.close()


async def test_who_is_listed_is_trusted_without_an_authority(folder: Path, file: Path) -> None:
    listed = issue("listed")
    (folder / "ca.crt").write_text(listed.cert_pem)
    async with serving(access(file, VERIFIED)) as served:
        assert (await served.fetch(tls=certified(folder, listed)))[0] == 200
        with pytest.raises(REFUSED):
            await served.fetch(tls=certified(folder, client()))


@pytest.mark.parametrize("auth", ["VerifyClientCertIfGiven", "RequestClientCert", "NoClientCert"])
async def test_a_certificate_may_be_left_out(folder: Path, file: Path, auth: str) -> None:
    keys = "" if auth == "NoClientCert" else "  client_ca_file: ca.crt\n"
    stranger = certified(folder, issue("self-made"))
    async with serving(access(file, f"{TLS}  client_auth_type: {auth}\n{keys}")) as served:
        assert (await served.fetch(tls=trusting()))[0] == 200
        assert (await served.fetch(tls=certified(folder, client())))[0] == 200
        if auth == "VerifyClientCertIfGiven":
            with pytest.raises(REFUSED):
                await served.fetch(tls=stranger)
        else:
            assert (await served.fetch(tls=stranger))[0] == 200


NAMES = {
    "prometheus.internal": x509.DNSName("prometheus.internal"),
    "10.1.2.3": x509.IPAddress(ipaddress.ip_address("10.1.2.3")),
    "2001:DB8::1": x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
    "ops@example.org": x509.RFC822Name("ops@example.org"),
    "spiffe://example.org/prometheus": x509.UniformResourceIdentifier(
        "spiffe://example.org/prometheus"
    ),
}


@pytest.mark.parametrize("name", NAMES)
async def test_clients_are_let_in_by_name(
    folder: Path, file: Path, name: str, heard: pytest.LogCaptureFixture
) -> None:
    others = [value for key, value in NAMES.items() if key != name]
    text = f"{VERIFIED}  client_allowed_sans: ['nobody', '{name}']\n"
    async with serving(access(file, text)) as served:
        both = certified(folder, client(None, others[0], NAMES[name]))
        assert (await served.fetch(tls=both))[0] == 200
        for names in (others, [], [x509.DNSName("prometheus.internal.evil")]):
            with pytest.raises(REFUSED):
                await served.fetch(tls=certified(folder, client(None, *names)))
    assert "Traceback" not in heard.text


def resumed(port: int, tls: ssl.SSLContext, session: ssl.SSLSession | None) -> tuple[bool, object]:
    """Ask, as who was here before where there is a session: whether that worked, and the next."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        tls.wrap_socket(plain, server_hostname="localhost", session=session) as secured,
    ):
        secured.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        assert secured.recv(1000).startswith(b"HTTP/1.1 200")
        return bool(secured.session_reused), secured.session


async def test_a_session_that_is_resumed_is_checked_by_the_newest_rules(
    folder: Path, file: Path
) -> None:
    tls = certified(folder, client(None, NAMES["10.1.2.3"]))
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    gate = access(file, f"{VERIFIED}  client_allowed_sans: [10.1.2.3]\n")
    async with serving(gate) as served:
        _, session = await asyncio.to_thread(resumed, served.port, tls, None)
        assert isinstance(session, ssl.SSLSession)
        reused, _ = await asyncio.to_thread(resumed, served.port, tls, session)
        assert reused
        write(file, f"{VERIFIED}  client_allowed_sans: [10.9.9.9]\n")
        gate.take(gate.read())
        with pytest.raises(OSError, match=r"(?i)reset|eof|closed|alert"):
            await asyncio.to_thread(resumed, served.port, tls, session)


# --- passwords ------------------------------------------------------------------------------------


async def test_everything_wants_a_password(file: Path) -> None:
    async with serving(access(file, users(alice="apple", bob="b:e:r:r:y \u00fc"))) as served:
        for path in PATHS:
            for login in (None, ("alice", "wrong"), ("nobody", "apple"), ("alice", "")):
                status, headers = await served.fetch(path, login=login)
                assert status == 401, path
                challenge = 'Basic realm="itnio-exporter", charset="UTF-8"'
                assert headers["WWW-Authenticate"] == challenge
                assert headers.items() >= HEADERS.items()
        for login in (("alice", "apple"), ("bob", "b:e:r:r:y \u00fc")):
            assert (await served.fetch(login=login))[0] == 200
            assert (await served.fetch("/nothing", login=login))[0] == 404


async def test_state_is_changed_by_whom_it_should_be_alone(file: Path) -> None:
    reloads: list[int] = []

    async def reload() -> None:
        reloads.append(1)

    alice = ("alice", "apple")
    async with serving(access(file, users(alice="apple")), InventedSite(reload=reload)) as served:
        elsewhere = {"Origin": "https://evil.example"}
        path = "/-/reload"
        assert (await served.fetch(path, method="POST"))[0] == 401
        assert (await served.fetch(path, method="POST", login=alice, headers=elsewhere))[0] == 403
        assert (await served.fetch(path, login=alice))[0] == 405
        assert reloads == []
        assert (await served.fetch(path, method="POST", login=alice))[0] == 200
        assert reloads == [1]


async def test_too_many_wrong_passwords_are_answered_so(file: Path) -> None:
    gate = access(file, users(alice="apple"))
    gate._passwords = Passwords(_slowly)
    async with serving(gate) as served:
        flood = [served.fetch(login=("alice", str(number))) for number in range(20)]
        answers = await asyncio.gather(*flood)
        statuses = [status for status, _ in answers]
        assert statuses.count(401) >= 4
        assert statuses.count(429) == 20 - statuses.count(401) > 0
        assert all(headers["Retry-After"] == "1" for status, headers in answers if status == 429)
        assert (await served.fetch(login=("alice", "apple")))[0] == 200


def _slowly(password: bytes, against: bytes) -> bool:
    threading.Event().wait(0.1)
    return bcrypt.checkpw(password, against)


# --- headers and the limit ------------------------------------------------------------------------


async def test_headers_are_replaced_and_left_out(file: Path) -> None:
    text = """\
http_server_config:
  headers:
    Content-Security-Policy: default-src 'self' example.net
    X-Frame-Options: ''
    Strict-Transport-Security: max-age=60
"""
    async with serving(access(file, text)) as served:
        _, headers = await served.fetch("/nothing")
    assert headers["Content-Security-Policy"] == "default-src 'self' example.net"
    assert headers["Strict-Transport-Security"] == "max-age=60"
    assert "X-Frame-Options" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_requests_beyond_the_limit_are_refused(time: VirtualTime, file: Path) -> None:
    write(file, "rate_limit: {interval: 10s, burst: 3}\n" + users(alice="apple"))
    async with serving(Access(file, monotonic=time.monotonic)) as served:
        statuses = [(await served.fetch(path))[0] for path in PATHS[:5]]
        assert statuses == [401, 401, 401, 429, 429]
        await asyncio.sleep(10)
        assert (await served.fetch(login=("alice", "apple")))[0] == 200
        assert (await served.fetch(login=("alice", "apple")))[0] == 429


# --- changes --------------------------------------------------------------------------------------


async def serial(port: int, tls: ssl.SSLContext) -> object:
    return ((await agreed(port, tls)).getpeercert() or {})["serialNumber"]


async def test_a_certificate_that_changes_counts_from_the_next_connection_on(
    folder: Path, file: Path
) -> None:
    gate = access(file, TLS)
    async with serving(gate) as served, aiohttp.ClientSession() as session:
        before = await serial(served.port, trusting())
        url = f"{served.url}/-/healthy"
        async with session.get(url, ssl=trusting()) as answer:
            assert "Connection" not in answer.headers
        assert not gate.has_changed()
        server("localhost again").write(folder, "server")
        assert gate.has_changed()
        gate.take(gate.read())
        assert not gate.has_changed()
        # Who is connected is answered, and has to come again.
        async with session.get(url, ssl=trusting()) as answer:
            assert answer.status == 200
        after = await serial(served.port, trusting())
        assert after != before
        assert await serial(served.port, trusting()) == after


async def test_who_is_connected_has_to_come_again(file: Path) -> None:
    gate = access(file, TLS)
    async with serving(gate) as served:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", served.port, ssl=trusting(), server_hostname="localhost"
        )

        async def ask() -> bytes:
            writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
            return await reader.readuntil(b"healthy.\n")

        assert b"Connection: close" not in await ask()
        assert b"Connection: close" not in await ask()
        gate.take(gate.read())
        assert b"Connection: close" in await ask()
        assert await reader.read() == b""
        writer.close()


async def test_users_that_change_count_from_the_next_request_on(file: Path) -> None:
    gate = access(file, users(alice="apple"))
    async with serving(gate) as served:
        assert (await served.fetch(login=("alice", "apple")))[0] == 200
        write(file, users(bob="berry"))
        assert gate.has_changed()
        gate.take(gate.read())
        assert (await served.fetch(login=("alice", "apple")))[0] == 401
        assert (await served.fetch(login=("bob", "berry")))[0] == 200
        write(file, "")
        gate.take(gate.read())
        assert (await served.fetch())[0] == 200


async def test_what_is_broken_is_not_taken_and_not_read_again(folder: Path, file: Path) -> None:
    gate = access(file, TLS)
    async with serving(gate) as served:
        for name, text in (("server.crt", "nothing"), ("web.yml", "tls_server_config: [")):
            good = (folder / name).read_text()
            (folder / name).write_text(text)
            assert gate.has_changed()
            with pytest.raises(ConfigError):
                gate.read()
            assert not gate.has_changed()
            assert (await served.fetch(tls=trusting()))[0] == 200
            (folder / name).unlink()
            assert gate.has_changed()
            with pytest.raises(ConfigError, match="does not exist"):
                gate.read()
            assert not gate.has_changed()
            (folder / name).write_text(good)
            assert gate.has_changed()
            gate.take(gate.read())
            assert (await served.fetch(tls=trusting()))[0] == 200


async def test_a_link_to_other_files_is_a_change(folder: Path, file: Path) -> None:
    """As Kubernetes does it with secrets that are mounted."""
    for name in ("one", "two"):
        (folder / name).mkdir()
        server(name).write(folder / name, "server")
    (folder / "data").symlink_to("one")
    gate = access(file, TLS.replace("server.", "data/server."))
    assert not gate.has_changed()
    (folder / "next").symlink_to("two")
    (folder / "next").rename(folder / "data")
    assert gate.has_changed()
    gate.take(gate.read())
    assert not gate.has_changed()
    gate.close()


@pytest.mark.parametrize(("before", "after", "verb"), [(TLS, "", "removed"), ("", TLS, "added")])
async def test_tls_comes_and_goes_with_a_restart_only(
    file: Path, before: str, after: str, verb: str
) -> None:
    gate = access(file, before)
    write(file, after)
    with pytest.raises(ConfigError) as caught:
        gate.read()
    assert str(caught.value) == (
        f"{file}:1: tls_server_config: cannot be {verb} while the exporter runs; restart it"
    )
    gate.close()


def test_without_a_file_everybody_is_let_in() -> None:
    gate = Access()
    assert gate.tls is None
    assert not gate.wants_password
    assert not gate.has_changed()
    assert gate.read() == gate.config
    assert gate.within_limit()
    gate.close()
