"""One page of one query, over real connections: what is sent, held, retried, refused, told."""

import asyncio
import logging
import socket
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, formatdate
from itertools import pairwise

import pytest
from aiohttp import web

from exporter.api import errors
from exporter.api.client import ATTEMPTS, LARGEST_BODY, LONGEST_PAUSE, Credentials, Query
from exporter.simulator import (
    EXAMPLE_RECORD,
    ApiRules,
    Fault,
    FaultKind,
    ScriptedWorld,
    Simulator,
    serve,
)
from exporter.simulator.signature import sign
from tests.api.answers import answer, record
from tests.api.clients import KEY, QUERY, SECRET, Asked, Observed, asking, served
from tests.virtual_time import BEGIN, VirtualTime

K = FaultKind
TODAY = {**EXAMPLE_RECORD, "createdTime": "2023-11-14 12:00:00"}


async def simulated(time: VirtualTime, *faults: Fault, rules: ApiRules | None = None) -> Simulator:
    simulator = await serve(ScriptedWorld([TODAY]), clock=time.now, rules=rules)
    for fault in faults:
        simulator.faults.add(fault)
    return simulator


async def fine(_: Asked) -> web.Response:
    return web.Response(body=answer(record()))


# --- what is sent -------------------------------------------------------------------------------


async def test_a_request_is_signed_and_carries_what_the_vendor_requires(time: VirtualTime) -> None:
    async with served(fine, time) as server, asking(server.url + "/", time) as client:
        assert len(await client.page(QUERY)) == 1
    [asked] = server.asked
    assert asked.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert asked.headers["Api-Key"] == KEY
    assert asked.headers["Timestamp"] == str(int(BEGIN))
    assert asked.headers["Sign"] == sign(KEY, SECRET, str(int(BEGIN)))
    assert "Cookie" not in asked.headers
    assert asked.body == {
        "current": 1,
        "size": 100,
        "params": {
            "strTime": "2023-11-14 00:00:00",
            "endTime": "2023-11-15 00:00:00",
            "taskType": 3,
        },
    }


async def test_each_optional_parameter_is_sent_where_it_is_set(time: VirtualTime) -> None:
    query = Query("a", "b", page=7, size=20, statuses=(0, 6), app_id=0, search="外呼 50%")
    async with served(fine, time) as server, asking(server.url, time) as client:
        await client.page(query)
    assert server.asked[0].body == {
        "current": 7,
        "size": 20,
        "params": {
            "strTime": "a",
            "endTime": "b",
            "taskType": 3,
            "statusList": [0, 6],
            "idxAppId": 0,
            "searchCondition": "外呼 50%",
        },
    }


async def test_credentials_that_rotate_are_picked_up(time: VirtualTime) -> None:
    keys = iter([Credentials("first", "x"), Credentials("second", "y")])
    async with served(fine, time) as server, asking(server.url, time) as client:
        client._credentials = lambda: next(keys)
        await client.page(QUERY)
        await client.page(QUERY)
    assert [asked.headers["Api-Key"] for asked in server.asked] == ["first", "second"]


async def test_connections_are_kept(time: VirtualTime) -> None:
    async with served(fine, time) as server, asking(server.url, time, concurrency=1) as client:
        for _ in range(5):
            await client.page(QUERY)
            await asyncio.sleep(60)
    assert len({asked.peer for asked in server.asked}) == 1


async def test_a_cookie_is_not_kept(time: VirtualTime) -> None:
    async def handler(_: Asked) -> web.Response:
        return web.Response(body=answer(), headers={"Set-Cookie": "session=1; Path=/"})

    async with served(handler, time) as server, asking(server.url, time) as client:
        await client.page(QUERY)
        await client.page(QUERY)
    assert all("Cookie" not in asked.headers for asked in server.asked)


# --- how hard the account is asked --------------------------------------------------------------


@pytest.mark.usefixtures("exact")
async def test_no_more_requests_are_in_flight_than_allowed(time: VirtualTime) -> None:
    async def slow(asked: Asked) -> web.Response:
        await asyncio.sleep(1)
        return await fine(asked)

    async with served(slow, time) as server, asking(server.url, time, concurrency=3) as client:
        await asyncio.gather(*(client.page(QUERY) for _ in range(10)))
    assert server.most_in_flight == 3
    assert len({asked.peer for asked in server.asked}) == 3
    assert time.monotonic() == pytest.approx(4, abs=0.2)


