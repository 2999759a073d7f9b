"""Rows: the exporter is killed at some stage of a poll, is down, or is loaded anew.

A kill is played by its effect: a copy of the state as it was at that instant, over which another
exporter begins, while nothing of what the first did afterwards is ever scraped.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from exporter.simulator import Fault
from exporter.simulator import FaultKind as K
from tests.faults.during import Group, nothing
from tests.faults.row import FOLLOWS, Counters, Event, Meanwhile, Row, Setting, Sums, Up, Windows

if TYPE_CHECKING:
    from tests.faults.bench import Bench

_process = Group("The process")


async def _between(bench: "Bench") -> None:
    await bench.restart(bench.image())


def _asking(page: int | None) -> Event:
    """Kill it while it waits for a page that never comes."""

    async def kill(bench: "Bench") -> None:
        number = bench.faulty.faults.add(Fault(kind=K.HANG, page=page))
        await bench.until(5)
        image = bench.image()
        bench.faulty.faults.clear(number)
        bench.polls += 1
        await bench.restart(image)

    return kill


def _committing(*, done: bool) -> Event:
    """Kill it just before a poll is committed, or after that but before it is published."""

    async def kill(bench: "Bench") -> None:
        store = bench.accounts._store
        assert store is not None
        commit = store.commit
        images: list[Any] = []

        async def die(changes: Any) -> None:
            if done:
                await commit(changes)
            images.append(bench.image())
            await asyncio.get_running_loop().create_future()

        store.commit = die  # type: ignore[method-assign]
        await bench.until(5)
        bench.polls += 1
        await bench.restart(images[-1])

    return kill


async def _first_sweep(bench: "Bench") -> None:
    """Kill it in the middle of its very first sweep."""
    bench.faulty.faults.add(Fault(kind=K.HANG, page=2))
    await bench.accounts.start()
    await bench.until(20)
    image = bench.image()
    bench.faulty.faults.clear()
    bench.polls += 1
    await bench.restart(image)


def _down(minutes: int) -> Event:
    async def stay_down(bench: "Bench") -> None:
        await bench.restart(bench.image(), after=minutes)

    return stay_down


async def _every_poll(bench: "Bench") -> None:
    for _ in range(5):
        await bench.until(3)
        bench.polls += 1
        await bench.restart(bench.image())


async def _reload(bench: "Bench") -> None:
    await bench.until_polls_are_due()
    await bench.reload(currency="EUR")
    await bench.reload(currency="USD")


def _row(name: str, fault: str, begins: Event, meanwhile: Meanwhile = FOLLOWS, **more: Any) -> Row:
    return _process.row(name, fault, begins, meanwhile, ends=nothing, **{"minutes": 2, **more})


ROWS: list[Row] = [
    _row("killed between polls", "SIGKILL while nothing is under way", _between),
    _row("killed while asking", "SIGKILL before the first answer of a poll", _asking(None)),
    _row(
        "killed before the commit",
        "SIGKILL when all is read and nothing committed",
        _committing(done=False),
    ),
    _row(
        "killed after the commit",
        "SIGKILL when all is committed and nothing published",
        _committing(done=True),
    ),
    _row(
        "killed in the first sweep",
        "SIGKILL between the pages of the first sweep",
        _first_sweep,
        Meanwhile(Up.YES, Windows.FOLLOW, Counters.RISE),
        setting=Setting(start=False),
        sums=Sums.NONE,
        shared=True,
        note="what was not read yet is baseline when it is",
    ),
    _row("killed at every poll", "SIGKILL five times, within each poll", _every_poll),
    _row(
        "down for 20 minutes",
        "the exporter is down for 20 minutes",
        _down(20),
        note="what happened meanwhile is counted by the first polls",
    ),
    _row(
        "down for the lookback",
        "the exporter is down for longer than the lookback",
        _down(300),
        Meanwhile(Up.YES, Windows.FOLLOW, Counters.RISE),
        sums=Sums.NONE,
        shared=True,
        note="what was created and left the lookback meanwhile is not counted",
    ),
    _row("loaded anew", "the configuration is loaded anew", _reload),
    Row(
        name="killed, really",
        group=_process.title,
        fault="SIGKILL of a real process at random moments, again and again",
        begins=nothing,
        ends=nothing,
        meanwhile=Meanwhile(Up.YES, Windows.OTHER, Counters.RISE),
        note="tests/faults/test_sigkill.py; hundreds of times in tests/crash",
    ),
]
REAL = ROWS[-1]
