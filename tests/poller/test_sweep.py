"""The whole lookback is read across polls, beside those for what is new, and shown once whole."""

import asyncio

import pytest

from exporter.poller.books import Books
from exporter.simulator import FaultKind, ScriptedWorld, Settings, SimulatedWorld
from tests.poller.following import following, record
from tests.virtual_time import BEGIN, VirtualTime

DAY = 86_400
# 5,000 tasks are 50 requests, in three slices: more than a deadline leaves time for.
MANY = 5000
SLOWLY = "interval: 10s\ndeadline: 8s\ntimeout: 8s\nwindows: [24h]\nconcurrency: 1"
PROGRESS = "itnio_exporter_sweep_progress_ratio"
CALLS = "itnio_voice_window_calls"
TASKS = "itnio_voice_window_tasks"


def many(number: int = MANY) -> ScriptedWorld:
    """Tasks of the last day, evenly, none of them within the last ten minutes."""
    step = (DAY - 1200) / number
    return ScriptedWorld(record(1 + n, BEGIN - 600 - n * step) for n in range(number))


async def test_a_long_first_sweep_goes_on_beside_the_polls(time: VirtualTime) -> None:
    async with following(time, many(), SLOWLY, requests_per_second=2) as run:
        seen: list[float] = []
        whole_at: float | None = None
        for tick in range(1, 8):
            await run.until(10 * tick - 1)
            assert run.value("itnio_up") == 1
            assert run.value("itnio_exporter_polls_total") == tick
            progress = run.value(PROGRESS)
            calls = run.value(CALLS)
            if progress is None:
                whole_at = whole_at or 10 * tick - 1
                assert run.sum(TASKS) == MANY + tick - 1
                assert calls is not None
            else:
                assert calls is None
                assert run.value("itnio_voice_unfinished_tasks", status="calling") is None
                assert run.accounts.awaited() == ["production"]
                seen.append(progress)
                # New ones are seen by the next poll all the while.
                transitions = run.sum("itnio_voice_task_transitions_total")
                assert transitions == (tick - 1 if tick > 2 else 0)  # at 0 first
            run.world.add(record(10_000 + tick, time.now()))
        assert whole_at is not None
        assert seen == sorted(seen)
        assert len(set(seen)) > 1
        assert 0 < seen[-1] < 1
        assert run.accounts.awaited() == []
        await run.scrape()
        run.world.add(record(20_000, time.now()))
        await run.until(90)
        assert run.value("itnio_voice_calls_total") == 8 * 10
        assert run.failures() == {}


@pytest.mark.parametrize("kind", [FaultKind.HTTP_STATUS, FaultKind.HTML, FaultKind.HANG])
async def test_a_failing_sweep_is_taken_up_where_it_failed(
    time: VirtualTime, kind: FaultKind
) -> None:
    async with following(time, many(), SLOWLY, requests_per_second=5, start=False) as run:
        await run.accounts.start()
        await run.until(9)
        run.go_wrong(kind)
        await run.until(39)
        assert run.value("itnio_up") == 0
        progress = run.value(PROGRESS)
        assert progress is not None
        assert 0 < progress < 1
        assert run.value(CALLS) is None
        asked = len(run.asked_at())
        run.simulator.faults.clear()
        await run.until(79)
        assert run.value("itnio_up") == 1
        assert run.value(PROGRESS) is None
        assert run.sum(TASKS) == MANY
        # What had been read was not read again.
        assert len(run.asked_at()) - asked < 80


async def test_a_sweep_that_cannot_be_whole_fails_polls_by_its_reason(time: VirtualTime) -> None:
    async with following(time, many(250), start=False) as run:
        run.go_wrong(FaultKind.LOST_RECORDS)
        await run.accounts.start()
        await run.until(130)
        assert run.failures() == {"incomplete": 3}
        assert run.value(CALLS, window="24h") is None
        assert run.value("itnio_up") == 0
        run.simulator.faults.clear()
        await run.until(190)
        assert run.value("itnio_up") == 1
        assert run.sum(TASKS, window="24h") == 250


async def test_a_later_sweep_that_keeps_failing_fails_every_poll(time: VirtualTime) -> None:
    async with following(time, many(250), "full_sweep: 10m", start=False) as run:
        await run.accounts.start()
        await run.until(595)
        assert run.failures() == {}
        run.go_wrong(FaultKind.HTTP_STATUS, page=2)
        await run.until(895)
        # It is begun beside the poll of minute 10 and noticed by the next; from then on each
        # poll tries it again, and none is good meanwhile.
        assert run.failures() == {"http": 4}
        assert run.value("itnio_up") == 0
        run.simulator.faults.clear()
        await run.until(955)
        assert run.value("itnio_up") == 1


