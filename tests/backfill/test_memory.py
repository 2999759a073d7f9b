"""A long history in bounded memory: it grows with the lookback, not with the range."""

import gc
import sys
from pathlib import Path

import pytest

from exporter.backfill import lines
from exporter.backfill.request import Request
from exporter.backfill.work import Job, Outside, backfill
from exporter.config import parse
from tests import virtual_time
from tests.backfill.live import DAY, Silent
from tests.scale.worlds import LargeWorld, client_of, courses
from tests.virtual_time import BEGIN, VirtualTime

pytestmark = pytest.mark.integration

A_DAY = 10_000
"""Tasks."""


class Counting(Silent):
    """Counts the blocks of memory that Python's objects take, as tracing them takes minutes."""

    def __init__(self) -> None:
        gc.collect()
        self._before = sys.getallocatedblocks()
        self.most = 0

    def _count(self) -> None:
        self.most = max(self.most, sys.getallocatedblocks() - self._before)

    def reading(self, account: str, done: float) -> None:
        super().reading(account, done)
        self._count()

    def replaying(self, account: str, done: float) -> None:
        super().replaying(account, done)
        self._count()

    def writing(self, done: float) -> None:
        super().writing(done)
        self._count()


async def most_blocks(time: VirtualTime, days: int, output: Path) -> int:
    """The most blocks of memory that a backfill of so many days holds at a time."""
    created = LargeWorld(time)
    created.most_settled = 1000
    begin = BEGIN - days * DAY
    created.add(courses(begin, BEGIN - 1, days * A_DAY, life=1800, first_id=1))
    config = parse(
        "accounts: [{name: production, api_key: key, api_secret: secret, timezone: UTC}]\n"
        "poll: {lookback: 6h, windows: [1h], requests_per_second: 1000}",
        {},
    )
    request = Request(begin=int(begin), end=int(BEGIN), step=3600, task_duration=1800.0)
    outside = Outside(time.now, time.monotonic, client=client_of(created))
    counting = Counting()
    outcome = await backfill(Job(config, request, {}, str(output), counting), outside)
    assert outcome.failed == {}
    # That it was all read, and counted.
    assert created.requests > days * A_DAY / 100
    return counting.most


async def test_ten_times_the_history_takes_no_more_memory(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(virtual_time, "_GRACE", 0.0)
    monkeypatch.setattr(virtual_time, "_PATIENCE", 0.0)
    monkeypatch.setattr(lines, "MOST_SAMPLES", 5_000)  # the most that a day has, too
    one = await most_blocks(time, 1, tmp_path / "one")
    ten = await most_blocks(time, 10, tmp_path / "ten")
    print(f"\n{one} blocks of memory for 10,000 tasks, {ten} for 100,000")  # noqa: T201
    # A task is 20 blocks and more: 90,000 that were held would be two millions.
    assert ten < one + 20_000
