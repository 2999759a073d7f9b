"""How many series an account's tasks make: counted, not guessed, by what publishes them."""

import math
from collections.abc import Iterable, Mapping

from exporter.config import Config
from exporter.exposition.families import CATALOGUE
from exporter.snapshot import AccountSnapshot, AppCounters, figures
from exporter.tasks.coverage import Range
from exporter.tasks.task import Task
from exporter.tasks.tracking import TrackedApp


def count_series(
    tasks_by_app: Mapping[str, Iterable[Task]], config: Config, now: float
) -> tuple[int, dict[str, int]]:
    """Return the series of these tasks at ``now`` (Unix seconds), and the scripts of each app."""
    poll, metrics = config.poll, config.metrics
    tracked: list[TrackedApp] = []
    scripts: dict[str, int] = {}
    for name, tasks in tasks_by_app.items():
        app = TrackedApp(
            name,
            lookback=poll.lookback,
            settle=poll.settle,
            windows={window.label: window.seconds for window in poll.windows},
            script_limit=metrics.script_limit,
        )
        by_id = {task.task_id: task for task in tasks}
        scripts[name] = len({task.script_id for task in by_id.values()})
        app.begin(Range(0, math.floor(now)), {})
        app.take(by_id, read_at=0.0, now=now)
        app.advance(now)
        tracked.append(app)
    snapshot = AccountSnapshot(
        "account",
        now,
        figures=figures(tracked, now),
        counters=tuple(AppCounters(app.name, dict(app.ledger.totals)) for app in tracked),
        task_limit=metrics.task_limit,
    )
    return sum(1 for family in CATALOGUE for _ in family.samples(snapshot)), scripts
