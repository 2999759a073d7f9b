"""What the lookback holds is counted, what polling costs is told, and settings are proposed."""

import pytest

from exporter.config import Metrics, Poll, Window, format_duration, parse_duration
from exporter.inspection.cost import AppLoad, Pace, cost, proposals
from exporter.simulator import ApiRules, Fault, FaultBoard, FaultKind, ScriptedWorld
from tests.inspection.accounts import evenly, inspected, record, simulated, topics, wrongs
from tests.virtual_time import VirtualTime

POLL = Poll(
    interval=60,
    timeout=10,
    deadline=50,
    concurrency=4,
    requests_per_second=5,
    lookback=86_400,
    windows=(Window("1h", 3600),),
    settle=3600,
    full_sweep=3600,
    stale_after=300,
)
METRICS = Metrics(script_limit=100, task_limit=50)
FAST = Pace(0.1, 0.3)


def proposed(apps: list[AppLoad], pace: Pace = FAST, metrics: Metrics = METRICS) -> dict[str, str]:
    return {each.key: each.proposed for each in proposals(apps, POLL, metrics, pace)}


def test_the_cost_of_a_small_account() -> None:
    expected = cost([AppLoad("", 480, 20, 4)], POLL, FAST)
    assert (expected.least_a_poll, expected.most_a_poll) == (1, 5)
    assert (expected.sweep, expected.sweep_seconds) == (5, 1.0)
    assert (expected.least_a_day, expected.most_a_day) == (1440 + 120, 7200 + 120)


def test_the_cost_of_a_large_account_with_apps() -> None:
    apps = [AppLoad("a", 100_000, 250, 4), AppLoad("b", 10, 0, 1)]
    expected = cost(apps, POLL, FAST)
    assert expected.sweep == 1001
    assert expected.sweep_seconds == pytest.approx(200.2)
    assert (expected.least_a_poll, expected.most_a_poll) == (3 + 1, 6 + 5)


@pytest.mark.parametrize(
    ("apps", "pace", "expected"),
    [
        ([AppLoad("", 480, 20, 4)], FAST, {}),
        ([AppLoad("", 600_000, 20, 4)], FAST, {"poll.requests_per_second": "10"}),
        ([AppLoad("", 480, 20, 140)], FAST, {"metrics.script_limit": "150"}),
        ([AppLoad("", 480, 72, 4)], FAST, {"metrics.task_limit": "100"}),
        ([AppLoad("", 480, 20, 4)], Pace(1.6, 3.0), {"poll.concurrency": "8"}),
        ([AppLoad("", 480, 20, 4)], Pace(0.5, 7.0), {"poll.timeout": "21s"}),
        (
            [AppLoad("", 480, 20, 4)],
            Pace(0.1, 0.3, slowed=True),
            {"poll.requests_per_second": "2.5"},
        ),
    ],
    ids=str,
)
def test_what_is_proposed(apps: list[AppLoad], pace: Pace, expected: dict[str, str]) -> None:
    assert expected.items() <= proposed(apps, pace).items()
    if not expected:
        assert proposed(apps, pace) == {}


def test_what_is_proposed_can_be_written_in_the_file() -> None:
    many = [AppLoad(str(number), 50_000, 10, 4) for number in range(60)]
    durations = [
        value for key, value in proposed(many, Pace(2.0, 9.0)).items() if value.endswith(("s", "h"))
    ]
    assert durations
    for text in durations:
        assert format_duration(parse_duration(text)) == text


async def test_the_lookback_is_counted(time: VirtualTime) -> None:
    now = round(time.now())
    world = ScriptedWorld(
        record(n, now - n * 600, status=1 if n <= 5 else 2, scriptId=n % 3) for n in range(1, 400)
    )
    async with await simulated(time, world) as simulator:
        found = topics(await inspected(simulator, time))
    assert found["tasks"].text == ("143 in the lookback of 1d, 5 of them unfinished, 3 scripts")
    assert "a poll; the first sweep takes 2," in found["requests"].text
    assert int(found["series"].text.split()[0]) > 100


@pytest.mark.parametrize("widest", [86_400, 3 * 3600])
async def test_it_is_counted_in_parts_too(time: VirtualTime, widest: float) -> None:
    rules = ApiRules(widest_range=widest)
    async with await simulated(time, evenly(time.now(), offset=0), rules=rules) as simulator:
        found = await inspected(simulator, time)
    assert wrongs(found) == []
    assert topics(found)["tasks"].text.startswith("288 in the lookback of 1d")


async def test_apps_are_told_apart_and_a_wrong_one_is_named(time: VirtualTime) -> None:
    apps = "apps: [{id: 12, name: collections}, {id: 15, name: reminders}]"
    async with await simulated(time) as simulator:
        found = await inspected(simulator, time, apps)
    texts = [each.text for each in found.findings if each.topic == "tasks"]
    assert [text.split(":")[0] for text in texts] == ["collections", "reminders"]


async def test_records_that_cannot_be_read_are_told(time: VirtualTime) -> None:
    fault = Fault(kind=FaultKind.RECORD_NOT_OBJECT, share=0.1)
    async with await simulated(time, faults=FaultBoard(faults=[fault])) as simulator:
        found = await inspected(simulator, time)
    notes = [each.text for each in found.findings if "cannot be read" in each.text]
    assert len(notes) == 1
    assert "not_an_object" in notes[0]


async def test_an_api_that_asks_to_wait_gets_fewer_requests(time: VirtualTime) -> None:
    fault = Fault(kind=FaultKind.RATE_LIMITED, times=2, amount=1)
    async with await simulated(time, faults=FaultBoard(faults=[fault])) as simulator:
        found = await inspected(simulator, time)
    keys = {each.key: each.proposed for each in found.proposals}
    assert keys["poll.requests_per_second"] == "500"
