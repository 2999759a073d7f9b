"""Rows: codes of the API, HTTP statuses, what happens on the way, and bodies that are no answer."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exporter.simulator import FaultKind as K
from tests.faults.during import Group, answer, api
from tests.faults.row import FOLLOWS, Counters, Event, Meanwhile, Row, Up, Windows, fails

if TYPE_CHECKING:
    from tests.faults.bench import Bench

_codes = Group("Codes of the API")
_http = Group("HTTP")
_way = Group("On the way")
_bodies = Group("Bodies")
_UNSURE = Meanwhile(Up.EITHER, Windows.OTHER, Counters.RISE)


def _rules(**changes: Any) -> Event:
    async def change(bench: "Bench") -> None:
        bench.faulty.api.rules = replace(bench.faulty.api.rules, **changes)

    return change


CODES: list[Row] = [
    _codes.row(
        "code -1",
        "every request is answered with code -1",
        api(K.API_CODE, -1),
        fails("authentication"),
        note="asked ever more seldom, at last every 5 minutes",
    ),
    _codes.row(
        "code -1 for long",
        "code -1 for 20 minutes",
        api(K.API_CODE, -1),
        Meanwhile(Up.NO, Windows.WITHDRAWN, Counters.STILL, ("authentication",)),
        minutes=20,
        recovery=6,
        note="stale figures are withdrawn; found again within 5 minutes",
    ),
    _codes.row(
        "secret changed",
        "the API's secret is another one: every signature is wrong",
        _rules(credentials={"demo-key": "another"}),
        fails("authentication"),
        ends=_rules(credentials={"demo-key": "demo-secret"}),
    ),
    _codes.row(
        "code -2",
        "every request is answered with code -2",
        api(K.API_CODE, -2),
        fails("ip_restricted"),
    ),
    _codes.row(
        "address not allowed",
        "this host's address is taken off the allow-list",
        _rules(allowed_addresses=frozenset({"192.0.2.1"})),
        fails("ip_restricted"),
        ends=_rules(allowed_addresses=None),
    ),
    _codes.row(
        "code -16",
        "code -16 although both clocks are right",
        api(K.API_CODE, -16),
        fails("clock_skew"),
    ),
    _codes.row(
        "code -18",
        "every request is answered with code -18",
        api(K.API_CODE, -18),
        fails("system"),
    ),
    _codes.row(
        "code -18 now and then",
        "a third of the requests is answered with code -18",
        api(K.API_CODE, -18, probability=0.3),
        _UNSURE,
        note="tried again within the poll",
    ),
    _codes.row(
        "code -22",
        "every request is answered with code -22",
        api(K.API_CODE, -22),
        fails("parameter"),
    ),
    _codes.row(
        "range too wide",
        "code -22 for ranges of more than two hours",
        _rules(widest_range=7200),
        FOLLOWS,
        ends=_rules(widest_range=None),
        note="wide ranges are read in parts",
    ),
    _codes.row(
        "code -16 once",
        "one request is answered with code -16",
        api(K.API_CODE, -16, times=1),
        _UNSURE,
    ),
    _codes.row(
        "code not documented",
        "code 7",
        api(K.API_CODE, 7),
        fails("unknown_code"),
    ),
    _codes.row(
        "code in words",
        "code is the text BUSY",
        answer({"code": "BUSY", "msg": "", "data": None}),
        fails("unknown_code"),
    ),
    _codes.row("code 0 as text", "code is the text 0", api(K.CODE_AS_TEXT), FOLLOWS),
    _codes.row(
        "code -18 as text",
        "code is the text -18",
        answer({"code": "-18", "msg": "", "data": None}),
        fails("system"),
    ),
    _codes.row(
        "no code", "an object without a code", answer({"msg": "ok"}), fails("invalid_response")
    ),
    _codes.row(
        "code null",
        "code is null, data as ever",
        answer({"code": None, "data": {"records": []}}),
        fails("invalid_response"),
    ),
    _codes.row(
        "code of many digits",
        "code is a number of 5,000 digits",
        answer('{"code":' + "9" * 5000 + "}"),
        fails("unknown_code", "invalid_response"),
    ),
    _codes.row(
        "message of 10 MB",
        "code 7 with a message of 10 MB",
        answer({"code": 7, "msg": "a" * 10_000_000}),
        fails("unknown_code"),
        minutes=1,
        note="shown and logged on one line of at most 200 characters",
    ),
]


def _status(status: int) -> Row:
    return _http.row(
        f"HTTP {status}",
        f"every request is answered with HTTP {status}",
        api(K.HTTP_STATUS, status),
        fails("http"),
        minutes=2,
    )


async def _redirect_to_neighbour(bench: "Bench") -> None:
    address = f"{bench.healthy.url}/voice/group/call/query"
    await api(K.REDIRECT, 307, address)(bench)
    bench.kept["asked"] = _asked_neighbour(bench)


async def _end_redirect(bench: "Bench") -> None:
    bench.faulty.faults.clear()
    foreign = _asked_neighbour(bench) - bench.kept["asked"]
    assert not foreign, "a signed request went where a redirect sent it"


def _asked_neighbour(bench: "Bench") -> int:
    return sum(each.outcome != "0" for each in bench.healthy.api.log.recent)


def _limited(name: str, fault: str, begins: Event, **more: Any) -> Row:
    return _http.row(name, fault, begins, fails("rate_limited"), **more)


HTTP: list[Row] = [
    *map(_status, (204, 206, 304, 400, 401, 403, 404, 405, 408, 413, 418, 451)),
    *map(_status, (500, 501, 502, 503, 504, 511, 599)),
    *(
        _http.row(
            f"HTTP {status} to itself",
            f"HTTP {status} to the same address: a loop",
            api(K.REDIRECT, status),
            fails("http"),
            minutes=2,
        )
        for status in (301, 302, 303, 307, 308)
    ),
    _http.row(
        "HTTP 307 elsewhere",
        "HTTP 307 to another host",
        _redirect_to_neighbour,
        fails("http"),
        ends=_end_redirect,
        note="never followed: a signed request goes to base_url only",
    ),
    _limited("HTTP 429", "HTTP 429 without Retry-After", api(K.HTTP_STATUS, 429)),
    _limited("HTTP 429, 2 s", "HTTP 429, Retry-After: 2", api(K.RATE_LIMITED, 2)),
    _limited(
        "HTTP 429, 90 s",
        "HTTP 429, Retry-After: 90",
        api(K.RATE_LIMITED, 90),
        note="no request is made before",
    ),
    _limited(
        "HTTP 429, a day",
        "HTTP 429, Retry-After: 86400",
        api(K.RATE_LIMITED, 86_400),
        recovery=8,
        note="more than 5 minutes is not believed",
    ),
    _limited(
        "HTTP 429, a date",
        "HTTP 429, Retry-After as a date of the past",
        api(K.RATE_LIMITED, text="Wed, 21 Oct 2015 07:28:00 GMT"),
    ),
    _limited(
        "HTTP 429, nonsense",
        "HTTP 429, Retry-After: soon, please",
        api(K.RATE_LIMITED, text="soon, please"),
    ),
    _limited("HTTP 429, NaN", "HTTP 429, Retry-After: nan", api(K.RATE_LIMITED, text="nan")),
    _limited("HTTP 429, negative", "HTTP 429, Retry-After: -5", api(K.RATE_LIMITED, -5)),
    _http.row(
        "HTTP 500 with code -1",
        "HTTP 500, and code -1 in its body",
        api(K.HTTP_STATUS, 500, '{"code":-1,"msg":"authentication error"}'),
        fails("authentication"),
        note="a gateway's status hides no refusal",
    ),
    _http.row(
        "HTTP 403 with code -2",
        "HTTP 403, and code -2 as text in its body",
        api(K.HTTP_STATUS, 403, '{"code":"-2"}'),
        fails("ip_restricted"),
    ),
    _http.row(
        "HTTP 502 with HTML",
        "HTTP 502 and a gateway's page",
        api(K.HTTP_STATUS, 502, "<html>Bad Gateway</html>"),
        fails("http"),
    ),
    _http.row(
        "HTTP 503 now and then",
        "a third of the requests is answered with HTTP 503",
        api(K.HTTP_STATUS, 503, probability=0.3),
        _UNSURE,
        note="tried again within the poll",
    ),
    _http.row(
        "HTTP 503 once",
        "one request is answered with HTTP 503",
        api(K.HTTP_STATUS, 503, times=1),
        FOLLOWS,
        note="tried again within the poll",
    ),
    _http.row(
        "HTTP 503 on page 2",
        "HTTP 503 for every page but the first, so that sweeps fail",
        api(K.HTTP_STATUS, 503, page=2),
        _UNSURE,
        minutes=6,
    ),
]


async def _close_server(bench: "Bench") -> None:
    bench.kept["port"] = int(bench.faulty.url.rpartition(":")[2])
    await bench.faulty._runner.cleanup()


async def _open_server(bench: "Bench") -> None:
    await bench.serve_again(bench.kept["port"])


async def _mute(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    writer.close()


async def _other_server(bench: "Bench") -> None:
    await _close_server(bench)
    bench.kept["other"] = await asyncio.start_server(_mute, "127.0.0.1", bench.kept["port"])


async def _no_other_server(bench: "Bench") -> None:
    bench.kept["other"].close()
    await bench.kept["other"].wait_closed()
    await _open_server(bench)


WAY: list[Row] = [
    _way.row("slow", "every answer takes 9 s (poll.timeout: 10 s)", api(K.SLOW, 9), FOLLOWS),
    _way.row("too slow", "every answer takes 15 s", api(K.SLOW, 15), fails("timeout")),
    _way.row(
        "slow sweeps",
        "every answer takes 9 s while all is read again: more than a deadline",
        api(K.SLOW, 9),
        Meanwhile(Up.YES, Windows.FOLLOW, Counters.COUNT),
        minutes=8,
        note="the sweep goes on beside the polls",
    ),
    _way.row("hung", "no answer ever comes", api(K.HANG), fails("timeout")),
    _way.row(
        "hung for long",
        "no answer comes for 10 minutes",
        api(K.HANG),
        Meanwhile(Up.NO, Windows.WITHDRAWN, Counters.STILL, ("timeout",)),
        minutes=10,
    ),
    _way.row(
        "dripping",
        "the body comes in 16 pieces, half a second between them",
        api(K.DRIPPING, 0.5),
        FOLLOWS,
    ),
    _way.row(
        "dripping too slowly",
        "the body comes in 16 pieces, 5 s between them",
        api(K.DRIPPING, 5),
        fails("timeout"),
    ),
    _way.row(
        "reset", "the connection is reset before the answer", api(K.RESET), fails("connection")
    ),
    _way.row(
        "refused",
        "nobody listens at base_url",
        _close_server,
        fails("connection"),
        ends=_open_server,
    ),
    _way.row(
        "not HTTP",
        "something that is no HTTP server listens at base_url",
        _other_server,
        fails("invalid_response", "connection"),
        ends=_no_other_server,
    ),
    _way.row(
        "truncated", "the connection ends within the body", api(K.TRUNCATED), fails("connection")
    ),
    _way.row(
        "truncated after headers",
        "the connection ends before the body",
        api(K.TRUNCATED, 0),
        fails("connection"),
    ),
    _way.row(
        "reset once",
        "one connection is reset",
        api(K.RESET, times=1),
        FOLLOWS,
        note="tried again within the poll",
    ),
    _way.row(
        "bad gzip",
        "Content-Encoding says gzip, the body is not",
        api(K.BAD_GZIP),
        fails("connection", "invalid_response"),
    ),
    _way.row(
        "oversized headers",
        "a header of 64 KiB",
        api(K.OVERSIZED_HEADERS),
        fails("invalid_response"),
    ),
]

_DEEP = '{"code":0,"msg":%s,"data":{"records":[],"total":0}}' % ("[" * 100_000 + "]" * 100_000)

BODIES: list[Row] = [
    _bodies.row(
        "empty", "an empty body with HTTP 200", api(K.EMPTY_BODY), fails("invalid_response")
    ),
    _bodies.row("HTML", "a page with HTTP 200", api(K.HTML), fails("invalid_response")),
    _bodies.row("not JSON", "the body is: ok", api(K.NOT_JSON), fails("invalid_response")),
    _bodies.row(
        "JSON list", "the body is: []", api(K.JSON_OF_ANOTHER_SHAPE), fails("invalid_response")
    ),
    _bodies.row("JSON null", "the body is: null", answer("null"), fails("invalid_response")),
    _bodies.row("JSON number", "the body is: 1e999", answer("1e999"), fails("invalid_response")),
    _bodies.row(
        "cut JSON", "half of the body, well delivered", api(K.CUT_JSON), fails("invalid_response")
    ),
    _bodies.row(
        "UTF-16", "the body is UTF-16, its headers say UTF-8", api(K.WRONG_ENCODING), FOLLOWS
    ),
    _bodies.row("UTF-7", "the body is UTF-7", api(K.WRONG_ENCODING, text="utf-7"), _UNSURE),
    _bodies.row(
        "EBCDIC",
        "the body is EBCDIC",
        api(K.WRONG_ENCODING, text="cp500"),
        fails("invalid_response"),
    ),
    _bodies.row(
        "invalid bytes", "bytes in the message that are no UTF-8", api(K.INVALID_BYTES), FOLLOWS
    ),
    _bodies.row("content type", "Content-Type: text/plain", api(K.WRONG_CONTENT_TYPE), FOLLOWS),
    _bodies.row(
        "200 MB",
        "a body of 200 MB",
        api(K.HUGE_BODY, 200e6),
        fails("invalid_response"),
        minutes=2,
        note="read up to 32 MiB",
    ),
    _bodies.row(
        "gzip bomb",
        "a body of 1 GB, zipped",
        api(K.GZIP_BOMB, 1e9),
        fails("invalid_response"),
        minutes=2,
        note="unpacked up to 32 MiB",
    ),
    _bodies.row(
        "deep JSON",
        "data is 100,000 lists within each other",
        api(K.DEEP_JSON),
        fails("invalid_response"),
    ),
    _bodies.row(
        "deep message",
        "msg is 100,000 lists within each other",
        answer(_DEEP),
        fails("invalid_response"),
    ),
]

ROWS = [*CODES, *HTTP, *WAY, *BODIES]
