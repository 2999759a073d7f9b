"""What the counters must say: the simulator's truth, series by series."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from exporter.simulator import SimulatedWorld
from exporter.simulator.truth import Sums, gained

# The figure's name in the exporter, and in the truth.
FIGURES = {
    "calls": "calls",
    "answered": "answered",
    "successful": "success",
    "failed": "fail",
    "billed_seconds": "billed_seconds",
    "agent_billed_seconds": "agent_seconds",
    "sms_sent": "sms",
}
NAMES = {
    "calls": "calls",
    "answered": "answered_calls",
    "successful": "successful_calls",
    "failed": "failed_calls",
    "billed_seconds": "billed_seconds",
    "agent_billed_seconds": "agent_billed_seconds",
    "sms_sent": "sms_sent",
}
CORRECTED = ("billed_seconds", "call")
"""What the simulator's corrections take away from: a figure, and a kind of fee."""


@dataclass(frozen=True)
class Key:
    """One counter: figure (or `spend`), app, script, and for spend what was paid for, in what."""

    figure: str
    app: str
    script: str
    kind: str = ""
    currency: str = ""

    def series(self, account: str) -> str:
        """Its line in the exposition, without the value."""
        labels = {"account": account, "app": self.app, "script_id": self.script}
        if self.figure == "spend":
            labels |= {"kind": self.kind, "currency": self.currency}
        text = ",".join(f'{name}="{value}"' for name, value in labels.items())
        return f"itnio_voice_{NAMES.get(self.figure, 'spend')}_total{{{text}}}"


def truth(
    world: SimulatedWorld, since: float, now: float, apps: Mapping[int, str], *, peaks: bool = False
) -> dict[Key, Decimal]:
    """What was gained between two moments; an app that is not among `apps` counts under ``""``."""
    begin = since - 86_400
    told = gained(world.tasks(since, begin, now), world.tasks(now, begin, now, peaks=peaks))
    sums: dict[Key, Decimal] = {}
    for (app, script), group in told.groups.items():
        for key, value in _keys(apps.get(app, ""), str(script), group):
            sums[key] = sums.get(key, Decimal(0)) + value
    return sums


def _keys(app: str, script: str, group: Sums) -> Iterable[tuple[Key, Decimal]]:
    for figure, name in FIGURES.items():
        yield Key(figure, app, script), Decimal(getattr(group, name))
    for (kind, currency), amount in group.money.items():
        yield Key("spend", app, script, kind, currency), amount


def stored(folder: Path, account: str) -> dict[Key, Decimal]:
    """What the store holds, which is exact where the exposition rounds to floats."""
    with closing(sqlite3.connect(folder / "state.sqlite3")) as connection:
        rows = connection.execute(
            "SELECT figure, apps.app, script, kind, currency, total"
            " FROM totals JOIN apps ON totals.app = apps.id"
            " WHERE account = ? AND figure != 'transitions'",
            (account,),
        ).fetchall()
    return {
        Key(figure, app, script, kind, currency): Decimal(total)
        for figure, app, script, kind, currency, total in rows
    }


def differences(
    found: Mapping[Key, Decimal], lower: Mapping[Key, Decimal], upper: Mapping[Key, Decimal]
) -> list[str]:
    """Each counter that is not within its bounds, which are one where nothing was corrected."""
    return [
        f"{key}: {found.get(key, 0)}, should be {lower.get(key, 0)} to {upper.get(key, 0)}"
        for key in sorted(found.keys() | lower.keys() | upper.keys(), key=str)
        if not lower.get(key, 0) <= found.get(key, 0) <= upper.get(key, 0)
    ]
