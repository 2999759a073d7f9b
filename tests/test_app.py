"""The exporter as a process: it stops in time, loads anew, and never tells a secret."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request

import pytest

from exporter.simulator import FaultKind
from tests.integration.servers import Server, _opener, exporter, fetch, wait_for
from tests.simulated_api import Served, simulated_api

pytestmark = pytest.mark.integration

KEY, SECRET = "key-bDqJFiq9-known", "secret-7bz1lzh9-known"


@pytest.fixture
def api() -> Iterator[Served]:
    """The simulated API, with credentials that can be searched for."""
    with simulated_api({KEY: SECRET}) as served:
        yield served


def write(path: Path, url: str, *names: str, more: str = "") -> Path:
    lines = ["poll: {interval: 200ms, requests_per_second: 500}", more, "accounts:"]
    keys = f"api_key: {KEY}, api_secret: {SECRET}, base_url: '{url}'"
    lines += [f"- {{name: {name}, {keys}}}" for name in names]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def config(api: Served, tmp_path: Path) -> Path:
    return write(tmp_path / "config.yaml", api.simulator.url, "first")


@pytest.fixture
def server(config: Path, tmp_path: Path) -> Iterator[Server]:
    arguments = [f"--config.file={config}", f"--storage.path={tmp_path / 'data'}"]
    arguments += ["--log.level=debug", "--web.enable-lifecycle"]
    with exporter("run", *arguments, log=tmp_path / "log") as running:
        running.wait_until_ready()
        yield running


def metrics(server: Server) -> str:
    return fetch(f"{server.url}/metrics")[1]


def post(url: str) -> tuple[int, str]:
    try:
        with _opener.open(Request(url, method="POST"), timeout=5) as reply:
            return reply.status, reply.read().decode()
    except OSError as error:
        return getattr(error, "code", 0), getattr(error, "read", bytes)().decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_time_though_api_and_scrapers_hang(
    server: Server, api: Served, number: signal.Signals
) -> None:
    api.go_wrong(FaultKind.HANG)
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    hung = [socket.create_connection(address) for _ in range(20)]
    try:
        for place, scraper in enumerate(hung):
            # One never asks, one half asks, one asks and never reads the answer.
            asked = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
            scraper.sendall([b"", asked[:20], asked * 50][place % 3])
        server.process.send_signal(number)
        assert server.process.wait(5) == 0
        assert "Traceback" not in server.output()
        assert "stopping" in server.output()
    finally:
        for scraper in hung:
            scraper.close()


def test_a_hangup_loads_the_configuration_anew(server: Server, api: Served, config: Path) -> None:
    write(config, api.simulator.url, "first", "second")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: 'itnio_up{account="second"} 1' in metrics(server), "the second account")
    write(config, api.simulator.url, "second")
    assert post(f"{server.url}/-/reload")[0] == 200
    assert 'account="first"' not in metrics(server)
    assert 'itnio_up{account="second"} 1' in metrics(server)


def test_a_bad_configuration_is_refused_and_the_old_one_kept(
    server: Server, api: Served, config: Path
) -> None:
    successful = "itnio_exporter_config_last_reload_successful"
    assert f"{successful} 1.0" in metrics(server)
    write(config, api.simulator.url, "first", more=f"pol: {SECRET}")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: f"{successful} 0.0" in metrics(server), "the failed reload")
    status, body = post(f"{server.url}/-/reload")
    assert status == 500
    assert f"{config}:2: pol: is not a known key" in body
    assert SECRET not in body
    assert 'itnio_up{account="first"} 1' in metrics(server)
    write(config, api.simulator.url, "first")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: f"{successful} 1.0" in metrics(server), "the good reload")
    assert server.terminate() == 0
    assert "Traceback" not in server.output()


def test_no_secret_is_ever_told(server: Server, api: Served, config: Path) -> None:
    """At debug, through failures of every kind, from an API that echoes what it was sent."""
    seen: list[str] = []

    def look() -> None:
        seen.extend(fetch(server.url + path)[1] for path in ("/", "/metrics", "/-/ready"))

    def polls() -> int:
        return int(re.findall(r"polls_total\{.*?\} (\d+)", metrics(server))[0])

    echo = f"who is {KEY} with {SECRET}?"
    for kind, amount, text in [
        (FaultKind.API_CODE, -22, echo),
        (FaultKind.API_CODE, -99, echo),
        (FaultKind.HTTP_STATUS, 400, echo),
        (FaultKind.HTML, None, echo),
        (FaultKind.NOT_JSON, None, echo),
        (FaultKind.SET_FIELD, None, f'callNum="{echo}"'),
        (FaultKind.REDIRECT, None, f"http://{KEY}:{SECRET}@127.0.0.1:9/"),
    ]:
        api.mend()
        api.go_wrong(kind, amount, text)
        enough = polls() + 2
        wait_for(lambda enough=enough: polls() >= enough, f"polls under {kind}")  # type: ignore[misc]
        look()
    api.mend()
    write(config, api.simulator.url, "first", more=f"pol: {KEY}\nmetrics: {{task_limit: {SECRET}}}")
    seen.append(post(f"{server.url}/-/reload")[1])
    server.process.send_signal(signal.SIGHUP)
    look()
    assert server.terminate() == 0
    told = "\n".join([*seen, server.output()])
    assert "poll failed" in told
    assert "is not a known key" in told
    assert SECRET not in told
    assert KEY not in told
    for folder, _, files in os.walk(config.parent / "data"):
        for name in files:
            assert SECRET.encode() not in (Path(folder) / name).read_bytes()
