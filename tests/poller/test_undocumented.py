"""Tasks in a status that no page documents: followed, but not at a request each in every poll."""

import asyncio

from exporter.simulator import ScriptedWorld
from exporter.tasks.coverage import UNDOCUMENTED_AFTER, UNDOCUMENTED_EACH
from tests.poller.following import FINISHED, following, record
from tests.virtual_time import BEGIN, VirtualTime

UNDOCUMENTED = 77
HOURS = (5, 10, 15)


async def test_they_cost_little_and_are_seen_to_change(time: VirtualTime) -> None:
    world = ScriptedWorld(
        [record(1 + n, BEGIN - 600 - n * 100, status=FINISHED) for n in range(700)]
        + [record(1000 + h, BEGIN - 3600 * h, status=UNDOCUMENTED) for h in HOURS]
    )
    async with following(time, world, "full_sweep: 1d\nsettle: 0s") as run:
        # As long as they may be moving they are asked for in every poll.
        before = run.simulator.api.log.total
        await asyncio.sleep(60)
        assert run.simulator.api.log.total - before >= len(HOURS)
        await asyncio.sleep(UNDOCUMENTED_AFTER)
        counts: list[int] = []
        for _ in range(2 * UNDOCUMENTED_EACH):
            before = run.simulator.api.log.total
            await asyncio.sleep(60)
            counts.append(run.simulator.api.log.total - before)
        # The newest; and twice also those asked for by status, and where each of the three lies.
        assert sorted(set(counts)) == [1, 2 + len(HOURS)]
        assert counts.count(2 + len(HOURS)) == 2
        run.world.update(1005, status=FINISHED)
        await asyncio.sleep(60 * UNDOCUMENTED_EACH)
        assert run.value("itnio_voice_window_tasks", status="unknown", window="24h") == 2
