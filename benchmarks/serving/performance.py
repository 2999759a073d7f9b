"""Measures serving and writes its section of docs/performance.md, with its pictures."""

import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import plot
from benchmarks.polling import server
from benchmarks.polling.polls import LATENCY
from benchmarks.serving import measure, peers, subjects
from benchmarks.serving.measure import Absent, Rendering, Start, Times

SIZES: Final = (1_000, 10_000, 100_000)
TASKS: Final = 100_000
"""What is read, from nothing and again and again, while scrapes are answered."""
_QUICK: Final = (1_000,)
_INSTALL: Final = Path(__file__).parents[2] / "scripts" / "install-peers"

Scrapes = dict[tuple[bool, int], dict[str, Times]]
"""By whether they were gzipped, and by the number of series; then by subject."""

INTRODUCTION: Final = """\
## Serving

What a scrape costs its server: from the request to the last byte of the answer, over one kept
connection on the loopback interface, by a client that reads and does no more. The figures of the
exporter are those of its real application over accounts with real windows and ledgers; the
*static response* is aiohttp answering with the very same bytes from memory, which is the limit.
The others have the same series: prometheus_client's handler for aiohttp, the usual script
(`Gauge.labels().set()` and `start_http_server`), an exporter on Go's client_golang, and
pushgateway.
"""


