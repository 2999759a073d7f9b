"""What is remembered of each task: bytes by tracemalloc, in inventory, ledger and windows."""

import gc
import time
import tracemalloc
from datetime import UTC

from benchmarks.polling.world import DAY, PAGE, World
from exporter.api.records import Locale, read_page
from exporter.tasks.tracking import TrackedApp


def bytes_a_task(tasks: int) -> float:
    """Return the bytes that a tracked task takes, of ``tasks`` that have been read."""
    now = int(time.time())
    world = World(tasks, now)
    locale = Locale(UTC, "USD")
    pages = range(1, -(-tasks // PAGE) + 1)
    # What reading keeps is bounded, whatever the number of tasks: it is there before.
    for number in pages:
        read_page(world.page(0, 2**40, number, unfinished=False), locale)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    app = TrackedApp(
        "", lookback=DAY, settle=3600, windows={"1h": 3600, "24h": DAY}, script_limit=100
    )
    app.ledger.counted_from = now
    app.advance(now)
    for number in pages:
        page = read_page(world.page(0, 2**40, number, unfinished=False), locale)
        app.take({task.task_id: task for task in page.tasks}, read_at=1.0, now=now)
        app.ledger.touched.clear()  # as the commit of a poll does
    app.ledger.touched = {}
    del page
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    if len(app.inventory) != tasks:
        raise RuntimeError("not all tasks were taken in")  # then nothing was measured
    return taken / tasks
