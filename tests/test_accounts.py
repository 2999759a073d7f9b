"""Accounts are added, removed and changed while the others go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exporter.accounts import Accounts
from exporter.app import App
from exporter.config import Config, ConfigError, parse
from exporter.running import Clocks
from exporter.simulator import ApiRules, Fault, FaultKind, ScriptedWorld, Simulator, serve
from exporter.web.options import WebOptions
from tests.accounts import samples, value
from tests.exposition.snapshots import openmetrics_families
from tests.poller.following import CALLING, record
from tests.virtual_time import BEGIN, VirtualTime

RULES = ApiRules(credentials={f"{name}-key": f"{name}-secret" for name in "abc"})


def config(simulator: Simulator, *accounts: str, poll: str = "") -> Config:
    """Accounts by name, or `name: more keys of it`."""
    lines = [f"poll: {{requests_per_second: 1000{poll}}}", "accounts:"]
    for account in accounts:
        name, _, keys = account.partition(": ")
        lines.append(
            f"  - {{name: {name}, api_key: {name}-key, api_secret: {name}-secret, "
            f"base_url: '{simulator.url}'{'' if 'timezone' in keys else ', timezone: UTC'}"
            f"{', ' if keys else ''}{keys}}}"
        )
    return parse("\n".join(lines), {})


@asynccontextmanager
async def simulated(time: VirtualTime, world: ScriptedWorld) -> AsyncIterator[Simulator]:
    async with await serve(world, clock=time.now, rules=RULES) as simulator:
        yield simulator


@asynccontextmanager
async def started(time: VirtualTime, begun: Config) -> AsyncIterator[Accounts]:
    accounts = Accounts(begun, Clocks(time.now, time.monotonic, lambda: 0.0))
    try:
        await accounts.start()
        await asyncio.sleep(0.5)
        text(accounts)  # new counters stay at 0 until somebody has seen them there
        yield accounts
    finally:
        await accounts.stop()


def text(accounts: Accounts) -> bytes:
    return accounts.exposition.text(openmetrics=False)


def accounts_in(accounts: Accounts) -> set[str]:
    """Every account that any sample of either format names."""
    named = {dict(of).get("account", "") for _, of in samples(text(accounts))}
    for family in openmetrics_families(accounts.exposition.text(openmetrics=True)):
        named |= {sample.labels.get("account", "") for sample in family.samples}
    return named - {""}


def loops() -> dict[str, asyncio.Task[object]]:
    return {
        task.get_name().removeprefix("poll "): task
        for task in asyncio.all_tasks()
        if task.get_name().startswith("poll ")
    }


async def test_nothing_is_known_before_the_start(time: VirtualTime) -> None:
    async with simulated(time, ScriptedWorld()) as simulator:
        accounts = Accounts(config(simulator, "a", "b"), Clocks(time.now, time.monotonic))
        # A probe may ask as soon as the server listens.
        assert accounts.snapshots == {}
        assert accounts.awaited() == ["a", "b"]
        assert b"itnio_exporter_build_info" in text(accounts)
        await accounts.stop()


async def test_an_account_that_is_the_same_goes_on_untouched(time: VirtualTime) -> None:
    async with (
        simulated(time, ScriptedWorld()) as simulator,
        started(time, config(simulator, "a", "b")) as accounts,
    ):
        before = loops()
        snapshot = accounts.snapshots["a"]
        await accounts.reload(config(simulator, "c", "a", "b: currency: EUR"))
        assert loops().keys() == {"a", "b", "c"}
        assert loops()["a"] is before["a"]
        assert loops()["b"] is not before["b"]
        assert before["b"].cancelled()
        assert accounts.snapshots["a"] is snapshot
        assert list(accounts.snapshots) == ["c", "a", "b"]
        asked = simulator.api.log.by_key["a-key"]
        await asyncio.sleep(1)
        assert simulator.api.log.by_key["a-key"] == asked
        assert value(text(accounts), "itnio_up", account="c") == 1


async def test_the_trends_of_accounts_that_stay_survive_a_reload(time: VirtualTime) -> None:
    async with (
        simulated(time, ScriptedWorld([record(1, BEGIN, status=CALLING)])) as simulator,
        started(time, config(simulator, "a", "b", "c")) as accounts,
    ):
        await asyncio.sleep(120)
        histories = dict(accounts.histories)
        assert len(histories["a"].frames) == 3
        await accounts.reload(config(simulator, "a", "c: currency: EUR"))
        assert accounts.histories["a"] is histories["a"]
        assert accounts.histories["c"].frames[:3] == histories["c"].frames
        assert "b" not in accounts.histories


async def test_snapshots_can_be_asked_for_in_the_middle_of_a_reload(time: VirtualTime) -> None:
    async with (
        simulated(time, ScriptedWorld()) as simulator,
        started(time, config(simulator, "a")) as accounts,
    ):
        reload = asyncio.ensure_future(accounts.reload(config(simulator, "b", "a: search: x")))
        while not reload.done():
            assert accounts.snapshots.keys() <= {"a", "b"}
            text(accounts)
            await asyncio.sleep(0)
        assert accounts.snapshots.keys() == {"a", "b"}


async def test_a_removed_account_leaves_nothing_behind(time: VirtualTime) -> None:
    world = ScriptedWorld([record(1, BEGIN - 60, status=CALLING), {"taskId": None}])
    async with (
        simulated(time, world) as simulator,
        started(time, config(simulator, "a", "b")) as accounts,
    ):
        simulator.faults.add(Fault(kind=FaultKind.HTML, api_key="a-key"))
        await asyncio.sleep(60)
        assert accounts_in(accounts) == {"a", "b"}
        assert value(text(accounts), "itnio_exporter_rejected_records_total", account="a")
        await accounts.reload(config(simulator, "b"))
        assert accounts_in(accounts) == {"b"}
        assert loops().keys() == {"b"}
        assert accounts.awaited() == []
        asked = simulator.api.log.by_key["a-key"]
        await asyncio.sleep(120)
        assert accounts_in(accounts) == {"b"}
        assert simulator.api.log.by_key["a-key"] == asked
        # It may come back, and is then waited for like a new one.
        await accounts.reload(config(simulator, "b", "a"))
        assert accounts.awaited() == ["a"]
        await asyncio.sleep(1)
        assert accounts_in(accounts) == {"a", "b"}


@pytest.mark.parametrize("fault", [None, FaultKind.HANG])
async def test_an_account_can_be_removed_in_the_middle_of_a_poll(
    time: VirtualTime, fault: FaultKind | None
) -> None:
    async with simulated(time, ScriptedWorld()) as simulator:
        if fault is not None:
            simulator.faults.add(Fault(kind=fault))
        accounts = Accounts(config(simulator, "a", "b"), Clocks(time.now, time.monotonic))
        await accounts.start()
        await asyncio.sleep(0)
        await accounts.reload(config(simulator, "b"))
        assert accounts_in(accounts) == {"b"}
        await asyncio.sleep(100)
        assert accounts_in(accounts) == {"b"}
        await accounts.stop()


@pytest.mark.parametrize(
    ("keys", "poll"),
    [("currency: EUR", ""), ("objectives: {answer_ratio: 0.5}", ""), ("", ", lookback: 2d")],
)
async def test_counters_never_go_down_over_a_change(
    time: VirtualTime, keys: str, poll: str
) -> None:
    world = ScriptedWorld([record(1, BEGIN - 60)])
    async with (
        simulated(time, world) as simulator,
        started(time, config(simulator, "a")) as accounts,
    ):
        world.add(record(2, BEGIN + 30))
        await asyncio.sleep(120)
        shown = [value(text(accounts), "itnio_voice_calls_total")]
        assert shown == [10]
        windows = value(text(accounts), "itnio_voice_window_calls", window="1h")
        await accounts.reload(config(simulator, f"a: {keys}" if keys else "a", poll=poll))
        # What was known is shown until more is.
        assert value(text(accounts), "itnio_voice_window_calls", window="1h") == windows == 20
        assert accounts.awaited() == []
        world.update(2, callNum=15)
        world.add(record(3, time.now()))
        for _ in range(4):
            shown.append(value(text(accounts), "itnio_voice_calls_total"))
            await asyncio.sleep(30)
        shown.append(value(text(accounts), "itnio_voice_calls_total"))
        assert None not in shown
        assert shown == sorted(each for each in shown if each is not None)
        assert shown[-1] == 25
        assert value(text(accounts), "itnio_exporter_polls_total") == 5


async def test_an_app_with_corrections_can_be_dropped(time: VirtualTime) -> None:
    world = ScriptedWorld([record(1, BEGIN - 60, status=CALLING)])
    apps = "apps: [{id: 12, name: x}%s]"
    async with (
        simulated(time, world) as simulator,
        started(time, config(simulator, "a: " + apps % ", {id: 15, name: y}")) as accounts,
    ):
        world.add(record(2, BEGIN - 30, status=CALLING), app=15)
        await asyncio.sleep(60)
        world.update(2, callNum=3)
        await asyncio.sleep(60)
        corrections = "itnio_exporter_corrections_total"
        assert value(text(accounts), corrections) == 1
        await accounts.reload(config(simulator, "a: " + apps % ""))
        await asyncio.sleep(60)
        assert value(text(accounts), corrections) == 1
        assert value(text(accounts), "itnio_up") == 1
        assert {dict(of).get("app") for _, of in samples(text(accounts))} <= {None, "x"}


async def test_more_of_the_account_is_asked_for_without_counting_what_was_there(
    time: VirtualTime,
) -> None:
    world = ScriptedWorld([record(1, BEGIN - 60, taskName="one"), record(2, BEGIN - 60)])
    async with (
        simulated(time, world) as simulator,
        started(time, config(simulator, "a: search: one")) as accounts,
    ):
        await asyncio.sleep(100)
        assert value(text(accounts), "itnio_voice_calls_total") == 0
        await accounts.reload(config(simulator, "a"))
        await asyncio.sleep(100)
        assert value(text(accounts), "itnio_voice_window_calls", window="1h") == 20
        assert value(text(accounts), "itnio_voice_calls_total") == 0
        world.add(record(3, time.now()))
        await asyncio.sleep(100)
        assert value(text(accounts), "itnio_voice_calls_total") == 10


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: search: one", "a"),
        ("a: statuses: [finished]", "a"),
        # The zone told is too far ahead: what it took for older than the lookback comes into view.
        ("a: timezone: '-12:00'", "a"),
    ],
)
@pytest.mark.parametrize("way", ["restart", "reload"])
async def test_what_is_asked_for_only_now_is_a_baseline(
    time: VirtualTime, tmp_path: Path, before: str, after: str, way: str
) -> None:
    world = ScriptedWorld([record(1, BEGIN - 60, taskName="one"), record(2, BEGIN - 60)])
    world.add(record(3, BEGIN - 80_000))
    async with simulated(time, world) as simulator:
        accounts = await begun(time, config(simulator, before), tmp_path)
        await asyncio.sleep(100)
        if way == "reload":
            await accounts.reload(config(simulator, after))
        else:
            await accounts.stop()
            accounts = await begun(time, config(simulator, after), tmp_path)
        await asyncio.sleep(100)
        assert value(text(accounts), "itnio_voice_window_calls", window="24h") == 30
        assert value(text(accounts), "itnio_voice_calls_total") == 0
        world.add(record(4, time.now()))
        await asyncio.sleep(130)
        assert value(text(accounts), "itnio_voice_calls_total") == 10
        await accounts.stop()


async def test_counters_of_an_earlier_life_are_there_before_the_first_poll(
    time: VirtualTime, tmp_path: Path
) -> None:
    world = ScriptedWorld([record(1, BEGIN - 60)])
    async with simulated(time, world) as simulator:
        accounts = await begun(time, config(simulator, "a"), tmp_path)
        await asyncio.sleep(1)
        text(accounts)
        world.add(record(2, BEGIN + 10))
        await asyncio.sleep(60)
        assert value(text(accounts), "itnio_voice_calls_total") == 10
        await accounts.stop()
        # Its script has no counter yet: that begins at 0, and waits there for a scrape.
        world.add(record(3, time.now(), scriptId=99))
        simulator.faults.add(Fault(kind=FaultKind.HANG))
        accounts = await begun(time, config(simulator, "a"), tmp_path)
        assert value(text(accounts), "itnio_voice_calls_total") == 10
        assert value(text(accounts), "itnio_up") is None
        simulator.faults.clear()
        await asyncio.sleep(119)
        assert value(text(accounts), "itnio_voice_calls_total", script_id="99") == 0
        await asyncio.sleep(60)
        assert value(text(accounts), "itnio_voice_calls_total", script_id="99") == 10
        await accounts.stop()


async def begun(time: VirtualTime, config: Config, state: Path) -> Accounts:
    accounts = Accounts(config, Clocks(time.now, time.monotonic, lambda: 0.0), state)
    await accounts.start()
    return accounts


async def test_another_app_under_the_same_name_is_a_baseline(time: VirtualTime) -> None:
    world = ScriptedWorld()
    world.add(record(1, BEGIN - 60), app=12)
    world.add(record(2, BEGIN - 60), app=15)
    async with (
        simulated(time, world) as simulator,
        started(time, config(simulator, "a: apps: [{id: 12, name: x}]")) as accounts,
    ):
        world.add(record(3, BEGIN + 10), app=12)
        await asyncio.sleep(130)
        assert value(text(accounts), "itnio_voice_calls_total") == 10
        await accounts.reload(config(simulator, "a: apps: [{id: 15, name: x}]"))
        await asyncio.sleep(130)
        assert value(text(accounts), "itnio_voice_calls_total") == 10


RELOAD = "itnio_exporter_config_last_reload_"


async def test_a_bad_file_changes_nothing(time: VirtualTime) -> None:
    async with simulated(time, ScriptedWorld()) as simulator:
        good = config(simulator, "a")
        texts = ["accounts: []\n"]

        def load() -> Config:
            return parse(texts[0], {}) if texts else good

        clocks = Clocks(time.now, time.monotonic, lambda: 0.0)
        app = App(good, load, WebOptions(()), clocks=clocks)
        accounts = app.accounts
        try:
            await accounts.start()
            await asyncio.sleep(0.5)
            before = loops()
            assert value(text(accounts), f"{RELOAD}successful") == 1
            assert value(text(accounts), f"{RELOAD}success_timestamp_seconds") == BEGIN
            with pytest.raises(ConfigError, match="is an empty list"):
                await app.load_anew()
            assert value(text(accounts), f"{RELOAD}successful") == 0
            failure = app.reload_failure()
            assert failure is not None
            assert "is an empty list" in failure.message
            assert app.config() is good
            assert value(text(accounts), f"{RELOAD}success_timestamp_seconds") == BEGIN
            assert loops() == before
            assert accounts_in(accounts) == {"a"}
            texts.clear()
            await asyncio.sleep(10)
            await app.load_anew()
            assert app.reload_failure() is None
            assert value(text(accounts), f"{RELOAD}successful") == 1
            assert value(text(accounts), f"{RELOAD}success_timestamp_seconds") == time.now()
            assert loops() == before
        finally:
            await accounts.stop()
