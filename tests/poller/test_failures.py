"""What is shown when polls fail: contained to the account, told by its reason, over once it is."""

import pytest

from exporter.config import Config, parse
from exporter.simulator import ApiRules, Fault, FaultKind, ScriptedWorld, Simulator
from exporter.tasks import coverage
from tests.poller.following import CALLING, following, record
from tests.virtual_time import BEGIN, VirtualTime

WINDOW_CALLS = "itnio_voice_window_calls"

FAILURES = [
    ("authentication", Fault(kind=FaultKind.API_CODE, amount=-1)),
    ("ip_restricted", Fault(kind=FaultKind.API_CODE, amount=-2)),
    ("clock_skew", Fault(kind=FaultKind.API_CODE, amount=-16)),
    ("system", Fault(kind=FaultKind.API_CODE, amount=-18)),
    ("parameter", Fault(kind=FaultKind.API_CODE, amount=-22)),
    ("unknown_code", Fault(kind=FaultKind.API_CODE, amount=-99)),
    ("unknown_code", Fault(kind=FaultKind.API_CODE, amount=7)),
    ("rate_limited", Fault(kind=FaultKind.RATE_LIMITED)),
    ("rate_limited", Fault(kind=FaultKind.RATE_LIMITED, amount=3600)),
    ("http", Fault(kind=FaultKind.HTTP_STATUS, amount=404)),
    ("http", Fault(kind=FaultKind.HTTP_STATUS, amount=502)),
    ("http", Fault(kind=FaultKind.REDIRECT)),
    ("timeout", Fault(kind=FaultKind.HANG)),
    ("timeout", Fault(kind=FaultKind.SLOW, amount=11)),
    ("timeout", Fault(kind=FaultKind.DRIPPING, amount=5)),
    ("connection", Fault(kind=FaultKind.RESET)),
    ("connection", Fault(kind=FaultKind.TRUNCATED)),
    ("invalid_response", Fault(kind=FaultKind.HTML)),
    ("invalid_response", Fault(kind=FaultKind.EMPTY_BODY)),
    ("invalid_response", Fault(kind=FaultKind.NOT_JSON)),
    ("invalid_response", Fault(kind=FaultKind.JSON_OF_ANOTHER_SHAPE)),
    ("invalid_response", Fault(kind=FaultKind.DATA_NULL)),
    ("invalid_response", Fault(kind=FaultKind.CUT_JSON)),
    ("invalid_response", Fault(kind=FaultKind.DEEP_JSON, amount=20_000)),
    ("incomplete", Fault(kind=FaultKind.WRONG_TOTAL)),
    ("incomplete", Fault(kind=FaultKind.EMPTY_PAGE)),
]


def identity(value: object) -> str:
    return f"{value.kind}-{value.amount}" if isinstance(value, Fault) else str(value)


def two_accounts(simulator: Simulator) -> Config:
    account = (
        "  - {{name: {0}, api_key: {0}-key, api_secret: {0}-secret, base_url: {1}, timezone: UTC}}"
    )
    lines = ["poll: {requests_per_second: 1000}", "accounts:"]
    lines += [account.format(name, simulator.url) for name in ("well", "ill")]
    return parse("\n".join(lines), {})


TWO_KEYS = ApiRules(credentials={"well-key": "well-secret", "ill-key": "ill-secret"})


@pytest.mark.parametrize(("reason", "fault"), FAILURES, ids=identity)
async def test_a_failure_is_told_by_its_reason_and_hurts_nobody_else(
    time: VirtualTime, reason: str, fault: Fault
) -> None:
    world = ScriptedWorld([record(1, BEGIN - 30, status=CALLING)])
    async with following(time, world, config=two_accounts, rules=TWO_KEYS) as run:
        await run.until(50)
        run.go_wrong(fault.kind, fault.amount, text=fault.text, api_key="ill-key")
        world.update(1, callNum=12)
        await run.until(115)  # one poll of both, to its end
        assert run.failures("ill") == {reason: 1}
        assert run.failures("well") == {}
        assert run.value("itnio_exporter_polls_total", account="ill") == 2
        assert run.value("itnio_up", account="ill") == 0
        assert run.value("itnio_up", account="well") == 1
        last_success = "itnio_exporter_last_success_timestamp_seconds"
        assert run.value(last_success, account="ill") == pytest.approx(BEGIN, abs=1)
        assert run.value(last_success, account="well") == pytest.approx(BEGIN + 60, abs=1)
        # The last good figures stay, and those of the other go on.
        assert run.value(WINDOW_CALLS, account="ill", window="1h") == 10
        assert run.value(WINDOW_CALLS, account="well", window="1h") == 12
        failure = run.accounts.snapshots["ill"].health.failure
        assert failure is not None
        assert failure.message
        assert failure.remedy.endswith(".")
        assert "ill-key" not in failure.message
        assert "ill-secret" not in failure.message

        run.simulator.faults.clear()
        await run.until(430 if fault.amount == 3600 else 130)
        assert run.value("itnio_up", account="ill") == 1
        assert run.value(WINDOW_CALLS, account="ill", window="1h") is not None
        assert run.accounts.snapshots["ill"].health.failure is None
        assert run.value("itnio_voice_calls_total", account="ill") == 2


