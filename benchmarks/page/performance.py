"""Renders the status page over and over, with more and more tasks.

It is rendered in the thread that serves scrapes too, so its time is theirs: what counts is what the
processor spends on it.
"""

import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from exporter.history import MOST_FRAMES, History
from exporter.web.assets import Assets
from exporter.web.pages import Pages
from exporter.web.status import StatusRoute
from tests.web.worlds import NOW, InventedSite, polled, unfinished, window

APPS: Final = ("collections", "reminders", "surveys", "welcome")
SIZES: Final = (0, 100, 1_000, 5_000, 50_000)
WAYS: Final[tuple[Mapping[str, str], ...]] = ({}, {"status": "attention"}, {"text": "agent 99"})


@dataclass(frozen=True, slots=True)
class Taken:
    """What one way to ask takes with so many tasks: milliseconds of the processor, bytes."""

    tasks: int
    way: str
    median: float
    worst: float
    size: int


def site(tasks: int) -> InventedSite:
    """Return an account with four apps, two windows, a day of trends and so many tasks."""
    windows = [window(label, app) for label in ("1h", "24h") for app in APPS]
    snapshot = polled(
        windows=windows,
        tasks=[
            unfinished(number, f"2024-06-04 14:49:17-agent {number}", app=APPS[number % len(APPS)])
            for number in range(tasks)
        ],
    )
    history = History()
    if snapshot.figures is not None:
        for number in range(MOST_FRAMES):
            at = NOW - 300.0 * (MOST_FRAMES - number)
            figures = replace(snapshot.figures, taken_at=at, unfinished=())
            history = history.followed_by(replace(snapshot, figures=figures))
    return InventedSite([snapshot], past={snapshot.account: history})


def measured(times: int) -> Iterator[Taken]:
    """Render every way to ask so many times, with every number of tasks."""
    for tasks in SIZES:
        shown = site(tasks)
        route = StatusRoute(shown, Pages(shown, Assets.packaged()))
        for query in WAYS:
            size = len(route.render(query).encode())
            taken = []
            for _ in range(times):
                began = time.process_time()
                route.render(query)
                taken.append((time.process_time() - began) * 1_000)
            way = " ".join(f"{name}={value}" for name, value in query.items()) or "everything"
            yield Taken(tasks, way, statistics.median(taken), max(taken), size)


def write(folder: Path, quick: bool) -> None:
    """Write page.md into the folder."""
    lines = [
        "## Status page",
        "",
        "One account with four apps, two windows and a day of trends; milliseconds of processor",
        "time for one rendering, before compression.",
        "",
        "| unfinished tasks | asked for | median ms | worst ms | bytes |",
        "|---:|---|---:|---:|---:|",
        *(
            f"| {each.tasks:,} | {each.way} | {each.median:.1f} | {each.worst:.1f} "
            f"| {each.size:,} |"
            for each in measured(3 if quick else 50)
        ),
    ]
    (folder / "page.md").write_text("\n".join(lines) + "\n")
