"""One test for each row of the fault matrix."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.bench import ACCOUNTS, FAULTY, HEALTHY, LOOK, Bench, set_up
from tests.faults.judge import (
    Scrape,
    by_figure,
    counters_of,
    of,
    windows_of,
    without_noughts,
)
from tests.faults.processes import REAL
from tests.faults.row import Counters, Row, Sums, Up, Windows
from tests.faults.table import TABLE
from tests.virtual_time import VirtualTime

pytestmark = pytest.mark.integration

BEFORE = 2
"""Polls before the fault: enough for every counter to have been seen at 0."""


class Watch:
    """Looks at the exposition after every poll, and holds what must hold always."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.latest: Scrape = {}
        self.before: Scrape = {}
        """The last scrape before the fault."""
        self._highest: dict[str, float] = {}
        self._app = bench.app
        self._polled = 0.0

    async def polls(self, number: int) -> None:
        for _ in range(number):
            await self.poll()

    async def poll(self) -> None:
        """Wait for the next poll of both accounts to end, and look."""
        bench = self.bench
        await bench.until(LOOK)
        bench.judges[FAULTY].watch()
        self.latest = await bench.scrape()
        bench.polls += 1
        self._holds_always()

    def _holds_always(self) -> None:
        row, bench = self.bench.row, self.bench
        for name, value in self.counters(FAULTY, HEALTHY).items():
            fell = value < self._highest.get(name, 0)
            assert row.restarts or not fell, f"{name} fell to {value}"
            self._highest[name] = value
        gone = self._highest.keys() - self.counters(FAULTY, HEALTHY).keys()
        assert row.shared or row.restarts or not gone, f"gone: {sorted(gone)[:3]}"
        assert self.up(HEALTHY) == 1, bench.snapshot(HEALTHY).health
        if not row.shared or row.meanwhile.windows is not Windows.OTHER:
            self.windows_are_true(HEALTHY)
        if not row.shared:
            self.counters_are_true(HEALTHY)
        polls = self.latest[f'itnio_exporter_polls_total{{account="{HEALTHY}"}}']
        assert polls > self._polled or self._app is not bench.app, "polls do not go on"
        self._app, self._polled = bench.app, polls

    def up(self, account: str) -> float | None:
        return self.latest.get(f'itnio_up{{account="{account}"}}')

    def counters(self, *accounts: str) -> dict[str, float]:
        return {k: v for account in accounts for k, v in counters_of(self.latest, account).items()}

    def windows_are_true(self, account: str) -> None:
        figures = self.bench.snapshot(account).figures
        assert figures is not None, self.bench.snapshot(account).health
        expected = self.bench.judges[account].windows_at(figures.taken_at)
        shown = without_noughts(windows_of(self.latest, account))
        assert shown == expected, _difference(shown, expected)

    def counters_are_true(self, account: str, sums: Sums = Sums.EACH) -> None:
        if sums is Sums.NONE:
            return
        shown = without_noughts(self.counters(account))
        expected = self.bench.judges[account].counters()
        if sums is Sums.SCRIPTS:
            shown, expected = by_figure(shown), by_figure(expected)
            assert shown == pytest.approx(expected, rel=1e-12)
        else:
            assert shown == expected, _difference(shown, expected)

    def holds_meanwhile(self) -> None:
        bench = self.bench
        expected = bench.row.meanwhile
        health = bench.snapshot().health
        if expected.up is Up.YES:
            assert self.up(FAULTY) == 1, health.failure
        elif expected.up is Up.NO:
            assert self.up(FAULTY) == 0
            assert health.failure is not None
            assert health.failure.reason in expected.reasons, health.failure
        windows = windows_of(self.latest, FAULTY)
        match expected.windows:
            case Windows.FOLLOW:
                self.windows_are_true(FAULTY)
            case Windows.STAY:
                assert windows == windows_of(self.before, FAULTY)
            case Windows.KEPT:
                assert _tasks(windows) > 0.9 * _tasks(windows_of(self.before, FAULTY))
            case Windows.ABSENT:
                assert not windows
        counters = self.counters(FAULTY)
        match expected.counters:
            case Counters.COUNT:
                self.counters_are_true(FAULTY)
            case Counters.STILL:
                assert counters == counters_of(self.before, FAULTY)
            case Counters.WITHHELD:
                assert not counters

    def is_over(self) -> bool:
        """Whether everything is as if there had been no fault."""
        try:
            self.holds_after()
        except AssertionError:
            return False
        return True

    def holds_after(self) -> None:
        row = self.bench.row
        assert self.up(FAULTY) == 1, self.bench.snapshot().health.failure
        self.windows_are_true(FAULTY)
        self.counters_are_true(FAULTY, row.sums)
        self.counters_are_true(HEALTHY, row.sums if row.shared else Sums.EACH)
        failed = of(self.latest, FAULTY, "itnio_exporter_store_up")
        assert not failed or set(failed.values()) == {1}


@pytest.mark.parametrize("row", [row for row in TABLE if row is not REAL], ids=lambda row: row.name)
async def test_fault(row: Row, time: VirtualTime, tmp_path: Path) -> None:
    others = asyncio.all_tasks()
    bench = await set_up(row, time, tmp_path)
    try:
        await _play(row, bench)
    finally:
        await bench.stop()
        for cleanup in reversed(bench.cleanups):
            result = cleanup()
            if asyncio.iscoroutine(result):
                await result
        for server in (bench.faulty, bench.healthy):
            await server.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= others


async def _play(row: Row, bench: Bench) -> None:
    watch = Watch(bench)
    for account in ACCOUNTS:
        bench.judges[account].begin()
    if row.setting.start:
        await bench.accounts.start()
        await watch.polls(BEFORE)
        watch.holds_after()  # there is no fault yet
        watch.before = watch.latest
        await row.begins(bench)
    else:
        await row.begins(bench)
        if not bench.accounts._running:
            await bench.accounts.start()
    for _ in range(row.minutes):
        await watch.poll()
        watch.holds_meanwhile()
    if row.meanwhile.windows is Windows.WITHDRAWN:
        assert not windows_of(watch.latest, FAULTY)
    await row.ends(bench)
    for _ in range(row.recovery):
        await watch.poll()
        if watch.is_over():
            break
    watch.holds_after()
    await watch.poll()
    watch.holds_after()  # and it stays so


def _tasks(windows: Scrape) -> float:
    return sum(value for name, value in windows.items() if "_window_tasks{" in name)


def _difference(shown: Scrape, expected: Scrape) -> str:
    """Name what differs, which a comparison of hundreds of series does not."""
    names = sorted(shown.keys() | expected.keys())
    pairs = ((name, shown.get(name, 0), expected.get(name, 0)) for name in names)
    lines = [f"{name}: {one}, should be {other}" for name, one, other in pairs if one != other]
    return "\n".join(["these differ:", *lines[:8]])
