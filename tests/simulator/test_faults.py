"""Each kind of fault, as a client sees it."""

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from exporter.simulator import EXAMPLE_RECORD, Fault, FaultBoard, FaultKind, ScriptedWorld
from exporter.simulator.fault_answers import ANSWERS
from exporter.simulator.fault_data import ENVELOPES, LISTINGS, PAGES, RECORDS
from exporter.simulator.fault_delivery import DELIVERIES
from exporter.simulator.faults import Asked
from tests.simulator.client import Client, running

K = FaultKind
AT = 1_717_512_600
LISTED = 10


def world() -> ScriptedWorld:
    return ScriptedWorld(
        {**EXAMPLE_RECORD, "taskId": number, "createdTime": f"2024-06-04 14:00:0{number}"}
        for number in range(LISTED)
    )


async def page(client: Client, fault: Fault) -> Any:
    client.simulator.faults.add(fault)
    return (await client.ask())["data"]


async def first(client: Client, fault: Fault) -> Any:
    records = (await page(client, fault))["records"]
    return records[0]


# One record under a fault: what differs from the record without it.
RECORD_FAULTS: list[tuple[Fault, dict[str, Any]]] = [
    (Fault(kind=K.NUMBERS_AS_TEXT), {"callNum": "10", "status": "2", "taskId": "9"}),
    (Fault(kind=K.NULL_FIGURES), {"callNum": None, "acd": None, "agentFee": None}),
    (Fault(kind=K.NULL_FIGURES, text="fail, asr"), {"fail": None, "asr": None}),
    (Fault(kind=K.EXTRA_FIELDS), {"detail": {"retries": [1, 2]}}),
    (Fault(kind=K.SET_FIELD, text='callNum={"a":1}'), {"callNum": {"a": 1}}),
    (Fault(kind=K.NEGATIVE), {"callNum": -11, "sendSmsNum": -1}),
    (Fault(kind=K.ENORMOUS, text="callNum"), {"callNum": int(1e30), "success": 8}),
    (Fault(kind=K.BARE_MONEY), {"taskSumPayFee": "0.159827", "smsPayFee": "0"}),
    (Fault(kind=K.OTHER_CURRENCY), {"taskSumPayFee": "0.159827(EUR)", "agentFee": "0.125000"}),
    (Fault(kind=K.MONEY_AS_NUMBER), {"taskSumPayFee": 0.159827, "agentFee": 0.125}),
    (Fault(kind=K.BARE_DURATION), {"acd": "60"}),
    (Fault(kind=K.PERCENT_SIGN), {"rate": "100%", "asr": "80%"}),
    (Fault(kind=K.FRACTIONAL_PERCENT), {"rate": "100.00", "asr": "80.25"}),
    (Fault(kind=K.UNKNOWN_STATUS), {"status": 9}),
    (Fault(kind=K.BAD_TIME), {"createdTime": "yesterday"}),
    (Fault(kind=K.ISO_TIME), {"createdTime": "2024-06-04T14:00:09"}),
    (Fault(kind=K.HOSTILE_NAMES, text="<b>"), {"taskName": "<b>"}),
]


@pytest.mark.parametrize(("fault", "changed"), RECORD_FAULTS, ids=lambda v: getattr(v, "kind", ""))
async def test_faults_of_a_record(fault: Fault, changed: dict[str, Any]) -> None:
    async with running(world(), now=AT) as client:
        record = await first(client, fault)
        assert {key: record[key] for key in changed} == changed


async def test_missing_fields_are_gone_and_job_id_stands_for_task_id() -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=K.JOB_ID))
        record = await first(client, Fault(kind=K.MISSING_FIELDS, text="fail"))
        assert next(iter(record)) == "jobId"
        assert "taskId" not in record
        assert "fail" not in record


async def test_nan_and_records_that_are_none() -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=K.NAN, times=1))
        async with client.post() as response:
            assert '"callNum":NaN' in await response.text()
        assert await first(client, Fault(kind=K.RECORD_NOT_OBJECT)) is None


async def test_only_a_share_of_the_records_is_hit() -> None:
    async with running(world(), now=AT) as client:
        data = await page(client, Fault(kind=K.NULL_FIGURES, share=0.5))
        hit = [record["callNum"] is None for record in data["records"]]
        assert 0 < sum(hit) < LISTED


# A page under a fault: how many records it has, and what else of it.
PAGE_FAULTS: list[tuple[Fault, Callable[[Any], Any], Any]] = [
    (Fault(kind=K.RECORDS_NULL), lambda data: data["records"], None),
    (Fault(kind=K.EMPTY_PAGE), lambda data: (data["records"], data["total"]), ([], LISTED)),
    (Fault(kind=K.DUPLICATES), lambda data: len(data["records"]), 2 * LISTED),
    (Fault(kind=K.LOST_RECORDS), lambda data: len(data["records"]), 0),
    (Fault(kind=K.WRONG_TOTAL), lambda data: data["total"], LISTED + 7),
    (Fault(kind=K.WRONG_TOTAL, amount=-99), lambda data: data["total"], 0),
    (Fault(kind=K.MISSING_TOTAL), lambda data: "total" in data, False),
    (Fault(kind=K.TOTAL_AS_TEXT), lambda data: data["total"], str(LISTED)),
    (Fault(kind=K.DATA_NULL), lambda data: data, None),
]


