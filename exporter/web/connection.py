"""One client's connection: aiohttp's, with our bounds, and our answers to what is no HTTP."""

import asyncio
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web

from exporter.web.guard import HEADERS, failed

_log = structlog.get_logger()

_LONGEST_LINE: Final = 8_190
_MOST_HEADERS: Final = 64
_IDLE: Final = 120.0
"""Seconds; longer than any usual scrape interval, so that scrapers keep their connection."""
MOST: Final = 1_000
"""Connections; those beyond it are closed at once, so that polling is left its descriptors."""
_LINGER: Final = 1.0
"""Seconds for which a request's body that nobody needs is still read."""


class Connection(web.RequestHandler):
    """Serves the requests of one client.

    The place for what holds per connection: a limit on how slowly it may be written to.
    """

    __slots__ = ()

    def __init__(self, server: web.Server, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=_IDLE,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            max_headers=_MOST_HEADERS,
            lingering_time=_LINGER,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        if self._manager is not None and len(self._manager.connections) > MOST:
            _log.debug("too many connections", most=MOST)
            transport.close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what the application never saw, or could not answer.

        What a client sends is not the operator's concern, so a broken request is not an error in
        the log; and its answer has the headers of all others, and no library's name.
        """
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("request failed", exc_info=exc)
        else:
            _log.debug("broken request", remote=request.remote, reason=message)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun and cannot be replaced")
        response = failed(HTTPStatus(status), HEADERS)
        response.force_close()
        return response
