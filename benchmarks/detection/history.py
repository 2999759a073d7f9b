"""An account's weeks, as the samples that Prometheus would have scraped.

The simulated world is read as the poller would read it, into the exporter's own tracking, and
what comes out of the exporter's own catalogue is written as OpenMetrics with timestamps. There is
no HTTP in between, and a poll that fails is one that does not happen.

A poll is half a minute before the scrape that sees it, as in the mean of two minutes' clocks that
know nothing of each other.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final, Protocol, TextIO

from benchmarks.detection.other_world import Habits, OtherWorld
from benchmarks.detection.plan import (
    EPOCH,
    HOUR,
    MINUTE,
    POLL_TROUBLES,
    PROVIDER_ERRORS,
    REFUSED,
    Account,
)
from exporter.exposition.families import CATALOGUE
from exporter.exposition.families.family import Family
from exporter.exposition.render import number
from exporter.simulator import SimulatedWorld
from exporter.simulator.truth import Reading
from exporter.snapshot import AccountSnapshot, AppCounters, Health, Objective, figures
from exporter.tasks.coverage import Range
from exporter.tasks.introductions import Introductions
from exporter.tasks.ledger import Mark, Series
from exporter.tasks.task import Money, Status, Task
from exporter.tasks.tracking import TrackedApp

STEP: Final = MINUTE
SCRAPED_AFTER: Final = 30
LOOKBACK: Final = 24 * HOUR
STALE_AFTER: Final = 300
WATCHED: Final = 8 * HOUR
"""Tasks created longer ago are read only while they have not ended."""
SELDOM: Final = 30 * MINUTE
"""How often window gauges are written: rules read them by a subquery of this step only."""
SCRAPE_LABELS: Final = 'job="itnio",instance="bench:10911"'
LONGEST_BACK_OFF: Final = 300

_REASONS: Final = {PROVIDER_ERRORS: "system", REFUSED: "authentication"}
_ALL_REASONS: Final = (
    "authentication",
    "ip_restricted",
    "clock_skew",
    "system",
    "incomplete",
    "deadline",
)
_LEFT_OUT: Final = frozenset({"itnio_voice_window_spend", "itnio_voice_window_spend_unreconciled"})
"""Read at every moment and not only seldom: money always reconciles in these worlds."""
_UNREAD_TRANSITIONS: Final = frozenset({"waiting", "submitting", "unknown"})


class Readable(Protocol):
    """A world that can be read as the API would show it, at moments that go forward."""

    def tasks(self, now: float, created_from: float, created_to: float) -> Sequence[Reading]:
        """Return tasks created between two moments (Unix seconds, both included)."""


def world_of(account: Account) -> Readable:
    """Return an account's world, in which happens what the plan says."""
    told = [each for each in (incident.in_world() for incident in account.incidents) if each]
    if isinstance(account.settings, Habits):
        return OtherWorld(account.settings, told)
    return SimulatedWorld(account.settings, told)


def quiet_world_of(account: Account, moment: float) -> Readable:
    """Return the world without incidents, as it is from a moment on."""
    if isinstance(account.settings, Habits):
        return OtherWorld.around(account.settings, moment)
    return SimulatedWorld(account.settings)


@dataclass(slots=True)
class _Telemetry:
    polls: int = 0
    failures: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_ALL_REASONS, 0))
    refusals: int = 0
    next_poll: float = 0
    up: bool = True
    last_success: float = EPOCH


