"""From a cause to somebody's page: API, exporter, Prometheus, Alertmanager, a receiver that counts.

The rules and Alertmanager's configuration are those of prometheus/, with all their durations
divided by PACE, so that minutes pass in seconds; thresholds, labels, annotations, grouping and
inhibition are what they are. The rules themselves are held to their real durations by promtool.
"""

import json
import re
import shutil
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.integration.conftest import StartExporter
from tests.integration.servers import (
    Prometheus,
    Server,
    fetch,
    free_port,
    running,
    running_alertmanager,
    wait_for,
)

pytestmark = pytest.mark.integration

FOLDER = Path(__file__).parents[2] / "prometheus"
PACE = 30
"""How many times as fast as real time the alerts are."""

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}


def hastened(text: str, least: float = 0.0) -> str:
    """A duration such as 1h30m divided by PACE, in milliseconds; not below `least` seconds."""
    seconds = sum(int(n) * _SECONDS[unit] for n, unit in re.findall(r"(\d+)([wdhms])", text))
    return f"{round(1000 * max(seconds / PACE, least))}ms"


def hasten_expression(expression: str) -> str:
    """Ranges, subqueries and offsets hastened, but wide enough for scrapes a second apart."""
    duration = r"(?:\d+[wdhms])+"
    expression = re.sub(
        rf"\[({duration})(?::({duration}))?\]",
        lambda m: (
            f"[{hastened(m[1], 5)}:{hastened(m[2], 1)}]" if m[2] else f"[{hastened(m[1], 5)}]"
        ),
        expression,
    )
    return re.sub(rf"offset ({duration})", lambda m: f"offset {hastened(m[1])}", expression)


def hasten_rules(target: Path) -> None:
    """Copy the rule files with all durations hastened; ages in seconds stay as they are."""
    target.mkdir()
    for path in sorted((FOLDER / "rules").glob("*.yml")):
        content = yaml.safe_load(path.read_text())
        for group in content["groups"]:
            for rule in group["rules"]:
                rule["expr"] = hasten_expression(rule["expr"])
                for key in ("for", "keep_firing_for"):
                    if key in rule:
                        rule[key] = hastened(rule[key])
        (target / path.name).write_text(yaml.safe_dump(content))


@dataclass(frozen=True, slots=True)
class Arrival:
    """One alert in one notification, and when it came."""

    at: float
    name: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(slots=True)
class Pager:
    """What was notified, as the on-call person's telephone would have it."""

    url: str
    arrivals: list[Arrival] = field(default_factory=list)

    def paged(self, name: str) -> list[Arrival]:
        return [each for each in self.arrivals if each.name == name and each.status == "firing"]

    def paged_names(self) -> set[str]:
        return {each.name for each in self.arrivals if each.status == "firing"}


@pytest.fixture
def pager() -> Iterator[Pager]:
    received = Pager("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.arrivals += [
                Arrival(
                    time.monotonic(),
                    alert["labels"]["alertname"],
                    alert["status"],
                    alert["labels"],
                    alert["annotations"],
                )
                for alert in body["alerts"]
            ]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield received
        server.shutdown()
        thread.join()


def alertmanager_config(pager: Pager) -> Any:
    """prometheus/alertmanager.yml, hastened; pages go to the pager, all else nowhere."""
    config = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())
    config["global"] = {"resolve_timeout": "5m"}
    route = config["route"]
    # The copy of everything for programs is not what wakes people.
    route["routes"] = [each for each in route["routes"] if each["receiver"] != "webhook"]
    for each in (route, *route["routes"]):
        for key in ("group_wait", "group_interval"):
            if key in each:
                each[key] = hastened(each[key], 0.1)
    config["receivers"] = [
        {"name": "pages", "webhook_configs": [{"url": pager.url, "send_resolved": True}]},
        {"name": "tickets"},
    ]
    return config


