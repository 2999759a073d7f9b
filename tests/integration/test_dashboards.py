"""Every query of every dashboard is answered by a real Prometheus that scrapes the demo."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from exporter.simulator import Settings
from tests.grafana.dashboards import NAMES, load, panels, queries, substituted, variables
from tests.grafana.provisioning import rules
from tests.integration.demos import ALL, SINCE, awake
from tests.integration.servers import Prometheus, Server, exporter, prometheus, wait_for

pytestmark = pytest.mark.integration


@contextmanager
def watched_demo(folder: Path) -> Iterator[tuple[Server, Prometheus]]:
    """The demo, and a Prometheus with several scrapes of it, two polls among them."""
    with ExitStack() as stack:
        server = stack.enter_context(exporter("demo", f"--seed={awake()}", log=folder / "demo.log"))
        server.wait_until_ready()
        target = server.url.removeprefix("http://")
        store = stack.enter_context(prometheus(folder, target, metrics_path="/metrics"))
        polls = "min(increase(itnio_exporter_polls_total[1m]))"
        wait_for(lambda: (store.value(polls) or 0) > 0, "a poll between two scrapes")
        yield server, store


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with watched_demo(tmp_path_factory.mktemp("dashboards")) as (_, store):
        yield store


def finite(store: Prometheus, expression: str, *, instant: bool) -> int:
    """How many series have a value that can be drawn."""
    if instant:
        return sum(map(math.isfinite, store.query(expression).values()))
    now = time.time()
    answer = store.api(
        "query_range", query=expression, start=str(now - SINCE), end=str(now), step="1"
    )
    return sum(
        any(math.isfinite(float(value)) for _, value in series["values"])
        for series in answer["result"]
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_query_has_an_answer(demo: Prometheus, name: str) -> None:
    unanswered = [
        asked
        for asked in queries(load(name))
        if not finite(demo, substituted(asked.expression, ALL), instant=asked.instant)
    ]
    assert unanswered == []


@pytest.mark.parametrize("name", NAMES)
def test_no_answer_is_not_a_number(demo: Prometheus, name: str) -> None:
    strange = [
        (asked.where, series, value)
        for asked in queries(load(name))
        for series, value in demo.query(substituted(asked.expression, ALL)).items()
        if not math.isfinite(value)
    ]
    assert strange == []


def offered(store: Prometheus, name: str, variable: str) -> list[str]:
    """What a reader can choose from, as Grafana asks for it."""
    text = substituted(variables(load(name))[variable]["query"]["query"], ALL)
    series, label = text.removeprefix("label_values(").removesuffix(")").rsplit(",", 1)
    answer: list[str] = store.api(f"label/{label.strip()}/values", **{"match[]": series})
    return answer


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("variable", "choices"),
    [
        ("account", {"demo"}),
        ("app", {app.name for app in Settings().apps}),
        ("window", {"5m", "1h", "24h"}),
    ],
)
def test_variables_offer_what_there_is(
    demo: Prometheus, name: str, variable: str, choices: set[str]
) -> None:
    assert set(offered(demo, name, variable)) == choices


def test_rows_of_tables_are_joined(demo: Prometheus) -> None:
    """Grafana joins by all labels that the queries have in common; a name would part every row."""
    tables = [
        (panel["title"], target["expr"])
        for name in NAMES
        for panel in panels(load(name))
        if panel["type"] == "table"
        for target in panel["targets"]
    ]
    assert tables
    labels = {
        (title, frozenset(json.loads(series)) & {"__name__", "job", "instance"})
        for title, expression in tables
        for series in demo.query(substituted(expression, ALL))
    }
    assert {found for _, found in labels} == {frozenset()}


def test_one_app_and_script_can_be_chosen(demo: Prometheus) -> None:
    scripts = offered(demo, "itnio-overview", "script")
    assert len(scripts) > 1
    chosen = {**ALL, "app": "collections", "script": scripts[0]}
    answered = {
        asked.where: finite(demo, substituted(asked.expression, chosen), instant=asked.instant)
        for asked in queries(load("itnio-overview"))
    }
    assert [where for where, count in answered.items() if not count] == []


def test_a_ratio_is_of_sums(demo: Prometheus) -> None:
    """The first figure of the overview is what the exporter's own sums give, to the last bit."""
    (asked,) = [each for each in queries(load("itnio-overview")) if each.where.startswith("1 ")]
    sums = (
        'sum(itnio_voice_window_answered_calls{window="24h"})'
        ' / sum(itnio_voice_window_calls{window="24h"})'
    )
    at = str(time.time())
    figure, expected = (
        demo.api("query", query=substituted(expression, ALL), time=at)["result"][0]["value"][1]
        for expression in (asked.expression, sums)
    )
    assert figure == expected


def test_no_figure_outlives_its_exporter(tmp_path: Path) -> None:
    """A wall that goes on showing what was is worse than one that says "no data"."""
    with watched_demo(tmp_path) as (server, store):
        single = [asked for name in NAMES for asked in queries(load(name)) if asked.instant]
        assert len(single) > 20
        server.process.kill()
        server.process.wait()
        wait_for(lambda: store.value("up") == 0, "a scrape that fails")
        answered = {
            asked.where for asked in single if store.query(substituted(asked.expression, ALL))
        }
    assert {where for where in answered if "Alerts firing" not in where} == set()


@pytest.mark.parametrize("name", sorted(rules()))
def test_prometheus_understands_grafanas_alerts(demo: Prometheus, name: str) -> None:
    """And what Prometheus does not record here, it answers with nothing, not with an error."""
    query, _ = rules()[name]["data"]
    demo.query(query["model"]["expr"])
