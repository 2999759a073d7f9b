"""From the API's answers to the file, on virtual time: what is read, kept, taken up again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exporter.api.client import Client, Query
from exporter.api.records import Page
from exporter.backfill.request import Request
from exporter.backfill.spool import OtherArgumentsError, Spool, SpoolError
from exporter.backfill.work import Job, Outcome, backfill, part_of
from exporter.config import Config
from exporter.simulator import ApiRules, Fault, FaultKind, ScriptedWorld, Simulator, serve
from tests.accounts import config_for
from tests.backfill.live import DAY, Silent, chosen, outside, read_points, world
from tests.poller.following import CALLING, FINISHED, record
from tests.virtual_time import BEGIN, VirtualTime

HOUR = 3600
NOW = int(BEGIN)
ACCOUNT = {"account": "production", "app": ""}


def request(**changed: Any) -> Request:
    return replace(Request(begin=NOW - DAY, end=NOW, step=600, task_duration=1800.0), **changed)


class Stopped(BaseException):
    """The power fails."""


def stopping_after(requests: int) -> type[Client]:
    """A client in whose hands the power fails at a request."""
    left = requests

    class StoppingClient(Client):
        async def page(self, query: Query) -> Page:
            nonlocal left
            left -= 1
            if left < 0:
                raise Stopped
            return await super().page(query)

    return StoppingClient


def counting(asked: list[Query]) -> type[Client]:
    class CountingClient(Client):
        async def page(self, query: Query) -> Page:
            asked.append(query)
            return await super().page(query)

    return CountingClient


async def run(
    time: VirtualTime,
    config: Config,
    output: Path,
    of: Request | None = None,
    *,
    arguments: dict[str, str] | None = None,
    client: type[Client] = Client,
) -> Outcome:
    world_outside = replace(outside(time), client=client)
    job = Job(config, of or request(), arguments or {}, str(output), Silent())
    return await backfill(job, world_outside)


def scripted(*records: dict[str, Any]) -> ScriptedWorld:
    scripted = ScriptedWorld()
    for each in records:
        scripted.add(each)
    return scripted


async def test_one_task_from_its_creation_on(time: VirtualTime, tmp_path: Path) -> None:
    created = NOW - 10 * HOUR
    past = scripted(record(1, created, callNum=10, answeredNum=8, status=FINISHED, scriptId=7))
    output = tmp_path / "out"
    async with await serve(past, clock=time.now) as simulator:
        assert (await run(time, config_for(simulator), output)).failed == {}
    points = read_points(output)
    script = {**ACCOUNT, "script_id": "7"}

    def of(name: str, **labels: str) -> dict[int, float]:
        return points[f"itnio_voice_{name}", frozenset({**script, **labels}.items())]

    calls = of("calls_total")
    # Begun at 0 a step before, so that increase() counts the first value, too.
    assert list(calls.items())[:5] == [
        (created - 600, 0),
        (created, 0),
        (created + 600, 3),
        (created + 1200, 7),
        (created + 1800, 10),
    ]
    assert calls[NOW] == 10
    hour = of("window_calls", window="1h")
    assert [hour[created + age] for age in (600, 1800, 3000, 3600)] == [3, 10, 10, 0]
    assert created - 600 not in hour
    assert of("window_tasks", window="24h", status="calling")[created + 1200] == 1
    assert of("window_tasks", window="24h", status="finished")[created + 1800] == 1
    assert of("task_transitions_total", status="finished")[NOW] == 1
    assert of("window_answer_ratio", window="24h")[NOW] == 0.8
    assert not part_of(str(output)).exists()


async def test_what_is_there_at_the_first_moment_is_a_baseline(
    time: VirtualTime, tmp_path: Path
) -> None:
    begin = NOW - DAY
    past = scripted(
        record(1, begin - 5 * HOUR, callNum=100, scriptId=1),
        record(2, begin - 900, callNum=100, scriptId=2),
        record(3, NOW - 900, callNum=60, status=CALLING, scriptId=3),
    )
    output = tmp_path / "out"
    async with await serve(past, clock=time.now) as simulator:
        await run(time, config_for(simulator), output)
    calls = {
        dict(labels)["script_id"]: times
        for (name, labels), times in read_points(output).items()
        if name == "itnio_voice_calls_total"
    }
    assert set(calls["1"].values()) == {0}
    assert calls["2"][begin] == 0
    assert max(calls["2"].values()) == 50, "half of it was called before the first moment"
    assert calls["3"][NOW] == 60, "what is calling now is exact now"
    assert calls["3"][NOW - 600] == 20


async def test_what_is_interrupted_goes_on_and_comes_out_the_same(
    time: VirtualTime, tmp_path: Path
) -> None:
    past = world(tasks_per_day=400)
    async with await serve(past, clock=time.now) as simulator:
        config = config_for(simulator)
        wanted = tmp_path / "wanted"
        asked: list[Query] = []
        await run(time, config, wanted, client=counting(asked))
        for number in range(1, len(asked), 3):
            output = tmp_path / f"out {number}"
            with pytest.raises(Stopped):
                await run(time, config, output, client=stopping_after(number))
            assert not output.exists()
            # The arguments mean what they meant at first, whatever time it is now.
            later = request(begin=NOW - DAY + 60, end=NOW + 60)
            await run(time, config, output, later)
            assert not part_of(str(output)).exists()
            assert output.read_bytes() == wanted.read_bytes()
    assert len(asked) > 6


async def test_what_was_read_is_not_asked_for_again(time: VirtualTime, tmp_path: Path) -> None:
    async with await serve(world(tasks_per_day=400), clock=time.now) as simulator:
        config, output = config_for(simulator), tmp_path / "out"
        with pytest.raises(Stopped):
            await run(time, config, output, client=stopping_after(8))
        asked: list[Query] = []
        await run(time, config, output, client=counting(asked))
        everything: list[Query] = []
        await run(time, config, tmp_path / "other", client=counting(everything))
    assert len(asked) < len(everything)
    assert min(query.begin for query in asked) > min(query.begin for query in everything)


async def test_a_part_of_other_arguments_is_refused(time: VirtualTime, tmp_path: Path) -> None:
    async with await serve(world(), clock=time.now) as simulator:
        config, output = config_for(simulator), tmp_path / "out"
        with pytest.raises(Stopped):
            await run(time, config, output, arguments={"--step": "5m"}, client=stopping_after(1))
        with pytest.raises(OtherArgumentsError, match="another --step; run that one again"):
            await run(time, config, output, arguments={"--step": "1m"})
        shorter = replace(config, poll=replace(config.poll, lookback=DAY - HOUR))
        with pytest.raises(OtherArgumentsError, match=r"another poll\.lookback"):
            await run(time, shorter, output, arguments={"--step": "5m"})
        assert (await run(time, config, output, arguments={"--step": "5m"})).failed == {}


async def test_two_at_once_do_not_spoil_each_other(tmp_path: Path) -> None:
    with (
        Spool(tmp_path / "part", {}, {"begin": 1}) as spool,
        pytest.raises(SpoolError, match="another backfill is writing to it"),
        Spool(tmp_path / "part", {}, {"begin": 1}),
    ):
        pytest.fail(f"both have {spool.path}")


def test_a_file_that_is_no_spool_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "part"
    path.write_text("something else that matters to somebody")
    with pytest.raises(SpoolError, match="delete it to begin anew"):
        Spool(path, {}, {})
    assert path.read_text() == "something else that matters to somebody"


def two_accounts(simulator: Simulator, secret: str) -> Config:
    config = config_for(simulator)
    (account,) = config.accounts
    other = replace(account, name="other", api_secret=type(account.api_secret)(secret))
    return replace(config, accounts=(other, account))


async def test_an_account_that_fails_does_not_lose_the_others(
    time: VirtualTime, tmp_path: Path
) -> None:
    output, alone = tmp_path / "out", tmp_path / "alone"
    async with await serve(world(), clock=time.now) as simulator:
        outcome = await run(time, two_accounts(simulator, "wrong"), output)
        assert {name: error.reason for name, error in outcome.failed.items()} == {
            "other": "authentication"
        }
        await run(time, config_for(simulator), alone)
        assert output.read_bytes() == alone.read_bytes()
        # With the right secret it is read, and the other is not read again.
        asked: list[Query] = []
        outcome = await run(
            time, two_accounts(simulator, "demo-secret"), output, client=counting(asked)
        )
        assert outcome.failed == {}
        everything: list[Query] = []
        await run(time, config_for(simulator), alone, client=counting(everything))
        assert asked == everything
    accounts = {dict(labels)["account"] for _, labels in read_points(output)}
    assert accounts == {"other", "production"}
    assert not part_of(str(output)).exists()


async def test_nothing_is_written_where_no_account_can_be_read(
    time: VirtualTime, tmp_path: Path
) -> None:
    async with await serve(world(), clock=time.now) as simulator:
        config = two_accounts(simulator, "wrong")
        outcome = await run(time, replace(config, accounts=config.accounts[:1]), tmp_path / "out")
    assert not outcome.written
    assert not (tmp_path / "out").exists()


async def test_ranges_that_the_api_refuses_are_split(time: VirtualTime, tmp_path: Path) -> None:
    past, narrow = world(), ApiRules(widest_range=4 * HOUR)
    async with await serve(past, clock=time.now) as simulator:
        await run(time, config_for(simulator), tmp_path / "wide")
    async with await serve(past, clock=time.now, rules=narrow) as simulator:
        outcome = await run(time, config_for(simulator), tmp_path / "narrow")
    assert outcome.failed == {}
    assert (tmp_path / "narrow").read_bytes() == (tmp_path / "wide").read_bytes()


async def test_a_failure_that_passes_costs_time_only(time: VirtualTime, tmp_path: Path) -> None:
    past = world()
    async with await serve(past, clock=time.now) as simulator:
        await run(time, config_for(simulator), tmp_path / "wanted")
        begun = time.monotonic()
        simulator.faults.add(Fault(kind=FaultKind.HTTP_STATUS, amount=503, times=10))
        outcome = await run(time, config_for(simulator), tmp_path / "out")
        assert time.monotonic() - begun > 10
    assert outcome.failed == {}
    points = read_points(tmp_path / "out")
    assert points == read_points(tmp_path / "wanted")


async def test_the_request_rate_is_kept(time: VirtualTime, tmp_path: Path) -> None:
    asked: list[Query] = []
    async with await serve(world(tasks_per_day=800), clock=time.now) as simulator:
        config = config_for(simulator)
        config = replace(config, poll=replace(config.poll, requests_per_second=2.0))
        begun = time.monotonic()
        await run(time, config, tmp_path / "out", client=counting(asked))
    assert len(asked) > 10
    assert time.monotonic() - begun >= (len(asked) - 1) / 2


async def test_scripts_beyond_the_limit_are_summed(time: VirtualTime, tmp_path: Path) -> None:
    past = scripted(*(record(n, NOW - 5 * HOUR + n, callNum=n, scriptId=n) for n in range(1, 6)))
    async with await serve(past, clock=time.now) as simulator:
        config = config_for(simulator)
        config = replace(config, metrics=replace(config.metrics, script_limit=2))
        await run(time, config, tmp_path / "out")
    calls = chosen(read_points(tmp_path / "out"), lambda name, _: name == "itnio_voice_calls_total")
    ends = {dict(labels)["script_id"]: times[NOW] for (_, labels), times in calls.items()}
    assert ends == {"1": 1, "2": 2, "other": 12}


async def test_who_is_calling_is_not_shown_where_only_the_finished_are_asked_for(
    time: VirtualTime, tmp_path: Path
) -> None:
    past = scripted(record(1, NOW - 5 * HOUR, callNum=10, scriptId=7))
    async with await serve(past, clock=time.now) as simulator:
        await run(time, config_for(simulator, account="statuses: [finished]"), tmp_path / "out")
    points = read_points(tmp_path / "out")
    tasks = chosen(points, lambda name, of: name.endswith("_tasks") and of["window"] == "24h")
    by_status = {dict(labels)["status"]: times for (_, labels), times in tasks.items()}
    assert set(by_status["calling"].values()) == {0}
    assert min(by_status["finished"]) == NOW - 5 * HOUR + 1800


async def test_hostile_text_stays_a_label(time: VirtualTime, tmp_path: Path) -> None:
    hostile = '"} 1\n# EOF\\\n'
    past = scripted(record(1, NOW - HOUR, scriptId=hostile))
    of = request(labels=(("job", hostile),))
    async with await serve(past, clock=time.now) as simulator:
        await run(time, config_for(simulator), tmp_path / "out", of)
    points = read_points(tmp_path / "out", without={"job": hostile})
    assert {dict(labels).get("script_id", hostile) for _, labels in points} == {hostile}


async def test_standard_output(
    time: VirtualTime, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    async with await serve(world(), clock=time.now) as simulator:
        await run(time, config_for(simulator), tmp_path / "out")
        job = Job(config_for(simulator), request(), {}, "-", Silent())
        await backfill(job, outside(time))
    assert capfdbinary.readouterr().out == (tmp_path / "out").read_bytes()


async def test_no_tasks_are_an_empty_file(time: VirtualTime, tmp_path: Path) -> None:
    async with await serve(ScriptedWorld(), clock=time.now) as simulator:
        assert (await run(time, config_for(simulator), tmp_path / "out")).failed == {}
    assert (tmp_path / "out").read_bytes() == b"# EOF\n"
