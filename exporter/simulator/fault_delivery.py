"""Faults on the way: the answer is good, what arrives is not."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from exporter.simulator.fault_answers import Sleep, reset
from exporter.simulator.faults import Fault, FaultKind

Delivery = Callable[[Fault, web.Request, bytes, Sleep], Awaitable[web.StreamResponse]]
JSON_TYPE = "application/json;charset=UTF-8"
_PIECES = 16


async def _truncated(
    fault: Fault, request: web.Request, body: bytes, sleep: Sleep
) -> web.StreamResponse:
    del sleep
    response = web.StreamResponse(headers={"Content-Type": JSON_TYPE})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: int(len(body) * fault.quantity(0.5))])
    reset_softly(request)
    return response


def reset_softly(request: web.Request) -> None:
    """Close after what was written has gone out; a reset could overtake it."""
    if request.transport is not None:
        request.transport.close()


async def _cut_json(
    fault: Fault, request: web.Request, body: bytes, sleep: Sleep
) -> web.StreamResponse:
    del request, sleep
    return plain(body[: int(len(body) * fault.quantity(0.5))])


async def _wrong_encoding(
    fault: Fault, request: web.Request, body: bytes, sleep: Sleep
) -> web.StreamResponse:
    del request, sleep
    return plain(body.decode().encode(fault.text or "utf-16"))


async def _invalid_bytes(
    fault: Fault, request: web.Request, body: bytes, sleep: Sleep
) -> web.StreamResponse:
    del fault, request, sleep
    return plain(body.replace(b'"msg":"', b'"msg":"\xff\xfe', 1))


async def _wrong_content_type(
    fault: Fault, request: web.Request, body: bytes, sleep: Sleep
) -> web.StreamResponse:
    del request, sleep
    return web.Response(body=body, headers={"Content-Type": fault.text or "text/plain"})


async def _bad_gzip(
    fault: Fault, request: web.Request, body: bytes, sleep: Sleep
) -> web.StreamResponse:
    del fault, request, sleep
    headers = {"Content-Type": JSON_TYPE, "Content-Encoding": "gzip"}
    return web.Response(body=body, headers=headers)


async def _oversized_headers(
    fault: Fault, request: web.Request, body: bytes, sleep: Sleep
) -> web.StreamResponse:
    del request, sleep
    response = plain(body)
    response.headers["X-Padding"] = "a" * int(fault.quantity(65_536))
    return response


async def _dripping(
    fault: Fault, request: web.Request, body: bytes, sleep: Sleep
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": JSON_TYPE})
    response.content_length = len(body)
    await response.prepare(request)
    step = max(1, -(-len(body) // _PIECES))
    try:
        for start in range(0, len(body), step):
            await response.write(body[start : start + step])
            await sleep(fault.quantity(1.0))
        await response.write_eof()
    except ConnectionError:
        reset(request)  # the client did not wait
    return response


def plain(body: bytes) -> web.Response:
    """Return the body as it should be delivered."""
    return web.Response(body=body, headers={"Content-Type": JSON_TYPE})


DELIVERIES: dict[FaultKind, Delivery] = {
    FaultKind.TRUNCATED: _truncated,
    FaultKind.CUT_JSON: _cut_json,
    FaultKind.WRONG_ENCODING: _wrong_encoding,
    FaultKind.INVALID_BYTES: _invalid_bytes,
    FaultKind.WRONG_CONTENT_TYPE: _wrong_content_type,
    FaultKind.BAD_GZIP: _bad_gzip,
    FaultKind.OVERSIZED_HEADERS: _oversized_headers,
    FaultKind.DRIPPING: _dripping,
}
