"""The metrics' route: from what a scraper accepts to the bytes it gets."""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import hdrs, web

from exporter.web.guard import plain
from exporter.web.negotiation import OPENMETRICS, TEXT, wants_gzip, wants_openmetrics
from exporter.web.site import Site

_log = structlog.get_logger()

MOST_AT_ONCE: Final = 40
"""Scrapes; those beyond it are refused, so that clients that do not read cost no more than this."""
WRITE_PATIENCE: Final = 10.0
"""Seconds within which a client must have taken a piece, at most half a MiB, of its answer."""
_AT_ONCE: Final = 2**16
"""Bytes: a connection takes so much without waiting for its client."""
_RETRY_AFTER: Final = 5
"""Seconds."""

# A scraper's headers are the same at each scrape.
_openmetrics: Final = lru_cache(maxsize=64)(wants_openmetrics)
_gzip: Final = lru_cache(maxsize=64)(wants_gzip)


class MetricsRoute:
    """Serves the exposition in the form, and of the names, that are asked for.

    ``complete`` gives an answer the headers that all of them have; ``write_patience`` in seconds.
    """

    def __init__(
        self,
        site: Site,
        complete: Callable[[web.StreamResponse], None],
        *,
        most_at_once: int = MOST_AT_ONCE,
        write_patience: float = WRITE_PATIENCE,
    ) -> None:
        self._site = site
        self._complete = complete
        self._most_at_once = most_at_once
        self._write_patience = write_patience
        self._answering = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD."""
        openmetrics = _openmetrics(tuple(request.headers.getall(hdrs.ACCEPT, ())))
        compressed = _gzip(tuple(request.headers.getall(hdrs.ACCEPT_ENCODING, ())))
        headers: dict[str, str] = {
            hdrs.CONTENT_TYPE: OPENMETRICS if openmetrics else TEXT,
            hdrs.VARY: "Accept, Accept-Encoding",
            hdrs.CACHE_CONTROL: "no-store",
        }
        if compressed:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        if request.method == hdrs.METH_HEAD:
            # Not scraped: nobody would have seen what a scrape counts as seen.
            return web.Response(headers=headers)
        if self._answering >= self._most_at_once:
            return self._refusal()
        self._answering += 1
        try:
            names = frozenset(request.query.getall("name[]", ()) if request.query_string else ())
            pieces = await self._site.scrape(openmetrics, compressed, names)
            if len(pieces) == 1 and len(pieces[0]) < _AT_ONCE:
                return web.Response(body=pieces[0], headers=headers)
            return await self._sent(request, headers, pieces)
        finally:
            self._answering -= 1

    async def _sent(
        self, request: web.Request, headers: dict[str, str], pieces: Sequence[bytes]
    ) -> web.StreamResponse:
        """Send an answer piece by piece, each once the client has taken what came before.

        A client that takes too long, or leaves, is a broken connection and no error of ours.
        """
        answer = web.StreamResponse(headers=headers)
        answer.content_length = sum(map(len, pieces))
        self._complete(answer)
        loop = asyncio.get_running_loop()
        try:
            await answer.prepare(request)
            for piece in pieces:
                watch = loop.call_later(self._write_patience, _let_go, request)
                try:
                    await answer.write(piece)
                finally:
                    watch.cancel()
        except ConnectionError:
            _log.debug("a client left before its answer was sent", remote=request.remote)
        return answer

    def _refusal(self) -> web.Response:
        self._site.scrape_refused()
        return plain(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"503: {self._most_at_once} scrapes are being answered already; try again later.",
            {hdrs.RETRY_AFTER: str(_RETRY_AFTER)},
        )


def _let_go(request: web.Request) -> None:
    """End a connection whose client takes nothing; whoever writes to it gets a ConnectionError."""
    _log.debug("a client does not read its answer", remote=request.remote)
    if request.transport is not None:
        request.transport.abort()
