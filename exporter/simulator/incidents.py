"""What can go wrong in the world itself, as opposed to the API over it (see faults).

An incident changes rates from `begin` until `end`; what was reached before stays reached.
Effects are integers in millionths, so that a course computed from them is exact.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

MILLION = 1_000_000
FOREVER = 1 << 62  # milliseconds; later than anything


class IncidentKind(StrEnum):
    """Kinds of incident; what `strength` means for each is in STRENGTHS."""

    ANSWER_COLLAPSE = "answer_collapse"
    ANSWER_HALVING = "answer_halving"
    SHORT_CALLS = "short_calls"
    LONG_CALLS = "long_calls"
    FAILURES = "failures"
    STUCK_WAITING = "stuck_waiting"
    STUCK_CALLING = "stuck_calling"
    SUBMISSION_FAILURES = "submission_failures"
    SUSPENDED = "suspended"
    SPEND_RUNAWAY = "spend_runaway"
    SILENCE = "silence"
    SMS_SURGE = "sms_surge"
    FEE_MISMATCH = "fee_mismatch"
    CURRENCY_CHANGE = "currency_change"


# kind: (default strength, what strength is)
STRENGTHS: dict[IncidentKind, tuple[float, str]] = {
    IncidentKind.ANSWER_COLLAPSE: (0.2, "factor on the answer rate"),
    IncidentKind.ANSWER_HALVING: (0.5, "factor on the answer rate"),
    IncidentKind.SHORT_CALLS: (0.15, "factor on the call length"),
    IncidentKind.LONG_CALLS: (4.0, "factor on the call length"),
    IncidentKind.FAILURES: (0.75, "share of otherwise good calls that fail"),
    IncidentKind.STUCK_WAITING: (1.0, "share of tasks that stay waiting or submitting"),
    IncidentKind.STUCK_CALLING: (1.0, "share of tasks whose calls stop"),
    IncidentKind.SUBMISSION_FAILURES: (0.7, "share of tasks whose submission fails"),
    IncidentKind.SUSPENDED: (0.6, "share of calling tasks that are suspended"),
    IncidentKind.SPEND_RUNAWAY: (8.0, "factor on every price"),
    IncidentKind.SILENCE: (1.0, "share of tasks not created, and of tasks whose calls stop"),
    IncidentKind.SMS_SURGE: (10.0, "factor on the SMS for one answered call"),
    IncidentKind.FEE_MISMATCH: (0.1, "share by which the total exceeds its parts"),
    IncidentKind.CURRENCY_CHANGE: (1.0, "share of new tasks that are billed in `currency`"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that goes wrong from `begin` until just before `end` (Unix seconds).

    `app` and `script` (ids) limit it; `strength` of None is the kind's default;
    `currency` matters to `currency_change` only.
    """

    kind: IncidentKind
    begin: float
    end: float
    app: int | None = None
    script: int | None = None
    strength: float | None = None
    currency: str = "EUR"

    def __post_init__(self) -> None:
        if self.end < self.begin:
            raise ValueError("an incident cannot end before it begins")
        if self.strength is not None and self.strength < 0:
            raise ValueError("strength cannot be negative")

    @property
    def millionths(self) -> int:
        """The strength in millionths."""
        strength = STRENGTHS[self.kind][0] if self.strength is None else self.strength
        return round(strength * MILLION)

    def concerns(self, app: int, script: int) -> bool:
        """Whether campaigns of this app and script are hit."""
        return self.app in {None, app} and self.script in {None, script}


@dataclass(frozen=True, slots=True)
class Effects:
    """The rates of one moment, in millionths: factors (1,000,000: unchanged) and shares (0: none).

    A share applies to the campaigns whose `luck` lies below it.
    """

    answering: int = MILLION
    length: int = MILLION
    passing: int = MILLION
    price: int = MILLION
    sms: int = MILLION
    mismatch: int = 0
    stuck_waiting: int = 0
    stuck_calling: int = 0
    submission_failures: int = 0
    suspended: int = 0
    unborn: int = 0
    foreign: int = 0
    currency: str = ""


NO_EFFECTS = Effects()

