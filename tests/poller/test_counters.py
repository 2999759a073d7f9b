"""Counters: what was there is a baseline, what is new counts whole, nothing goes down."""

from exporter.simulator import ScriptedWorld
from tests.accounts import Samples, samples
from tests.poller.following import CALLING, FINISHED, Run, following, record
from tests.virtual_time import BEGIN, VirtualTime

COUNTERS = {
    "calls": 10,
    "answered_calls": 8,
    "successful_calls": 8,
    "failed_calls": 2,
    "billed_seconds": 480,
    "agent_billed_seconds": 320,
    "sms_sent": 0,
}
CALLS = "itnio_voice_calls_total"
SPEND = "itnio_voice_spend_total"
TRANSITIONS = "itnio_voice_task_transitions_total"


def counters(run: Run) -> Samples:
    return {
        key: value
        for key, value in samples(run.text()).items()
        if key[0].startswith("itnio_voice_") and key[0].endswith("_total")
    }


async def test_what_was_there_first_is_a_baseline(time: VirtualTime) -> None:
    world = ScriptedWorld(
        [
            record(1, BEGIN - 30),
            record(2, BEGIN - 60, status=CALLING, callNum=4),
            record(3, BEGIN - 7200),
        ]
    )
    async with following(time, world) as run:
        await run.until(130)
        # All series are there, at 0, so that increase() has a start.
        shown = counters(run)
        assert set(shown.values()) == {0}
        assert {name for name, _ in shown} == {
            *(f"itnio_voice_{name}_total" for name in COUNTERS),
            SPEND,
            TRANSITIONS,
        }
        # What a baseline adds from now on counts, and only that.
        world.update(2, callNum=7, answeredNum=9)
        await run.until(190)
        assert run.value(CALLS) == 3
        assert run.value("itnio_voice_answered_calls_total") == 1
        world.update(2, status=FINISHED, groupCallPayFee="1.034827(USD)")
        await run.until(250)
        assert run.value(SPEND, kind="call") == 1
        assert run.value(TRANSITIONS, status="finished") == 1


async def test_a_new_task_adds_everything_it_has(time: VirtualTime) -> None:
    async with following(time) as run:
        run.world.add(record(1, BEGIN + 30))
        await run.scrape()
        await run.until(70)
        await run.scrape()
        await run.until(130)
        for name, total in COUNTERS.items():
            assert run.value(f"itnio_voice_{name}_total", script_id="56") == total
        assert run.value(SPEND, kind="agent", currency="USD") == 0.125
        assert run.value(SPEND, kind="call", currency="USD") == 0.034827
        assert run.value(SPEND, kind="sms", currency="USD") == 0
        assert run.value(TRANSITIONS, status="finished") == 1
        assert run.sum(TRANSITIONS) == 1
        assert len({dict(of)["status"] for (n, of) in samples(run.text()) if n == TRANSITIONS}) == 8


async def test_a_new_series_is_scraped_at_0_before_its_first_value(time: VirtualTime) -> None:
    async with following(time) as run:
        for second in (10, 25):  # scrapes come, and so more are expected
            await run.until(second)
            await run.scrape()
        run.world.add(record(1, BEGIN + 30))
        scraped: list[float | None] = []
        for second in range(40, 400, 15):
            await run.until(second + 2)
            text = await run.scrape()
            assert b"itnio_up" in text
            scraped.append(run.value(CALLS))
        first = next(value for value in scraped if value is not None)
        assert first == 0
        assert scraped[-1] == 10
        # As soon as it has been seen at 0, the next poll shows what it is.
        assert scraped.index(10) - scraped.index(0) <= 4


async def test_a_scrape_of_other_names_has_not_seen_the_counters(time: VirtualTime) -> None:
    async with following(time) as run:
        for second in (10, 55):
            await run.until(second)
            await run.scrape()
        run.world.add(record(1, BEGIN + 30))
        await run.until(70)
        await run.accounts.exposition.scrape(
            openmetrics=False, compressed=False, names=frozenset({"itnio_up"})
        )
        await run.until(125)
        first = await run.scrape()
        assert b'itnio_voice_calls_total{account="production",app="",script_id="56"} 0' in first


async def test_what_goes_down_adds_nothing_until_it_passes_its_mark(time: VirtualTime) -> None:
    world = ScriptedWorld([record(1, BEGIN - 30, status=CALLING)])
    async with following(time, world) as run:
        shown: list[float | None] = []
        for poll, calls in enumerate((12, 5, 11, 12, 14), 1):
            world.update(1, callNum=calls)
            await run.until(60 * poll + 5)
            shown.append(run.value(CALLS))
        assert shown == [2, 2, 2, 2, 4]
        assert run.value("itnio_exporter_corrections_total") == 1
        # The window tells what is, not what was.
        world.update(1, callNum=3)
        await run.until(365)
        assert run.value("itnio_voice_window_calls", window="1h") == 3
        assert run.value("itnio_exporter_corrections_total") == 2


async def test_a_task_that_comes_back_is_not_counted_again(time: VirtualTime) -> None:
    async with following(time) as run:
        run.world.add(record(1, BEGIN + 100, status=CALLING))
        await run.until(190)
        assert run.value(CALLS) == 10
        run.world.delete(1)
        await run.until(250)
        assert run.value("itnio_exporter_tracked_tasks") == 0
        assert run.value("itnio_voice_window_calls", window="1h") is None
        run.world.add(record(1, BEGIN + 250, callNum=11))
        await run.until(310)
        assert run.value(CALLS) == 11


async def test_scripts_beyond_the_limit_are_summed_under_other(time: VirtualTime) -> None:
    world = ScriptedWorld(record(n, BEGIN - n, scriptId=n) for n in range(1, 151))
    async with following(time, world) as run:
        window = {"window": "24h"}
        calls = "itnio_voice_window_calls"
        assert run.value(calls, script_id="other", **window) == 500
        assert run.sum(calls, **window) == 1500
        assert run.value("itnio_exporter_overflowed_scripts") == 50
        own = {dict(of)["script_id"] for (name, of) in samples(run.text()) if name == calls} - {
            "other"
        }
        assert len(own) == 100
        world.add(record(500, BEGIN + 10, scriptId=999))
        known = min(own)
        world.add(record(501, BEGIN + 10, scriptId=int(known)))
        await run.until(130)
        assert run.value(CALLS, script_id="other") == 10
        assert run.value(CALLS, script_id=known) == 10
        assert run.value("itnio_exporter_overflowed_scripts") == 51
        # First come, first kept: nothing has moved between labels.
        after = {dict(of)["script_id"] for (name, of) in samples(run.text()) if name == calls}
        assert after == own | {"other"}


async def test_an_account_s_task_series_are_the_newest_unfinished(time: VirtualTime) -> None:
    world = ScriptedWorld(record(n, BEGIN - n, status=CALLING) for n in range(1, 61))
    world.add(record(100, BEGIN))
    async with following(time, world) as run:
        shown = {
            int(dict(of)["task_id"])
            for (name, of) in samples(run.text())
            if name == "itnio_voice_task_info"
        }
        assert shown == set(range(1, 51))