async def test_a_later_sweep_finds_what_polls_could_not(time: VirtualTime) -> None:
    poll = "full_sweep: 10m\nsettle: 0s"
    async with following(time, many(30), poll) as run:
        await run.scrape()
        run.world.update(20, callNum=17)  # ended long ago
        run.world.delete(25)
        run.world.add(record(99, BEGIN - 7200))  # appears late, with an old time
        await run.until(9 * 60 + 30)
        assert run.sum(TASKS, window="24h") == 30
        await run.until(11 * 60 + 30)
        assert run.sum(TASKS, window="24h") == 30
        assert run.sum("itnio_exporter_sweep_corrections_total") == 3
        # 7 calls more of a task that was a baseline, and 10 of one that is new since.
        await run.scrape()
        await run.until(12 * 60 + 30)
        assert run.value("itnio_voice_calls_total") == 17
        assert run.failures() == {}


async def test_figures_stay_while_a_later_sweep_runs(time: VirtualTime) -> None:
    async with following(time, many(), SLOWLY + "\nfull_sweep: 90s", requests_per_second=2) as run:
        await run.until(60)
        assert run.value(PROGRESS) is None
        running = []
        for tick in range(6, 16):
            await run.until(10 * tick + 5)
            running.append(run.value(PROGRESS) is not None)
            assert run.value("itnio_up") == 1
            assert run.sum(TASKS) == MANY
        assert any(running)
        assert not running[-1]


async def test_a_long_outage_is_filled_in_by_a_sweep(time: VirtualTime) -> None:
    async with following(time, many(30)) as run:
        await run.scrape()
        await run.until(30)
        run.go_wrong(FaultKind.HTML)
        for tens in range(1, 5):
            run.world.add(record(100 + tens, BEGIN + 600 * tens))
        await run.until(45 * 60)
        assert run.value(CALLS, window="24h") is None
        run.simulator.faults.clear()
        await run.until(46 * 60 + 30)
        assert run.value("itnio_up") == 1
        assert run.sum("itnio_voice_calls_total") == 40
        assert run.sum(TASKS, window="24h") == 34


async def test_the_simulated_world_is_told_to_the_cent(time: VirtualTime) -> None:
    settings = Settings(
        tasks_per_day=1200,
        epoch=int(BEGIN) - 3 * DAY,
        timezone="UTC",
        late_settlement_share=0,
    )
    world = SimulatedWorld(settings)

    def clock() -> float:
        return time.now() // 20 * 20  # stands still while a poll reads

    async with following(time, world, "interval: 20s\nwindows: [24h]", clock=clock) as run:
        for polls in (0, 3, 12):
            await run.until(20 * polls + 5)
            now = clock()
            truth = world.truth(now, now - DAY + 1, now).whole
            assert run.sum(CALLS) == truth.calls
            assert run.sum(TASKS) == sum(truth.tasks.values())
            assert run.sum(TASKS, status="finished") == truth.tasks[2]
            assert run.sum("itnio_voice_unfinished_tasks", status="calling") == truth.tasks[1]
            for (kind, currency), amount in truth.money.items():
                of = {"kind": kind, "currency": currency}
                spend = run.sum("itnio_voice_window_spend", **of)
                assert spend == pytest.approx(float(amount), abs=1e-6)
        assert run.failures() == {}


async def test_a_single_poll_waits_for_all_of_the_sweep(time: VirtualTime) -> None:
    async with following(time, many(), SLOWLY, requests_per_second=2, start=False) as run:
        assert await run.accounts.poll_once()
        assert run.sum(TASKS) == MANY
        assert run.value("itnio_up") == 1


async def test_a_single_poll_whose_sweep_fails_says_so(time: VirtualTime) -> None:
    async with following(time, many(), SLOWLY, requests_per_second=2, start=False) as run:
        once = asyncio.ensure_future(run.accounts.poll_once())
        await run.until(12)  # beyond the poll's own deadline
        run.go_wrong(FaultKind.HTML)
        assert not await once
        assert run.value("itnio_up") == 0
        failure = run.accounts.snapshots["production"].health.failure
        assert failure is not None
        assert failure.reason == "invalid_response"


async def test_a_long_sweep_is_stored_while_it_is_read(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.poller.books.MANY", 1000)
    kept: list[int] = []
    commit = Books.commit

    async def noted(self: Books) -> None:
        kept.append(sum(len(book.tracked.ledger.touched) for book in self._books))
        await commit(self)

    monkeypatch.setattr(Books, "commit", noted)
    async with following(time, many(), "windows: [24h]", start=False) as run:
        await run.accounts.poll_once()
        assert run.sum(TASKS) == MANY
    assert sum(kept) == MANY
    assert len(kept) >= 3  # a slice has 2,000
    assert max(kept) <= 3000
