"""The balance: lenient where the vendor is vague, strict where a guess would lie."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from exporter.api import errors
from exporter.api.balance import read_balance
from exporter.simulator import Fault, FaultKind, ScriptedWorld, serve
from exporter.simulator.signature import sign
from exporter.tasks.task import Money
from tests.api.clients import KEY, SECRET, Observed, asking
from tests.virtual_time import BEGIN, VirtualTime

FINE: dict[str, Any] = {
    "status": "0",
    "reason": "success",
    "balance": "99.990000",
    "gift": "50.00000",
    "credit": "0",
}


def amounts(answer: object) -> Mapping[str, Decimal]:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    read = read_balance(body, "USD")
    assert {money.currency for money in read.values()} <= {"USD"}
    return {kind: money.amount for kind, money in read.items()}


def test_the_amounts_are_read_exactly() -> None:
    assert amounts(FINE) == {
        "balance": Decimal("99.990000"),
        "gift": Decimal("50.00000"),
        "credit": Decimal(0),
    }


@pytest.mark.parametrize("status", ["0", 0, "0.0", " 0 "])
def test_success_may_be_text_or_a_number(status: object) -> None:
    assert amounts(FINE | {"status": status})["balance"] == Decimal("99.99")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"status":0,"balance":12.30000000000000000001}', "12.30000000000000000001"),
        (b'{"status":"0","balance":"-3.5"}', "-3.5"),
        (b'{"status":"0","balance":"0E-8"}', "0"),
        (b'{"status":"0","balance":" 7 "}', "7"),
        (b'{"code":"0","balance":"7"}', "7"),
        (b'{"status":"0","reason":"\xff","balance":"7"}', "7"),
    ],
)
def test_odd_forms_are_read(body: bytes, expected: str) -> None:
    if len(expected) > 20:  # more decimals than money has
        with pytest.raises(errors.InvalidResponseError):
            amounts(body)
    else:
        assert amounts(body) == {"balance": Decimal(expected)}


def test_a_currency_that_the_api_names_is_believed() -> None:
    body = json.dumps(FINE | {"balance": "5(EUR)"}).encode()
    assert read_balance(body, "USD")["balance"] == Money(Decimal(5), "EUR")


@pytest.mark.parametrize("missing", [None, "", "  "])
def test_a_missing_amount_is_absent_and_not_0(missing: object) -> None:
    assert amounts(FINE | {"gift": missing}).keys() == {"balance", "credit"}
    with pytest.raises(errors.InvalidResponseError, match="without any balance"):
        amounts(FINE | dict.fromkeys(("balance", "gift", "credit"), missing))


@pytest.mark.parametrize("wrong", ["much", "1,234.5", "NaN", [], {}, True, "1e99", "\u0661"])
def test_an_amount_that_is_none_is_no_amount(wrong: object) -> None:
    with pytest.raises(errors.InvalidResponseError, match="gift in the answer is no amount"):
        amounts(FINE | {"gift": wrong})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (-1, errors.AuthenticationError),
        ("-2", errors.IPRestrictedError),
        ("-13", errors.UnknownCodeError),
        ("-16", errors.ClockSkewError),
        (-18, errors.SystemFaultError),
        ("BUSY", errors.UnknownCodeError),
    ],
)
def test_another_status_is_its_error(status: object, kind: type[errors.ApiError]) -> None:
    with pytest.raises(kind, match="no, because"):
        amounts(FINE | {"status": status, "reason": "no, because"})


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"ok", b"[]", b"null", b"7", b"<html>", b'{"status":', b"{}", b'{"status":null}'),
        *(b'{"status":[0],"balance":"1"}', b"[" * 100_000, "{}".encode("utf-16")),
    ],
)
def test_what_is_no_answer_says_so(body: bytes) -> None:
    with pytest.raises(errors.InvalidResponseError):
        amounts(body)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*FINE, "code", "msg"]), values) | values)
def test_any_json_is_amounts_or_an_error_of_the_tree(answer: object) -> None:
    try:
        read = amounts(answer)
    except errors.ApiError:
        return
    assert read
    assert all(amount.is_finite() for amount in read.values())


# --- asked for ----------------------------------------------------------------------------------


async def test_it_is_asked_for_with_the_same_headers(time: VirtualTime) -> None:
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request)
        assert await request.read() == b""
        return web.json_response(FINE)

    app = web.Application()
    app.router.add_get("/sms/getBalance", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    observed = Observed()
    async with asking(f"http://{host}:{port}/", time, observed) as client:
        assert (await client.balance())["balance"] == Money(Decimal("99.99"), "USD")
    await runner.cleanup()
    headers = asked[0].headers
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert headers["Api-Key"] == KEY
    assert headers["Timestamp"] == str(int(BEGIN))
    assert headers["Sign"] == sign(KEY, SECRET, str(int(BEGIN)))
    assert observed.codes == ["0"]


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault(kind=FaultKind.API_CODE, amount=-1), errors.AuthenticationError, "-1"),
        (Fault(kind=FaultKind.API_CODE, amount=-18), errors.SystemFaultError, "-18"),
        (Fault(kind=FaultKind.HTTP_STATUS, amount=503), errors.ServerStatusError, "http_503"),
        (Fault(kind=FaultKind.HTTP_STATUS, amount=404), errors.HTTPStatusError, "http_404"),
        (
            Fault(kind=FaultKind.HTTP_STATUS, amount=403, text='{"status":"-2"}'),
            errors.IPRestrictedError,
            "-2",
        ),
        (Fault(kind=FaultKind.HANG), errors.RequestTimeoutError, "timeout"),
        (Fault(kind=FaultKind.RESET), errors.ConnectionFailedError, "connection"),
        (Fault(kind=FaultKind.HTML), errors.InvalidResponseError, "invalid"),
        (Fault(kind=FaultKind.RATE_LIMITED), errors.RateLimitedError, "http_429"),
    ],
    ids=lambda each: str(getattr(each, "kind", "")),
)
async def test_a_failure_is_its_error_once_and_no_poll_is_blamed(
    time: VirtualTime, fault: Fault, kind: type[errors.ApiError], code: str
) -> None:
    observed = Observed()
    async with (
        await serve(ScriptedWorld(), clock=time.now) as simulator,
        asking(simulator.url, time, observed) as client,
    ):
        simulator.faults.add(fault)
        with pytest.raises(kind):
            await client.balance()
        assert client.last_error is None
    assert observed.codes == [code]


async def test_a_clock_that_is_off_is_corrected(time: VirtualTime) -> None:
    time.wall_offset = -3600
    async with (
        await serve(ScriptedWorld(), clock=lambda: time.now() + 3600) as simulator,
        asking(simulator.url, time) as client,
    ):
        assert await client.balance()
        assert client.clock_correction == pytest.approx(3600, abs=2)


async def test_what_a_server_echoes_of_our_credentials_is_not_repeated(time: VirtualTime) -> None:
    async with (
        await serve(ScriptedWorld(), clock=time.now) as simulator,
        asking(simulator.url, time) as client,
    ):
        echo = f"{KEY} {SECRET} {sign(KEY, SECRET, str(int(BEGIN)))}"
        simulator.faults.add(Fault(kind=FaultKind.API_CODE, amount=-1, text=echo))
        with pytest.raises(errors.AuthenticationError) as caught:
            await client.balance()
    assert KEY not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "<secret> <secret> <secret>" in str(caught.value)
