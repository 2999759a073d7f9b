"""Pages read into tasks: lenient where the vendor is vague, strict where a guess would lie."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.api import errors
from exporter.api.records import Locale, read_code, read_page
from exporter.simulator import EXAMPLE_RECORD
from exporter.tasks.task import Money, Status, Task
from tests.api.answers import LOCALE, answer, one, read, record, refused

FIGURES = {
    "numCnt": "numbers",
    "callNum": "calls",
    "success": "successful",
    "fail": "failed",
    "answeredNum": "answered",
    "chargeLen": "billed_seconds",
    "agentTotalFeetime": "agent_billed_seconds",
    "sendSmsNum": "sms_sent",
}
FEES = {
    "agentFee": "agent_fee",
    "groupCallPayFee": "call_fee",
    "smsPayFee": "sms_fee",
    "taskSumPayFee": "total_fee",
}


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def test_the_vendors_example() -> None:
    assert one() == Task(
        task_id=5000602,
        name="2024-06-04 14:49:17-agent",
        status=Status.FINISHED,
        script_id="56",
        created=1_717_512_576,
        progress=1.0,
        numbers=10,
        calls=10,
        answered=8,
        successful=8,
        failed=2,
        billed_seconds=480,
        agent_billed_seconds=320,
        sms_sent=0,
        agent_fee=usd("0.125000"),
        call_fee=usd("0.034827"),
        sms_fee=usd("0"),
        total_fee=usd("0.159827"),
    )


def test_the_rest_of_the_page() -> None:
    page = read_page(answer(record(), total=250, size=50), LOCALE)
    assert (len(page), page.total, page.size) == (1, 250, 50)


@pytest.mark.parametrize("total", ["250", 250.0, " 250 ", "250.0"])
def test_a_total_in_another_form(total: object) -> None:
    assert read_page(answer(record(), total=total), LOCALE).total == 250


@pytest.mark.parametrize("total", [None, "", "many", -1, True, [], {}, 0.5, math.nan, math.inf])
def test_a_total_that_is_none(total: object) -> None:
    page = read_page(answer(record(), total=total, size=total), LOCALE)
    assert (len(page), page.total, page.size) == (1, None, None)


# --- figures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "attribute"), FIGURES.items())
@pytest.mark.parametrize(
    ("value", "expected"),
    [(7, 7), ("7", 7), (" 7 ", 7), ("007", 7), (7.0, 7), ("7.0", 7), ("7.", 7), (0, 0), ("0", 0),
     (0.0, 0), (-0.0, 0), (10**15, 10**15), (None, None), ("", None), ("  ", None)],
)  # fmt: skip
def test_a_figure_in_any_form(
    name: str, attribute: str, value: object, expected: int | None
) -> None:
    assert getattr(one(**{name: value}), attribute) == expected


@pytest.mark.parametrize(("name", "attribute"), [*FIGURES.items(), *FEES.items()])
def test_a_missing_figure_is_not_a_zero(name: str, attribute: str) -> None:
    rest = {key: value for key, value in EXAMPLE_RECORD.items() if key != name}
    [task] = read(rest).tasks
    assert getattr(task, attribute) is None


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(
    "value",
    [-1, "-1", 0.5, "7.5", "7%", "7m", "seven", "7 8", "1,000", "1e3", "0x7", "\u0667", "7_0", True,
     False, [], [7], {}, {"value": 7}, 10**15 + 1, 10**30, 1e30, "9" * 19, "9" * 5000, math.nan,
     math.inf, -math.inf],
)  # fmt: skip
def test_a_figure_that_is_none_rejects_its_record_alone(name: str, value: object) -> None:
    assert refused(**{name: value}) == "figure"


@pytest.mark.parametrize("name", FIGURES)
def test_seconds_may_bear_their_sign_and_counts_may_not(name: str) -> None:
    seconds = {"chargeLen": "billed_seconds", "agentTotalFeetime": "agent_billed_seconds"}
    if name in seconds:
        assert getattr(one(**{name: "480s"}), seconds[name]) == 480
        assert refused(**{name: "480ss"}) == "figure"
    else:
        assert refused(**{name: "480s"}) == "figure"


def test_a_figure_of_thousands_of_digits_rejects_its_record_alone() -> None:
    body = answer(record(taskId=1), record(taskId=2, numCnt=12345)).replace(b"12345", b"9" * 5000)
    page = read_page(body, LOCALE)
    assert [task.task_id for task in page.tasks] == [1]
    assert page.rejected == [(2, "figure")]


# --- money --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "attribute"), FEES.items())
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.034827(USD)", usd("0.034827")),
        ("0.034827 (USD)", usd("0.034827")),
        (" 0.034827( USD ) ", usd("0.034827")),
        ("0.034827USD", usd("0.034827")),
        ("0.034827 USD", usd("0.034827")),
        ("0.034827(EUR)", Money(Decimal("0.034827"), "EUR")),
        ("0.034827", usd("0.034827")),
        ("0.034827()", usd("0.034827")),
        ("0.034827(usd)", Money(Decimal("0.034827"), "unknown")),
        ("0.034827(US Dollar)", Money(Decimal("0.034827"), "unknown")),
        ("0.034827(元)", Money(Decimal("0.034827"), "unknown")),
        ("1(USD)\n", usd("1")),
        ("0(USD)", usd("0")),
        ("0", usd("0")),
        (0, usd("0")),
        (3, usd("3")),
        (0.034827, usd("0.034827")),
        (1e-7, usd("0.0000001")),
        (1.5e5, usd("150000")),
        ("0E-8(USD)", usd("0")),  # how Java writes a small BigDecimal
        ("1E-7", usd("0.0000001")),
        ("1.25e+2 (USD)", usd("125")),
        ("-0.5(USD)", usd("-0.5")),  # a correction
        ("+0.5(USD)", usd("0.5")),
        ("5.(USD)", usd("5")),
        ("123456789012.123456789012345678(USD)", usd("123456789012.123456789012345678")),
        (None, None),
        ("", None),
        ("  ", None),
    ],
)
def test_money_in_any_form(
    name: str, attribute: str, value: object, expected: Money | None
) -> None:
    assert getattr(one(**{name: value}), attribute) == expected


def test_money_without_a_currency_is_in_the_accounts() -> None:
    [task] = read(record(agentFee="1", smsPayFee="2(USD)"), locale=Locale(LOCALE.zone, "CNY")).tasks
    assert (task.agent_fee, task.sms_fee) == (Money(Decimal(1), "CNY"), usd("2"))


@pytest.mark.parametrize("name", FEES)
@pytest.mark.parametrize(
    "value",
    ["free", "USD", "(USD)", "USD 1", "$1", "1,5", "1,000.00", "1.2.3", "--1", "1(USD", "\u0667",
     "1e", "1e99(USD)", "1e-99", "1e99999999999", "1_0", "9" * 16, "9" * 100_000,
     "0." + "1" * 19, "nan", "Infinity", "1 USD EUR", True, False, [], ["1"], {}, {"amount": "1"},
     10**16, 1e300, math.nan, math.inf, -math.inf],
)  # fmt: skip
def test_money_that_is_none_rejects_its_record_alone(name: str, value: object) -> None:
    assert refused(**{name: value}) == "money"


@given(st.decimals(-(10**15), 10**15, places=6) | st.decimals(0, 1, places=18))
def test_money_as_text_is_exact(amount: Decimal) -> None:
    task = one(agentFee=f"{amount:f}", smsPayFee=f"{amount:f}(USD)", taskSumPayFee=str(amount))
    assert task.agent_fee == task.sms_fee == task.total_fee == Money(amount, "USD")


@given(st.decimals(0, 10**6, places=6))
def test_money_as_a_json_number_is_the_number_that_was_written(amount: Decimal) -> None:
    assert one(agentFee=float(amount)).agent_fee == Money(amount, "USD")


# --- identity, status, time, text ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"taskId": "5000602"}, 5000602),
        ({"taskId": 5000602.0}, 5000602),
        ({"taskId": 2**63 - 1}, 2**63 - 1),
        ({"taskId": str(2**63 - 1)}, 2**63 - 1),
        ({"taskId": "1234567890123456789"}, 1234567890123456789),
        ({"taskId": None, "jobId": 7}, 7),
        ({"taskId": "", "jobId": "7"}, 7),
        ({"taskId": 5, "jobId": 7}, 5),
        ({"taskId": [], "jobId": 7}, 7),
    ],
)
def test_an_id_in_any_form(fields: dict[str, Any], expected: int) -> None:
    assert one(**fields).task_id == expected


def test_job_id_in_place_of_task_id() -> None:
    fields = {("jobId" if key == "taskId" else key): each for key, each in EXAMPLE_RECORD.items()}
    assert read(fields).tasks[0].task_id == 5000602


@pytest.mark.parametrize(
    "value",
    [None, "", "abc", -1, "-1", 0.5, True, [], {}, 2**63, str(2**63), 10**30, 1e30, "9" * 5000,
     math.nan, math.inf],
)  # fmt: skip
def test_without_an_id_a_record_is_rejected(value: object) -> None:
    assert refused(taskId=value) == "task_id"


def test_a_rejected_record_keeps_its_id_where_it_has_one() -> None:
    page = read(
        record(taskId=1, numCnt=-1), record(taskId=None, jobId="2", agentFee=[]),
        record(taskId=None), None, 5, "task", [], True, 1.5,
    )  # fmt: skip
    assert page.rejected == [
        (1, "figure"),
        (2, "money"),
        (None, "task_id"),
        *[(None, "not_an_object")] * 6,
    ]


@pytest.mark.parametrize("code", range(7))
def test_each_status_as_number_and_as_text(code: int) -> None:
    expected = Status.of_code(code)
    assert expected is not Status.UNKNOWN
    assert {one(status=form).status for form in (code, str(code), float(code))} == {expected}


@pytest.mark.parametrize("value", [None, "", 7, -1, 99, "done", 2.5, True, [2], {}, 10**30])
def test_a_status_that_is_not_listed_is_unknown(value: object) -> None:
    assert one(status=value).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("value", "expected"),
    [("100", 1.0), ("100%", 1.0), ("12.5 %", 0.125), (50, 0.5), (50.0, 0.5), ("0", 0.0), (0, 0.0),
     (None, None), ("", None), ("half", None), ("-5", None), (math.nan, None), (math.inf, None),
     ("9" * 5000, None), (True, None), ([50], None)],
)  # fmt: skip
def test_progress_in_any_form(value: object, expected: float | None) -> None:
    assert one(rate=value).progress == expected


@pytest.mark.parametrize("name", ["asr", "acd", "taskType", "somethingNew"])
@pytest.mark.parametrize("value", [None, "60", "60s", 60, "x", True, [[]], {"a": {"b": []}}])
def test_what_is_not_used_may_be_anything(name: str, value: object) -> None:
    assert one(**{name: value}) == one()


@pytest.mark.parametrize(
    "value",
    ["2024-06-04 14:49:36", "2024-06-04T14:49:36", "2024-06-04 14:49:36.000",
     " 2024-06-04 14:49:36 "],
)  # fmt: skip
def test_a_creation_time_in_any_form(value: object) -> None:
    assert one(createdTime=value).created == 1_717_512_576


@pytest.mark.parametrize(
    "value",
    [None, "", "yesterday", 1717512576, "1717512576", "2024-06-04", "2024-06-04T14:49:36Z", True,
     "2024-06-04 14:49:36+08:00", [2024, 6, 4, 14, 49, 36], {}, "9999-12-31 23:59:59", math.nan],
)  # fmt: skip
def test_without_a_creation_time_a_record_is_rejected(value: object) -> None:
    assert refused(createdTime=value) == "created_time"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<script>\n\\\"'{}\u202e\x00", "<script>\n\\\"'{}\u202e\x00"),
        ("外呼任务 📞", "外呼任务 📞"),
        ("\ud800broken\udfff", "?broken?"),
        ("n" * 10_000, "n" * 200),
        ("名" * 10_000, "名" * 200),
        (7, "7"),
        ("007", "007"),
        ("null", "null"),
        (None, ""),
        ("", ""),
        (True, ""),
        ([], ""),
    ],
)
def test_names_are_bounded_and_can_be_encoded(value: object, expected: str) -> None:
    task = one(taskName=value)
    assert task.name == expected
    task.name.encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(56, "56"), ("56", "56"), (56.0, "56"), (None, "unknown"), ("", "unknown"),
     ("a" * 999, "a" * 64)],
)  # fmt: skip
def test_script_ids(value: object, expected: str) -> None:
    assert one(scriptId=value).script_id == expected


def test_text_is_the_same_beside_a_field_of_an_odd_type() -> None:
    odd = one(rate=[], taskName="007", scriptId="null", agentFee="1e-3")
    assert (odd.name, odd.script_id, odd.agent_fee) == ("007", "null", usd("0.001"))


@pytest.mark.parametrize("key", ["\ud800", "", "\x00", "taskid", "k" * 100_000])
def test_keys_may_be_anything(key: str) -> None:
    assert one(**{key: 1}) == one()
    assert one(**{key: [], "rate": "100"}) == one()


# --- the answer around the records --------------------------------------------------------------


@pytest.mark.parametrize("code", [0, "0", " 0 ", 0.0, "0.0"])
def test_success_in_any_form(code: object) -> None:
    assert len(read_page(answer(record(), code=code), LOCALE)) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-1, errors.AuthenticationError),
        (-2, errors.IPRestrictedError),
        (-16, errors.ClockSkewError),
        (-18, errors.SystemFaultError),
        (-22, errors.ParameterError),
        (-3, errors.UnknownCodeError),
        (1, errors.UnknownCodeError),
        (200, errors.UnknownCodeError),
        (10**30, errors.UnknownCodeError),
    ],
)
def test_every_code_is_its_own_error_as_number_and_as_text(
    code: int, kind: type[errors.ApiError]
) -> None:
    for form in (code, str(code), f" {code} "):
        datas: list[Any] = [None, {"records": [record()], "total": 1}, [], "", 7]
        for data in datas:
            body = json.dumps({"code": form, "msg": "no", "data": data}).encode()
            with pytest.raises(errors.ApiError) as raised:
                read_page(body, LOCALE)
            assert type(raised.value) is kind
            assert raised.value.code == code
            assert "'no'" in str(raised.value)
            assert read_code(body) == code


@pytest.mark.parametrize("code", ["", "OK", "success", "-1x", "0x0", 0.5, math.nan])
def test_a_code_that_is_no_number_is_an_unknown_one(code: object) -> None:
    with pytest.raises(errors.UnknownCodeError):
        read_page(answer(record(), code=code), LOCALE)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"   ", "not JSON"),
        (b"ok", "not JSON"),
        (b"<html><h1>502", "<html>"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b"7", "not an object"),
        (b'"text"', "not an object"),
        (b"{}", "no code"),
        (b'{"code":null,"data":{"records":[]}}', "no code"),
        (b'{"code":true,"data":{"records":[]}}', "no code"),
        (b'{"code":[0],"data":{"records":[]}}', "no code"),
        (b'{"code":0}', "without any data"),
        (b'{"code":0,"data":null}', "without any data"),
        (b'{"code":0,"data":[]}', "without any data"),
        (b'{"code":0,"data":"none"}', "without any data"),
        (b'{"code":0,"data":{"records":{}}}', "not a list"),
        (b'{"code":0,"data":{"records":"[]"}}', "not a list"),
        (b'{"code":0,"data":{"records":[{"taskId":', "not JSON"),
        (b'{"code":0,"data":' + b"[" * 100_000, "not JSON"),
        (b'{"code":0,"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON"),
        (b'{"code":0,"data":' + b'{"a":' * 100_000, "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"\x1f\x8b\x08\x00", "not JSON"),
    ],
)
def test_what_is_not_an_answer(body: bytes, says: str) -> None:
    with pytest.raises(errors.InvalidResponseError, match=says) as raised:
        read_page(body, LOCALE)
    assert len(str(raised.value)) < 500
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("body", [b'{"code":0,"data":{}}', b'{"code":0,"data":{"records":null}}'])
def test_a_page_without_records_is_empty(body: bytes) -> None:
    assert len(read_page(body, LOCALE)) == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_in_another_of_its_encodings_is_read(encoding: str) -> None:
    assert read_page(answer(record()).decode().encode(encoding), LOCALE) == read(record())


def test_a_name_that_is_not_utf_8_spoils_only_itself() -> None:
    body = answer(record(taskId=1, taskName="ab??cd"), record(taskId=2))
    page = read_page(body.replace(b"??", b"\xc3\x28"), LOCALE)
    assert [task.task_id for task in page.tasks] == [1, 2]
    assert page.tasks[0].name == "ab�(cd"
    gbk = json.dumps(
        {"code": 0, "msg": "成功", "data": {"records": [record(taskName="外呼")]}},
        ensure_ascii=False,
    ).encode("gbk")
    [task] = read_page(gbk, LOCALE).tasks
    assert (task.task_id, task.calls) == (5000602, 10)


def test_a_message_that_nests_deeply_is_no_matter() -> None:
    for levels in range(850, 1000):
        nested = b"[" * levels + b"]" * levels
        for code in (b"0", b"-18"):
            with pytest.raises(errors.ApiError):
                read_page(b'{"code":' + code + b',"msg":' + nested + b',"data":null}', LOCALE)


TEXT = st.text(st.characters(), max_size=4)  # surrogates included
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(TEXT, SCALARS, max_size=2)
NAMES = st.sampled_from([*EXAMPLE_RECORD, "jobId", "\ud800"])
ODD_RECORDS = st.dictionaries(NAMES, JSON, max_size=4).map(lambda odd: record(**odd))


def outcome(body: bytes) -> None:
    try:
        page = read_page(body, LOCALE)
    except errors.ApiError as error:
        str(error).encode()
    else:
        for task in page.tasks:
            task.name.encode()
            task.script_id.encode()
    read_code(body)


@given(JSON)
def test_any_json_is_a_page_or_an_api_error(value: Any) -> None:
    outcome(json.dumps(value).encode())
    outcome(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@given(JSON, JSON, JSON, JSON, JSON)
def test_any_envelope_is_a_page_or_an_api_error(
    code: Any, message: Any, records: Any, total: Any, size: Any
) -> None:
    data = {"records": records, "total": total, "size": size}
    for shown in (code, 0):
        outcome(json.dumps({"code": shown, "msg": message, "data": data}).encode())


@given(st.binary() | st.binary().map(lambda tail: b'{"code":0,"data":{"records":[' + tail))
def test_any_bytes_are_a_page_or_an_api_error(body: bytes) -> None:
    outcome(body)


@given(st.lists(ODD_RECORDS | JSON, max_size=4))
def test_every_record_is_a_task_or_rejected(records: list[Any]) -> None:
    page = read_page(answer(record(taskId=1), *records, record(taskId=2)), LOCALE)
    assert len(page) == len(records) + 2
    assert (page.tasks[0].task_id, page.tasks[-1].task_id) == (1, 2)
    assert {reason for _, reason in page.rejected} <= {
        "task_id", "created_time", "figure", "money", "not_an_object",
    }  # fmt: skip
    for task in page.tasks:
        for attribute in FIGURES.values():
            figure = getattr(task, attribute)
            assert figure is None or (type(figure) is int and figure >= 0)
        for attribute in FEES.values():
            fee = getattr(task, attribute)
            assert fee is None or fee.amount.is_finite()
