"""One trial of a fleet: begun, troubled, frozen, judged."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fleet.fleet import Fleet, Plan, note_commits, running

Sums = dict[str, dict[str, int]]


@dataclass
class Verdict:
    """What became of it. Seconds."""

    plan: Plan
    troubles: dict[str, int]
    scrapes: int
    commits: int
    requests: int
    calls: int
    spend: int
    """In millionths."""
    longest_unowned: float
    longest_unasked: float
    longest_end: float
    settled_after: float
    faults: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        plan = self.plan
        happened = ", ".join(f"{what} {number}" for what, number in self.troubles.items())
        limit = plan.intervals * plan.interval
        return [
            f"{plan.replicas} replicas, {plan.accounts} accounts, polled every {plan.interval:g} s",
            f"{plan.lasts:g} s of trouble: {happened}",
            f"{self.scrapes} scrapes, {self.commits} commits, {self.requests} requests",
            f"calls {self.calls}, spend {self.spend / 1e6:.6f} USD in the API's world",
            f"all sums shown {self.settled_after:.1f} s after it stood still",
            f"longest without an owner: {self.longest_unowned:.1f} s (promised: {limit:g} s)",
            f"longest between two requests for an account: {self.longest_unasked:.1f} s",
            f"longest from SIGTERM to the end of the process: {self.longest_end:.1f} s",
            *(f"FAULT {each}" for each in self.faults[:40]),
            f"{len(self.faults)} faults",
        ]


async def trial(plan: Plan) -> Verdict:
    """Return what came of a plan. The processes' logs are kept where there are faults."""
    folder = Path(tempfile.mkdtemp(prefix="itnio-fleet-"))
    async with running(plan, folder) as fleet:
        await _until(fleet.is_owned, 120 + plan.accounts / 2, "every account owned")
        await note_commits(fleet)
        # Each has been polled when nothing was there: what comes from now on counts.
        await asyncio.sleep(2 * plan.interval)
        await fleet.asked("begin", post=True)
        for sight in fleet.watch.sights.values():
            sight.longest_unowned = 0.0
        fleet.watch.judging, fleet.watch.moment = True, 1.5 * plan.scrape
        await fleet.trouble()
        await fleet.asked("freeze", post=True)
        frozen = time.monotonic()
        answer: dict[str, Any] = await fleet.asked("truth")
        truth = {f"account {number}": sums for number, sums in answer["truth"].items()}

        async def counted() -> bool:
            return _off(fleet.watch.sums(), truth) == []

        settled = await _became(counted, 6 * plan.interval)
        settled_after = time.monotonic() - frozen
        # Nothing may be counted twice afterwards either.
        await asyncio.sleep(2 * plan.interval)
        return await _judged(fleet, truth, settled, settled_after)


async def _judged(
    fleet: Fleet, truth: dict[str, dict[str, int]], settled: bool, settled_after: float
) -> Verdict:
    answer: dict[str, Any] = await fleet.asked("truth")
    commits = await fleet.commits()
    sums = fleet.watch.sums()
    faults = [*fleet.faults, *fleet.watch.faults]
    if not settled:
        faults.append("the sums were not those of the API's world in time")
    faults += _off(sums, truth)
    longest = fleet.watch.longest_unowned()
    if longest > fleet.plan.intervals * fleet.plan.interval:
        faults.append(f"an account had no owner for {longest:.1f} s")
    if fleet.longest_end > 5:
        faults.append(f"a replica took {fleet.longest_end:.1f} s to end")
    if faults:
        fleet.say(f"logs: {fleet.folder}")
    return Verdict(
        plan=fleet.plan,
        troubles=dict(fleet.done),
        scrapes=fleet.watch.scrapes,
        commits=commits,
        requests=answer["requests"],
        calls=sum(each["calls"] for each in truth.values()),
        spend=sum(
            value for each in truth.values() for name, value in each.items() if "spend" in name
        ),
        longest_unowned=longest,
        longest_unasked=answer["longest"],
        longest_end=fleet.longest_end,
        settled_after=settled_after,
        faults=faults,
    )


def _off(sums: Sums, truth: Sums) -> list[str]:
    """Return what differs; a counter that was never above 0 may be missing."""
    return [
        f"{account}: {name} is {found}, not {value}"
        for account, of in truth.items()
        for name, value in of.items()
        if (found := sums.get(account, {}).get(name, 0)) != value
    ]


async def _became(probe: Callable[[], Awaitable[bool]], within: float) -> bool:
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        if await probe():
            return True
        await asyncio.sleep(0.5)
    return False


async def _until(probe: Callable[[], Awaitable[bool]], within: float, what: str) -> None:
    assert await _became(probe, within), f"not within {within:g} s: {what}"