def write(folder: Path, quick: bool) -> None:
    """Measure everything, and write ``serving.md`` and its pictures into the folder."""
    subprocess.run([str(_INSTALL)], check=True)  # noqa: S603
    sizes, rounds = (_QUICK, 2) if quick else (SIZES, 8)
    largest = sizes[-1]
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        peers.build_go(here)
        scrapes: Scrapes = {}
        for compressed in (True, False):
            for size in sizes:
                _say(f"scrapes of {size:,} series, {_form(compressed)}")
                scrapes[compressed, size] = measure.scrapes(
                    measure.NAMES, size, here, compressed=compressed, rounds=rounds
                )
        _say("scrapes while everything changes")
        names = (subjects.OURS, subjects.BUSY, subjects.READING)
        tasks = TASKS // 10 if quick else TASKS
        with server.serving(tasks, int(time.time()), LATENCY) as api:
            busy = measure.scrapes(
                names, largest, here, compressed=True, rounds=4 * rounds, api=api.url
            )
        _say("clients that never read")
        absent = measure.absent(largest, here)
        _say("rendering")
        rendering = measure.rendering(largest, 2 if quick else 5)
        _say("start")
        start = measure.start(here, 3 if quick else 7)
    for compressed in (True, False):
        title = f"Median of a scrape, {_form(compressed)}"
        (folder / f"serving-{_word(compressed)}.svg").write_text(
            plot.lines_of(
                {
                    name: [(size, 1e3 * scrapes[compressed, size][name].median) for size in sizes]
                    for name in measure.NAMES
                },
                title=title,
                across="series",
                up="ms",
            )
        )
    section = [
        INTRODUCTION,
        f"Python {platform.python_version()}, {rounds} rounds.\n",
        "### Against the goals\n",
        *_table(
            ("what", "goal", "measured", ""),
            [goal.row() for goal in goals(scrapes, busy, absent, start)],
        ),
        _reasons(),
        *_scrape_tables(scrapes),
        *_other_tables(busy, absent, rendering, start, largest),
    ]
    (folder / "serving.md").write_text("\n".join(section) + "\n")


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that is to be at most, or at least, so much."""

    what: str
    bound: float
    measured: float
    unit: str = " x"
    at_least: bool = False

    def row(self) -> tuple[str, ...]:
        """Return its row of the table."""
        word = "at least" if self.at_least else "at most"
        met = self.measured >= self.bound if self.at_least else self.measured <= self.bound
        return (
            self.what,
            f"{word} {self.bound:g}{self.unit}",
            f"{self.measured:,.3g}{self.unit}",
            "reached" if met else "**missed**",
        )


def goals(
    scrapes: Scrapes,
    busy: Mapping[str, Times],
    absent: Absent,
    start: Start,
) -> Iterator[Goal]:
    """Yield what was aimed at, with what came of it."""
    bounds = {
        (True, 100_000): (1.1, 500),
        (True, 1_000): (1.3, 12),
        (False, 100_000): (1.25, 50),
    }
    for (compressed, size), (static, go) in bounds.items():
        times = scrapes.get((compressed, size))
        if times is None:
            continue
        ours = times[subjects.OURS].median
        what = f"{_form(compressed)} scrape, {size:,} series, median"
        yield Goal(
            f"{what}, by that of the static response", static, ours / times[subjects.STATIC].median
        )
        yield Goal(
            f"client_golang's by ours, {what}", go, times[peers.GO].median / ours, at_least=True
        )
    for name, when in (
        (subjects.BUSY, "all is rendered anew each second"),
        (subjects.READING, f"that and a poll of {TASKS:,} tasks go on"),
    ):
        what = f"p99 of a scrape while {when}, by that at rest"
        yield Goal(what, 2, busy[name].p99 / busy[subjects.OURS].p99)
    yield Goal(f"{absent.clients} clients that never read", 50, absent.megabytes, " MB")
    yield Goal(
        "start to the first answer, by importing three libraries",
        1.3,
        start.answered / start.imported[measure.LIBRARIES].seconds,
    )
    yield Goal("idle memory", 45, start.memory / 1e6, " MB")


def _reasons() -> str:
    return (
        "Where a goal is missed: a small gzipped scrape costs a fixed part more than the static "
        "response: half of that is reading and writing what the process takes, anew at each "
        "scrape, a quarter the headers that every answer has, the rest choosing the form. It was "
        "more before scrapes were answered ahead of routing. While an account is read, a scrape "
        "waits three or four rounds of the event loop, each with the answers of up to 16 "
        "requests; turns of 50 tasks instead of 200, or one at a time over all slices, changed "
        "nothing that could be measured. Start and memory are those of the imports, as the last "
        "table shows; of the time that our own modules take, the making of data classes is half.\n"
    )


def _scrape_tables(scrapes: Scrapes) -> Iterator[str]:
    for compressed in (True, False):
        yield f"### Scrapes, {_form(compressed)}\n"
        picture = f"serving-{_word(compressed)}.svg"
        yield f"![median of a scrape by the number of series]({picture})\n"
        rows = []
        for (form, size), times in scrapes.items():
            if form is not compressed:
                continue
            ours, static = times[subjects.OURS].median, times[subjects.STATIC].median
            rows += [
                (
                    f"{size:,}",
                    name,
                    f"{1e3 * each.median:,.3g}",
                    f"{1e3 * each.p99:,.3g}",
                    f"{each.median / static:,.3g}",
                    f"{each.median / ours:,.3g}",
                    f"{each.size:,}",
                    str(len(each.seconds)),
                )
                for name, each in times.items()
            ]
        yield from _table(
            ("series", "server", "p50, ms", "p99, ms", "x static", "x ours", "bytes", "scrapes"),
            rows,
        )


def _other_tables(
    busy: Mapping[str, Times],
    absent: Absent,
    rendering: Sequence[Rendering],
    start: Start,
    series: int,
) -> Iterator[str]:
    yield f"### While polls change everything, {series:,} series, gzipped\n"
    yield from _table(
        ("server", "p50, ms", "p99, ms"),
        [
            (name, f"{1e3 * each.median:,.3g}", f"{1e3 * each.p99:,.3g}")
            for name, each in busy.items()
        ],
    )
    yield f"### Rendering {series:,} series\n"
    yield from _table(
        ("poll", "processor time, ms", "bytes deflated anew"),
        [(each.case, f"{each.milliseconds:,.3g}", f"{each.deflated:,}") for each in rendering],
    )
    yield "### Clients that never read, start and memory\n"
    yield (
        f"{absent.clients} clients that ask for the plain text of {series:,} series and read none "
        f"of it: {absent.megabytes:.1f} MB more memory; the median of another's scrapes was "
        f"{1e3 * absent.before:.2f} ms before and {1e3 * absent.meanwhile:.2f} ms meanwhile.\n"
    )
    yield from _table(
        ("from the start of a Python", "seconds", "resident memory, MB"),
        [
            (f"until it has imported {name}", f"{each.seconds:.2f}", f"{each.memory / 1e6:.1f}")
            for name, each in start.imported.items()
        ]
        + [
            (
                "until `itnio-exporter run` has answered a scrape; at rest, one account",
                f"{start.answered:.2f}",
                f"{start.memory / 1e6:.1f}",
            )
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""


def _form(compressed: bool) -> str:
    return "gzipped" if compressed else "plain"


def _word(compressed: bool) -> str:
    return "gzip" if compressed else "plain"


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()
