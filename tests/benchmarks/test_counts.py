"""What the benchmarks time, counted: the same on every machine, and so fit to guard CI.

Calls are those of functions, Python's and C's; limits are a tenth above what was counted.
"""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC
from functools import partial
from typing import Any

import pytest

from benchmarks.polling.world import DAY, PAGE, World
from benchmarks.serving.tracked import accounts
from exporter.api.records import Locale, read_page
from exporter.exposition.kept import Renderer
from exporter.exposition.scrape import Exposition
from exporter.exposition.telemetry import Telemetry
from exporter.tasks.tracking import TrackedApp

NOW = 1_717_512_600


def calls(work: Callable[[], Any]) -> int:
    """How many functions are called by some work."""
    counted = 0

    def note(_: Any, event: str, __: Any) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    gc.collect()
    gc.disable()  # what is cleared away calls functions, too, and whenever it likes
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return counted


def scraped(exposition: Exposition, *, compressed: bool) -> None:
    """Scrape without an event loop: where all is ready, nothing is waited for."""
    scrape: Any = exposition.pieces(openmetrics=False, compressed=compressed)
    try:
        scrape.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


async def published(series: int) -> Exposition:
    """All that is published, and scraped once in each form."""
    telemetry = Telemetry("1", ("timeout",))
    exposition = Exposition(telemetry.registry)
    for each in accounts(series):
        telemetry.account(each.name)
        exposition.publish(each.snapshot())
    exposition.text(openmetrics=False)
    for compressed in (True, False):
        await exposition.pieces(openmetrics=False, compressed=compressed)
    return exposition


@pytest.mark.parametrize("compressed", [True, False])
async def test_a_scrape_costs_the_same_however_many_series_there_are(*, compressed: bool) -> None:
    counted = []
    for series in (1_000, 30_000):
        exposition = await published(series)
        counted.append(calls(partial(scraped, exposition, compressed=compressed)))
    few, many = counted
    assert few <= 56
    assert abs(many - few) <= 3  # large answers are not joined


def test_rendering_costs_what_has_changed() -> None:
    made = accounts(10_000)
    renderer = Renderer()

    def render(snapshots: list[Any]) -> int:
        for each in snapshots:
            renderer.update(each)
        return calls(renderer.settle)

    first = render([each.snapshot() for each in made])
    some = render([each.go_on(0.01) for each in made])
    none = render([each.snapshot() for each in made])
    assert first <= 28 * 10_000
    assert some <= 7_000
    assert none <= 2_000


def test_a_series_is_kept_in_few_bytes() -> None:
    (made,) = accounts(10_000)
    snapshot = made.snapshot()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    renderer = Renderer()
    renderer.update(snapshot)
    renderer.settle()
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    lines = b"".join(renderer.body.plain(openmetrics=False)).splitlines()
    series = sum(not line.startswith(b"#") for line in lines)
    assert kept / series <= 440


def test_a_page_is_read_and_applied_in_few_calls() -> None:
    world = World(4 * PAGE, NOW)
    locale = Locale(UTC, "USD")
    app = TrackedApp(
        "", lookback=DAY, settle=3600, windows={"1h": 3600, "24h": DAY}, script_limit=100
    )
    app.ledger.counted_from = NOW
    app.advance(NOW)
    bodies = [world.page(0, 2**40, number, unfinished=False) for number in range(1, 5)]
    for body in bodies[:3]:
        tasks = {task.task_id: task for task in read_page(body, locale).tasks}
        app.take(tasks, read_at=1.0, now=NOW)
    read_page(bodies[3], locale)
    reading = calls(lambda: read_page(bodies[3], locale))
    tasks = {task.task_id: task for task in read_page(bodies[3], locale).tasks}
    taking = calls(lambda: app.take(tasks, read_at=1.0, now=NOW))
    assert reading <= 23 * PAGE
    assert taking <= 21 * PAGE
