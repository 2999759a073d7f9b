"""Zones that are configured wrongly, and clocks that are wrong or set while polls go on."""

from datetime import timedelta, timezone

import pytest

from exporter.simulator import ApiRules, FaultKind, ScriptedWorld
from exporter.simulator.wire import label
from tests.poller.following import CALLING, following, record
from tests.virtual_time import BEGIN, VirtualTime

HOUR = 3600
CALLS = "itnio_voice_window_calls"
FUTURE = "itnio_exporter_future_tasks"
SKEW = "itnio_exporter_clock_skew_seconds"


@pytest.mark.parametrize("hours", [-12, -8, -1, 1, 8, 14])
async def test_the_newest_tasks_are_seen_though_the_zone_is_wrong(
    time: VirtualTime, hours: int
) -> None:
    """`hours`: how far the API's local times are ahead of what the configuration says."""
    zone = timezone(timedelta(hours=hours))
    world = ScriptedWorld(zone=zone)

    def add(task_id: int) -> None:
        world.add(record(task_id, 0, createdTime=label(int(time.now()) + hours * HOUR)))

    add(1)
    async with following(time, world, account="timezone: UTC") as run:
        await run.scrape()
        seen = []
        for poll in range(1, 12):
            await run.until(60 * poll - 30)
            add(1 + poll)
            await run.until(60 * poll + 1)
            seen.append(run.value("itnio_exporter_tracked_tasks"))
        assert seen == [1 + poll for poll in range(1, 12)]
        assert run.value("itnio_voice_calls_total") == 10 * 11
        assert run.failures() == {}
        # It is reported where it shows: tasks cannot come from the future.
        assert run.value(FUTURE) == (12 if hours > 0 else 0)
        if hours > 0:
            assert run.value(CALLS, window="1h") == 120


async def test_a_clock_s_jitter_is_no_future(time: VirtualTime) -> None:
    world = ScriptedWorld([record(1, BEGIN + 50), record(2, BEGIN + 90)])
    async with following(time, world) as run:
        assert run.value(FUTURE) == 1
        await run.until(70)
        assert run.value(FUTURE) == 0


@pytest.mark.parametrize("skew", [-120, 0, 90])
async def test_the_skew_between_the_clocks_is_measured(time: VirtualTime, skew: int) -> None:
    async with following(time, clock=lambda: time.now() + skew) as run:
        assert run.value(SKEW) == pytest.approx(skew, abs=1)
        assert run.value("itnio_up") == 1


async def test_no_skew_is_told_before_it_is_known(time: VirtualTime) -> None:
    async with following(time, start=False) as run:
        run.go_wrong(FaultKind.RESET)
        await run.accounts.start()
        await run.until(30)
        assert run.value(SKEW) is None


@pytest.mark.parametrize("skew", [-2 * HOUR, -400, 400, 2 * HOUR])
async def test_an_expired_timestamp_is_mended_by_the_server_s_clock(
    time: VirtualTime, skew: int
) -> None:
    world = ScriptedWorld([record(1, BEGIN + skew - 30, status=CALLING)])
    async with following(time, world, clock=lambda: time.now() + skew) as run:
        assert run.value("itnio_up") == 1
        assert run.value(SKEW) == pytest.approx(skew, abs=1)
        assert run.value("itnio_exporter_api_requests_total", code="-16") == 1
        await run.until(600)
        # Once it is known, no request fails for it any more.
        assert run.value("itnio_exporter_api_requests_total", code="-16") == 1
        assert run.failures() == {}
        # By the API's clock, this is neither the future nor hours ago.
        assert run.value(FUTURE) == 0
        assert run.value(CALLS, window="1h") == 10
        age = run.value("itnio_voice_oldest_unfinished_task_age_seconds", status="calling")
        assert age == pytest.approx(630, abs=62)


async def test_a_clock_that_cannot_be_mended_is_said_to_be_wrong(time: VirtualTime) -> None:
    rules = ApiRules(timestamp_tolerance=-1)
    async with following(time, rules=rules) as run:
        await run.until(130)
        assert run.failures() == {"clock_skew": 3}
        # Nothing is gained by asking the same again.
        assert run.value("itnio_exporter_api_requests_total", code="-16") == 3
        failure = run.accounts.snapshots["production"].health.failure
        assert failure is not None
        assert "NTP" in failure.remedy


@pytest.mark.parametrize("offset", [-5 * HOUR, -600, 600, 5 * HOUR])
@pytest.mark.parametrize("api_follows", [False, True])
async def test_the_wall_clock_can_be_set_while_polls_go_on(
    time: VirtualTime, offset: float, api_follows: bool
) -> None:
    """`api_follows`: all clocks were wrong alike; otherwise only ours is wrong from now on."""
    world = ScriptedWorld([record(n, BEGIN - 600 - n) for n in range(1, 6)])
    late = {"by": 0.0}

    def clock() -> float:
        return time.now() - (0 if api_follows else late["by"])

    async with following(time, world, clock=clock) as run:
        await run.scrape()
        await run.until(90)
        world.add(record(10, clock()))
        await run.until(150)
        assert run.value("itnio_voice_calls_total") == 10
        before = run.value("itnio_exporter_polls_total")
        time.wall_offset = late["by"] = offset
        await run.until(210)
        for poll in range(3, 9):
            world.add(record(20 + poll, clock()))
            await run.until(60 * poll + 35)
        assert run.failures() == {}
        # The rate does not change with the wall clock.
        assert run.value("itnio_exporter_polls_total") == (before or 0) + 6
        # Nothing is lost, nothing is counted twice, no figure is withdrawn.
        assert run.value("itnio_voice_calls_total") == 10 + 60
        assert run.value(CALLS, window="24h") == 50 + 10 + 60
        last = run.value("itnio_exporter_last_success_timestamp_seconds")
        assert last == pytest.approx(time.now(), abs=60)
