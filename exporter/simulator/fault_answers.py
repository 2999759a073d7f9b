"""Faults that come in place of an answer."""

import asyncio
import json
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from exporter.simulator.account import BALANCE_PATH, MESSAGES, SYSTEM
from exporter.simulator.faults import Fault, FaultKind

Sleep = Callable[[float], Awaitable[None]]
Answer = Callable[[Fault, web.Request, Sleep], Awaitable[web.StreamResponse | None]]

_MEBIBYTE = 1 << 20
_PAGE = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>"


async def _api_code(fault: Fault, request: web.Request, sleep: Sleep) -> web.Response:
    del sleep
    code = int(fault.quantity(SYSTEM))
    message = fault.text if fault.text is not None else MESSAGES.get(code, "unknown error")
    if request.path == BALANCE_PATH:
        return web.json_response({"status": str(code), "reason": message})
    return web.json_response({"code": code, "msg": message, "data": None})


async def _http_status(fault: Fault, request: web.Request, sleep: Sleep) -> web.Response:
    del request, sleep
    return web.Response(status=int(fault.quantity(503)), text=fault.text or "")


async def _rate_limited(fault: Fault, request: web.Request, sleep: Sleep) -> web.Response:
    del request, sleep
    after = fault.text if fault.text is not None else f"{fault.quantity(2):g}"
    return web.Response(status=429, headers={"Retry-After": after})


async def _redirect(fault: Fault, request: web.Request, sleep: Sleep) -> web.Response:
    del sleep
    location = fault.text if fault.text is not None else str(request.url)
    return web.Response(status=int(fault.quantity(307)), headers={"Location": location})


async def _slow(fault: Fault, request: web.Request, sleep: Sleep) -> None:
    del request
    await sleep(fault.quantity(3.0))


async def _hang(fault: Fault, request: web.Request, sleep: Sleep) -> None:
    del fault, request, sleep
    # Ends by cancellation: when the client goes, or when the server closes.
    await asyncio.get_running_loop().create_future()


async def _reset(fault: Fault, request: web.Request, sleep: Sleep) -> web.Response:
    del fault, sleep
    reset(request)
    return web.Response()


def reset(request: web.Request) -> None:
    """Reset the request's connection; what is written to it afterwards goes nowhere."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:  # lingering for no time at all makes a close into a reset
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _body(content_type: str, default: str) -> Answer:
    """Make a fault that gives `text` (or the default) with status 200."""

    async def answer(fault: Fault, request: web.Request, sleep: Sleep) -> web.Response:
        del request, sleep
        text = default if fault.text is None else fault.text
        return web.Response(text=text, content_type=content_type, charset="utf-8")

    return answer


async def _deep_json(fault: Fault, request: web.Request, sleep: Sleep) -> web.Response:
    del request, sleep
    levels = int(fault.quantity(100_000))
    text = f'{{"code":0,"msg":"success","data":{"[" * levels}{"]" * levels}}}'
    return web.Response(text=text, content_type="application/json")


async def _huge_body(fault: Fault, request: web.Request, sleep: Sleep) -> web.StreamResponse:
    del sleep
    return await _stream(request, _padding(int(fault.quantity(200_000_000))), {})


async def _gzip_bomb(fault: Fault, request: web.Request, sleep: Sleep) -> web.StreamResponse:
    del sleep
    chunks = _gzipped(_padding(int(fault.quantity(1_000_000_000))))
    return await _stream(request, chunks, {"Content-Encoding": "gzip"})


async def _padding(size: int) -> AsyncIterator[bytes]:
    """Yield a good JSON answer of `size` bytes that is nearly all message."""
    head, tail = b'{"code":0,"msg":"', b'","data":null}'
    yield head
    missing = max(0, size - len(head) - len(tail))
    piece = b"a" * _MEBIBYTE
    while missing:
        yield piece[:missing]
        missing -= min(missing, _MEBIBYTE)
    yield tail


async def _gzipped(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    async for chunk in chunks:
        yield packer.compress(chunk)
        await asyncio.sleep(0)  # others are served meanwhile
    yield packer.flush()


async def _stream(
    request: web.Request, chunks: AsyncIterator[bytes], headers: dict[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", **headers})
    await response.prepare(request)
    try:
        async for chunk in chunks:
            if chunk:
                await response.write(chunk)
        await response.write_eof()
    except ConnectionError:
        pass  # the client has had enough, which is right
    return response


ANSWERS: dict[FaultKind, Answer] = {
    FaultKind.API_CODE: _api_code,
    FaultKind.HTTP_STATUS: _http_status,
    FaultKind.RATE_LIMITED: _rate_limited,
    FaultKind.REDIRECT: _redirect,
    FaultKind.SLOW: _slow,
    FaultKind.HANG: _hang,
    FaultKind.RESET: _reset,
    FaultKind.EMPTY_BODY: _body("application/json", ""),
    FaultKind.HTML: _body("text/html", _PAGE),
    FaultKind.NOT_JSON: _body("application/json", "ok"),
    FaultKind.JSON_OF_ANOTHER_SHAPE: _body("application/json", json.dumps([])),
    FaultKind.HUGE_BODY: _huge_body,
    FaultKind.GZIP_BOMB: _gzip_bomb,
    FaultKind.DEEP_JSON: _deep_json,
}
