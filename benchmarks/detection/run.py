"""One account from its seed to its alerts."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.detection import controls, history, inhibition
from benchmarks.detection.alerts import Firing, StateMachine
from benchmarks.detection.engine import STEP, Engine, chunks, record
from benchmarks.detection.inhibition import Inhibition
from benchmarks.detection.plan import MINUTE, Account
from benchmarks.detection.rules import Alert, RuleBook
from benchmarks.detection.scoring import Event

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "prometheus" / "rules"
ALERTMANAGER: Final = ROOT / "prometheus" / "alertmanager.yml"
OURS: Final = "these rules"


@dataclass(frozen=True, slots=True)
class Result:
    """What all sets of rules made of one account, after inhibition."""

    account: Account
    events: tuple[Event, ...]
    alerts: dict[str, list[Firing]]
    samples: int
    seconds: float


def evaluate(account: Account, book: RuleBook, held_back: Sequence[Inhibition]) -> Result:
    """Simulate an account and let the real engine evaluate every rule over it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="itnio-detection-") as name:
        folder = Path(name)
        samples = folder / "samples.om"
        written = history.write(account, book.scraped(), samples)
        engine = Engine(folder)
        engine.load(samples)
        samples.unlink()
        written += record(engine, book, account, folder / "recorded.om")
        with engine.running():
            ours = [f for alert in book.alerts for f in _firings(engine, alert, account)]
            simple = {alert.name: _firings(engine, alert, account) for alert in controls.ALERTS}
    alerts = {OURS: inhibition.remaining(ours, held_back), **simple, **controls.blind(account)}
    return Result(account, _events(account), alerts, written, time.monotonic() - started)


def _firings(engine: Engine, alert: Alert, account: Account) -> list[Firing]:
    machine = StateMachine(alert)
    for begin, end in chunks(account.scored_from, account.end):
        machine.evaluate_range(engine.query(alert.expression, begin, end), begin, end, STEP)
    return machine.firings(account.end)


def _events(account: Account) -> tuple[Event, ...]:
    names = {app.id: app.name for app in account.settings.apps}
    events = []
    for incident in account.incidents:
        traffic = history.what_would_have_been(account, incident.begin, 30 * MINUTE)
        busiest = max(traffic.values()) if incident.app is None else traffic[incident.app]
        name = names.get(incident.app or 0, "")
        events.append(Event(incident, name, busiest.calls, busiest.tasks))
    return tuple(events)
