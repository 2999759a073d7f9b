"""TLS, certificates of clients and passwords, as curl and Prometheus meet them."""

import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import bcrypt
import pytest

from exporter.alive import is_alive
from exporter.simulator import FaultKind
from exporter.web.options import Address
from tests.integration.servers import Server, exporter, prometheus, wait_for
from tests.simulated_api import Served, simulated_api
from tests.web.access.certificates import authority, client, issue, server

pytestmark = pytest.mark.integration

KEYS = {f"key-{name}": f"secret-{name}-known" for name in "abc"}
USER, PASSWORD = "prometheus", "correct: horse"
LOGIN = ("--user", f"{USER}:{PASSWORD}")
CERTIFIED = ("--cert", "client.crt", "--key", "client.key")
TLS = """\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
"""
VERIFIED = f"""\
{TLS}  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
"""
SUCCESSFUL = "itnio_exporter_config_last_reload_successful"

Start = Callable[[str], Server]


def users(password: str = PASSWORD) -> str:
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode()
    # As htpasswd writes it.
    return f"basic_auth_users:\n  {USER}: {hashed.replace('$2b$', '$2y$')}\n"


@pytest.fixture(scope="module")
def api() -> Iterator[Served]:
    with simulated_api(KEYS) as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, api: Served) -> Path:
    authority().write(tmp_path, "ca")
    server().write(tmp_path, "server")
    client().write(tmp_path, "client")
    accounts(tmp_path, api, "a")
    return tmp_path


def accounts(folder: Path, api: Served, *names: str, more: str = "", interval: str = "1s") -> None:
    """Write a configuration of accounts, each a name or `name, more keys of it`."""
    lines = [f"poll: {{interval: {interval}, requests_per_second: 500}}", more, "accounts:"]
    for name in names:
        account = name.partition(",")[0]
        lines.append(
            f"- {{name: {name}, api_key: key-{account}, api_secret: secret-{account}-known, "
            f"base_url: '{api.simulator.url}'}}"
        )
    replace(folder / "config.yaml", "\n".join(lines))


