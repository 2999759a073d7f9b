"""Events, counted: incidents that were found, and pages that nothing called for.

An incident counts as found when an alert of a fitting family and app begins to fire while it
lasts; being right at other moments of it adds nothing (no point adjustment). Pages are what is
left after inhibition, grouped by account: one page from when any alert fires until none does.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.detection.alerts import Firing
from benchmarks.detection.plan import HOUR, POLL_TROUBLES, PROVIDER_ERRORS, REFUSED, Labelled
from exporter.simulator import IncidentKind

AFTERMATH: Final = 2 * HOUR
"""For so long after an incident, pages of its app are held to be about it."""
ENOUGH_CALLS: Final = 300
"""So many calls in the first half hour, had there been no incident: enough traffic to be seen."""
ENOUGH_TASKS: Final = 10
"""So many tasks have made them, where answers are judged: those of one task resemble each other."""
CONTROL: Final = "control"
PAGE: Final = "page"

JUDGED_BY_ANSWERS: Final = (
    IncidentKind.ANSWER_COLLAPSE.value,
    IncidentKind.ANSWER_HALVING.value,
)

_RATIO: Final = frozenset({"answer_ratio"})
_STOPPED: Final = frozenset({"progress", "traffic"})
_POLLS: Final = frozenset({"polling", "polls"})
FAMILIES: Final[Mapping[str, frozenset[str]]] = {
    IncidentKind.ANSWER_COLLAPSE.value: _RATIO,
    IncidentKind.ANSWER_HALVING.value: _RATIO,
    IncidentKind.SHORT_CALLS.value: frozenset({"call_duration"}),
    IncidentKind.LONG_CALLS.value: frozenset({"call_duration", "spend"}),
    IncidentKind.FAILURES.value: frozenset({"failures", "answer_ratio"}),
    IncidentKind.STUCK_WAITING.value: _STOPPED,
    IncidentKind.STUCK_CALLING.value: _STOPPED,
    IncidentKind.SUBMISSION_FAILURES.value: _STOPPED | {"submission"},
    IncidentKind.SUSPENDED.value: _STOPPED | {"suspended"},
    IncidentKind.SPEND_RUNAWAY.value: frozenset({"spend", "sms"}),
    IncidentKind.SILENCE.value: _STOPPED,
    IncidentKind.SMS_SURGE.value: frozenset({"sms", "spend"}),
    PROVIDER_ERRORS: _POLLS,
    REFUSED: _POLLS,
}
"""Which alerts are about an incident; controls know no families and may be about any."""


@dataclass(frozen=True, slots=True)
class Event:
    """An incident as it is scored: ``app`` is its name, empty for the whole account.

    ``calls`` and ``tasks``: those of the first half hour of the busiest app it hits, had it not
    been.
    """

    incident: Labelled
    app: str
    calls: int
    tasks: int = ENOUGH_TASKS

    @property
    def visible(self) -> bool:
        """Whether there is enough traffic to be seen; polls are made in any case."""
        if self.incident.kind in POLL_TROUBLES:
            return True
        enough_tasks = self.tasks >= ENOUGH_TASKS or self.incident.kind not in JUDGED_BY_ANSWERS
        return self.calls >= ENOUGH_CALLS and enough_tasks

    def concerns(self, alert: Firing) -> bool:
        """Whether an alert is of an app that is hit."""
        return not self.app or alert.label("app") in {"", self.app}

    def explains(self, alert: Firing) -> bool:
        """Whether an alert began while the incident could be its cause."""
        since, until = self.incident.begin, self.incident.end + AFTERMATH
        return since <= alert.begin < until and self.concerns(alert)

    def is_found_by(self, alert: Firing) -> bool:
        """Whether an alert is about the incident and began while it lasted."""
        during = self.incident.begin <= alert.begin < self.incident.end
        family = alert.label("family")
        fits = family == CONTROL or family in FAMILIES[self.incident.kind]
        return during and fits and self.concerns(alert)


@dataclass(frozen=True, slots=True)
class Page:
    """What wakes somebody: the alerts of an account, from the first until none fires."""

    begin: int
    end: int
    alerts: tuple[Firing, ...]


def pages(alerts: Iterable[Firing]) -> list[Page]:
    """Return the pages that an account's alerts make: those of severity page, put together."""
    found: list[Page] = []
    for alert in sorted(alerts, key=lambda each: each.begin):
        if alert.label("severity") != PAGE:
            continue
        if found and alert.begin < found[-1].end:
            last = found[-1]
            found[-1] = Page(last.begin, max(last.end, alert.end), (*last.alerts, alert))
        else:
            found.append(Page(alert.begin, alert.end, (alert,)))
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one incident went; times in seconds, None where it was not found."""

    event: Event
    paged_after: int | None
    told_after: int | None
    """By a page or a ticket."""
    pages: int
    reset_after: int | None
    """From the incident's end until the last page of what found it was over; 0 where before."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What one account's alerts came to."""

    outcomes: tuple[Outcome, ...]
    false_pages: tuple[Page, ...]


def score(alerts: Sequence[Firing], events: Sequence[Event]) -> Scores:
    """Hold an account's alerts, as they are after inhibition, against its incidents."""
    groups = pages(alerts)
    outcomes = tuple(_outcome(event, alerts, groups) for event in events)
    false = tuple(
        group
        for group in groups
        if not any(event.explains(alert) for event in events for alert in group.alerts)
    )
    return Scores(outcomes, false)


def _outcome(event: Event, alerts: Sequence[Firing], groups: Sequence[Page]) -> Outcome:
    found = [alert for alert in alerts if event.is_found_by(alert)]
    paged = [alert for alert in found if alert.label("severity") == PAGE]
    begin, end = event.incident.begin, event.incident.end
    return Outcome(
        event,
        min((alert.begin - begin for alert in paged), default=None),
        min((alert.begin - begin for alert in found), default=None),
        sum(any(event.explains(alert) for alert in group.alerts) for group in groups),
        max((max(0, alert.end - end) for alert in paged), default=None),
    )


def wilson(hits: int, tries: int, z: float = 1.96) -> tuple[float, float]:
    """Return the bounds (95 % by default) of a share; 0 and 1 where nothing was tried."""
    if not tries:
        return 0.0, 1.0
    share, z2 = hits / tries, z * z
    middle = (share + z2 / (2 * tries)) / (1 + z2 / tries)
    spread = z * math.sqrt(share * (1 - share) / tries + z2 / (4 * tries * tries))
    spread /= 1 + z2 / tries
    return max(0.0, middle - spread), min(1.0, middle + spread)


def rate_bounds(events: int, exposure: float) -> tuple[float, float]:
    """Return the exact bounds (95 %) of a rate of rare events, by the Poisson law (Garwood's)."""
    if exposure <= 0:
        return 0.0, math.inf
    low = _mean_at(events - 1, 0.975) if events else 0.0
    return low / exposure, _mean_at(events, 0.025) / exposure


def _mean_at(events: int, share: float) -> float:
    """Return the mean at which so many events or fewer have this probability."""
    low, high = 0.0, 2.0 * events + 20
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(events, middle) > share:
            low = middle
        else:
            high = middle
    return low


def _at_most(events: int, mean: float) -> float:
    if not mean:
        return 1.0
    return sum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(events + 1))


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that so large a share of values does not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
