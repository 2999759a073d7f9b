"""The tables, as they are printed and as docs/detection.md quotes them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.detection.plan import KINDS, MINUTE
from benchmarks.detection.scoring import (
    ENOUGH_CALLS,
    ENOUGH_TASKS,
    Outcome,
    Page,
    quantile,
    rate_bounds,
    wilson,
)


@dataclass(slots=True)
class Tally:
    """What one set of rules came to over all accounts."""

    outcomes: list[Outcome] = field(default_factory=list)
    quiet_pages: list[Page] = field(default_factory=list)
    quiet_weeks: float = 0.0
    troubled_pages: list[Page] = field(default_factory=list)
    """False ones, of accounts that had incidents at other times."""
    troubled_weeks: float = 0.0


def by_kind(tally: Tally) -> str:
    """Return one row a kind of incident."""
    rows: list[tuple[str, ...]] = [
        (
            "incident", "seen of visible", "95 %", "paged", "paged or ticketed", "of all",
            "to page p50", "p90", "to any p50", "pages each", "at most", "reset p50",
        )
    ]  # fmt: skip
    rows.extend(
        _row(kind, [o for o in tally.outcomes if o.event.incident.kind == kind]) for kind in KINDS
    )
    rows.append(_row("all", tally.outcomes))
    return _table(rows)


def _row(kind: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    visible = [o for o in outcomes if o.event.visible]
    told = sum(o.told_after is not None for o in visible)
    low, high = wilson(told, len(visible))
    paged = [o for o in outcomes if o.paged_after is not None]
    delays = [o.paged_after for o in paged if o.paged_after is not None and o.event.visible]
    any_delays = [o.told_after for o in visible if o.told_after is not None]
    resets = [o.reset_after for o in paged if o.reset_after is not None]
    each = sum(o.pages for o in paged) / len(paged) if paged else None
    return (
        kind,
        f"{told}/{len(visible)}",
        f"{low:.0%}-{high:.0%}" if visible else "-",
        f"{sum(o.paged_after is not None for o in visible)}/{len(visible)}",
        f"{sum(o.told_after is not None for o in outcomes)}/{len(outcomes)}",
        f"{len(paged)}/{len(outcomes)} paged",
        _minutes(quantile(delays, 0.5)),
        _minutes(quantile(delays, 0.9)),
        _minutes(quantile(any_delays, 0.5)),
        "-" if each is None else f"{each:.2f}",
        str(max((o.pages for o in paged), default="-")),
        _minutes(quantile(resets, 0.5)),
    )


def _minutes(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds / MINUTE:.1f} min"


def comparison(tallies: Mapping[str, Tally], paged_kinds: Iterable[str]) -> str:
    """Return one row a set of rules. Recall is by pages: controls know no tickets."""
    kinds = set(paged_kinds)
    rows = [
        (
            "rules", "visible paged", "95 %", "answer collapses", "halvings", "to page p50",
            "false pages a quiet week", "95 %", "false a troubled week",
        )
    ]  # fmt: skip
    for name, tally in tallies.items():
        visible = [o for o in tally.outcomes if o.event.visible and o.event.incident.kind in kinds]
        hits = sum(o.paged_after is not None for o in visible)
        low, high = wilson(hits, len(visible))
        delays = [o.paged_after for o in visible if o.paged_after is not None]
        false = len(tally.quiet_pages)
        bounds = rate_bounds(false, tally.quiet_weeks)
        weeks = tally.quiet_weeks or float("nan")
        rows.append(
            (
                name,
                f"{hits}/{len(visible)}",
                f"{low:.0%}-{high:.0%}",
                _hits(tally.outcomes, "answer_collapse"),
                _hits(tally.outcomes, "answer_halving"),
                _minutes(quantile(delays, 0.5)),
                f"{false / weeks:.2f} ({false} in {tally.quiet_weeks:.0f})",
                f"{bounds[0]:.2f}-{bounds[1]:.2f}",
                f"{len(tally.troubled_pages) / (tally.troubled_weeks or float('nan')):.2f}",
            )
        )
    return _table(rows)


def _hits(outcomes: Iterable[Outcome], kind: str) -> str:
    of_kind = [o for o in outcomes if o.event.incident.kind == kind and o.event.visible]
    return f"{sum(o.paged_after is not None for o in of_kind)}/{len(of_kind)}"


def culprits(tally: Tally) -> str:
    """Return which alerts began the false pages, in quiet accounts and between incidents."""
    quiet = Counter(page.alerts[0].name for page in tally.quiet_pages)
    troubled = Counter(page.alerts[0].name for page in tally.troubled_pages)
    rows = [("false page begun by", "quiet accounts", "accounts with incidents")]
    rows.extend(
        (name, str(quiet[name]), str(troubled[name])) for name in sorted({*quiet, *troubled})
    )
    return _table(rows) if len(rows) > 1 else "No false page.\n"


def missed(tally: Tally) -> str:
    """Return the visible incidents that neither a page nor a ticket told of, and how busy."""
    lines = [
        f"{o.event.incident.kind}{' of ' + o.event.app if o.event.app else ''}: "
        f"{o.event.calls} calls of {o.event.tasks} tasks in the first half hour"
        for o in tally.outcomes
        if o.event.visible and o.told_after is None
    ]
    return "\n".join(sorted(lines)) + "\n" if lines else "None.\n"


def legend() -> str:
    """Return what the columns mean."""
    return (
        f"visible: at least {ENOUGH_CALLS} calls would have been made in the first half hour by "
        "the busiest app that is hit;\nwhere answers are judged, of at least "
        f"{ENOUGH_TASKS} tasks; of polls: always. Delays are from the true onset, of "
        "visible incidents.\n"
    )


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [_line(rows[0], widths), "|" + "|".join("-" * (w + 2) for w in widths) + "|"]
    lines += [_line(row, widths) for row in rows[1:]]
    return "\n".join(lines) + "\n"


def _line(row: Iterable[str], widths: Iterable[int]) -> str:
    return "| " + " | ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) + " |"
