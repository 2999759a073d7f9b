"""The rule files, as they are: which rules there are, and in what order they need each other."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

_RECORDED: Final = re.compile(r"\bitnio:[a-z0-9_]+(?::[a-z0-9_]+)?")
_SCRAPED: Final = re.compile(r"\b(?:itnio_[a-z0-9_]+|up)\b")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule; durations in seconds."""

    name: str
    expression: str
    wait: int = 0
    keep: int = 0
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules of a folder."""

    files: tuple[Path, ...]
    recordings: tuple[Recording, ...]
    alerts: tuple[Alert, ...]
    groups: tuple[str, ...]
    """Their names, those that only record before those that alert."""

    def _expressions(self) -> list[str]:
        return [each.expression for each in self.recordings] + [
            each.expression for each in self.alerts
        ]

    def levels(self) -> list[list[Recording]]:
        """Return the recording rules so that each level needs only those before it."""
        return levels(self.recordings)

    def remembered(self) -> frozenset[str]:
        """Return the names of recordings that are read over a range, or at an earlier moment.

        And of those that they need themselves.
        """
        expressions = self._expressions()
        found = {
            name
            for expression in expressions
            for name in _RECORDED.findall(expression)
            if re.search(rf"{name}(?:{{[^}}]*}})?\s*(?:\[|offset\b)", expression)
        }
        for level in reversed(self.levels()):
            for rule in level:
                if rule.name in found:
                    found |= _needs(rule)
        return frozenset(found)

    @property
    def fingerprint(self) -> str:
        """Return a short name of these very rules."""
        text = "".join(file.read_text() for file in self.files)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def scraped(self) -> frozenset[str]:
        """Return the names of all metrics that any expression reads."""
        found: set[str] = set()
        for expression in self._expressions():
            found.update(_SCRAPED.findall(expression))
        return frozenset(found)


def load(folder: Path) -> RuleBook:
    """Read the rules of a folder."""
    files = tuple(sorted(folder.glob("*.yml")))
    recordings: list[Recording] = []
    alerts: list[Alert] = []
    groups: list[tuple[bool, str]] = []
    for file in files:
        for group in yaml.safe_load(file.read_text())["groups"]:
            groups.append((any("alert" in rule for rule in group["rules"]), group["name"]))
            for rule in group["rules"]:
                if "record" in rule:
                    recordings.append(Recording(rule["record"], rule["expr"]))
                else:
                    alerts.append(_alert(rule))
    in_order = tuple(name for _, name in sorted(groups, key=lambda each: each[0]))
    return RuleBook(files, tuple(recordings), tuple(alerts), in_order)


def _alert(rule: dict[str, Any]) -> Alert:
    return Alert(
        rule["alert"],
        rule["expr"],
        seconds(rule.get("for", "0m")),
        seconds(rule.get("keep_firing_for", "0m")),
        dict(rule.get("labels", {})),
    )


def seconds(duration: str) -> int:
    """Return a Prometheus duration (``1h30m``) in seconds."""
    return sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([smhd])", duration))


def levels(recordings: Sequence[Recording]) -> list[list[Recording]]:
    """Return rules so that each level needs only those before it. ValueError for a circle."""
    missing = list(recordings)
    known: set[str] = set()
    found: list[list[Recording]] = []
    while missing:
        waiting = {rule.name for rule in missing}
        level = [rule for rule in missing if not _needs(rule) & waiting - known]
        if not level:
            raise ValueError(f"rules need each other in a circle: {sorted(waiting)}")
        found.append(level)
        known |= {rule.name for rule in level}
        missing = [rule for rule in missing if rule not in level]
    return found


def _needs(rule: Recording) -> set[str]:
    return set(_RECORDED.findall(rule.expression)) - {rule.name}
