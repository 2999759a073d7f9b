"""A simulated account, polled over the wire, held against its own truth after every poll."""

import asyncio
from collections.abc import Mapping
from time import monotonic

import pytest

from exporter.accounts import Accounts
from exporter.simulator import Settings, serve
from exporter.simulator.truth import Truth, gained
from exporter.simulator.world import SimulatedWorld
from tests.accounts import Samples, config_for, polled, samples
from tests.virtual_time import BEGIN, VirtualTime

NOON = 1_717_502_400.0  # 2024-06-04 12:00:00 UTC, a Tuesday
Key = tuple[str, tuple[str, ...]]

POLL = """\
interval: 60s
lookback: 6h
windows: [1h, 6h]
settle: 30m
full_sweep: 10m"""
LOOKBACK = 6 * 3600
CODES = {0: "waiting", 1: "calling", 5: "suspended", 6: "submitting"}
CODES |= {2: "finished", 3: "submission_failed", 4: "cancelled"}
FIGURES = {
    "numbers": "numbers",
    "calls": "calls",
    "answered_calls": "answered",
    "successful_calls": "success",
    "failed_calls": "fail",
    "billed_seconds": "billed_seconds",
    "agent_billed_seconds": "agent_seconds",
    "sms_sent": "sms",
}


def labels_of(found: Samples, name: str, **labels: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a name by the labels of theirs that are not given."""
    return {
        tuple(text for key, text in sorted(of) if key not in {*labels, "account", "app"}): value
        for (each, of), value in found.items()
        if each == name and labels.items() <= dict(of).items()
    }


def shown(found: Samples, name: str, **labels: str) -> dict[tuple[str, ...], float]:
    """Return those that are not 0."""
    return {key: value for key, value in labels_of(found, name, **labels).items() if value}


def figures(truth: Truth, name: str) -> dict[tuple[str, ...], float]:
    return {
        (str(script),): getattr(sums, name)
        for (_, script), sums in truth.groups.items()
        if getattr(sums, name)
    }


def money(truth: Truth) -> dict[tuple[str, ...], float]:
    return {
        (currency, kind, str(script)): float(amount)
        for (_, script), sums in truth.groups.items()
        for (kind, currency), amount in sums.money.items()
        if amount
    }


def by_status(truth: Truth, codes: Mapping[int, str]) -> dict[tuple[str, ...], float]:
    return {
        (str(script), codes[status]): count
        for (_, script), sums in truth.groups.items()
        for status, count in sums.tasks.items()
        if count and status in codes
    }


def check_windows(found: Samples, world: SimulatedWorld, now: float) -> None:
    for window, seconds in (("1h", 3600), ("6h", LOOKBACK)):
        truth = world.truth(now, (now - seconds) // 1 + 1, now)
        prefix = "itnio_voice_window_"
        for name, field in FIGURES.items():
            expected = figures(truth, field)
            assert shown(found, f"{prefix}{name}", window=window) == expected, (name, window)
        assert shown(found, f"{prefix}tasks", window=window) == by_status(truth, CODES)
        assert shown(found, f"{prefix}spend", window=window) == pytest.approx(money(truth))
    live = {code: CODES[code] for code in (0, 1, 5, 6)}
    assert shown(found, "itnio_voice_unfinished_tasks") == by_status(truth, live)


def check_counters(found: Samples, scraped: set[Key], expected: Truth) -> None:
    """Hold the counters that have been scraped before, and so show their values, to the truth."""
    counters = {"spend": money(expected)}
    counters |= {name: figures(expected, field) for name, field in FIGURES.items()}
    del counters["numbers"]
    for counter, truth in counters.items():
        name = f"itnio_voice_{counter}_total"
        known = shown(found, name)
        told = {key for key in truth if (name, key) in scraped}
        assert known.keys() <= truth.keys(), name
        assert {key: known.get(key, 0) for key in told} == pytest.approx(
            {key: truth[key] for key in told}
        ), name
        assert known.keys() <= told, name


def series(found: Samples) -> set[Key]:
    names = {name for name, _ in found if name.endswith("_total")}
    return {(name, key) for name in names for key in labels_of(found, name)}


async def exposition(accounts: Accounts) -> Samples:
    return samples(await accounts.exposition.scrape(openmetrics=False, compressed=False))


async def polled_at(accounts: Accounts, at: float) -> None:
    """Wait for the poll of a moment, while the time of the test hardly goes on."""
    patience = monotonic() + 20
    while (accounts.snapshots["production"].health.last_poll or 0) < at:
        assert monotonic() < patience
        await asyncio.sleep(1e-6)


@pytest.mark.parametrize("seed", range(1, 3))
async def test_every_poll_shows_the_truth(seed: int, time: VirtualTime) -> None:
    """Where money does not settle late, incremental polls know all that there is to know."""
    settings = Settings(seed=seed, tasks_per_day=500, late_settlement_share=0, timezone="UTC")
    world = SimulatedWorld(settings)
    time.wall_offset = NOON - BEGIN
    async with (
        await serve(world, clock=time.now) as simulator,
        polled(config_for(simulator, POLL), time) as accounts,
    ):
        begun = time.now()
        assert world.tasks(begun, begun - LOOKBACK, begun), "nothing is there to be polled"
        oldest = begun - LOOKBACK + 1
        baseline = world.tasks(begun, oldest, begun)
        await accounts.start()
        scraped: set[Key] = set()
        for minute in range(25):
            at = begun + 60 * minute
            await polled_at(accounts, at)
            found = await exposition(accounts)
            assert shown(found, "itnio_up") == {(): 1}
            check_windows(found, world, at)
            check_counters(found, scraped, gained(baseline, world.tasks(at, oldest, at)))
            scraped = series(found)
            await asyncio.sleep(60)