@pytest.mark.parametrize(
    ("fault", "seen", "expected"), PAGE_FAULTS, ids=lambda v: getattr(v, "kind", "")
)
async def test_faults_of_a_page(fault: Fault, seen: Callable[[Any], Any], expected: Any) -> None:
    async with running(world(), now=AT) as client:
        assert seen(await page(client, fault)) == expected


async def test_code_as_text() -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=K.CODE_AS_TEXT))
        assert (await client.ask())["code"] == "0"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (K.APPEARING, [[7, 6], [8, 7], [9, 8], [9, 8]]),
        (K.VANISHING, [[9, 8], [8, 7], [7, 6], [9, 8]]),
    ],
)
async def test_pages_shift_while_they_are_read(kind: FaultKind, expected: list[list[int]]) -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=kind, times=3))
        pages = [(await client.ask(1, 2))["data"]["records"] for _ in range(4)]
        seen = [[record["taskId"] for record in page] for page in pages]
        assert seen == expected


@pytest.mark.parametrize("code", [-1, -2, -16, -18, -22, 77])
async def test_every_code_can_be_answered(code: int) -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=K.API_CODE, amount=code))
        answer = await client.ask()
        assert (answer["code"], answer["data"]) == (code, None)
        assert answer["msg"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502, 503, 504])
async def test_http_statuses(status: int) -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=K.HTTP_STATUS, amount=status, text="no"))
        async with client.post() as response:
            assert (response.status, await response.text()) == (status, "no")


@pytest.mark.parametrize(
    ("fault", "after"),
    [
        (Fault(kind=K.RATE_LIMITED, amount=5), "5"),
        (Fault(kind=K.RATE_LIMITED, text="Wed, 21 Oct 2026 07:28:00 GMT"), None),
    ],
)
async def test_rate_limits(fault: Fault, after: str | None) -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(fault)
        async with client.post() as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == (after or fault.text)


async def test_redirects() -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=K.REDIRECT))
        async with client.post() as response:
            assert (response.status, response.headers["Location"]) == (307, client.api)


@pytest.mark.parametrize(
    ("fault", "content_type", "body"),
    [
        (Fault(kind=K.EMPTY_BODY), "application/json", ""),
        (Fault(kind=K.HTML, text="<html>"), "text/html", "<html>"),
        (Fault(kind=K.NOT_JSON), "application/json", "ok"),
        (Fault(kind=K.JSON_OF_ANOTHER_SHAPE), "application/json", "[]"),
    ],
    ids=lambda v: getattr(v, "kind", ""),
)
async def test_other_bodies(fault: Fault, content_type: str, body: str) -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(fault)
        async with client.post() as response:
            assert (response.status, response.content_type) == (200, content_type)
            assert await response.text() == body


async def test_huge_deep_and_bomb_bodies() -> None:
    async with running(world(), now=AT) as client:
        board = client.simulator.faults
        board.add(Fault(kind=K.HUGE_BODY, amount=3_000_000, times=1))
        async with client.post() as response:
            body = await response.read()
            assert len(body) == 3_000_000
            assert json.loads(body)["code"] == 0
        board.add(Fault(kind=K.GZIP_BOMB, amount=3_000_000, times=1))
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            question = json.dumps(client.question())
            async with session.post(client.api, data=question, headers=client.signed()) as response:
                packed = await response.read()
                assert response.headers["Content-Encoding"] == "gzip"
        assert len(packed) < 30_000
        assert len(zlib.decompress(packed, 31)) == 3_000_000
        board.add(Fault(kind=K.DEEP_JSON, amount=5000, times=1))
        async with client.post() as response:
            assert (await response.text()).count("[") == 5000


async def test_a_client_may_leave_in_the_middle_of_a_huge_body() -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=K.HUGE_BODY, amount=1e10, times=1))
        async with client.post() as response:
            await response.content.read(1000)
            response.close()
        assert (await client.ask())["code"] == 0


async def test_resets_and_truncation_break_the_connection() -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=K.RESET, times=1))
        with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
            await client.ask()
        client.simulator.faults.add(Fault(kind=K.TRUNCATED, times=1))
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.ask()
        assert (await client.ask())["code"] == 0


async def test_a_hanging_request_ends_with_the_client_or_the_server() -> None:
    came = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        came.set()

    async with running(world(), now=AT, sleep=sleep) as client:
        client.simulator.faults.add(Fault(kind=K.SLOW))
        client.simulator.faults.add(Fault(kind=K.HANG))
        with pytest.raises(asyncio.TimeoutError):
            async with asyncio.timeout(0.02):
                await client.ask()
        came.clear()
        hanging = asyncio.create_task(client.ask())
        await came.wait()
        await client.simulator.close()
        with pytest.raises(aiohttp.ClientError):
            await hanging


