"""Real servers for the integration tests: started on free loopback ports, waited for, stopped.

Nothing here sleeps for a fixed time: what is awaited is asked for again and again, up to a bound.
"""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client.parser import text_string_to_metric_families

# What Prometheus 2.42 asks with, so that a test reads the very exposition that was scraped.
SCRAPE_ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)

T = TypeVar("T")

# A proxy in the environment is for the world outside, not for the loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def fetch(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """GET on the loopback: status and body, errors of HTTP included; OSError where none answers."""
    try:
        with _opener.open(urllib.request.Request(url, headers=headers or {}), timeout=5) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        return fetch(url)[0] == 200
    except OSError:
        return False


def wait_for(probe: Callable[[], T], what: str, timeout: float = 30) -> T:
    """The first truthy answer of `probe`; AssertionError, naming the last one, after `timeout`."""
    give_up = time.monotonic() + timeout
    while not (answer := probe()):
        assert time.monotonic() < give_up, f"not within {timeout} s: {what}; last: {answer!r}"
        time.sleep(0.05)
    return answer


@dataclass(frozen=True, slots=True)
class Server:
    """A running process, and where what it prints goes."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until_ready(self, path: str = "/-/ready", timeout: float = 30) -> None:
        """Until `path` answers 200; a process that ends before that is a failure at once."""

        def ready() -> bool:
            status = self.process.poll()
            assert status is None, f"ended with {status} before {path} answered"
            return answers(self.url + path)

        try:
            wait_for(ready, self.url + path, timeout)
        except AssertionError as error:
            error.add_note(self.output())
            raise

    def terminate(self, timeout: float = 5) -> int:
        """SIGTERM; the exit status, which must come within `timeout` seconds."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)


@contextmanager
def running(
    command: Sequence[str], *, port: int, log: Path, cwd: Path | None = None
) -> Iterator[Server]:
    """`command` as a process that serves on `port`, killed at the end at the latest."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=cwd
        )
    try:
        yield Server(f"http://127.0.0.1:{port}", process, log)
    finally:
        process.kill()
        process.wait()


@contextmanager
def exporter(command: str, *arguments: str, log: Path, cwd: Path | None = None) -> Iterator[Server]:
    """`itnio-exporter COMMAND`, with its web side on a free loopback port."""
    port = free_port()
    with running(
        [
            sys.executable,
            *("-m", "exporter", command),
            f"--web.listen-address=127.0.0.1:{port}",
            *arguments,
        ],
        port=port,
        log=log,
        cwd=cwd,
    ) as server:
        yield server


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus that scrapes one target."""

    server: Server

    def api(self, path: str, **parameters: str) -> Any:
        """`data` of the HTTP API's answer."""
        url = f"{self.server.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        status, body = fetch(url)
        assert status == 200, body
        return json.loads(body)["data"]

    def query(self, expression: str) -> dict[str, float]:
        """An instant query: the value of each series, by its labels as Prometheus writes them."""
        result = self.api("query", query=expression)["result"]
        return {
            json.dumps(series["metric"], sort_keys=True): float(series["value"][1])
            for series in result
        }

    def value(self, expression: str) -> float | None:
        """An instant query that gives one series, or None where there is none yet."""
        values = self.query(expression)
        assert len(values) <= 1, values
        return next(iter(values.values()), None)

    def target(self) -> Any:
        """The one scrape target: `health`, `lastError`, `scrapeUrl` and more."""
        (target,) = self.api("targets", state="active")["activeTargets"]
        return target

    def lost_samples(self) -> float | None:
        """Samples of the last scrape that are not in the store, or None before the first scrape.

        Prometheus 2.42 counts no duplicate series within one scrape as dropped, so the store is
        asked. Both sides are of one instant, and a scrape is committed whole.
        """
        return self.value(
            'scrape_samples_scraped{job="itnio"}'
            ' - scalar(count({job="itnio", __name__!~"up|scrape_.+"}))'
        )

    def own_counters(self, prefix: str) -> dict[str, float]:
        """Prometheus' metrics about itself whose names start with `prefix`, summed over labels."""
        counters: dict[str, float] = {}
        for family in text_string_to_metric_families(fetch(f"{self.server.url}/metrics")[1]):
            for sample in family.samples:
                if sample.name.startswith(prefix):
                    counters[sample.name] = counters.get(sample.name, 0) + sample.value
        return counters


@contextmanager
def prometheus(
    folder: Path,
    target: str,
    *,
    metrics_path: str,
    remote_write: Sequence[str] = (),
    scrape: Mapping[str, Any] | None = None,
) -> Iterator[Prometheus]:
    """A Prometheus that scrapes `target` (host:port) every second and touches nothing else.

    What it scrapes it also writes to the URLs of `remote_write`. `scrape` has further keys of its
    scrape configuration, such as `tls_config`.
    """
    executable = shutil.which("prometheus")
    assert executable, "no prometheus on PATH: `make servers` installs it"
    configuration = folder / "prometheus.json"
    configuration.write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                "remote_write": [{"url": url} for url in remote_write],
                "scrape_configs": [
                    {
                        "job_name": "itnio",
                        "metrics_path": metrics_path,
                        "static_configs": [{"targets": [target]}],
                        **(scrape or {}),
                    }
                ],
            }
        )
    )
    port = free_port()
    with running(
        [
            executable,
            f"--config.file={configuration}",  # JSON is YAML
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        port=port,
        log=folder / "prometheus.log",
    ) as server:
        server.wait_until_ready()
        yield Prometheus(server)


@contextmanager
def running_alertmanager(config: Any, folder: Path) -> Iterator[Server]:
    """One Alertmanager, by Debian's name for it or its own, in no cluster."""
    executable = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    assert executable, "no alertmanager on PATH: `make servers` installs it"
    path = folder / "alertmanager.json"
    path.write_text(json.dumps(config))  # JSON is YAML
    port = free_port()
    with running(
        [
            executable,
            f"--config.file={path}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        port=port,
        log=folder / "alertmanager.log",
    ) as server:
        server.wait_until_ready()
        yield server
