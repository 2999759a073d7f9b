"""Accounts to inspect: a world of evenly spaced tasks in some zone, and what is found over it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from exporter.inspection.account import inspect
from exporter.inspection.asking import Clocks
from exporter.inspection.findings import Finding, Inspection, Level
from exporter.simulator import (
    EXAMPLE_RECORD,
    ApiRules,
    FaultBoard,
    ScriptedWorld,
    Simulator,
    serve,
)
from tests.accounts import config_for
from tests.virtual_time import VirtualTime

DAY = 86_400


def wall(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def record(task_id: int, local: float, **fields: Any) -> dict[str, Any]:
    return {**EXAMPLE_RECORD, "taskId": task_id, "createdTime": wall(local), **fields}


def evenly(now: float, *, offset: int, every: int = 300, until: int = 60) -> ScriptedWorld:
    """A task every so many seconds for nine days, the last one ``until`` seconds ago."""
    newest = round(now) + offset - until
    number = 9 * DAY // every
    return ScriptedWorld(record(1 + each, newest - each * every) for each in range(number))


async def simulated(
    time: VirtualTime,
    world: ScriptedWorld | None = None,
    *,
    rules: ApiRules | None = None,
    faults: FaultBoard | None = None,
) -> Simulator:
    return await serve(
        evenly(time.now(), offset=0) if world is None else world,
        clock=time.now,
        rules=rules,
        faults=faults,
        control=False,
    )


async def inspected(
    simulator: Simulator, time: VirtualTime, account: str = "", *, poll: str = "", wait: float = 0.0
) -> Inspection:
    """Inspect an account over a simulator; ``account`` and ``poll`` are lines of YAML."""
    config = config_for(simulator, poll, account)
    clocks = Clocks(time.now, time.monotonic)
    return await inspect(config.accounts[0], config, clocks, wait)


def topics(found: Inspection) -> Mapping[str, Finding]:
    """The findings by topic; of several the last."""
    return {finding.topic: finding for finding in found.findings}


def wrongs(found: Inspection) -> list[Finding]:
    return [finding for finding in found.findings if finding.level is Level.WRONG]