@dataclass(frozen=True, slots=True)
class Watch:
    """An account that is watched, all the way to the pager."""

    simulator: Server
    exporter: Server
    prometheus: Prometheus
    alertmanager: Server
    pager: Pager

    def silenced(self) -> set[str]:
        """The names of the alerts that Alertmanager keeps to itself because of others."""
        status, body = fetch(f"{self.alertmanager.url}/api/v2/alerts")
        assert status == 200, body
        return {
            each["labels"]["alertname"]
            for each in json.loads(body)
            if each["status"]["inhibitedBy"]
        }

    def firing(self) -> set[str]:
        """The names of the alerts that Prometheus says are firing."""
        found = self.prometheus.query('ALERTS{alertstate="firing"}')
        return {json.loads(labels)["alertname"] for labels in found}

    def control(self, path: str, **order: Any) -> None:
        """Tell the simulator to do something."""
        request = urllib.request.Request(
            f"{self.simulator.url}/simulator/{path}",
            json.dumps(order).encode(),
            {"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=5) as reply:
            assert reply.status < 300

    def page(self, name: str, since: float) -> Arrival:
        """Wait for the first page of an alert; print how long after its cause it came."""
        try:
            wait_for(lambda: self.pager.paged(name), f"a page {name}", timeout=60)
        except AssertionError as error:
            error.add_note(f"firing: {self.firing()}; arrived: {self.pager.arrivals}")
            raise
        first = self.pager.paged(name)[0]
        took = first.at - since
        print(f"{name}: {took:.1f} s from cause to page, at {PACE} times the pace")  # noqa: T201  # -s shows it
        return first


def where_it_is_noon() -> str:
    """The offset of a zone in which noon is now, or was within the hour."""
    ahead = 12 - time.gmtime().tm_hour
    return f"{'+' if ahead >= 0 else '-'}{abs(ahead):02}:00"


@pytest.fixture
def watched(tmp_path: Path, start_exporter: StartExporter, pager: Pager) -> Iterator[Watch]:
    # Enough calls to judge by whenever this runs: also on a weekend, and never by night.
    simulator = start_exporter(
        "simulate", "--tasks-per-day=12000", f"--timezone={where_it_is_noon()}"
    )
    wait_for(lambda: "currency:" in simulator.output(), "what to configure")
    account = dict(re.findall(r"(?m)^(\w+): (\S+)$", simulator.output()))
    account |= {"name": "production"}
    apps = [{"id": 12, "name": "collections"}, {"id": 15, "name": "reminders"}]
    poll = {"interval": "2s", "timeout": "2s", "deadline": "2s", "requests_per_second": 200}
    poll |= {"lookback": "6h", "windows": ["1h"]}
    config = tmp_path / "config.yaml"  # JSON is YAML
    config.write_text(json.dumps({"poll": poll, "accounts": [{**account, "apps": apps}]}))
    exporter = start_exporter(
        "run", f"--config.file={config}", f"--storage.path={tmp_path / 'data'}"
    )
    exporter.wait_until_ready()
    with (
        running_alertmanager(alertmanager_config(pager), tmp_path) as alertmanager,
        start_prometheus(tmp_path, exporter.url, alertmanager.url) as prometheus,
    ):
        wait_for(lambda: prometheus.query("itnio_up == 1"), "a good poll, scraped")
        yield Watch(simulator, exporter, prometheus, alertmanager, pager)


@contextmanager
def start_prometheus(folder: Path, target: str, alertmanager: str) -> Iterator[Prometheus]:
    """A Prometheus with the hastened rules."""
    executable = shutil.which("prometheus")
    assert executable, "no prometheus on PATH: `make servers` installs it"
    hasten_rules(folder / "rules")
    path = folder / "prometheus.json"
    scraped, told = ([{"targets": [urlsplit(url).netloc]}] for url in (target, alertmanager))
    config = {
        "global": {
            "scrape_interval": "1s",
            "scrape_timeout": "1s",
            "evaluation_interval": "1s",
        },
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [{"job_name": "itnio", "static_configs": scraped}],
        "alerting": {"alertmanagers": [{"static_configs": told}]},
    }
    path.write_text(json.dumps(config))
    port = free_port()
    with running(
        [
            executable,
            f"--config.file={path}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--rules.alert.resend-delay=1s",
        ],
        port=port,
        log=folder / "prometheus.log",
    ) as server:
        server.wait_until_ready()
        yield Prometheus(server)


def test_durations_are_hastened() -> None:
    assert hastened("1h30m") == "180000ms"
    assert hasten_expression("max_over_time(x[1h:30m] offset 23h30m) + rate(y[5m])") == (
        "max_over_time(x[120000ms:60000ms] offset 2820000ms) + rate(y[10000ms])"
    )


def test_calls_that_fail_and_an_exporter_that_dies_page_once_each(watched: Watch) -> None:
    pager = watched.pager
    calls = 'min(itnio:app_calls:increase10m{app=~"collections|reminders"}) > 50'
    wait_for(lambda: watched.prometheus.query(calls), "calls enough", timeout=60)
    assert pager.arrivals == []

    # A campaign incident: one app's calls fail. Its page comes once; the other app is fine.
    began = time.monotonic()
    watched.control("incidents", kind="failures", app=12, strength=0.95, seconds=3600)
    page = watched.page("ItnioCallsFailing", began)
    assert (page.labels["account"], page.labels["app"]) == ("production", "collections")
    assert page.labels["severity"] == "page"
    assert page.annotations["runbook_url"].endswith("/docs/runbooks/ItnioCallsFailing.md")

    # The exporter dies: one page for that, and what it had told is silenced.
    died = time.monotonic()
    watched.exporter.process.kill()
    watched.exporter.process.wait()
    down = watched.page("ItnioExporterDown", died)
    assert down.labels["instance"] == page.labels["instance"]
    wait_for(lambda: "ItnioCallsFailing" in watched.silenced(), "the other alert silenced")
    assert pager.paged_names() == {"ItnioCallsFailing", "ItnioExporterDown"}
    assert len({json.dumps(each.labels, sort_keys=True) for each in pager.arrivals}) == 2


def test_refused_credentials_page_and_what_comes_of_them_does_not(watched: Watch) -> None:
    refused = time.monotonic()
    watched.control("faults", kind="api_code", amount=-1)
    page = watched.page("ItnioCredentialsRefused", refused)
    assert page.labels["account"] == "production"
    assert "-1 (authentication error)" in page.annotations["description"]
    wait_for(lambda: "ItnioPollingFailing" in watched.firing(), "polling to fail for long")
    wait_for(lambda: "ItnioPollingFailing" in watched.silenced(), "what comes of it silenced")
    assert watched.pager.paged_names() == {"ItnioCredentialsRefused"}
