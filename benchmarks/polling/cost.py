"""What one page of 100 records costs in CPU: decoded, and applied to ledger and windows."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Gauge

from benchmarks.polling.world import DAY, PAGE, World
from exporter.api.records import Locale, read_loosely, read_page
from exporter.tasks.tracking import TrackedApp

_LOCALE = Locale(UTC, "USD")
_PAGES_A_SLICE = 20


@dataclass(frozen=True, slots=True)
class PageCost:
    """CPU milliseconds a page, medians over all pages of a world."""

    json_only: float
    """``json.loads``: what the usual script cannot do without."""
    usual_script: float
    """``json.loads`` and a loop that sums each record up into gauges, by script."""
    decoded: float
    """Ours: bytes to tasks."""
    loosely: float
    """Ours, where a page holds something of another type than documented."""
    applied: float
    """Ours: tasks to inventory, windows and ledger, seen for the first time."""
    counted: float
    """Ours: the same where every figure has grown and is counted."""


def measure(tasks: int = 20_000) -> PageCost:
    """Read and apply a world's pages once each, a slice of a sweep at a time."""
    now = int(time.time())
    world = World(tasks, now)
    pages = [
        world.page(0, 2**40, number, unfinished=False) for number in range(1, tasks // PAGE + 1)
    ]
    app = TrackedApp(
        "", lookback=DAY, settle=3600, windows={"1h": 3600, "24h": DAY}, script_limit=100
    )
    app.ledger.counted_from = now
    app.advance(now)
    script = _usual_script()
    costs: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        begun = time.thread_time()
        result = work()
        costs.setdefault(name, []).append(1000 * (time.thread_time() - begun))
        return result

    for place in range(0, len(pages), _PAGES_A_SLICE):
        found = []
        for body in pages[place : place + _PAGES_A_SLICE]:
            timed("json_only", partial(json.loads, body))
            timed("usual_script", partial(script, body))
            timed("loosely", partial(read_loosely, body, _LOCALE))
            found.append(timed("decoded", partial(read_page, body, _LOCALE)))
        known = {task.task_id: task for page in found for task in page.tasks}
        grown = {
            task_id: msgspec.structs.replace(task, calls=(task.calls or 0) + 5, sms_sent=9_999)
            for task_id, task in known.items()
        }
        for name, reading, read_at in (("applied", known, 1.0), ("counted", grown, 2.0)):
            timed(name, partial(app.take, reading, read_at=read_at, now=now))
            costs[name][-1] /= len(found)
    return PageCost(**{name: median(each) for name, each in costs.items()})


def _usual_script() -> Callable[[bytes], None]:
    """Return what one writes in an afternoon: no windows, no counters, floats for money."""
    registry = CollectorRegistry()
    gauges = {
        name: Gauge(f"voice_{name}", name, ["script"], registry=registry)
        for name in ("calls", "answered", "failed", "seconds", "spend")
    }

    def read(body: bytes) -> None:
        sums: dict[tuple[str, int], Decimal | int] = {}
        for record in json.loads(body)["data"]["records"]:
            datetime.strptime(record["createdTime"], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
            for name, figure in (
                ("calls", record["callNum"]),
                ("answered", record["answeredNum"]),
                ("failed", record["fail"]),
                ("seconds", record["chargeLen"]),
                ("spend", Decimal(record["taskSumPayFee"].split("(")[0])),
            ):
                key = name, record["scriptId"]
                sums[key] = sums.get(key, 0) + figure
        for (name, script), total in sums.items():
            gauges[name].labels(script=script).set(float(total))

    return read