@pytest.mark.usefixtures("exact")
async def test_the_request_rate_is_held_without_bursts(time: VirtualTime) -> None:
    async with (
        served(fine, time) as server,
        asking(server.url, time, rate=5, concurrency=10) as client,
    ):
        await asyncio.gather(*(client.page(QUERY) for _ in range(12)))
        await asyncio.sleep(30)  # what was not asked meanwhile is not caught up
        await asyncio.gather(*(client.page(QUERY) for _ in range(6)))
    gaps = [later - earlier for earlier, later in pairwise(server.times)]
    assert min(gaps) >= 0.2 - 1e-6
    assert server.times[11] == pytest.approx(11 / 5, abs=0.1)


@pytest.mark.usefixtures("exact")
async def test_retries_are_held_to_the_request_rate_as_well(time: VirtualTime) -> None:
    async def failing(_: Asked) -> web.Response:
        return web.Response(status=500)

    async with (
        served(failing, time) as server,
        asking(server.url, time, rate=2, concurrency=8) as client,
    ):
        await asyncio.gather(*(client.page(QUERY) for _ in range(5)), return_exceptions=True)
    assert len(server.asked) == 5 * ATTEMPTS
    assert min(later - earlier for earlier, later in pairwise(server.times)) >= 0.5 - 1e-6


# --- what an answer means, and how often it is asked again --------------------------------------

ONCE, AGAIN = 1, ATTEMPTS


def named(fault: Fault) -> str:
    return f"{fault.kind}-{fault.amount or fault.text or ''}"


OUTCOMES: list[tuple[Fault, type[errors.ApiError], str, int]] = [
    (Fault(kind=K.API_CODE, amount=-1), errors.AuthenticationError, "-1", ONCE),
    (Fault(kind=K.API_CODE, amount=-2), errors.IPRestrictedError, "-2", ONCE),
    (Fault(kind=K.API_CODE, amount=-16), errors.ClockSkewError, "-16", ONCE),
    (Fault(kind=K.API_CODE, amount=-18), errors.SystemFaultError, "-18", AGAIN),
    (Fault(kind=K.API_CODE, amount=-22), errors.ParameterError, "-22", ONCE),
    (Fault(kind=K.API_CODE, amount=77), errors.UnknownCodeError, "77", ONCE),
    *(
        (Fault(kind=K.HTTP_STATUS, amount=status), errors.HTTPStatusError, f"http_{status}", ONCE)
        for status in (201, 204, 400, 404, 410)
    ),
    *(
        (Fault(kind=K.HTTP_STATUS, amount=s), errors.RefusedStatusError, f"http_{s}", ONCE)
        for s in (401, 403)
    ),
    *(
        (Fault(kind=K.HTTP_STATUS, amount=s), errors.ServerStatusError, f"http_{s}", AGAIN)
        for s in (500, 502, 503, 504, 599)
    ),
    *(
        (Fault(kind=K.REDIRECT, amount=status), errors.HTTPStatusError, f"http_{status}", ONCE)
        for status in (301, 302, 303, 307, 308)
    ),
    (Fault(kind=K.RATE_LIMITED), errors.RateLimitedError, "http_429", AGAIN),
    (Fault(kind=K.RATE_LIMITED, text="0"), errors.RateLimitedError, "http_429", AGAIN),
    (Fault(kind=K.RATE_LIMITED, text="soon"), errors.RateLimitedError, "http_429", AGAIN),
    (Fault(kind=K.HANG), errors.RequestTimeoutError, "timeout", AGAIN),
    (Fault(kind=K.SLOW, amount=11), errors.RequestTimeoutError, "timeout", AGAIN),
    (Fault(kind=K.DRIPPING, amount=1), errors.RequestTimeoutError, "timeout", AGAIN),
    (Fault(kind=K.RESET), errors.ConnectionFailedError, "connection", AGAIN),
    (Fault(kind=K.TRUNCATED), errors.ConnectionFailedError, "connection", AGAIN),
    (Fault(kind=K.BAD_GZIP), errors.ApiError, "", AGAIN),
    (Fault(kind=K.EMPTY_BODY), errors.InvalidResponseError, "invalid", ONCE),
    (Fault(kind=K.HTML), errors.InvalidResponseError, "invalid", ONCE),
    (Fault(kind=K.NOT_JSON), errors.InvalidResponseError, "invalid", ONCE),
    (Fault(kind=K.JSON_OF_ANOTHER_SHAPE), errors.InvalidResponseError, "invalid", ONCE),
    (Fault(kind=K.DEEP_JSON), errors.InvalidResponseError, "invalid", ONCE),
    (Fault(kind=K.CUT_JSON), errors.InvalidResponseError, "invalid", ONCE),
    (Fault(kind=K.DATA_NULL), errors.InvalidResponseError, "invalid", ONCE),
    (Fault(kind=K.OVERSIZED_HEADERS), errors.InvalidResponseError, "invalid", ONCE),
    (Fault(kind=K.HUGE_BODY, amount=LARGEST_BODY + 1), errors.InvalidResponseError, "invalid", 1),
    (Fault(kind=K.GZIP_BOMB, amount=LARGEST_BODY * 2), errors.InvalidResponseError, "invalid", 1),
]


