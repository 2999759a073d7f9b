"""A long-term store beside Prometheus: VictoriaMetrics takes what is written to it, and answers."""

import math
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from tests.grafana.dashboards import NAMES, load, queries, substituted
from tests.integration.demos import ALL, SINCE, awake
from tests.integration.servers import Prometheus, exporter, free_port, prometheus, running, wait_for
from tests.project.files import ROOT

pytestmark = pytest.mark.integration

RULES = sorted((ROOT / "prometheus/rules").glob("*.yml"))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Prometheus, Prometheus]]:
    """Prometheus and the long-term store it writes to; VictoriaMetrics speaks the same HTTP API."""
    folder = tmp_path_factory.mktemp("long-term")
    executable = shutil.which("victoria-metrics")
    assert executable, "no victoria-metrics on PATH: `make servers` installs it"
    port = free_port()
    command = [
        executable,
        f"-storageDataPath={folder / 'long-term'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-search.latencyOffset=0s",
    ]
    with ExitStack() as stack:
        server = stack.enter_context(running(command, port=port, log=folder / "long-term.log"))
        server.wait_until_ready("/health")
        long_term = Prometheus(server)
        demo = stack.enter_context(exporter("demo", f"--seed={awake()}", log=folder / "demo.log"))
        demo.wait_until_ready()
        near = stack.enter_context(
            prometheus(
                folder,
                demo.url.removeprefix("http://"),
                metrics_path="/metrics",
                remote_write=[f"{server.url}/api/v1/write"],
            )
        )
        polls = "min(increase(itnio_exporter_polls_total[1m]))"
        for store in (near, long_term):

            def polled(store: Prometheus = store) -> bool:
                return (store.value(polls) or 0) > 0

            wait_for(polled, "a poll between scrapes", 60)
        yield near, long_term


def test_it_has_every_series(stores: tuple[Prometheus, Prometheus]) -> None:
    near, long_term = stores
    counted = 'count({job="itnio", __name__=~"itnio_.+"})'
    expected = near.value(counted)
    assert expected
    wait_for(lambda: long_term.value(counted) == near.value(counted), "every series written", 60)


@pytest.mark.parametrize("name", NAMES)
def test_every_query_of_a_dashboard_has_an_answer(
    stores: tuple[Prometheus, Prometheus], name: str
) -> None:
    near, long_term = stores

    def answered(expression: str) -> bool:
        now = near.value("vector(time())")
        assert now
        answer = long_term.api(
            "query_range",
            query=substituted(expression, ALL),
            start=str(now - SINCE),
            end=str(now + 1),
            step="1",
        )
        values = (float(value) for each in answer["result"] for _, value in each["values"])
        return any(map(math.isfinite, values))

    # Some rates need a second poll, and it arrives here later than there.
    waiting = {asked.where: asked.expression for asked in queries(load(name))}

    def all_answered() -> bool:
        for where, expression in list(waiting.items()):
            if answered(expression):
                del waiting[where]
        return not waiting

    try:
        wait_for(all_answered, "an answer to every query", 60)
    except AssertionError as error:
        error.add_note(f"unanswered: {sorted(waiting)}")
        raise


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_every_rule_is_understood(stores: tuple[Prometheus, Prometheus], path: Path) -> None:
    _, long_term = stores
    for group in yaml.safe_load(path.read_text())["groups"]:
        for rule in group["rules"]:
            long_term.query(rule["expr"])


def test_vmalert_takes_the_rules(tmp_path: Path) -> None:
    """Debian's vmalert of 2022 knows all but `keep_firing_for`, which later ones do."""
    executable = shutil.which("vmalert")
    assert executable, "no vmalert on PATH: `make servers` installs it"
    for path in RULES:
        groups = yaml.safe_load(path.read_text())
        for group in groups["groups"]:
            for rule in group["rules"]:
                rule.pop("keep_firing_for", None)
        (tmp_path / path.name).write_text(yaml.safe_dump(groups))
    ran = subprocess.run(
        [executable, "-dryRun", f"-rule={tmp_path}/*.yml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ran.returncode == 0, ran.stderr
