"""The short way through a page means what the long way means, and is taken where it can be."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.api import usual
from exporter.api.records import Locale, read_loosely
from exporter.simulator import EXAMPLE_RECORD
from tests.api.answers import answer, record

LOCALE = Locale(ZoneInfo("Europe/Berlin"), "USD")

whole = st.sampled_from([0, 1, 7, 10**15, 2**63 - 1]) | st.integers(0, 5000)
odd = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | st.sampled_from(["1", " 7 ", "7.0", "60s", "1e3", "-1", [], {}, [1], "USD", 10**15 + 1])
)
money = st.builds(
    "{}{}".format,
    st.sampled_from(["0", "0.125", "0.034827", "123456789012345.123456789012345678", "00.10"])
    | st.decimals(0, 10**14, places=6).map(lambda amount: format(amount, "f")),
    st.sampled_from(["", "(USD)", "(EUR)", "(usd)", " (USD)", "USD", "()", "(USD)\n"]),
)
times = st.sampled_from(
    [
        "2024-06-04 14:49:36",
        "2024-06-04T14:49:36",
        "2024-10-27 02:30:00",
        "2024-03-31 02:30:00",
        "2024-06-04 24:00:00",
        "2024-06-04 14:49:60",
        "2024-06-04 14:49",
        " 2024-06-04 14:49:36",
        "2024-02-30 00:00:00",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "2024-06-04 1a:00:00",
    ]
) | st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S"))
names = st.text(max_size=250)
rates = st.sampled_from(["100", "0", "12.5", "12.5%", " 7 ", "", "x", "1e2", "999999999999"])

_usual: dict[str, st.SearchStrategy[Any]] = {
    "taskId": whole,
    "taskName": names,
    "status": st.integers(-2, 9),
    "createdTime": times,
    "scriptId": whole,
    "rate": rates,
    **dict.fromkeys(
        (
            "numCnt",
            "callNum",
            "success",
            "fail",
            "answeredNum",
            "chargeLen",
            "agentTotalFeetime",
            "sendSmsNum",
        ),
        whole | st.none(),
    ),
    **dict.fromkeys(("agentFee", "groupCallPayFee", "smsPayFee", "taskSumPayFee"), money),
}
usual_records = st.fixed_dictionaries({}, optional=_usual)
any_records = st.fixed_dictionaries({}, optional={name: by | odd for name, by in _usual.items()})
# Some whole records of documented types, so that the short way is taken often enough to compare.
whole_records = st.fixed_dictionaries({**_usual, "createdTime": times})


@given(
    records=st.lists(whole_records | usual_records | any_records, max_size=3),
    beside=st.fixed_dictionaries({}, optional={"total": whole | odd, "size": whole | odd}),
    code=st.sampled_from([0, "0"]),
)
def test_both_ways_read_the_same(
    records: list[dict[str, Any]], beside: dict[str, Any], code: Any
) -> None:
    body = answer(*records, code=code, **beside)
    page = usual.read(body, LOCALE.zone, LOCALE.currency)
    if page is None:
        return
    loosely = read_loosely(body, LOCALE)
    assert not loosely.rejected
    assert page.tasks == loosely.tasks
    assert (page.total, page.size) == (loosely.total, loosely.size)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"agentFee": None},
        {"callNum": None},
        {"status": 77},
        {"taskName": "任务"},
        {"extra": []},
        {"smsPayFee": "1.5(EUR)"},
        {"createdTime": "2024-06-04T14:49:36"},
    ],
)
def test_documented_types_go_the_short_way(fields: dict[str, Any]) -> None:
    page = usual.read(answer(record(**fields)), LOCALE.zone, LOCALE.currency)
    assert page is not None
    assert len(page.tasks) == 1


@pytest.mark.parametrize("name", sorted(EXAMPLE_RECORD.keys() - {"asr", "acd", "taskType"}))
def test_a_field_of_another_type_goes_the_long_way(name: str) -> None:
    body = answer(record(**{name: ["odd"]}))
    assert usual.read(body, LOCALE.zone, LOCALE.currency) is None


@pytest.mark.parametrize("code", [-1, "-1", 1, "", "00", None, 0.5])
def test_another_code_goes_the_long_way(code: Any) -> None:
    assert usual.read(answer(record(), code=code), LOCALE.zone, LOCALE.currency) is None


def test_an_answer_without_records_goes_the_long_way() -> None:
    for body in (b"", b"[]", b"{}", b'{"code":0}', json.dumps({"code": 0, "data": None}).encode()):
        assert usual.read(body, LOCALE.zone, LOCALE.currency) is None
