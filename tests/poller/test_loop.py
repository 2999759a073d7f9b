"""When an account is polled: at a fixed rate, never twice at once, seldom where it is refused."""

import asyncio
from itertools import pairwise

import pytest

from exporter.simulator import FaultKind, ScriptedWorld, Settings, SimulatedWorld
from tests.poller.following import following, record
from tests.virtual_time import BEGIN, VirtualTime

APPS = "apps: [{id: 12, name: a}, {id: 15, name: b}, {id: 21, name: c}]"


async def test_polls_come_at_a_fixed_rate(time: VirtualTime) -> None:
    async with following(time) as run:
        await run.until(20 * 60 + 30)
        polls = run.value("itnio_exporter_polls_total")
        ticks = [at for at in run.asked_at() if at % 60 < 1]
    assert polls == 21
    # The sweep of the first poll aside, each poll asks once.
    assert [round(at) for at in ticks[1:]] == [60 * tick for tick in range(21)]


async def test_how_long_a_poll_takes_does_not_move_the_next(time: VirtualTime) -> None:
    async with following(time, poll="timeout: 50s") as run:
        await run.until(30)
        run.go_wrong(FaultKind.SLOW, 40)
        await run.until(60 * 5 + 30)
        begun = run.asked_at()[2:]
    assert [round(at) for at in begun] == [60, 120, 180, 240, 300]


@pytest.mark.parametrize(("chance", "begin"), [(0.0, 0), (0.5, 2.5), (0.999, 4.995)])
async def test_the_first_poll_is_jittered(time: VirtualTime, chance: float, begin: float) -> None:
    async with following(time, random=lambda: chance) as run:
        await run.until(70)
        asked = run.asked_at()
    assert asked[0] == pytest.approx(begin, abs=0.1)
    assert asked[-1] == pytest.approx(begin + 60, abs=0.1)


async def test_jitter_is_never_more_than_a_tenth_of_the_interval(time: VirtualTime) -> None:
    async with following(time, poll="interval: 10s", random=lambda: 0.999) as run:
        await run.until(5)
        assert run.asked_at()[0] == pytest.approx(1, abs=0.1)


async def test_ticks_that_a_poll_overruns_are_left_out(time: VirtualTime) -> None:
    # A deadline does not hold where the event loop itself stands still.
    async with following(time, poll="interval: 10s\ndeadline: 10s\ntimeout: 10s") as run:
        await run.until(15)
        await run.accounts._running["production"].poller.close()
        before = len(run.asked_at())
        run.go_wrong(FaultKind.HANG)
        await run.until(49)
        run.simulator.faults.clear()
        await run.until(75)
        asked = run.asked_at()[before:]
        polls = run.value("itnio_exporter_polls_total")
    # Each poll ended with its deadline, at the very tick of the next, which was left out.
    assert all(later - earlier > 0.2 for earlier, later in pairwise(asked))
    assert polls is not None
    assert polls <= 8


async def test_polls_of_an_account_never_overlap(time: VirtualTime) -> None:
    async with following(time, poll="interval: 1s\ndeadline: 1s\ntimeout: 1s") as run:
        await run.until(5.5)
        run.simulator.api.log.clear()
        run.go_wrong(FaultKind.SLOW, 0.9)
        await run.until(60)
        asked = run.asked_at()
        polls = run.value("itnio_exporter_polls_total")
    assert polls == 6 + len(asked)
    assert all(later - earlier >= 0.95 for earlier, later in pairwise(asked))


@pytest.mark.parametrize("code", [-1, -2])
async def test_a_refused_account_is_asked_ever_more_seldom(time: VirtualTime, code: int) -> None:
    async with following(time, account=APPS) as run:
        run.simulator.api.log.clear()
        run.go_wrong(FaultKind.API_CODE, code)
        await run.until(3600)
        asked = run.asked_at()
        polls = run.value("itnio_exporter_polls_total")
        # Exactly one request for each poll, although the account has three apps.
        assert polls == 1 + len(asked)
        assert [round(at) for at in asked[:6]] == [60, 120, 240, 480, 780, 1080]
        assert all(later - earlier >= 299 for earlier, later in pairwise(asked[3:]))
        # Refused or not, it is tried again at last.
        assert asked[-1] > 3600 - 301

        run.simulator.faults.clear()
        await run.until(3600 + 301)
        assert run.value("itnio_up") == 1
        run.simulator.api.log.clear()
        await run.until(3600 + 301 + 600)
        assert len({round(at / 60) for at in run.asked_at()}) == 10  # every minute again


async def test_an_account_refused_from_the_start_is_backed_off_too(time: VirtualTime) -> None:
    async with following(time, account=APPS, start=False) as run:
        run.go_wrong(FaultKind.API_CODE, -1)
        await run.accounts.start()
        await run.until(1000)
        assert [round(at) for at in run.asked_at()] == [0, 60, 180, 420, 720]


async def test_a_single_refusal_delays_nothing(time: VirtualTime) -> None:
    async with following(time) as run:
        run.go_wrong(FaultKind.API_CODE, -1, times=1)
        await run.until(130)
        assert [round(at) for at in run.asked_at()[2:]] == [60, 120]
        assert run.value("itnio_up") == 1


async def test_failures_that_refuse_nobody_are_not_backed_off(time: VirtualTime) -> None:
    async with following(time) as run:
        run.go_wrong(FaultKind.API_CODE, -22)
        await run.until(630)
        assert run.value("itnio_exporter_polls_total") == 11


async def test_while_an_account_is_backed_off_its_figures_still_become_stale(
    time: VirtualTime,
) -> None:
    world = ScriptedWorld([record(1, BEGIN - 600)])
    async with following(time, world) as run:
        run.go_wrong(FaultKind.API_CODE, -1)
        await run.until(290)
        assert run.value("itnio_voice_window_calls", window="1h") == 10
        await run.until(370)  # between two tries
        assert run.value("itnio_voice_window_calls", window="1h") is None
        snapshot = run.accounts.snapshots["production"]
        assert snapshot.health.next_poll == pytest.approx(BEGIN + 480, abs=1)


def _ours() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


@pytest.mark.parametrize(
    ("fault", "amount", "wait"),
    [
        (None, None, 0.0),  # before the first request
        (None, None, 0.02),  # in the middle of the first sweep
        (None, None, 30.0),  # between polls
        (FaultKind.HANG, None, 5.0),  # in the middle of a request
        (FaultKind.DRIPPING, 1, 5.0),  # in the middle of an answer
        (FaultKind.RATE_LIMITED, 120, 5.0),  # while it was asked to wait
        (FaultKind.HTTP_STATUS, 503, 0.3),  # between two tries
        (FaultKind.API_CODE, -1, 400.0),  # backed off
    ],
)
async def test_stopping_is_clean_and_at_once(
    time: VirtualTime, fault: FaultKind | None, amount: float | None, wait: float
) -> None:
    world = SimulatedWorld(Settings(tasks_per_day=2000, epoch=int(BEGIN) - 86_400))
    before = asyncio.all_tasks()
    async with following(time, world, start=False) as run:
        if fault is not None:
            run.go_wrong(fault, amount)
        await run.accounts.start()
        await asyncio.sleep(wait)
        stopped_at = time.monotonic()
        await run.accounts.stop()
        assert time.monotonic() - stopped_at < 0.1
        asked = len(run.asked_at())
        await asyncio.sleep(600)
        assert len(run.asked_at()) == asked
        await run.accounts.stop()  # once more does no harm
    assert asyncio.all_tasks() == before