@pytest.mark.parametrize(
    ("fault", "kind", "label", "requests"),
    OUTCOMES,
    ids=[named(each[0]) for each in OUTCOMES],
)
async def test_each_failure_is_its_error_and_is_retried_only_where_that_can_help(
    time: VirtualTime, fault: Fault, kind: type[errors.ApiError], label: str, requests: int
) -> None:
    observed = Observed()
    async with await simulated(time, fault) as simulator:
        async with asking(simulator.url, time, observed) as client:
            with pytest.raises(kind) as raised:
                await client.page(QUERY)
            assert client.last_error is raised.value
        assert simulator.api.log.total == requests
    assert kind is errors.ApiError or type(raised.value) is kind
    assert len(observed.codes) == requests
    if label:
        assert set(observed.codes) == {label}
    assert raised.value.reason in errors.REASONS
    assert 0 < len(str(raised.value)) < 400
    assert raised.value.remedy


@pytest.mark.parametrize(
    "fault",
    [each[0] for each in OUTCOMES if each[3] == AGAIN],
    ids=named,
)
async def test_what_passes_is_overcome(time: VirtualTime, fault: Fault) -> None:
    observed = Observed()
    passing = Fault(kind=fault.kind, amount=fault.amount, text=fault.text, times=ATTEMPTS - 1)
    async with (
        await simulated(time, passing) as simulator,
        asking(simulator.url, time, observed) as client,
    ):
        assert len(await client.page(QUERY)) == 1
    assert observed.codes[-1] == "0"
    assert len(observed.codes) == ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 403, 500, 502])
@pytest.mark.parametrize(
    ("code", "kind", "requests"),
    [("-1", errors.AuthenticationError, 1), (-18, errors.SystemFaultError, ATTEMPTS)],
)
async def test_a_code_says_more_than_the_http_status_it_comes_with(
    time: VirtualTime, status: int, code: object, kind: type[errors.ApiError], requests: int
) -> None:
    async def handler(_: Asked) -> web.Response:
        return web.json_response({"code": code, "msg": "no", "data": None}, status=status)

    async with served(handler, time) as server, asking(server.url, time) as client:
        with pytest.raises(kind):
            await client.page(QUERY)
    assert len(server.asked) == requests