_K = IncidentKind
_APPLY: dict[IncidentKind, Callable[[Effects, Incident], Effects]] = {
    _K.ANSWER_COLLAPSE: lambda e, i: replace(e, answering=e.answering * i.millionths // MILLION),
    _K.ANSWER_HALVING: lambda e, i: replace(e, answering=e.answering * i.millionths // MILLION),
    _K.SHORT_CALLS: lambda e, i: replace(e, length=e.length * i.millionths // MILLION),
    _K.LONG_CALLS: lambda e, i: replace(e, length=e.length * i.millionths // MILLION),
    _K.FAILURES: lambda e, i: replace(
        e, passing=e.passing * max(0, MILLION - i.millionths) // MILLION
    ),
    _K.STUCK_WAITING: lambda e, i: replace(e, stuck_waiting=max(e.stuck_waiting, i.millionths)),
    _K.STUCK_CALLING: lambda e, i: replace(e, stuck_calling=max(e.stuck_calling, i.millionths)),
    _K.SUBMISSION_FAILURES: lambda e, i: replace(
        e, submission_failures=max(e.submission_failures, i.millionths)
    ),
    _K.SUSPENDED: lambda e, i: replace(e, suspended=max(e.suspended, i.millionths)),
    _K.SPEND_RUNAWAY: lambda e, i: replace(e, price=e.price * i.millionths // MILLION),
    _K.SILENCE: lambda e, i: replace(
        e,
        unborn=max(e.unborn, i.millionths),
        stuck_calling=max(e.stuck_calling, i.millionths),
    ),
    _K.SMS_SURGE: lambda e, i: replace(e, sms=e.sms * i.millionths // MILLION),
    _K.FEE_MISMATCH: lambda e, i: replace(e, mismatch=e.mismatch + i.millionths),
    _K.CURRENCY_CHANGE: lambda e, i: replace(
        e, foreign=max(e.foreign, i.millionths), currency=i.currency
    ),
}


class Timeline:
    """The effects on one app and script over all time, piecewise constant."""

    __slots__ = ("_effects", "_starts", "quiet")

    def __init__(self, incidents: Sequence[Incident]) -> None:
        edges = {_ms(i.begin) for i in incidents} | {_ms(i.end) for i in incidents}
        self._starts = [-FOREVER, *sorted(edges)]
        self._effects = [_effects_at(start, incidents) for start in self._starts]
        self.quiet = not incidents

    def at(self, when: int) -> tuple[Effects, int]:
        """Return the effects at `when` and the moment they change (both milliseconds)."""
        if self.quiet:
            return NO_EFFECTS, FOREVER
        index = bisect_right(self._starts, when)
        until = self._starts[index] if index < len(self._starts) else FOREVER
        return self._effects[index - 1], until


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _effects_at(when: int, incidents: Sequence[Incident]) -> Effects:
    effects = NO_EFFECTS
    for incident in incidents:
        if _ms(incident.begin) <= when < _ms(incident.end):
            effects = _APPLY[incident.kind](effects, incident)
    return effects


class IncidentBook:
    """All incidents of a world, numbered; answers with the timeline of one app and script."""

    def __init__(self, incidents: Sequence[Incident] = ()) -> None:
        self._entries = dict(enumerate(incidents, start=1))
        self._next = len(self._entries) + 1
        self._timelines: dict[tuple[int, int], Timeline] = {}

    @property
    def entries(self) -> dict[int, Incident]:
        """The incidents by number; a copy."""
        return dict(self._entries)

    def add(self, incident: Incident) -> int:
        """Add an incident and return its number."""
        number = self._next
        self._next += 1
        self._entries[number] = incident
        self._timelines.clear()
        return number

    def end(self, number: int, at: float) -> Incident:
        """End an incident early; what it did until `at` (Unix seconds) stays."""
        incident = self._entries[number]
        begin = incident.begin
        ended = replace(incident, end=max(begin, min(at, incident.end)))
        self._entries[number] = ended
        self._timelines.clear()
        return ended

    def timeline(self, app: int, script: int) -> Timeline:
        """Return the effects on one app and script over all time."""
        found = self._timelines.get((app, script))
        if found is None:
            found = Timeline([i for i in self._entries.values() if i.concerns(app, script)])
            self._timelines[app, script] = found
        return found
