"""``python -m benchmarks.detection``: the whole benchmark, or a part of it."""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.detection import agreement, calls_needed, inhibition, report
from benchmarks.detection.controls import ALERTS, ALWAYS, NEVER, RANDOM
from benchmarks.detection.kept import Kept
from benchmarks.detection.other_traffic import other_accounts
from benchmarks.detection.plan import (
    PROVIDER_ERRORS,
    REFUSED,
    REPORTED,
    TUNED,
    Account,
    accounts,
)
from benchmarks.detection.report import Tally
from benchmarks.detection.rules import load
from benchmarks.detection.run import ALERTMANAGER, OURS, RULES, Result, evaluate
from benchmarks.detection.scoring import Page, score

PAGED_KINDS = (
    "answer_collapse",
    "long_calls",
    "failures",
    "stuck_waiting",
    "stuck_calling",
    "spend_runaway",
    "silence",
    PROVIDER_ERRORS,
    REFUSED,
)
"""For which somebody is to be woken; the other kinds are for tickets."""


def main() -> int:
    """Run it and print its tables."""
    asked = _arguments()
    first = REPORTED if asked.seeds == "report" else TUNED
    plan = other_accounts if asked.traffic == "other" else accounts
    planned = plan(first, asked.troubled, asked.quiet, asked.quiet_days)
    _say(f"{len(planned)} accounts of the {asked.seeds} seeds, {asked.jobs} at a time")
    started = time.monotonic()
    # Read once: rules that are being worked on must not change in the middle.
    book, held_back = load(asked.rules), inhibition.load(ALERTMANAGER)
    _tell(f"Rules {book.fingerprint}: {len(book.recordings)} recorded, {len(book.alerts)} alerts.")
    results: dict[str, Result] = {}
    keeping = None if asked.keep is None else Kept(asked.keep, book.fingerprint)
    if keeping is not None:
        results.update(keeping.read(account.name for account in planned))
    missing = [account for account in planned if account.name not in results]
    with ProcessPoolExecutor(asked.jobs) as pool:
        # The longest first, so that none is left alone in the end.
        missing.sort(key=lambda each: -each.end)
        running = [pool.submit(evaluate, account, book, held_back) for account in missing]
        for done in as_completed(running):
            result = done.result()
            results[result.account.name] = result
            if keeping is not None:
                keeping.write(result)
            _say(f"{result.account.name}: {result.samples} samples, {result.seconds:.0f} s")
    _print_tables([results[account.name] for account in planned], details=asked.details)
    if asked.agreement:
        _tell("\n## Agreement with promtool's state machine\n")
        _tell(agreement.check(_say))
    _tell(f"\n{time.monotonic() - started:.0f} s in all")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--seeds", choices=("report", "tune"), default="report")
    parser.add_argument(
        "--traffic", choices=("simulator", "other"), default="simulator", help="which world"
    )
    parser.add_argument("--troubled", type=int, default=6, help="accounts with incidents")
    parser.add_argument("--quiet", type=int, default=4, help="accounts without")
    parser.add_argument("--quiet-days", type=int, default=14, help="scored days of each")
    parser.add_argument("--jobs", type=int, default=2, help="accounts at a time")
    parser.add_argument("--keep", type=Path, help="a folder from which a broken run goes on")
    parser.add_argument("--rules", type=Path, default=RULES, help="other rules, to try them")
    parser.add_argument("--details", action="store_true", help="every incident and false page")
    parser.add_argument("--agreement", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def _print_tables(results: list[Result], *, details: bool) -> None:
    tallies = {name: Tally() for name in (OURS, *(a.name for a in ALERTS), RANDOM, ALWAYS, NEVER)}
    for result in results:
        for name, tally in tallies.items():
            scores = score(result.alerts[name], result.events)
            tally.outcomes += scores.outcomes
            if result.events:
                tally.troubled_pages += scores.false_pages
                tally.troubled_weeks += result.account.scored_weeks
            else:
                tally.quiet_pages += scores.false_pages
                tally.quiet_weeks += result.account.scored_weeks
            if details and name == OURS:
                _print_details(result, list(scores.false_pages))
    ours = tallies[OURS]
    _tell("\n## By kind of incident\n")
    _tell(report.by_kind(ours))
    _tell(report.legend())
    _tell("## Beside controls: kinds for which somebody is to be woken\n")
    _tell(report.comparison(tallies, PAGED_KINDS))
    _tell("## False pages\n")
    _tell(report.culprits(ours))
    _tell("## Visible, and not told of\n")
    _tell(report.missed(ours))
    _tell("## Calls needed\n")
    _tell(calls_needed.table())


def _print_details(result: Result, false: list[Page]) -> None:
    account: Account = result.account
    _tell(f"\n{account.name}: {account.settings.tasks_per_day:.0f} tasks a day")
    for outcome in score(result.alerts[OURS], result.events).outcomes:
        event = outcome.event
        told = [
            f"{alert.name}({alert.label('app')})+{(alert.begin - event.incident.begin) / 60:.0f}"
            for alert in result.alerts[OURS]
            if event.explains(alert)
        ]
        where = f"{event.app or 'all'} {event.calls} calls of {event.tasks} tasks"
        _tell(f"  {event.incident.kind} {where}: {' '.join(told) or '-'}")
    for page in false:
        when = datetime.fromtimestamp(page.begin, UTC)
        names = " ".join(f"{alert.name}({alert.label('app')})" for alert in page.alerts)
        _tell(f"  FALSE {when:%a %d %H:%M} {(page.end - page.begin) / 60:.0f} min: {names}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