async def test_success_in_an_http_error_is_not_believed(time: VirtualTime) -> None:
    async def handler(_: Asked) -> web.Response:
        return web.Response(status=500, body=answer(record()))

    async with served(handler, time) as server, asking(server.url, time) as client:
        with pytest.raises(errors.ServerStatusError):
            await client.page(QUERY)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=K.CODE_AS_TEXT),
        Fault(kind=K.TOTAL_AS_TEXT),
        Fault(kind=K.WRONG_CONTENT_TYPE),
        Fault(kind=K.WRONG_ENCODING),
        Fault(kind=K.INVALID_BYTES),
        Fault(kind=K.SLOW, amount=9),
        Fault(kind=K.DRIPPING, amount=0.5),
        Fault(kind=K.NAN, text="unknown"),
        Fault(kind=K.EXTRA_FIELDS),
        Fault(kind=K.HOSTILE_NAMES),
        Fault(kind=K.OVERSIZED_HEADERS, amount=6000),
        Fault(kind=K.HUGE_BODY, amount=0),
    ],
    ids=lambda fault: fault.kind,
)
async def test_what_can_be_read_is_read_at_once(time: VirtualTime, fault: Fault) -> None:
    if fault.kind is K.HUGE_BODY:
        fault = Fault(kind=K.SET_FIELD, text=f'taskName="{"x" * 3_000_000}"')
    observed = Observed()
    async with (
        await simulated(time, fault) as simulator,
        asking(simulator.url, time, observed) as client,
    ):
        assert [task.calls for task in (await client.page(QUERY)).tasks] == [10]
    assert observed.codes == ["0"]


async def test_refused_connections_are_tried_again(time: VirtualTime) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, but nobody listens
        observed = Observed()
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        async with asking(url, time, observed) as client:
            with pytest.raises(
                errors.ConnectionFailedError, match=r"cannot connect to 127\.0\.0\.1"
            ):
                await client.page(QUERY)
    assert observed.codes == ["connection"] * ATTEMPTS


async def test_what_is_no_http_is_an_invalid_answer(time: VirtualTime) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with asking(f"http://{host}:{port}", time) as client:
            with pytest.raises(errors.InvalidResponseError, match="not an HTTP answer"):
                await client.page(QUERY)


async def test_a_tls_request_to_a_plain_server_is_a_connection_error(time: VirtualTime) -> None:
    async with (
        served(fine, time) as server,
        asking(server.url.replace("http:", "https:"), time) as client,
    ):
        with pytest.raises(errors.ConnectionFailedError, match="TLS"):
            await client.page(QUERY)


async def test_a_body_of_the_largest_size_is_read(time: VirtualTime) -> None:
    page = answer(record())
    body = page + b" " * (LARGEST_BODY - len(page))

    async def handler(_: Asked) -> web.Response:
        return web.Response(body=body)

    async with served(handler, time) as server, asking(server.url, time) as client:
        assert len(await client.page(QUERY)) == 1


@pytest.mark.usefixtures("exact")
async def test_retries_wait_longer_each_time(time: VirtualTime) -> None:
    async def failing(_: Asked) -> web.Response:
        return web.Response(status=503)

    async with served(failing, time) as server, asking(server.url, time) as client:
        with pytest.raises(errors.ServerStatusError):
            await client.page(QUERY)
    gaps = [later - earlier for earlier, later in pairwise(server.times)]
    for number, gap in enumerate(gaps):
        assert 0.25 * 2**number <= gap <= 5.0 + 0.1
    assert gaps[-1] >= 1


# --- asked to wait ------------------------------------------------------------------------------


async def limited(
    time: VirtualTime, retry_after: str, *, requests: int = 1, rate: float = 1000
) -> Sequence[float]:
    """Return when requests come to a server that refuses the first by 429."""
    first = True

    async def handler(asked: Asked) -> web.Response:
        nonlocal first
        if first:
            first = False
            return web.Response(status=429, headers={"Retry-After": retry_after})
        return await fine(asked)

    async with (
        served(handler, time) as server,
        asking(server.url, time, rate=rate, concurrency=2) as client,
    ):
        await asyncio.gather(*(client.page(QUERY) for _ in range(requests)))
    return server.times


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7),
        ("7.5", 7.5),
        (formatdate(BEGIN + 40, usegmt=True), 40),
        (format_datetime(datetime.fromtimestamp(BEGIN + 40, UTC)).replace("+0000", "-0000"), 40),
        ("299", 299),
        ("100000000", LONGEST_PAUSE),
        ("1e308", LONGEST_PAUSE),
        ("inf", LONGEST_PAUSE),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE),
    ],
)
async def test_retry_after_is_honoured_up_to_a_bound(
    time: VirtualTime, retry_after: str, seconds: float
) -> None:
    _, second = await limited(time, retry_after)
    assert second == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    "retry_after",
    ["0", "-5", "nan", "", "soon", formatdate(BEGIN - 3600, usegmt=True), "\x80",
     "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
     "Mon, 01 Jan 999999999999999999999999 00:00:00 GMT"],
)  # fmt: skip
async def test_a_retry_after_that_says_nothing_is_no_obstacle(
    time: VirtualTime, retry_after: str
) -> None:
    _, second = await limited(time, retry_after)
    assert second < 3


