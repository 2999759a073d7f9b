"""Measures polling and writes its piece of docs/performance.md, its figures and its picture."""

import gc
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from benchmarks.plot import lines_of
from benchmarks.polling import commits, cost, memory, polls
from benchmarks.polling.commits import Commits
from benchmarks.polling.cost import PageCost
from benchmarks.polling.polls import CONCURRENCY, LATENCY, Polls, Sequential
from exporter.app import SEARCHES

SIZES: Final = (10_000, 30_000, 100_000)
RUNS: Final = 3
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of everything."""

    polls: Sequence[Polls]
    """By number of tasks, the smallest first; medians by the time of the first poll."""
    sequential: Sequential
    pages: Sequence[PageCost]
    commits: Commits
    bytes_a_task: float
    load: float
    """Of the machine when all was measured: how many others wanted to run."""


def write(folder: Path, quick: bool) -> None:
    """Measure, and write ``polling.md``, ``polling.json`` and ``polling.svg`` into the folder."""
    run(folder, quick=quick)


def run(out: Path, *, quick: bool = False) -> str:
    """Measure, write the files into ``out`` and return the Markdown."""
    measured = _measured(SIZES[:1] if quick else SIZES, 1 if quick else RUNS)
    out.mkdir(parents=True, exist_ok=True)
    text = "\n".join(_piece(measured)) + "\n"
    (out / "polling.md").write_text(text)
    (out / "polling.json").write_bytes(msgspec.json.format(msgspec.json.encode(asdict(measured))))
    (out / "polling.svg").write_text(
        lines_of(
            {
                "first poll": [(each.tasks, each.first_cpu) for each in measured.polls],
                "poll with 1 % changed": [(each.tasks, each.next_cpu) for each in measured.polls],
            },
            title="CPU of a poll",
            across="tasks in the lookback",
            up="seconds of CPU",
        )
    )
    return text


def _measured(sizes: Sequence[int], runs: int) -> Measured:
    gc.set_threshold(*SEARCHES)  # as the exporter does
    made: dict[int, list[Polls]] = {size: [] for size in sizes}
    pages: list[PageCost] = []
    for _ in range(runs):
        for size in sizes:
            made[size].append(polls.measure(size))
        pages.append(cost.measure())
    return Measured(
        polls=[
            sorted(each, key=lambda one: one.first_wall)[len(each) // 2] for each in made.values()
        ],
        sequential=polls.sequential(60),
        pages=pages,
        commits=commits.measure(),
        bytes_a_task=memory.bytes_a_task(sizes[-1]),
        load=os.getloadavg()[0],
    )


def _piece(measured: Measured) -> Iterator[str]:
    largest, sequential = measured.polls[-1], measured.sequential
    yield "## Polling"
    yield ""
    yield (
        f"The real accounts over an API in a process of its own, {LATENCY * 1000:.0f} ms from a "
        f"request to its answer, {CONCURRENCY} connections, a store on disk. CPU is of the "
        "exporter's process alone; where times are compared, others wanted the machine too (load "
        f"{measured.load:.1f} on {os.cpu_count()} cores)."
    )
    yield ""
    yield from _table(
        ("what", "measured", "limit or peer", "ratio", "goal"),
        [
            (
                f"first poll of {largest.tasks:,} tasks",
                f"{largest.first_wall:.2f} s",
                f"{largest.limit:.2f} s: pages, one latency each, by connections",
                _times(largest.first_wall / largest.limit),
                "≤ 1.10",
            ),
            (
                f"the usual script, page after page, {sequential.pages} pages",
                f"{sequential.wall:.2f} s",
                f"{sequential.limit:.2f} s: as above",
                _times(sequential.wall / sequential.limit),
                "",
            ),
            (
                "longest turn of the event loop in a first poll, CPU",
                f"{largest.first_longest * 1000:.1f} ms",
                "",
                "",
                "≤ 20 ms",
            ),
            (
                f"CPU of a poll in which {largest.changed:,} tasks changed",
                f"{largest.next_cpu * 1000:.0f} ms",
                f"{largest.first_cpu * 1000:.0f} ms: the first poll",
                _times(largest.first_cpu / largest.next_cpu),
                "≥ 20",
            ),
            (
                "memory of a tracked task",
                f"{measured.bytes_a_task:.0f} bytes",
                f"{largest.resident / _MIB:.0f} MiB grown in all, readings and allocator included",
                "",
                "≤ 400 bytes",
            ),
            (
                "commit of 1,000 changed tasks",
                f"{measured.commits.ours * 1000:.1f} ms",
                f"{measured.commits.sqlite * 1000:.1f} ms: SQLite's executemany of the same rows",
                _times(measured.commits.ours / measured.commits.sqlite),
                "≤ 2",
            ),
        ],
    )
    yield ""
    yield (
        "What keeps the first poll from its limit: three requests come one after the other "
        "before all connections are busy; the last slice is applied, and the last ten "
        "thousand tasks at most are stored, after the last answer; in between an answer "
        "waits for the event loop, which has work for more than half of the time. Storing "
        "while others are read, instead of at the end, was worth a tenth; more requests "
        "waiting than there are connections, or one slice applied at a time, nothing that "
        "could be measured."
    )
    yield ""
    yield "CPU of one page of 100 records, beside what reading its JSON takes in this run:"
    yield ""
    page = {
        name: median(getattr(each, name) for each in measured.pages)
        for name in asdict(measured.pages[0])
    }
    yield from _table(
        ("a page of 100 records", "CPU", "of json.loads"),
        [
            (name, f"{value:.2f} ms", _times(value / page["json_only"]))
            for name, value in (
                ("`json.loads` alone", page["json_only"]),
                ("the usual script: `json.loads` and sums by script", page["usual_script"]),
                ("decoded", page["decoded"]),
                ("decoded, with fields of other types than documented", page["loosely"]),
                ("applied to inventory, windows and ledger", page["applied"]),
                ("decoded and applied (goal: ≤ 1.0 ms)", page["decoded"] + page["applied"]),
                ("applied where every figure has grown", page["counted"]),
            )
        ],
    )
    yield ""
    yield "![CPU of a poll against the number of tasks](polling.svg)"


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"  # noqa: PLR2004


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
