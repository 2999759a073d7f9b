"""What holds for every answer: security headers, refusals, and errors as one plain sentence."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web

_log = structlog.get_logger()

LARGEST_BODY: Final = 16 * 1024
"""Bytes of a request's body. No request needs one, but some clients send one with every POST."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": browsers would then name no origin with the page's own forms either.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Which library serves this, in which version, is nobody's business.
    hdrs.SERVER: "itnio-exporter",
}

_SENTENCES: Final = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not take that method",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the request's body is too long",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def plain(
    status: HTTPStatus, sentence: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a short answer in plain text, never to be cached."""
    return web.Response(
        status=status,
        text=f"{sentence}\n",
        content_type="text/plain",
        charset="utf-8",
        headers={**(headers or {}), hdrs.CACHE_CONTROL: "no-store"},
    )


def failed(status: HTTPStatus, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return the answer to a request that could not be served, in words."""
    sentence = _SENTENCES.get(status, status.phrase.lower())
    return plain(status, f"{status.value}: {sentence}.", headers)


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Give an answer the headers that all of them have; a signal, so that none is left out."""
    response.headers.update(HEADERS)


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what must not come through, and turn errors into plain answers."""
    if request.method not in _SAFE and _is_cross_site(request):
        return plain(HTTPStatus.FORBIDDEN, "403: requests from other sites are refused.")
    if (request.content_length or 0) > LARGEST_BODY:
        answer = failed(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        # Without this the rest of the body would still be read, to keep the connection.
        answer.force_close()
        return answer
    try:
        return await handler(request)
    except web.HTTPException as error:
        allowed = error.headers.get(hdrs.ALLOW)
        return failed(HTTPStatus(error.status), {"Allow": allowed} if allowed else None)
    except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer
        _log.exception("request failed", method=request.method, path=request.path)
        return failed(HTTPStatus.INTERNAL_SERVER_ERROR)


def _is_cross_site(request: web.Request) -> bool:
    """Whether a browser says that another site made it send this; other clients say nothing."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return True
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return False
    try:
        # The scheme is not compared: before a proxy that ends TLS it is another one.
        return urlsplit(origin).netloc.lower() != request.host.lower()
    except ValueError:
        return True