async def test_a_deadline_is_blamed_only_where_no_request_had_failed(time: VirtualTime) -> None:
    poll = "deadline: 5s\ntimeout: 5s\ninterval: 10s"
    world = ScriptedWorld(record(task, BEGIN - 30) for task in range(450))
    async with following(time, world, poll, start=False) as run:
        # Five pages, each answered, none of them late, but together too late.
        run.go_wrong(FaultKind.SLOW, 2)
        await run.accounts.start()
        await run.until(8)
        assert run.failures() == {"deadline": 1}
        # The same, but one request has failed, and was tried again with success.
        run.go_wrong(FaultKind.HTTP_STATUS, 500, times=1)
        await run.until(18)
        assert run.failures() == {"deadline": 1, "http": 1}
        # What failed in the last poll is not this poll's reason.
        await run.until(28)
        assert run.failures() == {"deadline": 2, "http": 1}


async def test_the_last_request_s_error_is_the_reason(time: VirtualTime) -> None:
    async with following(time, poll="deadline: 40s") as run:
        run.go_wrong(FaultKind.HTTP_STATUS, 500, times=1)
        await run.until(55)
        run.simulator.faults.clear()
        run.go_wrong(FaultKind.HTTP_STATUS, 500, times=1)
        await run.until(60)
        run.go_wrong(FaultKind.HANG)
        await run.until(115)
        assert run.failures() == {"timeout": 1}


