"""for and keep_firing_for, as Prometheus goes through them at each evaluation.

What an expression gave may come in pieces: the state is carried from one to the next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from benchmarks.detection.rules import Alert

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that fired at all evaluations from `begin` to just before `end` (Unix seconds).

    `true_at`: when its expression became true.
    """

    name: str
    labels: Labels
    begin: int
    end: int
    true_at: int = 0

    def label(self, name: str) -> str:
        """Return a label's value, empty where there is none, as Alertmanager has it."""
        return dict(self.labels).get(name, "")


@dataclass(slots=True)
class _Active:
    since: int
    fired_at: int | None = None
    gone_since: int | None = None


@dataclass(slots=True)
class StateMachine:
    """One alert's state over all its series."""

    alert: Alert
    _active: dict[Labels, _Active] = field(default_factory=dict)
    _done: list[Firing] = field(default_factory=list)

    def evaluate(self, moment: int, present: Iterable[Labels]) -> None:
        """Take in which series the expression gave at a moment; moments come in order."""
        given = {self._alert_labels(labels) for labels in present}
        for labels in given:
            state = self._active.setdefault(labels, _Active(moment))
            state.gone_since = None
        for labels, state in list(self._active.items()):
            if labels not in given and not self._is_kept(state, moment):
                if state.fired_at is not None:
                    self._finish(labels, state, moment)
                del self._active[labels]
            elif state.fired_at is None and moment - state.since >= self.alert.wait:
                state.fired_at = moment

    def evaluate_range(
        self, points: Mapping[Labels, Iterable[int]], begin: int, end: int, step: int
    ) -> None:
        """Take in a range of evaluations, both ends included, by series and moments."""
        at: dict[int, list[Labels]] = {}
        for labels, moments in points.items():
            for moment in moments:
                at.setdefault(moment, []).append(labels)
        for moment in range(begin, end + 1, step):
            if moment in at or self._active:
                self.evaluate(moment, at.get(moment, ()))

    def firings(self, end: int) -> list[Firing]:
        """Return all that fired; what still does ends at `end`."""
        still = [
            Firing(self.alert.name, labels, state.fired_at, end, state.since)
            for labels, state in self._active.items()
            if state.fired_at is not None
        ]
        return sorted([*self._done, *still], key=lambda each: (each.begin, each.labels))

    def _is_kept(self, state: _Active, moment: int) -> bool:
        if state.fired_at is None or not self.alert.keep:
            return False
        if state.gone_since is None:
            state.gone_since = moment
        return moment - state.gone_since < self.alert.keep

    def _finish(self, labels: Labels, state: _Active, moment: int) -> None:
        if state.fired_at is not None:
            self._done.append(Firing(self.alert.name, labels, state.fired_at, moment, state.since))

    def _alert_labels(self, labels: Labels) -> Labels:
        found = {name: value for name, value in labels if name != "__name__"}
        return tuple(sorted({**found, **self.alert.labels, "alertname": self.alert.name}.items()))
