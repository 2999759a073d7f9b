"""The alerts of prometheus/rules as rules that Grafana evaluates, for those without Alertmanager.

Prometheus goes on to evaluate the recording rules: Grafana's alerts read what they record. Inlined
they would be evaluated once an alert, with baselines of a week each time. One alert that only
Grafana has tells when they are not loaded.

A rule is the query, and a check of whether it returns anything: as in Prometheus, every series that
the expression returns is an alert, whatever its value. Hence no data is the good state (OK), for
alerts on absence as well, since `absent()` returns something when there is nothing. Where the query
itself fails, an alert stays as it is (KeepLast): a restart of Prometheus pages nobody and resolves
nothing. Only the page about absence fires then (Alerting): who cannot ask does not know that all is
well, and that is told once and not by forty alerts.
"""

from collections.abc import Iterable
from typing import Any, Final

import yaml

from grafana.generate.rules import Alert, Group
from grafana.generate.templates import converted

DATASOURCE_UID: Final = "itnio-prometheus"
"""Of grafana/provisioning/datasources/prometheus.yml: rules cannot choose by a variable."""

FOLDER: Final = "ITNIO"
GUARD: Final = "ItnioRecordingRulesMissing"

GUARDED: Final = ("itnio:exporter_up", "itnio:app_calls:increase10m")
"""Recorded as soon as an exporter is scraped, by different files."""

_HEAD: Final = """\
# Generated from prometheus/rules by `make docs`; `make check` holds it up to date.
# For those who have no Alertmanager: with one, every alert would come twice. Prometheus still has
# to load prometheus/rules, of which these read what is recorded. Grafana 12 and newer know
# keepFiringFor; older ones ignore it.
"""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else "")


_Dumper.add_representer(str, _text)


def rules_text(groups: Iterable[Group]) -> str:
    """Return the provisioning file."""
    groups = list(groups)
    document = {
        "apiVersion": 1,
        "groups": [
            *(
                _group(group, [_rule(alert) for alert in group.alerts])
                for group in groups
                if group.alerts
            ),
            _group(Group("itnio-grafana", "", (), ()), [_rule(_guard(groups))]),
        ],
    }
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
    return _HEAD + body


def _group(group: Group, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "orgId": 1,
        "name": group.name,
        "folder": FOLDER,
        "interval": group.interval or "1m",
        "rules": rules,
    }


def _rule(alert: Alert) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "uid": alert.name,
        "title": alert.name,
        "condition": "B",
        "data": [_query(alert.expression), _returns_anything()],
        "noDataState": "OK",
        "execErrState": "Alerting" if _is_page_about_absence(alert) else "KeepLast",
        "for": alert.pending or "0s",
    }
    if alert.keep_firing:
        rule["keepFiringFor"] = alert.keep_firing
    rule["labels"] = dict(alert.labels)
    rule["annotations"] = {name: converted(text) for name, text in alert.annotations.items()}
    return rule


def _is_page_about_absence(alert: Alert) -> bool:
    return "absent(" in alert.expression and alert.labels.get("severity") == "page"


def _query(expression: str) -> dict[str, Any]:
    return {
        "refId": "A",
        "relativeTimeRange": {"from": 600, "to": 0},
        "datasourceUid": DATASOURCE_UID,
        "model": {
            "refId": "A",
            "datasource": {"type": "prometheus", "uid": DATASOURCE_UID},
            "editorMode": "code",
            # Without a metric's name, as Prometheus' alerts are: else an alert that goes on by
            # another branch of an `or` would be another alert, pending anew.
            "expr": f"(\n{expression}\n) + 0",
            "instant": True,
            "range": False,
        },
    }


def _returns_anything() -> dict[str, Any]:
    return {
        "refId": "B",
        "queryType": "math",
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {
            "refId": "B",
            "type": "math",
            "datasource": {"type": "__expr__", "uid": "__expr__"},
            "expression": "is_number($A) || is_nan($A) || is_inf($A)",
        },
    }


def _guard(groups: Iterable[Group]) -> Alert:
    """Fire where recording rules are not loaded while the exporter is scraped."""
    recorded = {name for group in groups for name in group.records}
    if unknown := set(GUARDED) - recorded:
        raise ValueError(f"no longer recorded: {', '.join(sorted(unknown))}")
    missing = "\nor\n".join(f"absent({name})" for name in GUARDED)
    return Alert(
        name=GUARD,
        expression=f"({missing})\nand on ()\n  count(itnio_exporter_build_info)",
        pending="15m",
        keep_firing="",
        labels={"severity": "ticket", "family": "exporter"},
        annotations={
            "summary": "Prometheus does not evaluate the recording rules",
            "description": "The exporter is scraped, but what prometheus/rules records is not "
            "there: alerts that read it cannot fire. Load the files under rule_files in "
            "Prometheus' configuration.",
        },
    )