async def test_a_fault_of_ours_fails_the_poll_and_not_the_exporter(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ScriptedWorld([record(1, BEGIN - 30)])
    async with following(time, world) as run:
        with monkeypatch.context() as broken:
            broken.setattr(coverage, "head", None)
            await run.until(70)
            assert run.failures() == {"internal": 1}
            assert run.value("itnio_up") == 0
            assert run.value(WINDOW_CALLS, window="1h") == 10
        await run.until(130)
        assert run.value("itnio_up") == 1


@pytest.mark.parametrize(
    "place", ["exporter.poller.account.figures_of", "exporter.exposition.kept.sample_lines"]
)
async def test_an_account_survives_a_fault_of_ours_wherever_it_is(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    world = ScriptedWorld([record(1, BEGIN - 30)])
    async with following(time, world) as run:
        with monkeypatch.context() as broken:
            broken.setattr(place, None)
            await run.until(130)
        assert run.value("itnio_exporter_polls_total") == 3
        world.update(1, callNum=11)
        await run.until(190)
        assert run.value("itnio_up") == 1
        assert run.value(WINDOW_CALLS, window="1h") == 11


async def test_a_fault_of_ours_in_the_figures_is_a_failed_poll(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with following(time, ScriptedWorld([record(1, BEGIN - 30)])) as run:
        monkeypatch.setattr("exporter.poller.account.figures_of", None)
        await run.until(70)
        assert run.value("itnio_up") == 0
        assert run.failures() == {"internal": 1}


STALE = ("itnio_voice_window_", "itnio_voice_unfinished", "itnio_voice_oldest", "itnio_voice_task_")


def gauges(text: bytes) -> set[str]:
    return {
        line.partition("{")[0]
        for line in text.decode().splitlines()
        if line.startswith(STALE) and not line.startswith("itnio_voice_task_transitions")
    }


async def test_figures_are_withdrawn_once_stale_and_come_back(time: VirtualTime) -> None:
    world = ScriptedWorld([record(1, BEGIN - 30, status=CALLING)])
    async with following(time, world, account="objectives: {answer_ratio: 0.3}") as run:
        world.update(1, callNum=12)
        await run.scrape()
        await run.until(70)
        fresh = run.text()
        assert {
            "itnio_voice_window_answer_ratio",
            "itnio_voice_unfinished_tasks",
            "itnio_voice_oldest_unfinished_task_age_seconds",
            "itnio_voice_oldest_stalled_task_seconds",
            "itnio_voice_task_info",
        } <= gauges(fresh)
        run.go_wrong(FaultKind.RESET)
        await run.until(60 + 299)  # the last poll before was at 300
        assert gauges(run.text()) == gauges(fresh)
        assert run.value(WINDOW_CALLS, window="1h") == 12
        await run.until(60 + 300 + 60)
        stale = run.text()
        assert gauges(stale) == set()
        # Counters, objectives and the exporter's own metrics stay.
        assert run.value("itnio_voice_calls_total") == 2
        assert run.value("itnio_voice_objective_answer_ratio") == 0.3
        assert run.value("itnio_up") == 0
        assert run.value("itnio_exporter_tracked_tasks") == 1
        assert run.value("itnio_exporter_last_success_timestamp_seconds") == pytest.approx(
            BEGIN + 60, abs=1
        )
        assert run.accounts.snapshots["production"].figures is None

        run.simulator.faults.clear()
        await run.until(490)
        assert gauges(run.text()) == gauges(fresh)
        assert run.value("itnio_voice_calls_total") == 2


@pytest.mark.parametrize("offset", [-3 * 3600, 3 * 3600])
async def test_figures_become_stale_by_a_clock_that_is_never_set(
    time: VirtualTime, offset: float
) -> None:
    async with following(time, ScriptedWorld([record(1, BEGIN - 30)])) as run:
        run.go_wrong(FaultKind.RESET)
        await run.until(30)
        time.wall_offset = offset
        await run.until(130)
        assert run.value(WINDOW_CALLS, window="24h") == 10
        await run.until(60 * 7)
        assert run.value(WINDOW_CALLS, window="24h") is None


async def test_an_account_that_never_worked_has_no_figures_and_no_counters(
    time: VirtualTime,
) -> None:
    async with following(time, ScriptedWorld([record(1, BEGIN - 30)]), start=False) as run:
        run.go_wrong(FaultKind.RESET)
        assert run.accounts.awaited() == ["production"]
        await run.accounts.start()
        await run.until(0.01)
        assert run.accounts.awaited() == ["production"]
        assert run.value("itnio_up") is None
        await run.until(30)
        # It has failed: so it keeps nobody waiting.
        assert run.accounts.awaited() == []
        assert run.value("itnio_up") == 0
        assert run.value("itnio_exporter_last_success_timestamp_seconds") is None
        assert gauges(run.text()) == set()
        assert run.value("itnio_voice_calls_total") is None
        run.simulator.faults.clear()
        world = run.world
        world.add(record(2, time.now()))
        await run.until(70)
        # Nothing had been counted before: also what came while it failed is a baseline.
        assert run.value("itnio_voice_calls_total") == 0
        assert run.value(WINDOW_CALLS, window="1h") == 20


async def test_it_is_ready_once_every_account_has_been_heard_of(time: VirtualTime) -> None:
    async with following(time, config=two_accounts, rules=TWO_KEYS, start=False) as run:
        run.go_wrong(FaultKind.HANG, api_key="ill-key")
        await run.accounts.start()
        await run.until(1)
        assert run.accounts.awaited() == ["ill"]
        await run.until(55)
        assert run.accounts.awaited() == []


async def test_what_a_failed_poll_has_read_already_is_counted_and_not_counted_again(
    time: VirtualTime,
) -> None:
    # Older than what a poll reads by itself: asked for apart, in a request of its own.
    old = [record(task, BEGIN - 7200 - task, status=CALLING) for task in range(1, 150)]
    async with following(time, ScriptedWorld(old)) as run:
        await run.scrape()
        run.world.add(record(500, BEGIN + 30))
        run.go_wrong(FaultKind.API_CODE, -22, page=2)
        await run.until(70)
        assert run.failures() == {"parameter": 1}
        run.simulator.faults.clear()
        await run.until(130)
        assert run.value("itnio_up") == 1
        assert run.value("itnio_voice_calls_total") == 10


async def test_requests_are_counted_by_what_became_of_them(time: VirtualTime) -> None:
    async with following(time) as run:
        for kind, amount in [
            (FaultKind.HTTP_STATUS, 502),
            (FaultKind.RATE_LIMITED, 1),
            (FaultKind.RESET, None),
            (FaultKind.HANG, None),
            (FaultKind.API_CODE, -18),
            (FaultKind.API_CODE, -1),
            (FaultKind.HTML, None),
        ]:
            run.simulator.faults.clear()
            run.go_wrong(kind, amount, times=1)
            await run.until((run.time.monotonic() // 60 + 1) * 60 + 50)

        def requests(code: str) -> float | None:
            return run.value("itnio_exporter_api_requests_total", code=code)

        codes = ["http_502", "http_429", "connection", "timeout", "-18", "-1", "invalid"]
        assert {code: requests(code) for code in codes} == dict.fromkeys(codes, 1)
        assert requests("0") == run.simulator.api.log.by_outcome["0"]
        assert run.failures() == {"authentication": 1, "invalid_response": 1}
        seconds = run.value("itnio_exporter_api_request_duration_seconds_count")
        assert seconds == sum(map(len, [run.asked_at()]))
