"""Grafana's own rules are Prometheus' alerts, with nothing lost on the way."""

from typing import Any

import pytest
import yaml

from grafana.generate.alerting import DATASOURCE_UID, GUARD, GUARDED, rules_text
from grafana.generate.rules import Alert, Group, read_groups
from tests.grafana.dashboards import ROOT
from tests.grafana.provisioning import provisioned, rules

ALERTS = {
    alert.name: alert
    for group in read_groups(ROOT / "prometheus" / "rules")
    for alert in group.alerts
}


def with_guarded(*alerts: Alert) -> dict[str, dict[str, Any]]:
    """The rules made of these alerts."""
    text = rules_text([Group("a", "30s", alerts, GUARDED)])
    made = yaml.safe_load(text)["groups"]
    return {rule["uid"]: rule for group in made for rule in group["rules"]}


def alert(expression: str, severity: str = "page") -> Alert:
    return Alert("Name", expression, "", "", {"severity": severity}, {})


def test_every_alert_is_there_and_one_more() -> None:
    assert set(rules()) == {*ALERTS, GUARD}


@pytest.mark.parametrize("name", ALERTS)
def test_nothing_is_lost(name: str) -> None:
    rule, original = rules()[name], ALERTS[name]
    query, check = rule["data"]
    assert query["model"]["expr"] == f"(\n{original.expression}\n) + 0"
    assert (query["model"]["instant"], query["datasourceUid"]) == (True, DATASOURCE_UID)
    assert (check["refId"], check["datasourceUid"]) == (rule["condition"], "__expr__")
    assert rule["for"] == (original.pending or "0s")
    assert rule.get("keepFiringFor", "") == original.keep_firing
    assert rule["labels"] == original.labels
    assert rule["annotations"].keys() == original.annotations.keys()


@pytest.mark.parametrize("name", [*ALERTS, GUARD])
def test_no_annotation_has_a_dollar(name: str) -> None:
    """Grafana would take it for a variable of its environment."""
    assert [text for text in rules()[name]["annotations"].values() if "$" in text] == []
    assert [text for text in rules()[name]["labels"].values() if "$" in text] == []


@pytest.mark.parametrize("name", [*ALERTS, GUARD])
def test_what_grafana_demands(name: str) -> None:
    rule = rules()[name]
    assert len(rule["uid"]) <= 40
    assert rule["noDataState"] == "OK"
    assert rule["execErrState"] in {"Alerting", "KeepLast"}


def test_one_alert_tells_that_nothing_can_be_asked() -> None:
    told = [name for name, rule in rules().items() if rule["execErrState"] == "Alerting"]
    assert told == ["ItnioExporterAbsent"]


@pytest.mark.parametrize(
    ("expression", "severity", "state"),
    [
        ("absent(up)", "page", "Alerting"),
        ("absent(up)", "ticket", "KeepLast"),
        ("a / b < 0.3", "page", "KeepLast"),
    ],
)
def test_the_state_of_an_error(expression: str, severity: str, state: str) -> None:
    assert with_guarded(alert(expression, severity))["Name"]["execErrState"] == state


def test_a_recording_rule_that_is_gone_is_an_error() -> None:
    with pytest.raises(ValueError, match="no longer recorded: itnio:"):
        rules_text([Group("a", "", (alert("up == 0"),), ())])


def test_the_data_source_is_the_one_that_rules_ask() -> None:
    (source,) = provisioned("datasources/prometheus.yml")["datasources"]
    assert (source["uid"], source["type"]) == (DATASOURCE_UID, "prometheus")


def test_dashboards_are_read_from_a_folder() -> None:
    (provider,) = provisioned("dashboards/itnio.yml")["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"]
