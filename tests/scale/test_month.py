"""A month at a thousand tasks a day: what is remembered of them levels off, on disk too."""

import asyncio
import gc
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from exporter.accounts import Accounts
from exporter.exposition.kept import Renderer
from exporter.storage import ThreadedStore, threaded
from tests.scale.worlds import DAY, LargeWorld, accounts_over, courses
from tests.virtual_time import BEGIN, VirtualTime

pytestmark = pytest.mark.integration

INTERVAL = 600  # seconds between polls: the month takes 4,032 of them


class _AtOnce(ThreadPoolExecutor):
    """Does what it is asked to at once: virtual time does not wait for a thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # it is the caller's
            done.set_exception(error)
        return done


@pytest.fixture
def memory_disk() -> Iterator[Path]:
    """A folder whose disk does not have to be waited for, where there is one."""
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Size:
    """How much is remembered at one moment."""

    tracked: int
    marks: int
    above: int
    unfinished: int
    settling: int
    touched: int
    series: int
    objects: int
    resident: int
    """Bytes."""
    store: int
    """Bytes."""
    rows: int


def size_of(accounts: Accounts, state: Path | None) -> Size:
    (app,) = accounts._running["production"].poller._apps
    tracked = app.tracked
    gc.collect()
    store = accounts._store
    kept = store._store if isinstance(store, ThreadedStore) else None
    rows = kept._connection.execute("SELECT count(*) FROM tasks").fetchone()[0] if kept else 0
    pages = Path("/proc/self/statm").read_text().split()[1]
    return Size(
        tracked=len(tracked.inventory),
        marks=len(tracked.ledger.seen),
        above=len(tracked.ledger.above),
        unfinished=len(tracked.inventory.unfinished),
        settling=len(tracked.inventory.settling),
        touched=len(tracked.ledger.touched) + len(tracked.ledger.touched_series),
        series=len(tracked.ledger.totals),
        objects=len(gc.get_objects()),
        resident=int(pages) * os.sysconf("SC_PAGE_SIZE"),
        store=sum(file.stat().st_size for file in state.iterdir()) if state else 0,
        rows=rows,
    )


@pytest.mark.parametrize(
    ("stored", "looks"), [(True, (7, 14, 21, 28)), (False, (4, 8))], ids=["stored", "in memory"]
)
async def test_a_month_levels_off(
    time: VirtualTime,
    monkeypatch: pytest.MonkeyPatch,
    memory_disk: Path,
    stored: bool,
    looks: tuple[int, ...],
) -> None:
    monkeypatch.setattr(threaded, "ThreadPoolExecutor", _AtOnce)
    # Nobody scrapes, and drawing up thousands of expositions takes half of the time.
    monkeypatch.setattr(Renderer, "update", lambda *_: None)
    world = LargeWorld(time, most_settled=2000)
    days = looks[-1] + 3
    month = courses(
        BEGIN - DAY, BEGIN - DAY + days * DAY, days * 1000, life=900, first_id=1, corrected=0.1
    )
    world.add(month)
    state = memory_disk if stored else None
    sizes: list[Size] = []
    poll = f"interval: {INTERVAL}s\nstale_after: 1h"
    async with accounts_over(world, monkeypatch, state, 100_000, poll) as accounts:
        await accounts.start()
        for day in looks:
            await asyncio.sleep(day * DAY + INTERVAL / 2 - time.monotonic())
            sizes.append(size_of(accounts, state))
        polls = time.monotonic() / INTERVAL
        requests = world.requests
    print(  # noqa: T201  # what was measured, with -s
        f"\n{polls:.0f} polls, {requests} requests, {len(month)} tasks",
        *(f"day {day}: {asdict(size)}" for day, size in zip(looks, sizes, strict=True)),
        sep="\n",
    )
    half, whole = sizes[len(sizes) // 2 - 1], sizes[-1]
    for name in ("tracked", "marks", "above", "rows"):
        assert getattr(whole, name) <= getattr(half, name) * 1.1 + 20, name
    assert whole.unfinished <= 40
    assert whole.settling <= 40 * 2
    assert whole.tracked == pytest.approx(1000, abs=20)
    assert whole.marks <= whole.tracked + 1
    # Since the last commit, at most what has left the lookback meanwhile.
    assert whole.touched <= 20
    assert whole.series == half.series
    assert whole.objects <= half.objects * 1.02 + 500
    assert whole.resident <= half.resident + 8 * 2**20
    assert whole.store <= half.store * 1.1
