"""Prometheus' rule files, read for what Grafana needs of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule. Durations are as written, and empty where there is none."""

    name: str
    expression: str
    pending: str
    keep_firing: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of rules that are evaluated together."""

    name: str
    interval: str
    """As written; empty where Prometheus' own interval holds."""
    alerts: tuple[Alert, ...]
    records: tuple[str, ...]
    """Names of the recorded series, in the order of evaluation."""


def read_groups(folder: Path) -> list[Group]:
    """Read every rule file of a folder, by name."""
    files = sorted(folder.glob("*.yml"))
    return [group for file in files for group in _groups(yaml.safe_load(file.read_text()))]


def _groups(document: Mapping[str, Any]) -> Iterable[Group]:
    for group in document["groups"]:
        rules = group["rules"]
        yield Group(
            name=group["name"],
            interval=group.get("interval", ""),
            alerts=tuple(_alert(rule) for rule in rules if "alert" in rule),
            records=tuple(rule["record"] for rule in rules if "record" in rule),
        )


def _alert(rule: Mapping[str, Any]) -> Alert:
    return Alert(
        name=rule["alert"],
        expression=rule["expr"].strip(),
        pending=rule.get("for", ""),
        keep_firing=rule.get("keep_firing_for", ""),
        labels=rule.get("labels", {}),
        annotations=rule.get("annotations", {}),
    )
