"""A button of the demo's page is pressed, and the figures show it within a poll or two."""

import math
import urllib.parse
from urllib.request import Request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.conftest import StartExporter
from tests.integration.servers import Server, _opener, fetch, wait_for

pytestmark = pytest.mark.integration

SOON = 40.0
"""Seconds: some polls, and time enough for calls to be made."""


def press(demo: Server, **button: str) -> tuple[int, str]:
    """Press a button of the page; where one gets to."""
    data = urllib.parse.urlencode(button).encode()
    request = Request(f"{demo.url}/demonstration?status=calling", data, {"Origin": demo.url})
    with _opener.open(request, timeout=10) as reply:
        return reply.status, reply.url


def figure(demo: Server, name: str, **labels: str) -> float:
    """The sum over a metric's series that have the labels."""
    _, text = fetch(f"{demo.url}/metrics")
    return math.fsum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def ratio(demo: Server, above: str) -> float:
    """A ratio of the last five minutes, over all apps and scripts."""
    sums = [figure(demo, f"itnio_voice_window_{name}", window="5m") for name in (above, "calls")]
    return sums[0] / sums[1]


@pytest.fixture
def demo(start_exporter: StartExporter) -> Server:
    server = start_exporter("demo")
    server.wait_until_ready()
    wait_for(lambda: figure(server, "itnio_voice_window_calls", window="24h"), "the first sweep")
    return server


def test_answers_fail_to_come_at_the_press_of_a_button(demo: Server) -> None:
    before = ratio(demo, "answered_calls")
    assert press(demo, begin="answers") == (200, f"{demo.url}/?status=calling")
    assert "End: hardly anybody answers" in fetch(f"{demo.url}/")[1]
    wait_for(lambda: ratio(demo, "answered_calls") < before * 0.85, "fewer answers", SOON)


def test_spend_and_failures_arrive_too(demo: Server) -> None:
    spend = figure(demo, "itnio_voice_window_spend", window="5m")
    press(demo, begin="spend")
    wait_for(
        lambda: figure(demo, "itnio_voice_window_spend", window="5m") > 2 * spend, "spend", SOON
    )
    press(demo, end="spend")
    failures = ratio(demo, "failed_calls")
    press(demo, begin="failures")
    wait_for(lambda: ratio(demo, "failed_calls") > failures + 0.05, "failures", SOON)


def test_tasks_get_stuck_and_go_on(demo: Server) -> None:
    def suspended() -> float:
        return figure(demo, "itnio_voice_unfinished_tasks", status="suspended")

    before, calling = (
        figure(demo, "itnio_voice_unfinished_tasks", status=status)
        for status in ("suspended", "calling")
    )
    assert calling > 20  # by night; at noon there are three times as many
    press(demo, begin="stuck")
    wait_for(lambda: suspended() > before + calling / 4, "suspended tasks", SOON)
    assert "that should be calling are suspended." in fetch(f"{demo.url}/")[1]
    press(demo, end="stuck")
    wait_for(lambda: suspended() < before + calling / 8, "tasks that go on", SOON)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("api", "The API answers with an HTTP error: 503."),
        ("refused", "The API refuses the key or the secret."),
    ],
)
def test_the_api_fails_and_recovers(demo: Server, name: str, sentence: str) -> None:
    press(demo, begin=name)
    wait_for(lambda: figure(demo, "itnio_up") == 0, "a poll that fails", SOON)
    assert sentence in fetch(f"{demo.url}/")[1]
    press(demo, end=name)
    wait_for(lambda: figure(demo, "itnio_up") == 1, "a poll that is whole again", SOON)