def replace(path: Path, text: str) -> None:
    """Write a file as an editor does: there is never half of it."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.rename(path)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """`start(text)`: the exporter with this web configuration, listening."""
    with ExitStack() as stack:

        def begin(web: str) -> Server:
            replace(folder / "web.yml", web)
            arguments = [f"--config.file={folder / 'config.yaml'}", "--web.enable-lifecycle"]
            arguments += [f"--web.config.file={folder / 'web.yml'}", "--storage.path="]
            running = stack.enter_context(
                exporter("run", *arguments, "--log.level=debug", log=folder / "log")
            )
            wait_for(lambda: "msg=listening" in running.output(), "listening", 60)
            return running

        yield begin


def curl(running: Server, *arguments: str, path: str = "/metrics", scheme: str = "https") -> str:
    """What curl says: the status, or `curl: N` where it got no answer."""
    return asked(running, *arguments, path=path, scheme=scheme)[0]


def asked(
    running: Server, *arguments: str, path: str = "/metrics", scheme: str = "https"
) -> tuple[str, str]:
    """What curl says, and the body."""
    command = shutil.which("curl")
    assert command, "no curl on PATH: `make servers` installs it"
    url = f"{scheme}://localhost:{port(running)}{path}"
    ran = subprocess.run(
        [
            *(command, "--silent", "--noproxy", "*", "--max-time", "10", "--cacert", "ca.crt"),
            *("--write-out", "%{stderr}%{http_code}", *arguments, url),
        ],
        cwd=running.log.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return (f"curl: {ran.returncode}" if ran.returncode else ran.stderr), ran.stdout


def port(running: Server) -> int:
    return int(running.url.rpartition(":")[2])


def no_harm(running: Server) -> None:
    assert running.terminate(15) == 0
    assert "Traceback" not in running.output()
    assert "level=error" not in running.output()
    for secret in (*KEYS.values(), PASSWORD, "PRIVATE KEY", "$2y$"):
        assert secret not in running.output()


def test_curl_gets_in_with_certificate_and_password_only(start: Start) -> None:
    running = start(VERIFIED + users())
    assert curl(running, *CERTIFIED, *LOGIN) == "200"
    assert curl(running, *CERTIFIED, *LOGIN, path="/-/healthy") == "200"
    assert curl(running, *CERTIFIED) == "401"
    assert curl(running, *CERTIFIED, "--user", f"{USER}:wrong") == "401"
    assert curl(running, *CERTIFIED, "--user", "nobody:wrong", path="/-/healthy") == "401"
    # curl's 35: no handshake; 52 and 56: no answer.
    assert curl(running, *LOGIN) in {"curl: 35", "curl: 52", "curl: 56"}
    assert curl(running, *LOGIN, "--tls-max", "1.2") in {"curl: 35", "curl: 52", "curl: 56"}
    assert curl(running, *LOGIN, scheme="http") in {"curl: 52", "curl: 56"}
    assert curl(running, *CERTIFIED, *LOGIN, "--tls-max", "1.1") == "curl: 35"
    assert curl(running, *CERTIFIED, *LOGIN, "--http2") == "200"
    assert curl(running, *CERTIFIED, *LOGIN, "--request", "POST", path="/-/reload") == "200"
    elsewhere = ("--header", "Origin: https://evil.example", "--request", "POST")
    assert curl(running, *CERTIFIED, *LOGIN, *elsewhere, path="/-/reload") == "403"
    no_harm(running)


def test_prometheus_scrapes_over_tls_with_a_password(start: Start, folder: Path) -> None:
    running = start(VERIFIED + users())
    scrape = {
        "scheme": "https",
        "basic_auth": {"username": USER, "password": PASSWORD},
        "tls_config": {
            "ca_file": str(folder / "ca.crt"),
            "cert_file": str(folder / "client.crt"),
            "key_file": str(folder / "client.key"),
            "server_name": "localhost",
        },
    }
    target = f"127.0.0.1:{port(running)}"
    with prometheus(folder, target, metrics_path="/metrics", scrape=scrape) as scraper:
        wait_for(lambda: scraper.value("up") == 1, "a scrape")
        wait_for(lambda: scraper.value("itnio_up") == 1, "the account")
        # Another certificate and another password: the one is not noticed, the other is refused.
        server("renewed").write(folder, "server")
        wait_for(lambda: running.output().count("loaded anew") == 1, "the new certificate")
        scrapes = scraper.value("count_over_time(up[1h])") or 0
        wait_for(lambda: (scraper.value("count_over_time(up[1h])") or 0) > scrapes + 2, "scrapes")
        assert scraper.value("min_over_time(up[1h])") == 1
        replace(folder / "web.yml", VERIFIED + users("another"))
        wait_for(lambda: scraper.value("up") == 0, "a refused scrape")
        assert "401" in scraper.target()["lastError"]
        replace(folder / "web.yml", VERIFIED + users())
        wait_for(lambda: scraper.value("up") == 1, "a scrape again")
    no_harm(running)


def test_prometheus_is_told_which_certificate_is_missing(start: Start, folder: Path) -> None:
    running = start(VERIFIED)
    scrape = {
        "scheme": "https",
        "tls_config": {"ca_file": str(folder / "ca.crt"), "server_name": "localhost"},
    }
    target = f"127.0.0.1:{port(running)}"
    with prometheus(folder, target, metrics_path="/metrics", scrape=scrape) as scraper:
        wait_for(lambda: scraper.value("up") == 0, "a refused scrape")
        assert "certificate required" in scraper.target()["lastError"]
    no_harm(running)


def serial(running: Server) -> str:
    context = ssl.create_default_context(cadata=authority().cert_pem)
    with (
        socket.create_connection(("127.0.0.1", port(running)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        certificate = secured.getpeercert()
    assert certificate is not None
    return str(certificate["serialNumber"])


def test_a_bad_file_changes_nothing_and_is_told_once(start: Start, folder: Path) -> None:
    running = start(TLS + users())

    def metrics() -> str:
        status, body = asked(running, *LOGIN)
        assert status == "200"
        return body

    before = serial(running)
    assert f"{SUCCESSFUL} 1" in metrics()
    renewed = issue("renewed", authority())
    replace(folder / "server.crt", renewed.cert_pem)  # its key is still to come
    wait_for(lambda: f"{SUCCESSFUL} 0" in metrics(), "the failed load")
    assert serial(running) == before
    _, page = asked(running, *LOGIN, path="/")
    assert "web.yml" in page
    status, body = asked(running, *LOGIN, "--request", "POST", path="/-/reload")
    assert status == "500"
    assert f"{folder / 'web.yml'}:3: tls_server_config.key_file: is not the certificate's" in body
    told = running.output().count("the new configuration is not used")
    assert told == 2
    server("renewed").write(folder, "server")
    wait_for(lambda: serial(running) != before, "the new certificate")
    # The reload that was asked for has still failed.
    assert f"{SUCCESSFUL} 0" in metrics()
    running.process.send_signal(signal.SIGHUP)
    wait_for(lambda: f"{SUCCESSFUL} 1" in metrics(), "the reload")
    assert running.output().count("the new configuration is not used") == told
    assert running.terminate(15) == 0
    assert "Traceback" not in running.output()


def test_both_files_are_checked_before_anything_starts(folder: Path, api: Served) -> None:
    accounts(folder, api, "a", more="pol: {}")
    replace(folder / "web.yml", f"{TLS}  client_auth_type: RequireAnyClientCert\nusers: {{}}\n")
    arguments = ["--config.file=config.yaml", "--web.config.file=web.yml", "--storage.path="]
    with exporter("run", *arguments, log=folder / "log", cwd=folder) as running:
        assert running.process.wait(30) == 2
    lines = running.output().splitlines()
    assert [line.partition(": is ")[0].partition(": '")[0] for line in lines] == [
        "config.yaml:2: pol",
        "web.yml:4: tls_server_config.client_auth_type",
        "web.yml:5: users",
    ]


def test_accounts_come_and_go_beside_a_poll_that_is_under_way(
    start: Start, folder: Path, api: Served
) -> None:
    # The first request takes long, though not too long for the poll.
    api.go_wrong(FaultKind.SLOW, 8, api_key="key-a", times=1)
    requests = api.simulator.api.log.by_key["key-a"]
    accounts(folder, api, "a", "b", interval="12s")
    running = start(users())

    def metrics() -> str:
        return asked(running, *LOGIN, scheme="http")[1]

    def polls(account: str) -> int:
        found = re.search(rf'itnio_exporter_polls_total{{account="{account}"}} (\d+)', metrics())
        return int(found[1]) if found else -1

    def reload() -> None:
        how = (*LOGIN, "--request", "POST")
        assert curl(running, *how, path="/-/reload", scheme="http") == "200"

    wait_for(lambda: api.simulator.api.log.by_key["key-a"] > requests, "the slow request")
    wait_for(lambda: polls("b") == 1, "the other's poll")
    accounts(folder, api, "a", "b, currency: EUR", "c", interval="12s")
    reload()
    wait_for(lambda: polls("c") == 1, "the new account's poll")
    accounts(folder, api, "a", "c", interval="12s")
    reload()
    assert 'account="b"' not in metrics()
    assert (polls("a"), polls("c")) == (0, 1)
    # It was begun before all that, and comes to its end.
    wait_for(lambda: polls("a") == 1, "the slow poll")
    failed = re.findall(r'poll_failures_total{account="a",reason="\w+"} (\d+)', metrics())
    assert len(failed) > 10
    assert set(failed) == {"0"}
    assert 'itnio_up{account="a"} 1' in metrics()
    no_harm(running)


@pytest.mark.parametrize("encryption", ["", TLS, VERIFIED])
@pytest.mark.parametrize("password", [False, True])
def test_the_health_check_needs_neither_certificate_nor_password(
    start: Start, encryption: str, password: bool
) -> None:
    running = start(encryption + (users() if password else ""))
    address = Address("127.0.0.1", port(running))
    assert is_alive(address, 10)
    running.process.send_signal(signal.SIGSTOP)
    assert not is_alive(address, 0.5)
    running.process.send_signal(signal.SIGCONT)
    assert is_alive(address, 10)
    no_harm(running)
    assert not is_alive(address, 1)


def test_it_stops_in_time_though_handshakes_hang(start: Start) -> None:
    running = start(TLS)
    hung = [socket.create_connection(("127.0.0.1", port(running))) for _ in range(20)]
    try:
        for place, each in enumerate(hung):
            each.sendall([b"", b"\x16\x03\x01"][place % 2])
        assert curl(running) == "200"
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(15) == 0
        assert "Traceback" not in running.output()
    finally:
        for each in hung:
            each.close()