@pytest.mark.usefixtures("exact")
async def test_the_whole_account_waits(time: VirtualTime) -> None:
    """Also requests that were already waiting for their turn when the API asked to wait."""
    times = await limited(time, "20", requests=6, rate=5)
    assert times[0] == pytest.approx(0, abs=0.1)
    assert len(times) == 7
    assert min(times[1:]) >= 20
    assert min(later - earlier for earlier, later in pairwise(times[1:])) >= 0.2 - 1e-6


async def test_who_waits_says_why(time: VirtualTime) -> None:
    async with (
        await simulated(time, Fault(kind=K.RATE_LIMITED, amount=60)) as simulator,
        asking(simulator.url, time) as client,
    ):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.page(QUERY), 10)
        client.last_error = None
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.page(QUERY), 10)
        assert "50 s" in str(client.last_error)
        assert simulator.api.log.total == 1


# --- clocks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [-86400, -600, 600, 86400 * 3650])
async def test_an_expired_timestamp_is_corrected_by_the_servers_date(
    time: VirtualTime, wrong: float
) -> None:
    observed = Observed()
    server_clock = time.now
    simulator = await serve(
        ScriptedWorld([TODAY]), clock=server_clock, signing_clock=lambda: time.now() - wrong
    )
    async with simulator, asking(simulator.url, time, observed) as client:
        await client.page(QUERY)
        assert observed.codes == ["-16", "0"]
        assert client.clock_correction == pytest.approx(-wrong, abs=1)
        assert observed.skews == pytest.approx([-wrong, -wrong], abs=1)
        await client.page(QUERY)
        assert observed.codes == ["-16", "0", "0"]  # learned


async def test_a_clock_that_is_set_right_later_is_noticed(time: VirtualTime) -> None:
    observed = Observed()
    async with await simulated(time) as simulator, asking(simulator.url, time, observed) as client:
        client.clock_correction = 3600
        await client.page(QUERY)
        assert observed.codes == ["-16", "0"]
        assert client.clock_correction == pytest.approx(0, abs=1)


async def test_an_expired_timestamp_that_the_date_does_not_explain_is_not_asked_again(
    time: VirtualTime,
) -> None:
    async with await simulated(time, Fault(kind=K.API_CODE, amount=-16)) as simulator:
        async with asking(simulator.url, time) as client:
            for _ in range(3):
                with pytest.raises(errors.ClockSkewError):
                    await client.page(QUERY)
        assert simulator.api.log.total == 3


@pytest.mark.parametrize("date", [None, "", "now", "Mon, 01 Jan 2024 00:00:00 +99999999999999999"])
async def test_without_a_date_nothing_is_corrected(time: VirtualTime, date: str | None) -> None:
    async def handler(_: Asked) -> web.Response:
        response = web.json_response({"code": -16, "msg": "expired", "data": None})
        response.headers["Date"] = date or ""
        return response

    observed = Observed()
    async with served(handler, time) as server, asking(server.url, time, observed) as client:
        with pytest.raises(errors.ClockSkewError):
            await client.page(QUERY)
        assert client.clock_correction == 0
    assert len(server.asked) == 1
    assert observed.skews == []


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"])
async def test_a_correction_that_does_not_help_is_not_kept(time: VirtualTime, date: str) -> None:
    async def handler(_: Asked) -> web.Response:
        return web.json_response({"code": -16, "msg": "", "data": None}, headers={"Date": date})

    async with served(handler, time) as server, asking(server.url, time) as client:
        with pytest.raises(errors.ClockSkewError):
            await client.page(QUERY)
        assert client.clock_correction == 0
    assert len(server.asked) == 2