class History:
    """One account, moved on poll by poll."""

    def __init__(self, account: Account, scraped: Collection[str]) -> None:
        self._account = account
        self._world = world_of(account)
        self._apps = {
            app.id: TrackedApp(
                app.name,
                lookback=LOOKBACK,
                settle=HOUR,
                windows={"1h": HOUR, "24h": 24 * HOUR},
                script_limit=100,
            )
            for app in account.settings.apps
        }
        for app in self._apps.values():
            app.begin(Range(EPOCH, EPOCH), {})
        self._introductions = {app: Introductions() for app in self._apps}
        self._counters: tuple[AppCounters, ...] = ()
        self._last: dict[int, Reading] = {}
        self._telemetry = _Telemetry()
        wanted = [f for f in CATALOGUE if f.name in scraped and f.name not in _LEFT_OUT]
        self._often = [f for f in wanted if not f.name.startswith("itnio_voice_window_")]
        self._seldom = [f for f in wanted if f.name.startswith("itnio_voice_window_")]
        self._series: dict[tuple[str, tuple[str, ...]], str] = {}
        self._objectives = tuple(
            objective
            for objective in [
                Objective(
                    app="",
                    currency=account.settings.currency,
                    answer_ratio=account.answer_ratio,
                    daily_spend=account.daily_spend,
                )
            ]
            if account.daily_spend or account.answer_ratio
        )

    def write(self, out: TextIO) -> int:
        """Write all samples; return how many."""
        written = 0
        for scrape in range(EPOCH + STEP, self._account.end + 1, STEP):
            self._poll(scrape - SCRAPED_AFTER)
            lines = [*self._exporter_lines(), *self._lines(scrape)]
            stamp = f" {scrape}\n"
            out.write(stamp.join(lines) + stamp)
            written += len(lines)
        out.write("# EOF\n")
        return written

    def _poll(self, now: float) -> None:
        told = self._telemetry
        if now < told.next_poll:
            return
        told.polls += 1
        trouble = next(
            (
                each.kind
                for each in self._account.incidents
                if each.kind in POLL_TROUBLES and each.begin <= now < each.end
            ),
            None,
        )
        told.up = trouble is None
        if trouble is not None:
            told.failures[_REASONS[trouble]] += 1
            told.refusals = told.refusals + 1 if trouble == REFUSED else 0
            pause = min(LONGEST_BACK_OFF, STEP * 2.0 ** max(0, told.refusals - 1))
            told.next_poll = now + pause - 1
            return
        told.refusals = 0
        told.last_success = now
        self._read(now)

    def _read(self, now: float) -> None:
        fresh: dict[int, dict[int, Task]] = {app: {} for app in self._apps}
        oldest = min(
            (
                entry.task.created
                for app in self._apps.values()
                for entry in app.inventory.unfinished.values()
            ),
            default=now,
        )
        since = max(EPOCH, now - LOOKBACK, min(oldest, now - WATCHED))
        last = self._last
        for reading in self._world.tasks(now, since, now):
            if last.get(reading.id) != reading:
                last[reading.id] = reading
                fresh[reading.app][reading.id] = task_of(reading)
        counters = []
        for number_, app in self._apps.items():
            app.take(fresh[number_], read_at=now, now=now)
            app.advance(now)
            totals = self._introductions[number_].exposed(
                app.ledger.totals, now, self._telemetry.polls, 2 * STEP
            )
            counters.append(AppCounters(app.name, _read_series(totals)))
        self._counters = tuple(counters)

    def _lines(self, scrape: int) -> Iterable[str]:
        told = self._telemetry
        stale = scrape - told.last_success > STALE_AFTER
        taken = told.last_success
        snapshot = AccountSnapshot(
            account=self._account.name,
            taken_at=taken,
            health=Health(up=told.up, last_success=taken, clock_skew=0.1),
            figures=None if stale else figures(self._apps.values(), taken),
            counters=self._counters,
            objectives=self._objectives,
        )
        families = [*self._often, *self._seldom] if scrape % SELDOM == 0 else self._often
        for family in families:
            for values, value in family.samples(snapshot):
                yield f"{self._name(family, values)} {number(value)}"

    def _name(self, family: Family, values: tuple[str, ...]) -> str:
        found = self._series.get((family.name, values))
        if found is None:
            pairs = zip(family.labels, values, strict=True)
            labels = "".join(f',{name}="{value}"' for name, value in pairs)
            account = f'account="{self._account.name}"'
            found = f"{family.name}{{{account}{labels},{SCRAPE_LABELS}}}"
            self._series[family.name, values] = found
        return found

    def _exporter_lines(self) -> Iterable[str]:
        told = self._telemetry
        labels = f'account="{self._account.name}",{SCRAPE_LABELS}'
        yield f"up{{{SCRAPE_LABELS}}} 1"
        yield f"itnio_exporter_store_up{{{SCRAPE_LABELS}}} 1"
        yield f"itnio_exporter_config_last_reload_successful{{{SCRAPE_LABELS}}} 1"
        yield f"itnio_exporter_polls_total{{{labels}}} {told.polls}"
        yield f"itnio_exporter_corrections_total{{{labels}}} 0"
        for reason, times in told.failures.items():
            yield (f'itnio_exporter_poll_failures_total{{{labels},reason="{reason}"}} {times}')


def _read_series(totals: dict[Series, Mark]) -> dict[Series, Mark]:
    return {
        series: total
        for series, total in totals.items()
        if series.figure != "transitions" or series.kind not in _UNREAD_TRANSITIONS
    }


def _money(millionths: int, currency: str) -> Money:
    return Money(Decimal(millionths).scaleb(-6), currency)


def task_of(reading: Reading) -> Task:
    """Return what the exporter would have read of a task."""
    return Task(
        task_id=reading.id,
        name="",
        status=Status.of_code(reading.status),
        script_id=str(reading.script),
        created=int(reading.created),
        numbers=reading.numbers,
        calls=reading.calls,
        answered=reading.answered,
        successful=reading.success,
        failed=reading.fail,
        billed_seconds=reading.billed_seconds,
        agent_billed_seconds=reading.agent_seconds,
        sms_sent=reading.sms,
        agent_fee=_money(reading.agent_fee, reading.agent_currency),
        call_fee=_money(reading.call_fee, reading.currency),
        sms_fee=_money(reading.sms_fee, reading.currency),
        total_fee=_money(reading.total_fee, reading.currency),
    )


def write(account: Account, scraped: Collection[str], path: Path) -> int:
    """Write an account's samples to a file; return how many."""
    with path.open("w") as out:
        return History(account, scraped).write(out)


@dataclass(frozen=True, slots=True, order=True)
class Traffic:
    """What an app does in a while: how many calls, of how many tasks."""

    calls: int = 0
    tasks: int = 0


def what_would_have_been(account: Account, incident_begin: int, span: int) -> dict[int, Traffic]:
    """Return by app the traffic of `span` seconds from a moment, had there been no incident."""
    world = quiet_world_of(account, incident_begin)
    created_from = incident_begin - WATCHED
    before = {
        each.id: each.calls for each in world.tasks(incident_begin, created_from, incident_begin)
    }
    traffic = {app.id: Traffic() for app in account.settings.apps}
    end = incident_begin + span
    for each in world.tasks(end, created_from, end):
        calls = each.calls - before.get(each.id, 0)
        if calls:
            known = traffic[each.app]
            traffic[each.app] = Traffic(known.calls + calls, known.tasks + 1)
    return traffic
