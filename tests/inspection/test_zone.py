"""The zone of the API's local times is found by evidence, and what cannot be known is not said."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.inspection import offsets
from exporter.inspection.findings import Finding, Level, Proposal
from exporter.inspection.offsets import HOUR, IN_USE, Bounds
from exporter.simulator import ApiRules, Order, ScriptedWorld
from tests.inspection.accounts import DAY, evenly, inspected, record, simulated, topics
from tests.virtual_time import VirtualTime


async def zone(
    time: VirtualTime,
    world: ScriptedWorld,
    timezone: str,
    wait: float = 0.0,
    widest: float | None = None,
) -> tuple[Finding, list[Proposal]]:
    rules = ApiRules(order=Order.RANDOM, widest_range=widest)
    async with await simulated(time, world, rules=rules) as simulator:
        found = await inspected(simulator, time, f"timezone: '{timezone}'", wait=wait)
    return topics(found)["zone"], [each for each in found.proposals if each.key == "timezone"]


async def test_the_right_zone(time: VirtualTime) -> None:
    finding, proposed = await zone(time, evenly(time.now(), offset=8 * HOUR), "Asia/Shanghai")
    assert finding.level is Level.FINE
    assert finding.text == (
        "timezone: Asia/Shanghai fits: by it the newest task is 1m old, and no other does"
    )
    assert proposed == []


@pytest.mark.parametrize("offset", [8 * HOUR, 5 * HOUR + HOUR // 2, 7 * HOUR, 14 * HOUR])
async def test_a_zone_too_far_west(time: VirtualTime, offset: int) -> None:
    finding, (proposal,) = await zone(time, evenly(time.now(), offset=offset), "UTC")
    assert finding.level is Level.WRONG
    assert finding.text.startswith("wrong zone: timezone: UTC is wrong: ")
    assert "after now" in finding.text
    assert offsets.written(offset) in finding.remedy
    # With a task every five minutes, a quarter of an hour more is not ruled out.
    assert ("further east" in finding.remedy) is (offset == 5 * HOUR + HOUR // 2)
    assert proposal.proposed == f'"{offsets.written(offset)}"'


@pytest.mark.parametrize("widest", [DAY, 6 * HOUR])
async def test_an_api_that_refuses_wide_ranges(time: VirtualTime, widest: float) -> None:
    world = evenly(time.now(), offset=8 * HOUR)
    finding, _ = await zone(time, world, "Asia/Shanghai", widest=widest)
    assert finding.text.startswith("timezone: Asia/Shanghai fits")
    finding, (proposal,) = await zone(time, world, "UTC", widest=widest)
    assert finding.text.startswith("wrong zone: timezone: UTC is wrong")
    assert proposal.proposed == '"+08:00"'


@pytest.mark.parametrize("offset", [0, 7 * HOUR, -5 * HOUR])
async def test_a_zone_too_far_east(time: VirtualTime, offset: int) -> None:
    world = evenly(time.now(), offset=offset, every=120)
    finding, (proposal,) = await zone(time, world, "Asia/Shanghai")
    assert finding.level is Level.WRONG
    assert "very likely wrong" in finding.text
    assert "nothing was created for" in finding.text
    assert proposal.proposed == f'"{offsets.written(offset)}"'


async def test_few_tasks_tell_nothing_for_sure(time: VirtualTime) -> None:
    now = round(time.now())
    world = ScriptedWorld(record(1 + day, now - 3 * HOUR - day * DAY) for day in range(9))
    finding, proposed = await zone(time, world, "UTC")
    assert finding.level is Level.NOTE
    assert "is possible" in finding.text
    assert "--live.wait" in finding.remedy
    assert proposed == []


async def test_a_quiet_evening_is_not_a_wrong_zone(time: VirtualTime) -> None:
    # Every day tasks come for eight hours only, and the last of them came three hours ago.
    now = round(time.now())
    created = [
        now - 3 * HOUR - day * DAY - each * 120 for day in range(9) for each in range(8 * 30)
    ]
    world = ScriptedWorld(record(1 + n, local) for n, local in enumerate(created))
    finding, _ = await zone(time, world, "UTC")
    assert finding.level is Level.NOTE


async def test_clocks_that_disagree_are_set_right_first(time: VirtualTime) -> None:
    world = evenly(time.now(), offset=8 * HOUR)
    async with await simulated(time, world) as simulator:
        simulator.api._signing_clock = lambda: time.now() - HOUR
        found = topics(await inspected(simulator, time, "timezone: Asia/Shanghai"))
    assert found["clock"].level is Level.WRONG
    assert found["zone"].level is Level.NOTE
    assert "while the clocks disagree" in found["zone"].text


async def test_a_clock_that_is_wrong_here_does_not_make_the_zone_wrong(time: VirtualTime) -> None:
    world = evenly(time.now(), offset=8 * HOUR)
    truth = time.now
    async with await simulated(time, world) as simulator:
        began = truth()
        time.wall_offset = -3 * HOUR
        simulator.api._signing_clock = lambda: time.now() + 3 * HOUR
        assert simulator.api._signing_clock() >= began
        found = topics(await inspected(simulator, time, "timezone: Asia/Shanghai"))
    assert found["clock"].level is Level.WRONG
    assert found["zone"].level is Level.FINE


async def test_no_task_at_all(time: VirtualTime) -> None:
    finding, _ = await zone(time, ScriptedWorld(), "UTC")
    assert finding.level is Level.NOTE
    assert finding.text == "cannot be told: there is no task in 30d"


@pytest.mark.parametrize(("timezone", "level"), [("+07:00", Level.FINE), ("UTC", Level.WRONG)])
async def test_a_task_that_appears_tells_it_for_sure(
    time: VirtualTime, timezone: str, level: Level
) -> None:
    now = round(time.now())
    world = ScriptedWorld([record(1, now - 3 * HOUR)])

    async def create() -> None:
        await asyncio.sleep(42)
        world.add(record(2, round(time.now()) + 7 * HOUR))

    creating = asyncio.create_task(create())
    finding, _ = await zone(time, world, timezone, wait=600)
    await creating
    assert finding.level is level
    assert "+07:00" in finding.text
    assert "a task was created while this was running" in finding.text


@given(
    st.sampled_from(IN_USE),
    st.integers(0, 100),
    st.floats(0, 30),
)
def test_a_task_seen_to_appear_has_one_offset(offset: int, seen_after: int, between: float) -> None:
    created = 1_700_000_000
    after = created + seen_after + between
    found = offsets.observed(created + offset, after - between - 5, after)
    assert found in {offset, None}
    if offset % HOUR == 0 and offset not in {6 * HOUR, 9 * HOUR}:
        assert found == offset


@given(st.sampled_from(IN_USE), st.integers(0, 10 * DAY))
def test_the_true_offset_is_always_possible(offset: int, age: int) -> None:
    now = 1_700_000_000.0
    bounds = Bounds(round(now) + offset - age, now)
    assert offset in bounds.possible
    assert bounds.likeliest is not None
    assert bounds.likeliest <= offset
