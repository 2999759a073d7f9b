"""The smallest account there can be: tasks in a dictionary, asked for by ranges.

``Incremental`` asks it as the poller does; ``Everything`` reads all of it at every poll.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from exporter.tasks import coverage
from exporter.tasks.coverage import Range
from exporter.tasks.task import UNFINISHED, Task
from exporter.tasks.tracking import TrackedApp

LOOKBACK: Final = 6 * 3600.0
SETTLE: Final = 1800.0
WINDOWS: Final = {"30m": 1800.0, "6h": LOOKBACK}


@dataclass
class Api:
    """Tasks, and how often they were asked for."""

    tasks: dict[int, Task] = field(default_factory=dict)
    requests: int = 0

    def change(self, task_id: int, **fields: object) -> None:
        self.tasks[task_id] = msgspec.structs.replace(self.tasks[task_id], **fields)

    def read(self, span: Range, wanted: Callable[[Task], bool] | None = None) -> dict[int, Task]:
        found = [
            each
            for each in self.tasks.values()
            if each.created in span and (wanted is None or wanted(each))
        ]
        self.requests += max(1, math.ceil(len(found) / coverage.PAGE))
        found.sort(key=lambda each: (each.created, each.task_id))
        return {each.task_id: each for each in found}


class Follower:
    """An app that is followed; ``clock`` puts readings in order."""

    def __init__(self, api: Api, script_limit: int = 2) -> None:
        self.api = api
        self.app = TrackedApp(
            "", lookback=LOOKBACK, settle=SETTLE, windows=WINDOWS, script_limit=script_limit
        )
        self.clock = 0.0

    def poll(self, now: float, clock: float, shifted: Iterable[int] = ()) -> None:
        """Poll at ``now``; tasks that are ``shifted`` slip between the pages of the filtered."""
        raise NotImplementedError

    def sweep(self, now: float) -> None:
        """Read the whole lookback, as far as polls do not read it anyway."""
        span = coverage.sweep_span(now, LOOKBACK)
        for part in coverage.slices(span, len(self.app.inventory)):
            self.take_whole(part, now)
        self.app.swept(span, now)
        self.app.advance(now)

    def take_whole(self, span: Range, now: float) -> None:
        read_at = self.tick()
        found = self.api.read(span)
        self.app.take(found, read_at=read_at, now=now)
        self.app.drop_absent(span, found.keys(), read_at=read_at)

    def tick(self) -> float:
        self.clock += 0.001
        return self.clock


class Everything(Follower):
    """Reads everything at every poll."""

    def poll(self, now: float, clock: float, shifted: Iterable[int] = ()) -> None:
        del shifted
        self.clock = max(self.clock, clock)
        horizon = math.floor(now - LOOKBACK) + 1
        span = Range(horizon, math.floor(now) + coverage.BEYOND)
        if not self.app.begun(now):
            newest = Range(math.floor(now) - coverage.OVERLAP, span.end)
            self.app.begin(newest, self.api.read(newest))
        self.take_whole(span, now)
        self.app.advance(now)


class Incremental(Follower):
    """Asks for what can have changed, as the poller does."""

    def poll(self, now: float, clock: float, shifted: Iterable[int] = ()) -> None:
        self.clock = max(self.clock, clock)
        app, inventory = self.app, self.app.inventory
        gap = app.last_whole is not None and coverage.has_gap(now, last_whole=app.last_whole)
        plan = coverage.head(inventory, now, last_whole=app.last_whole, lookback=LOOKBACK)
        requests = self.api.requests
        since = self.tick()
        newest = self.api.read(plan.newest)
        if not app.begun(now):
            app.begin(plan.newest, newest)
        app.take(newest, read_at=since, now=now)
        app.drop_absent(plan.newest, newest.keys(), read_at=since)
        ranges: Iterable[Range] = plan.ranges
        if plan.filtered:
            ranges = self._unfinished(now, plan.newest.end, since, frozenset(shifted))
        for each in ranges:
            self.take_whole(each, now)
        spent = self.api.requests - requests
        due = coverage.settling(inventory, self.clock, settle=SETTLE, spent=spent)
        for each in due:
            self.take_whole(each, now)
        app.advance(now)
        app.last_whole = now
        if gap:
            self.sweep(now)

    def _unfinished(
        self, now: float, end: int, since: float, shifted: frozenset[int]
    ) -> Iterable[Range]:
        horizon = math.floor(now - LOOKBACK) + 1
        found: Mapping[int, Task] = self.api.read(
            Range(horizon, end),
            lambda each: each.status in UNFINISHED and each.task_id not in shifted,
        )
        self.app.take(found, read_at=self.tick(), now=now)
        missing = [
            entry.task.created
            for entry in self.app.inventory.unfinished.values()
            if entry.read_at < since and entry.task.created >= horizon
        ]
        return coverage.cover(self.app.inventory, missing)
