"""What holds for every answer: security headers, refusals, and errors as one plain sentence."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web

from exporter.web.access.access import Access
from exporter.web.access.passwords import TooManyChecksError

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

_CHALLENGE: Final[Mapping[str, str]] = {
    hdrs.WWW_AUTHENTICATE: 'Basic realm="itnio-exporter", charset="UTF-8"'
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


class Guard:
    """Stands before every route: who is let in, what is refused, which headers an answer has."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def complete(self, response: web.StreamResponse) -> None:
        """Give an answer the headers that all of them have."""
        response.headers.update(HEADERS)
        for name, value in self._access.config.headers.items():
            if value:
                response.headers[name] = value
            else:
                response.headers.pop(name, None)

    @web.middleware
    async def guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who may come in, and turn errors into plain answers."""
        answer = await self._refusal(request) or await _answered(request, handler)
        transport = request.transport
        if transport and self._access.is_outdated(transport.get_extra_info("ssl_object")):
            # Whoever was let in by what counts no more has to come in anew.
            answer.force_close()
        if not answer.prepared:  # else its handler did that, as it had to send it
            self.complete(answer)
        return answer

    async def _refusal(self, request: web.Request) -> web.Response | None:
        """Return why a request is not answered; None where it is."""
        if not self._access.within_limit():
            return _too_many("requests come faster than rate_limit allows")
        try:
            if self._access.wants_password and not await self._access.knows(
                request.headers.get(hdrs.AUTHORIZATION), request.remote or ""
            ):
                return plain(
                    HTTPStatus.UNAUTHORIZED, "401: user and password are needed.", _CHALLENGE
                )
        except TooManyChecksError:
            return _too_many("other passwords are being checked")
        if request.method not in _SAFE and _is_cross_site(request):
            return plain(HTTPStatus.FORBIDDEN, "403: requests from other sites are refused.")
        if (request.content_length or 0) > LARGEST_BODY:
            answer = failed(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            # Without this the rest of the body would still be read, to keep the connection.
            answer.force_close()
            return answer
        return None


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        allowed = error.headers.get(hdrs.ALLOW)
        return failed(HTTPStatus(error.status), {"Allow": allowed} if allowed else None)
    except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer
        _log.exception("request failed", method=request.method, path=request.path)
        return failed(HTTPStatus.INTERNAL_SERVER_ERROR)


def _too_many(reason: str) -> web.Response:
    sentence = f"429: {reason}; try again in a second."
    return plain(HTTPStatus.TOO_MANY_REQUESTS, sentence, {hdrs.RETRY_AFTER: "1"})


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
