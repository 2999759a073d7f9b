"""What Alertmanager holds back, by the inhibit_rules of its configuration, minute by minute."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.detection.alerts import Firing

_MATCHER: Final = re.compile(r'^\s*(\w+)\s*(=~|!~|!=|=)\s*"?(.*?)"?\s*$')


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher on one label."""

    label: str
    operator: str
    value: str

    @classmethod
    def of(cls, text: str) -> "Matcher":
        """Read it as Alertmanager's configuration has it."""
        found = _MATCHER.match(text)
        if not found:
            raise ValueError(f"not a matcher: {text}")
        return cls(*found.groups())

    def matches(self, alert: Firing) -> bool:
        """Whether an alert's label is as it says."""
        value = alert.label(self.label)
        if self.operator in {"=", "!="}:
            return (value == self.value) is (self.operator == "=")
        return (re.fullmatch(self.value, value) is not None) is (self.operator == "=~")


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While a source fires, targets that are equal to it in some labels are held back."""

    sources: tuple[Matcher, ...]
    targets: tuple[Matcher, ...]
    equal: tuple[str, ...]

    def holds_back(self, source: Firing, target: Firing) -> bool:
        """Whether one holds back the other while it fires; what matches both sides does not."""
        if not (_all(self.sources, source) and _all(self.targets, target)):
            return False
        if _all(self.targets, source) and _all(self.sources, target):
            return False
        return all(source.label(name) == target.label(name) for name in self.equal)


def _all(matchers: Iterable[Matcher], alert: Firing) -> bool:
    return all(matcher.matches(alert) for matcher in matchers)


def load(path: Path) -> tuple[Inhibition, ...]:
    """Read the inhibit_rules of an Alertmanager configuration."""
    config: dict[str, Any] = yaml.safe_load(path.read_text())
    return tuple(
        Inhibition(
            tuple(Matcher.of(text) for text in rule["source_matchers"]),
            tuple(Matcher.of(text) for text in rule["target_matchers"]),
            tuple(rule.get("equal", ())),
        )
        for rule in config.get("inhibit_rules", ())
    )


def remaining(alerts: Sequence[Firing], rules: Sequence[Inhibition]) -> list[Firing]:
    """Return what is left of alerts; one that is held back in its middle becomes two."""
    left: list[Firing] = []
    for target in alerts:
        held = [
            (source.begin, source.end)
            for source in alerts
            if source is not target
            and source.begin < target.end
            and target.begin < source.end
            and any(rule.holds_back(source, target) for rule in rules)
        ]
        for begin, end in without(target.begin, target.end, held):
            left.append(Firing(target.name, target.labels, begin, end, target.true_at))
    return sorted(left, key=lambda each: (each.begin, each.name))


def without(begin: int, end: int, held: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Yield what is left of a stretch when others are cut out of it."""
    at = begin
    for first, last in sorted(held):
        if first > at:
            yield at, min(first, end)
        at = max(at, last)
        if at >= end:
            return
    if at < end:
        yield at, end
