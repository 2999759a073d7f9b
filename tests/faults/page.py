"""The fault matrix as docs/reliability.md shows it.

Generated, so that the page cannot promise what no row tests.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.faults.row import Counters, Row, Sums, Up
from tests.faults.table import TABLE

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN: Final = "<!-- The fault matrix: written by `make docs` from tests/faults, not by hand. -->\n"
END: Final = "<!-- End of the fault matrix. -->\n"


def reliability_page() -> str:
    """Return docs/reliability.md with the matrix as it is in the code."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{matrix()}\n{END}{after}"


def matrix() -> str:
    """Return the matrix in Markdown, group by group."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield f"{len(TABLE)} rows, each of them one test."
    for group, rows in groupby(TABLE, lambda row: row.group):
        yield from (
            "",
            f"### {group}",
            "",
            "| row | fault | meanwhile | after |",
            "|---|---|---|---|",
        )
        for row in rows:
            cells = (row.name, row.fault, _meanwhile(row), _after(row))
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _meanwhile(row: Row) -> str:
    expected = row.meanwhile
    reasons = ", ".join(f"`{reason}`" for reason in expected.reasons)
    up = f"`itnio_up` {expected.up.value}" + (f" ({reasons})" if reasons else "")
    figures = f"windows {expected.windows.value}; counters {expected.counters.value}"
    if expected.up is Up.YES and expected.counters is Counters.RISE and row.shared:
        figures += " or wait"
    return f"{up}; {figures}"


def _after(row: Row) -> str:
    promise = "" if row.sums is Sums.NONE else row.sums.value
    return "; ".join(part for part in (promise, row.note) if part)
