"""Whether promtool's own state machine says the same, minute by minute.

A short stretch of a small account is evaluated both ways: by range queries and our own for and
keep_firing_for, and by `promtool test rules` over ALERTS with the very rule files.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.detection import history
from benchmarks.detection.alerts import Firing, StateMachine
from benchmarks.detection.engine import STEP, Engine, record
from benchmarks.detection.plan import (
    DAY,
    EPOCH,
    HOUR,
    PROVIDER_ERRORS,
    REFUSED,
    TUNED,
    Account,
    Labelled,
    daily_budget,
    settings,
)
from benchmarks.detection.rules import RuleBook, load
from benchmarks.detection.run import RULES

_DAYS: Final = 3
_ABSOLUTE: Final = "itnio_exporter_last_success_timestamp_seconds"
"""Test time begins at 0; whatever is compared with time() must do so too."""


def stretch() -> Account:
    """Return a short stretch with one incident after the other."""
    hours = (
        ("stuck_calling", 24 + 2),
        ("sms_surge", 24 + 5),
        ("answer_collapse", 48 + 2),
        ("long_calls", 48 + 6),
        (PROVIDER_ERRORS, 48 + 9),
        ("failures", 48 + 11),
        (REFUSED, 48 + 14),
    )
    drawn = replace(settings(TUNED + 900, 500.0))
    return Account(
        "sample",
        drawn,
        tuple(
            Labelled(kind, EPOCH + h * HOUR + 17, EPOCH + (h + 1) * HOUR + 17) for kind, h in hours
        ),
        EPOCH + _DAYS * DAY,
        daily_budget(200.0),
        scored_from=EPOCH + STEP,
    )


def check(say: Callable[[str], None]) -> str:
    """Evaluate the stretch both ways and say in how far they agree."""
    account = stretch()
    with tempfile.TemporaryDirectory(prefix="itnio-agreement-") as name:
        folder = Path(name)
        # Both ways read this copy: rules that are being worked on would change in between.
        book = load(Path(shutil.copytree(RULES, folder / "rules")))
        samples = folder / "samples.om"
        history.write(account, book.scraped(), samples)
        say("agreement: by range queries")
        firings = _by_queries(account, book, samples, folder)
        minutes = firing_minutes(firings)
        say("agreement: by promtool test rules")
        begun = time.monotonic()
        _write_test(folder / "test.yml", book, samples, account, minutes)
        answer = subprocess.run(  # noqa: S603
            ["promtool", "test", "rules", str(folder / "test.yml")],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.monotonic() - begun
    told = answer.stdout + answer.stderr
    differing = told.count("expr: ")
    moments = (account.end - EPOCH) // STEP
    names = sorted({each.name for each in firings})
    verdict = (
        f"{moments} minutes, {len(book.alerts)} alerts, {len(firings)} firings of {len(names)} "
        f"alerts ({', '.join(names)}): "
    )
    if answer.returncode == 0:
        return verdict + f"the same alerts fire at every minute ({took:.0f} s of promtool)."
    return verdict + f"{differing} minutes differ.\n{told[:3000]}"


def _by_queries(account: Account, book: RuleBook, samples: Path, folder: Path) -> list[Firing]:
    engine = Engine(folder)
    engine.load(samples)
    begin, end = account.scored_from, account.end
    record(engine, book, account, folder / "recorded.om")
    firings: list[Firing] = []
    with engine.running():
        for alert in book.alerts:
            machine = StateMachine(alert)
            # In two pieces, so that the state is carried between them too.
            middle = begin + (end - begin) // STEP // 2 * STEP
            for first, last in ((begin, middle), (middle + STEP, end)):
                points = engine.query(alert.expression, first, last)
                machine.evaluate_range(points, first, last, STEP)
            firings += machine.firings(end + STEP)
    return firings


def firing_minutes(firings: Iterable[Firing]) -> dict[int, list[Firing]]:
    """Return what fires at each evaluation."""
    found: dict[int, list[Firing]] = {}
    for firing in firings:
        for moment in range(firing.begin, firing.end, STEP):
            found.setdefault(moment, []).append(firing)
    return found


def _write_test(
    path: Path,
    book: RuleBook,
    samples: Path,
    account: Account,
    minutes: Mapping[int, Iterable[Firing]],
) -> None:
    steps = (account.end - EPOCH) // STEP
    with path.open("w") as out:
        out.write("rule_files:\n")
        out.writelines(f"  - {file}\n" for file in book.files)
        # Without it promtool takes groups in any order, and alerts may read what is a minute old.
        out.write(f"group_eval_order: [{', '.join(book.groups)}]\n")
        out.write("evaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n")
        for series, values in _series(samples, steps).items():
            out.write(f"      - series: '{series}'\n        values: '{' '.join(values)}'\n")
        out.write("    promql_expr_test:\n")
        for step in range(1, steps + 1):
            out.write(
                f"""      - expr: ALERTS{{alertstate="firing"}}\n        eval_time: {step}m\n"""
            )
            now = list(minutes.get(EPOCH + step * STEP, ()))
            if now:
                out.write("        exp_samples:\n")
            for firing in now:
                labels = {**dict(firing.labels), "alertstate": "firing"}
                inside = ",".join(f'{key}="{value}"' for key, value in labels.items() if value)
                out.write(f"          - {{labels: 'ALERTS{{{inside}}}', value: 1}}\n")


def _series(samples: Path, steps: int) -> dict[str, list[str]]:
    """Return the samples as values a minute; a series that ends has a mark where it does."""
    found: dict[str, list[str]] = {}
    with samples.open() as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            series, value, stamp = line.rsplit(" ", 2)
            step = (int(stamp) - EPOCH) // STEP
            if series.startswith(_ABSOLUTE):
                value = str(float(value) - EPOCH)
            values = found.setdefault(series, [])
            if len(values) < step and values:
                values.append("stale")
            values.extend("_" * (step - len(values)))
            values.append(value)
    for values in found.values():
        if len(values) <= steps:
            values.append("stale")
    return found
