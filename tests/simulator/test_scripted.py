import pytest

from exporter.simulator import EXAMPLE_RECORD, ScriptedWorld
from tests.simulator.client import running

AT = 1_717_512_600  # 2024-06-04 14:50 UTC


async def test_added_changed_and_deleted_tasks_show_at_once() -> None:
    world = ScriptedWorld([EXAMPLE_RECORD])
    async with running(world, now=AT) as client:
        world.add({**EXAMPLE_RECORD, "taskId": 7, "createdTime": "2024-06-04 10:00:00"}, app=12)
        assert [r["taskId"] for r in await client.records()] == [5000602, 7]
        assert [r["taskId"] for r in await client.records(idxAppId=12)] == [7]
        world.update(7, status=5, callNum=9)
        assert [r["callNum"] for r in await client.records(statusList=[5])] == [9]
        assert world.record(7)["callNum"] == 9
        world.delete(7)
        assert [r["taskId"] for r in await client.records()] == [5000602]
        assert len(world) == 1


async def test_odd_records_are_served_as_they_are() -> None:
    odd = {"taskId": 9, "createdTime": None, "callNum": "x"}
    world = ScriptedWorld([EXAMPLE_RECORD, odd])
    async with running(world, now=AT) as client:
        assert odd in await client.records()
        assert world.truth(AT, 0, AT).whole.calls == 10  # truth knows only what is well-formed


async def test_a_task_of_the_future_is_served() -> None:
    world = ScriptedWorld([{**EXAMPLE_RECORD, "createdTime": "2024-06-04 20:00:00"}])
    async with running(world, now=AT) as client:
        assert await client.records() == []
        assert len(await client.records(endTime="2024-06-05 00:00:00")) == 1


def test_what_is_not_there_cannot_be_changed() -> None:
    world = ScriptedWorld()
    with pytest.raises(KeyError):
        world.update(1, status=2)
    with pytest.raises(KeyError):
        world.delete(1)


def test_the_world_keeps_copies() -> None:
    record = dict(EXAMPLE_RECORD)
    world = ScriptedWorld([record])
    record["callNum"] = 99
    world.record(5000602)["callNum"] = 98
    assert world.record(5000602)["callNum"] == 10
