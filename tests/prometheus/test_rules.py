"""Every alert is complete, tested by promtool in all that can become of it, and explained."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.exposition.families import CATALOGUE
from exporter.exposition.telemetry import Telemetry
from tests.prometheus.files import (
    ALERTS,
    FOLDER,
    NAMES,
    ROOT,
    RULE_FILES,
    RUNBOOKS,
    TEST_FILES,
    Alert,
    accepted,
)

RUNBOOK_BASE = "https://github.com/itnio-exporter/itnio-exporter/blob/main/docs/runbooks/"
DASHBOARDS = {"itnio-overview", "itnio-campaigns", "itnio-exporter-health"}
SECTIONS = [
    "## What it means",
    "## Likely causes",
    "## Look first",
    "## Do",
    "## False alarm",
    "## Threshold",
]

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=NAMES)


@pytest.mark.integration
def test_promtool_finds_nothing_to_say() -> None:
    accepted("promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


@pytest.mark.integration
@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.stem)
def test_rules_do_what_their_tests_say(path: Path) -> None:
    accepted("promtool", "test", "rules", path)


@pytest.mark.integration
def test_prometheus_takes_the_example() -> None:
    said = accepted("promtool", "check", "config", "prometheus.example.yml")
    assert f"{len(RULE_FILES)} rule files found" in said


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


@each_alert
def test_alert_is_complete(alert: Alert) -> None:
    assert re.fullmatch(r"Itnio[A-Za-z]+", alert.name)
    assert set(alert.rule) == {
        *("alert", "expr", "for", "keep_firing_for", "labels", "annotations")
    }
    assert set(alert.rule["labels"]) == {"severity", "family"}
    assert alert.labels["severity"] in {"page", "ticket"}
    assert set(alert.annotations) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert all(alert.annotations.values())


@each_alert
def test_links_lead_to_its_pages(alert: Alert) -> None:
    assert alert.annotations["runbook_url"] == f"{RUNBOOK_BASE}{alert.name}.md"
    url = alert.annotations["dashboard_url"]
    path, _, query = url.partition("?")
    assert path.startswith("http://localhost:3000/d/")
    assert path.removeprefix("http://localhost:3000/d/") in DASHBOARDS
    assert query in {"", "var-account={{ $labels.account | urlquery }}"}


@each_alert
def test_it_outlasts_the_death_of_its_exporter(alert: Alert) -> None:
    """Or what was seen resolves before anybody hears that nothing can be seen any more."""
    assert minutes(alert.rule["keep_firing_for"]) > minutes("3m")


def minutes(duration: str) -> int:
    """Minutes of a duration such as 1h30m or 9d."""
    units = {"d": 1440, "h": 60, "m": 1}
    return sum(int(count) * units[unit] for count, unit in re.findall(r"(\d+)([dhm])", duration))


@each_alert
def test_it_is_seen_to_fire_to_hold_still_and_to_resolve(alert: Alert) -> None:
    tests = list(asked_in_tests(alert.name))
    assert any(any(moments) for moments in tests), "no test in which it fires"
    assert any((True, False) in pairwise(moments) for moments in tests), "none where it resolves"
    assert any(not any(moments) for moments in tests), "none where it nearly fires: a near miss"


def asked_in_tests(name: str) -> Iterator[list[bool]]:
    """For each test that asks about an alert, whether it fires, moment by moment."""
    for path in TEST_FILES:
        for test in yaml.safe_load(path.read_text())["tests"]:
            asked = [each for each in test.get("alert_rule_test", []) if each["alertname"] == name]
            if asked:
                asked.sort(key=lambda each: minutes(each["eval_time"]))
                yield [bool(each["exp_alerts"]) for each in asked]


def test_tests_know_no_other_alerts() -> None:
    asked = {
        each["alertname"]
        for path in TEST_FILES
        for test in yaml.safe_load(path.read_text())["tests"]
        for each in test.get("alert_rule_test", [])
    }
    assert asked <= set(NAMES)


# --- what the rules read ------------------------------------------------------------------------


def all_rules() -> Iterator[dict[str, Any]]:
    for path in RULE_FILES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def published() -> set[str]:
    """The names of all series that the exporter has."""
    telemetry = Telemetry("version", ("reason",))
    account = telemetry.account("account")
    account.rejected(("reason",))
    account.balance_watched()
    telemetry.store(("reason",)).store_committed(0.1, 1)
    telemetry.owned("account", owned=True)
    own = {sample.name for metric in telemetry.registry.collect() for sample in metric.samples}
    return own | {family.name for family in CATALOGUE}


def text_of(rule: dict[str, Any]) -> str:
    return " ".join([rule["expr"], *rule.get("annotations", {}).values()])


def test_every_metric_that_is_read_exists() -> None:
    read = {
        name for rule in all_rules() for name in re.findall(r"\bitnio_[a-z0-9_]+", text_of(rule))
    }
    assert read <= published() | {"itnio_"}


def test_every_record_that_is_read_is_recorded_and_the_other_way_round() -> None:
    read = {
        name for rule in all_rules() for name in re.findall(r"\bitnio:[a-z0-9_:]+", text_of(rule))
    }
    recorded = {rule["record"] for rule in all_rules() if "record" in rule}
    assert read == recorded


def test_no_label_is_lost() -> None:
    """Sums say what they are over; `by` would drop what the scrape configuration adds."""
    assert [rule for rule in all_rules() if re.search(r"\bby\b", rule["expr"])] == []


# --- what people read ---------------------------------------------------------------------------


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("*.md")) == sorted(NAMES)


@each_alert
def test_page_answers_what_is_asked_at_night(alert: Alert) -> None:
    text = (RUNBOOKS / f"{alert.name}.md").read_text()
    assert text.startswith(f"# {alert.name}\n")
    assert re.findall(r"(?m)^## .*", text) == SECTIONS
    assert "```promql\n" in text, "no first query"
    severity = alert.labels["severity"]
    assert f"**{severity.capitalize()}.**" in text, "does not say how urgent it is"


@pytest.mark.integration
def queries_of(alert: Alert) -> list[str]:
    """What the page says to ask Prometheus: in blocks of their own, and within sentences."""
    text = (RUNBOOKS / f"{alert.name}.md").read_text()
    blocks = re.findall(r"(?s)```promql\n(.*?)```", text)
    sentences = re.sub(r"(?s)```.*?```", "", text)
    named = re.findall(r"`([^`]*\bitnio[_:][a-z][^`]*)`", sentences)
    return [*blocks, *(query for query in named if not query.startswith("SELECT"))]


@each_alert
def test_queries_of_the_page_can_be_asked(alert: Alert, tmp_path: Path) -> None:
    queries = queries_of(alert)
    rules = [{"record": f"q{number}", "expr": query} for number, query in enumerate(queries)]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    accepted("promtool", "check", "rules", path)
    asked = {name for query in queries for name in re.findall(r"\bitnio[_:][a-z0-9_:]+", query)}
    recorded = {rule["record"] for rule in all_rules() if "record" in rule}
    assert asked <= published() | recorded


@each_alert
def test_queries_of_the_page_tell_accounts_apart(alert: Alert) -> None:
    """What is pasted at night must not add up accounts, nor show only the largest of them."""
    for query in queries_of(alert):
        assert not re.search(r"\b(topk|bottomk|sum|max|min|count|avg)\s*\(", query), query
        for kept in re.findall(r"\bby \(([^)]*)\)", query):
            assert {"account", "instance"} & set(kept.split(", ")), query


@pytest.fixture(scope="module")
def panels() -> dict[str, set[str]]:
    """The titles of all panels, by the name of their dashboard."""
    found = {}
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json")):
        dashboard = json.loads(path.read_text())
        rows = [row for panel in dashboard["panels"] for row in (panel, *panel.get("panels", ()))]
        titles = {panel["title"] for panel in rows if panel["type"] != "row"}
        found[dashboard["title"].removeprefix("ITNIO / ")] = titles
    return found


@each_alert
def test_panels_that_the_page_names_exist(alert: Alert, panels: dict[str, set[str]]) -> None:
    text = (RUNBOOKS / f"{alert.name}.md").read_text()
    named = re.findall(r"(?m)^Panel: (.*)$", text)
    if alert.name == "ItnioExporterAbsent":
        assert not named, "there is nothing to be drawn"
        return
    assert len(named) == 1
    dashboards = re.findall(r"\*([^*]+)\*([^*]*)", named[0])
    assert dashboards
    for dashboard, rest in dashboards:
        titles = re.findall(r'"([^"]+)"', rest)
        assert titles, f"no panel of {dashboard}"
        assert set(titles) <= panels[dashboard]


def test_page_of_all_alerts_is_what_the_rules_say() -> None:
    rows = re.findall(
        r"(?m)^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| (\w+) \| (\w+) \| (\w+) \|",
        (ROOT / "docs" / "alerts.md").read_text(),
    )
    assert sorted(rows) == sorted(
        (
            alert.name,
            alert.name,
            alert.labels["severity"],
            alert.rule["for"],
            alert.rule["keep_firing_for"],
        )
        for alert in ALERTS
    )


def test_urls_are_set_in_one_place(tmp_path: Path) -> None:
    copy = tmp_path / "prometheus"
    shutil.copytree(FOLDER, copy)
    for _ in range(2):
        subprocess.run(
            [copy / "set-urls", "https://wiki.example/a&b/", "https://grafana.example"], check=True
        )
    text = "".join(path.read_text() for path in sorted((copy / "rules").glob("*.yml")))
    original = "".join(path.read_text() for path in RULE_FILES)
    assert text == original.replace(RUNBOOK_BASE, "https://wiki.example/a&b/").replace(
        "http://localhost:3000/d/", "https://grafana.example/d/"
    )