async def test_slow_and_dripping_answers_wait_as_told() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with running(world(), now=AT, sleep=sleep) as client:
        client.simulator.faults.add(Fault(kind=K.SLOW, amount=7, times=1))
        assert (await client.ask())["code"] == 0
        assert slept == [7]
        client.simulator.faults.add(Fault(kind=K.DRIPPING, amount=2, times=1))
        assert (await client.ask())["code"] == 0
        assert slept == [7] + [2] * 16


async def body_of(client: Client) -> bytes:
    async with client.post() as response:
        body: bytes = await response.read()
        return body


async def cut(client: Client) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(await body_of(client))


async def encoded(client: Client) -> None:
    body = await body_of(client)
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert json.loads(body.decode("utf-16"))["code"] == 0


async def invalid(client: Client) -> None:
    with pytest.raises(UnicodeDecodeError):
        (await body_of(client)).decode()


async def typed(client: Client) -> None:
    async with client.post() as response:
        assert response.content_type == "text/plain"


async def packed(client: Client) -> None:
    with pytest.raises(aiohttp.ClientError):
        await body_of(client)


async def padded(client: Client) -> None:
    with pytest.raises(aiohttp.ClientError):
        await body_of(client)


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        (K.CUT_JSON, cut),
        (K.WRONG_ENCODING, encoded),
        (K.INVALID_BYTES, invalid),
        (K.WRONG_CONTENT_TYPE, typed),
        (K.BAD_GZIP, packed),
        (K.OVERSIZED_HEADERS, padded),
    ],
)
async def test_faults_on_the_way(
    kind: FaultKind, holds: Callable[[Client], Awaitable[None]]
) -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=kind, times=1))
        await holds(client)
        assert (await client.ask())["code"] == 0


@pytest.mark.parametrize(("skew", "code"), [(600, -16), (-600, -16), (100, 0)])
async def test_the_servers_clock_can_be_wrong(skew: float, code: int) -> None:
    async with running(world(), now=AT) as client:
        client.simulator.faults.add(Fault(kind=K.CLOCK_SKEW, amount=skew, times=1))
        async with client.post() as response:
            assert json.loads(await response.read())["code"] == code
            date = parsedate_to_datetime(response.headers["Date"]).timestamp()
            assert date - AT == skew
        async with client.post() as response:
            assert parsedate_to_datetime(response.headers["Date"]).timestamp() == AT


@pytest.mark.parametrize("backwards", [False, True])
async def test_faults_of_the_data_bear_each_other(*, backwards: bool) -> None:
    kinds = [*RECORDS, *PAGES, *ENVELOPES]
    async with running(world(), now=AT) as client:
        for kind in reversed(kinds) if backwards else kinds:
            text = 'fail="x"' if kind is K.SET_FIELD else None
            client.simulator.faults.add(Fault(kind=kind, text=text, share=0.5))
        for _ in range(5):
            assert await client.ask() == {"code": "0", "msg": "success", "data": None}


def test_every_kind_is_done_in_one_place() -> None:
    tables = (ANSWERS, ENVELOPES, PAGES, RECORDS, LISTINGS, DELIVERIES)
    done = [kind for table in tables for kind in list[FaultKind](table)] + [K.CLOCK_SKEW]
    assert sorted(done) == sorted(FaultKind)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(K.SET_FIELD, None), (K.SET_FIELD, "fail"), (K.SET_FIELD, "a=b"), (K.RECORD_NOT_OBJECT, "x")],
)
def test_texts_a_kind_cannot_use_are_refused(kind: FaultKind, text: str | None) -> None:
    with pytest.raises(ValueError, match=r"set_field|Expecting"):
        Fault(kind=kind, text=text)


def test_a_fault_is_limited_to_what_it_names() -> None:
    board = FaultBoard(1, [Fault(kind=K.HTML, page=2, api_key="a", path="/p")])
    assert not board.draw(Asked("/p", "a", 1))
    assert not board.draw(Asked("/p", "b", 2))
    assert not board.draw(Asked("/q", "a", 2))
    assert board.draw(Asked("/p", "a", 2))


def test_a_fault_leaves_after_its_last_request() -> None:
    board = FaultBoard(1, [Fault(kind=K.HTML, times=2)])
    assert [len(board.draw(Asked("/", "a", 1))) for _ in range(3)] == [1, 1, 0]
    assert board.active == []


def test_a_probable_fault_hits_a_share_of_requests_and_the_same_ones_again() -> None:
    fault = Fault(kind=K.HTML, probability=0.3)
    draws = [
        [len(board.draw(Asked("/", "a", 1))) for _ in range(500)]
        for board in (FaultBoard(1, [fault]), FaultBoard(1, [fault]))
    ]
    assert draws[0] == draws[1]
    assert 100 < sum(draws[0]) < 200


def test_faults_can_be_switched_off_one_by_one_or_all() -> None:
    board = FaultBoard()
    one, _, _ = (board.add(Fault(kind=kind)) for kind in (K.HTML, K.NAN, K.SLOW))
    board.clear(one)
    assert [entry.fault.kind for entry in board.active] == [K.NAN, K.SLOW]
    board.clear()
    assert board.active == []
