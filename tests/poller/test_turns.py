"""No work of a poll is done in one go, however much there is: others get their turn between."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from exporter.poller.turns import parts
from exporter.simulator import ScriptedWorld
from exporter.tasks.ledger import Ledger
from exporter.tasks.windows import STEP, Sums
from tests.poller.following import following, record
from tests.virtual_time import BEGIN, VirtualTime

TASKS = 2500


class Turns:
    """The most calls of anything watched that were made in one turn of the event loop."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.most = 0
        self.calls = 0
        self._now = 0
        selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
        select = selector.select

        def turned(timeout: float | None) -> Any:
            self.most, self._now = max(self.most, self._now), 0
            return select(timeout)

        patch.setattr(selector, "select", turned)

    def watch(self, patch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            self._now += 1
            self.calls += 1
            return real(*arguments, **options)

        patch.setattr(owner, name, watched)


async def test_a_sweep_and_a_jump_of_time_leave_turns_to_others(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [record(1 + n, BEGIN - 200 - n * 20, status=2) for n in range(TASKS)]
    async with following(time, ScriptedWorld(records), start=False) as run:
        turns = Turns(monkeypatch)
        turns.watch(monkeypatch, Sums, "change")
        turns.watch(monkeypatch, Ledger, "count")
        assert await run.accounts.poll_once()
        assert run.value("itnio_voice_window_tasks", status="finished", window="24h") == TASKS
        # Each is counted once, and put into one or two windows.
        assert turns.calls > 2 * TASKS
        assert turns.most <= 3 * STEP
        turns.calls = turns.most = 0
        time.wall_offset += 23 * 3600
        await run.accounts.poll_once()
        left = run.value("itnio_voice_window_tasks", status="finished", window="24h")
        assert left is not None
        assert left < 500
        assert turns.calls >= TASKS
        assert turns.most <= 3 * STEP


@pytest.mark.parametrize(("size", "sizes"), [(4, [4, 4, 2]), (10, [10]), (11, [10])])
def test_parts_are_the_whole_in_order(size: int, sizes: list[int]) -> None:
    whole = {number: str(number) for number in range(10)}
    cut = list(parts(whole, size))
    assert [len(part) for part in cut] == sizes
    assert [item for part in cut for item in part.items()] == list(whole.items())


def test_nothing_has_no_parts() -> None:
    assert list(parts({}, 5)) == []