async def test_requests_side_by_side_are_each_corrected_once(time: VirtualTime) -> None:
    observed = Observed()
    simulator = await serve(
        ScriptedWorld([TODAY]), clock=time.now, signing_clock=lambda: time.now() + 3600
    )
    async with simulator, asking(simulator.url, time, observed) as client:
        await asyncio.gather(*(client.page(QUERY) for _ in range(8)))
    assert observed.codes.count("0") == 8
    assert observed.codes.count("-16") <= 4  # what was in flight


# --- what is told -------------------------------------------------------------------------------


@pytest.mark.usefixtures("exact")
async def test_durations_are_of_the_request_and_not_of_the_waiting(time: VirtualTime) -> None:
    observed = Observed()
    async with (
        await simulated(time, Fault(kind=K.SLOW, amount=3)) as simulator,
        asking(simulator.url, time, observed, rate=0.1, concurrency=1) as client,
    ):
        await asyncio.gather(*(client.page(QUERY) for _ in range(3)))
    assert [seconds for _, seconds in observed.requests] == pytest.approx([3, 3, 3], abs=0.2)
    assert len(observed.skews) == 3


async def test_a_request_that_was_cancelled_has_no_outcome(time: VirtualTime) -> None:
    observed = Observed()
    async with (
        await simulated(time, Fault(kind=K.HANG)) as simulator,
        asking(simulator.url, time, observed) as client,
    ):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.page(QUERY), 5)
        assert client.last_error is None
        simulator.faults.clear()
        await client.page(QUERY)
    assert observed.codes == ["0"]


ECHO = f"no access for {KEY} with {SECRET}, signed {sign(KEY, SECRET, str(int(BEGIN)))}"


@pytest.mark.parametrize("padding", ["", "x" * 40, "x" * 168, "x" * 172, "x" * 185, "x" * 400])
@pytest.mark.parametrize(
    "kind", [K.API_CODE, K.HTTP_STATUS, K.HTML, K.NOT_JSON, K.REDIRECT, K.RATE_LIMITED]
)
async def test_what_a_server_echoes_of_our_credentials_is_not_repeated(
    time: VirtualTime, kind: FaultKind, padding: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fault = Fault(kind=kind, text=padding + ECHO)
    async with await simulated(time, fault) as simulator, asking(simulator.url, time) as client:
        with pytest.raises(errors.ApiError) as raised:
            await client.page(QUERY)
        shown = [str(raised.value), repr(raised.value), repr(raised.value.args), repr(client)]
        shown.append("".join(traceback.format_exception(raised.value)))
        shown.append(str(client.last_error))
        for secret in (KEY, SECRET, sign(KEY, SECRET, str(int(BEGIN)))):
            for text in shown:
                assert secret[:5] not in text
            assert secret not in caplog.text


def test_credentials_do_not_show_themselves() -> None:
    credentials = Credentials("the-key", "the-secret")
    assert "the-" not in f"{credentials} {credentials!r}"


async def test_bombs_are_refused_before_they_are_unpacked(time: VirtualTime) -> None:
    bomb = Fault(kind=K.GZIP_BOMB, amount=1e9, times=1)
    async with await simulated(time, bomb) as simulator, asking(simulator.url, time) as client:
        with pytest.raises(errors.InvalidResponseError, match="larger than 32 MiB"):
            await client.page(QUERY)
        assert len(await client.page(QUERY)) == 1


@pytest.mark.parametrize(
    ("code", "label"),
    [("E1001", "E1001"), (-99, "-99"), ("", "other"), ("x" * 33, "other"), ('a"b', "other")],
)
async def test_a_code_that_is_no_label_is_told_as_another(
    time: VirtualTime, code: object, label: str
) -> None:
    async def handler(_: Asked) -> web.Response:
        return web.json_response({"code": code, "msg": "", "data": None})

    observed = Observed()
    async with served(handler, time) as server, asking(server.url, time, observed) as client:
        with pytest.raises(errors.UnknownCodeError):
            await client.page(QUERY)
    assert observed.codes == [label]
