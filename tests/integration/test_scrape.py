"""A real Prometheus scrapes the demo and takes every sample; promtool finds nothing to say."""

import shutil
import subprocess

import pytest

from tests.integration.conftest import StartExporter, StartPrometheus
from tests.integration.servers import SCRAPE_ACCEPT, Server, fetch, wait_for

pytestmark = pytest.mark.integration

TEXT_ACCEPT = "text/plain;version=0.0.4"


@pytest.fixture
def demo(start_exporter: StartExporter) -> Server:
    server = start_exporter("demo")
    server.wait_until_ready()
    return server


def exposition(server: Server, accept: str) -> str:
    status, body = fetch(f"{server.url}/metrics", {"Accept": accept})
    assert status == 200, body
    return body


def count_samples(text: str) -> int:
    return sum(1 for line in text.splitlines() if line and not line.startswith("#"))


def test_demo_prints_its_urls(demo: Server) -> None:
    wait_for(lambda: f"{demo.url}/metrics" in demo.output(), "the URL of the metrics")


def test_promtool_accepts_the_exposition(demo: Server) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "no promtool on PATH: `make servers` installs it"
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=exposition(demo, TEXT_ACCEPT),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_demo_has_figures(demo: Server) -> None:
    text = exposition(demo, TEXT_ACCEPT)
    assert "itnio_up{" in text
    assert "itnio_voice_window_tasks{" in text


def test_prometheus_takes_every_sample(demo: Server, start_prometheus: StartPrometheus) -> None:
    prometheus = start_prometheus(f"{demo.url}/metrics")
    wait_for(lambda: prometheus.value("up") == 1, "a good scrape")

    def everything_arrived() -> bool:
        # The demo lives, and a poll between the scrape and our reading may add a series. Samples
        # that Prometheus drops are missing from every scrape, so that this never comes true.
        served = count_samples(exposition(demo, SCRAPE_ACCEPT))
        return prometheus.value("scrape_samples_scraped") == served

    wait_for(everything_arrived, "a scrape with as many samples as are served")
    # A comparison of two series keeps those for which it holds.
    assert prometheus.query("scrape_samples_post_metric_relabeling != scrape_samples_scraped") == {}
    assert prometheus.lost_samples() == 0

    target = prometheus.target()
    assert (target["health"], target["lastError"]) == ("up", "")
    complaints = prometheus.own_counters("prometheus_target_scrapes_")
    assert "prometheus_target_scrapes_sample_out_of_order_total" in complaints
    assert {name for name, count in complaints.items() if count} == set()


def test_series_reach_prometheus_with_their_labels(
    demo: Server, start_prometheus: StartPrometheus
) -> None:
    prometheus = start_prometheus(f"{demo.url}/metrics")
    wait_for(lambda: prometheus.query("itnio_up == 1"), "itnio_up of the demo's accounts")
    statuses = prometheus.query(
        "count by (status) (itnio_voice_window_tasks{account!='', window!=''})"
    )
    assert len(statuses) == 8, statuses
