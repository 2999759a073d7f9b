"""Whole polls by the real accounts over loopback: wall time, CPU, requests, and what they hold."""

import asyncio
import gc
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import structlog

from benchmarks.polling.server import serving
from benchmarks.polling.world import PAGE
from exporter.accounts import Accounts
from exporter.config import parse

LATENCY = 0.05
CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class Polls:
    """One exporter's first poll of all tasks, and the next ones. Seconds, bytes."""

    tasks: int
    first_wall: float
    first_cpu: float
    first_longest: float
    """CPU time of the longest single turn of the event loop."""
    changed: int
    """Tasks that each of the next polls finds changed."""
    next_cpu: float
    """Of the median one."""
    next_longest: float
    next_requests: int
    resident: int
    """Bytes that the process has grown by, with all tasks known."""

    @property
    def limit(self) -> float:
        """How long the pages take when every connection is busy all the time."""
        return -(-self.tasks // PAGE) * LATENCY / CONCURRENCY


@dataclass(frozen=True, slots=True)
class Sequential:
    """The usual script: one page after the other. Seconds."""

    pages: int
    wall: float

    @property
    def limit(self) -> float:
        """How long the pages take when every connection is busy all the time."""
        return self.pages * LATENCY / CONCURRENCY


def sequential(pages: int) -> Sequential:
    """Read so many pages in a loop over one connection, as one writes it in an afternoon."""
    now = int(time.time())
    with serving(pages * PAGE, now, LATENCY) as served:
        connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
        tasks: dict[int, Any] = {}
        begun = time.perf_counter()
        for number in range(1, pages + 1):
            asked = {"strTime": "1970-01-02 00:00:00", "endTime": "2100-01-01 00:00:00"}
            body = json.dumps({"current": number, "size": PAGE, "params": asked})
            connection.request("POST", "/voice/group/call/query", body)
            page = json.loads(connection.getresponse().read())
            tasks |= {record["taskId"]: record for record in page["data"]["records"]}
        wall = time.perf_counter() - begun
        connection.close()
    if len(tasks) != pages * PAGE:
        raise RuntimeError("not all pages were read")  # then nothing was measured
    return Sequential(pages, wall)


@contextmanager
def longest_turn() -> Iterator[list[float]]:
    """Measure the CPU time of the longest callback that an event loop runs meanwhile."""
    longest = [0.0]
    run = asyncio.Handle._run  # noqa: SLF001  # there is no other place to measure at

    def measured(self: Any) -> None:
        begun = time.thread_time()
        run(self)
        longest[0] = max(longest[0], time.thread_time() - begun)

    asyncio.Handle._run = measured  # type: ignore[method-assign]  # noqa: SLF001
    try:
        yield longest
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]  # noqa: SLF001


def config_text(url: str) -> str:
    """Return a configuration of one account over ``url``, as fast as it may be."""
    return f"""
poll: {{interval: 10m, deadline: 9m, concurrency: {CONCURRENCY}, requests_per_second: 1000}}
accounts:
  - {{name: bench, api_key: key, api_secret: secret, base_url: "{url}", timezone: UTC}}
"""


async def _polled(url: str, tick: Any, requests: Any, tasks: int, state: Path) -> Polls:
    before = _resident()
    accounts = Accounts(parse(config_text(url), {}), state=state)
    try:
        await accounts.open()
        gc.freeze()  # as the exporter does once it has started
        with longest_turn() as longest:
            wall, cpu = time.perf_counter(), time.process_time()
            whole = await accounts.poll_once()
            first_wall, first_cpu = time.perf_counter() - wall, time.process_time() - cpu
            first_longest = longest[0]
        if not whole or accounts.snapshots["bench"].health.tracked_tasks != tasks:
            raise RuntimeError("the first poll was not whole")  # then nothing was measured
        resident = _resident() - before
        nexts: list[tuple[float, float, int]] = []
        for _ in range(5):
            changed = await asyncio.to_thread(tick)
            asked = await asyncio.to_thread(requests)
            with longest_turn() as longest:
                cpu = time.process_time()
                await accounts.poll_once()
                used = time.process_time() - cpu
            nexts.append((used, longest[0], await asyncio.to_thread(requests) - asked))
        nexts.sort()
    finally:
        gc.unfreeze()
        await accounts.stop()
    return Polls(
        tasks=tasks,
        first_wall=first_wall,
        first_cpu=first_cpu,
        first_longest=first_longest,
        changed=changed,
        next_cpu=nexts[len(nexts) // 2][0],
        next_longest=max(each for _, each, _ in nexts),
        next_requests=nexts[len(nexts) // 2][2],
        resident=resident,
    )


def measure(tasks: int) -> Polls:
    """Poll ``tasks`` tasks once from nothing, then a few times more with one in 100 changed."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(tasks, int(time.time()), LATENCY) as served,
    ):
        return asyncio.run(_polled(served.url, served.tick, served.requests, tasks, Path(folder)))


def _resident() -> int:
    with open("/proc/self/statm") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * resource.getpagesize()
