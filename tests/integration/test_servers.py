"""The harness itself: Prometheus against a target that is known to the letter."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.integration.conftest import StartPrometheus
from tests.integration.servers import wait_for

pytestmark = pytest.mark.integration

EXPOSITION = b"""\
# HELP good A gauge.
# TYPE good gauge
good{label="a"} 1
good{label="b"} 2
# HELP bad One series twice, and one that is decades late.
# TYPE bad gauge
bad{label="twice"} 3
bad{label="twice"} 4
bad{label="late"} 5 1000
"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(EXPOSITION)

    def log_message(self, *_: object) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def target() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/metrics"
        server.shutdown()
        thread.join()


def test_dropped_samples_are_seen(target: str, start_prometheus: StartPrometheus) -> None:
    prometheus = start_prometheus(target)
    wait_for(lambda: prometheus.value("up") == 1, "a good scrape")
    assert prometheus.value('good{label="a"}') == 1
    assert prometheus.target()["scrapeUrl"] == target

    assert prometheus.value("scrape_samples_scraped") == 5
    assert prometheus.lost_samples() == 2
    dropped = wait_for(
        lambda: {
            name
            for name, count in prometheus.own_counters("prometheus_target_scrapes_").items()
            if count
        },
        "a counter of dropped samples",
    )
    assert dropped == {"prometheus_target_scrapes_sample_out_of_bounds_total"}
