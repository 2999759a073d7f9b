"""SIGTERM ends every long-running command within five seconds and with status 0."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import StartExporter
from tests.integration.servers import Server, fetch, free_port, wait_for

pytestmark = pytest.mark.integration


def write_config(folder: Path, port: int) -> Path:
    path = folder / "config.yaml"
    path.write_text(
        f"""\
poll:
  interval: 60s
  timeout: 30s
  deadline: 50s
accounts:
  - name: production
    api_key: key
    api_secret: secret
    base_url: http://127.0.0.1:{port}
    timezone: UTC
    currency: USD
"""
    )
    return path


@pytest.fixture
def silent_api() -> Iterator[int]:
    """The port of a server that accepts every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        yield port


def run(start_exporter: StartExporter, config: Path) -> Server:
    return start_exporter(
        "run", f"--config.file={config}", f"--storage.path={config.parent / 'data'}"
    )


def test_demo_stops(start_exporter: StartExporter) -> None:
    demo = start_exporter("demo")
    demo.wait_until_ready()
    assert demo.terminate() == 0, demo.output()


def test_simulate_stops(start_exporter: StartExporter) -> None:
    simulated = start_exporter("simulate")
    wait_for(lambda: f"base_url: {simulated.url}" in simulated.output(), "the URL of the API")
    assert simulated.terminate() == 0, simulated.output()


def test_run_stops_in_the_middle_of_a_request(
    start_exporter: StartExporter, silent_api: int, tmp_path: Path
) -> None:
    server = run(start_exporter, write_config(tmp_path, silent_api))
    server.wait_until_ready("/-/healthy")
    assert fetch(f"{server.url}/-/ready")[0] == 503
    assert server.terminate() == 0, server.output()
    assert "Traceback" not in server.output()


def test_run_without_an_api_gets_ready_and_says_it_is_down(
    start_exporter: StartExporter, tmp_path: Path
) -> None:
    server = run(start_exporter, write_config(tmp_path, free_port()))
    server.wait_until_ready(timeout=60)
    assert 'itnio_up{account="production"} 0' in fetch(f"{server.url}/metrics")[1]
    assert server.terminate() == 0, server.output()
    assert "Traceback" not in server.output()
