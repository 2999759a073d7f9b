"""Write the pages that are generated from the code, or with --check tell which are out of date."""  # noqa: INP001

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alerts_page import alerts_page
from configuration_page import configuration_page

from exporter.config.schema import schema_text
from exporter.exposition.families import CATALOGUE
from exporter.exposition.telemetry import Telemetry

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.faults.page import reliability_page  # noqa: E402  # tests are not installed

INTRODUCTION: Final = """\
# Metrics

Generated from the catalogue in the code by `make docs`; `make check` holds it up to date.

Durations are seconds, ratios lie between 0 and 1, money is in the currency of its label.

- `account` is the name from the configuration; `app` is empty where the account lists no apps.
- `status` is `waiting`, `calling`, `finished`, `submission_failed`, `cancelled`, `suspended` or
  `submitting`, and `unknown` for a code that is not documented.
- `kind` is `agent`, `call` or `sms`, of a balance `balance`, `gift` or `credit`; `currency` is
  three capital letters, else `unknown`.
"""

END: Final = """\
Besides these there are the `process_*` and `python_*` metrics that Prometheus' client libraries
have in common.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric family as the page shows it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


def catalogue_rows() -> Iterator[Row]:
    """Yield what a poll publishes."""
    for family in CATALOGUE:
        yield Row(family.name, family.kind, ("account", *family.labels), family.help)


def telemetry_rows() -> Iterator[Row]:
    """Yield the exporter's own metrics; a family without a sample would not show its labels."""
    telemetry = Telemetry("version", ("reason",))
    account = telemetry.account("account")
    account.rejected(("reason",))
    account.balance_watched()
    telemetry.store(("reason",))
    telemetry.owned("account", owned=True)
    for metric in telemetry.registry.collect():
        if metric.name.startswith("itnio_"):
            suffix = {"counter": "_total", "info": "_info"}.get(metric.type, "")
            labels = tuple(name for name in metric.samples[0].labels if name != "le")
            yield Row(metric.name + suffix, metric.type, labels, metric.documentation)


SECTIONS: Final[list[tuple[str, Callable[[Row], bool]]]] = [
    (
        "Over a sliding window of creation time",
        lambda row: row.name.startswith("itnio_voice_window_"),
    ),
    ("Counters", lambda row: row.name.startswith("itnio_voice_") and row.kind == "counter"),
    ("Single tasks", lambda row: row.name.startswith("itnio_voice_task_")),
    ("Objectives", lambda row: row.name.startswith("itnio_voice_objective_")),
    ("Live state", lambda row: row.name.startswith("itnio_voice_")),
    ("Balance", lambda row: row.name.startswith("itnio_account_")),
    ("The exporter itself", lambda _: True),
]
"""Titles, and what belongs there that did not belong before."""


def section(row: Row) -> str:
    """Return the title of the section that a family belongs to."""
    return next(title for title, belongs in SECTIONS if belongs(row))


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| metric | type | labels | what |"
    yield "|---|---|---|---|"
    for row in rows:
        labels = ", ".join(f"`{label}`" for label in row.labels)
        what = row.help.replace("|", "\\|")
        yield f"| `{row.name}` | {row.kind} | {labels} | {what} |"


def metrics_page() -> str:
    """Return docs/metrics.md."""
    rows = [*catalogue_rows(), *telemetry_rows()]
    lines = [INTRODUCTION]
    for title, _ in SECTIONS:
        lines += [f"## {title}", "", *table(row for row in rows if section(row) == title), ""]
    return "\n".join([*lines, END])


PAGES: Final = {
    "docs/alerts.md": alerts_page,
    "docs/config.schema.json": schema_text,
    "docs/configuration.md": configuration_page,
    "docs/metrics.md": metrics_page,
    "docs/reliability.md": reliability_page,
}


def main(arguments: list[str]) -> int:
    """Write or check every page; 1 where a check finds one out of date."""
    pages = {ROOT / name: page() for name, page in PAGES.items()}
    if arguments == ["--check"]:
        stale = [
            path for path, text in pages.items() if not path.exists() or path.read_text() != text
        ]
        for path in stale:
            sys.stderr.write(f"{path.relative_to(ROOT)} is not what the code says: make docs\n")
        return 1 if stale else 0
    for path, text in pages.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
