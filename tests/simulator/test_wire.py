import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.simulator import EXAMPLE_RECORD, ScriptedWorld, Selection, Settings, SimulatedWorld
from exporter.simulator.settings import zone
from exporter.simulator.wire import LocalTime, amount, label, parse_label
from tests.simulator.client import DAY, NOON

# To the letter, from the vendor's page.
EXAMPLE = (
    '{"taskId":5000602,"taskName":"2024-06-04 14:49:17-agent","status":2,"rate":"100","numCnt":10,'
    '"callNum":10,"success":8,"fail":2,"createdTime":"2024-06-04 14:49:36","scriptId":56,'
    '"taskType":3,"answeredNum":8,"asr":"80","agentTotalFeetime":320,"agentFee":"0.125000",'
    '"chargeLen":480,"acd":"60s","groupCallPayFee":"0.034827(USD)","smsPayFee":"0(USD)",'
    '"taskSumPayFee":"0.159827(USD)","sendSmsNum":0}'
)
MONEY = re.compile(r"(0|\d+\.\d{6})\(USD\)")
SHAPES = {
    "taskName": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d-.+"),
    "rate": re.compile(r"\d{1,2}|100"),
    "asr": re.compile(r"\d{1,2}|100"),
    "acd": re.compile(r"\d+s"),
    "createdTime": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    "agentFee": re.compile(r"0|\d+\.\d{6}"),
    "groupCallPayFee": MONEY,
    "smsPayFee": MONEY,
    "taskSumPayFee": MONEY,
}


def test_the_scripted_example_is_the_vendors() -> None:
    assert json.dumps(EXAMPLE_RECORD, separators=(",", ":")) == EXAMPLE


def test_records_have_the_examples_keys_types_and_formats() -> None:
    world = SimulatedWorld(Settings(tasks_per_day=400, sms_share=0.01))
    seconds = world.local_time.seconds
    tasks = world.select(NOON, Selection(seconds(NOON - DAY), seconds(NOON)))
    records = world.records(NOON, tasks)
    assert len(records) > 100
    for record in records:
        assert list(record) == list(EXAMPLE_RECORD)
        for key, value in record.items():
            assert type(value) is type(EXAMPLE_RECORD[key])
            if key in SHAPES:
                assert SHAPES[key].fullmatch(value)
        assert record["taskType"] == 3
        assert record["success"] + record["fail"] == record["callNum"]
        if record["answeredNum"]:
            mean = record["chargeLen"] / record["answeredNum"]
            assert abs(int(record["acd"][:-1]) - mean) <= 0.5
        if record["callNum"]:
            share = 100 * record["answeredNum"] / record["callNum"]
            assert abs(int(record["asr"]) - share) <= 0.5
    assert any(record["smsPayFee"] == "0(USD)" for record in records)
    assert any(record["smsPayFee"] != "0(USD)" for record in records)


def test_the_examples_truth() -> None:
    world = ScriptedWorld([EXAMPLE_RECORD])
    whole = world.truth(0, 0, 2e9).whole
    assert whole.as_json() == {
        "tasks": {"2": 1},
        "numbers": 10,
        "calls": 10,
        "answered": 8,
        "success": 8,
        "fail": 2,
        "billed_seconds": 480,
        "agent_seconds": 320,
        "sms": 0,
        "money": {
            "agent": {"USD": "0.125000"},
            "call": {"USD": "0.034827"},
            "sms": {"USD": "0.000000"},
        },
        "total": {"USD": "0.159827"},
    }


@pytest.mark.parametrize(
    ("millionths", "written"),
    [(0, "0"), (125_000, "0.125000"), (12_034_827, "12.034827"), (-1, "-0.000001")],
)
def test_money_has_six_places(millionths: int, written: str) -> None:
    assert amount(millionths) == written


@given(st.integers(min_value=0, max_value=4_000_000_000))
def test_labels_read_back(local: int) -> None:
    assert parse_label(label(local)) == local


@pytest.mark.parametrize(
    "text",
    ["", "2024-06-04", "2024-06-04T14:49:36", "2024-6-4 14:49:36", "2024-02-30 00:00:00", None, 5],
)
def test_what_is_no_label_to_the_letter_is_none(text: object) -> None:
    assert parse_label(text) is None


@given(
    st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/New_York", "+05:45", "UTC"]),
    st.integers(min_value=1_600_000_000, max_value=1_900_000_000),
)
def test_a_moment_lies_among_those_of_its_local_time(name: str, moment: int) -> None:
    local_time = LocalTime(zone(name))
    first, last = local_time.moments(local_time.seconds(moment))
    assert moment in {first, last}
