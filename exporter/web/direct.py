"""The metrics' address, answered before routing: that takes longer than to find the answer."""

from typing import Any, Final, cast

from aiohttp import hdrs, web

from exporter.web.guard import Guard, Handler


class Direct:
    """Answers one address under the application's own guard; all else is left to its routes.

    So is whatever of that address is not an ordinary scrape.
    """

    def __init__(self, path: str, guard: Guard, handler: Handler) -> None:
        self._path = path
        self._guard = guard
        self._handler = handler

    def before(self, server: web.Server) -> None:
        """Let a server ask this before it asks its application."""
        routed = cast("Handler", server.request_handler)

        async def answered(request: web.Request) -> web.StreamResponse:
            if (
                request.path != self._path
                or request.method != hdrs.METH_GET
                or hdrs.EXPECT in request.headers
            ):
                return await routed(request)
            return await self._guard.guarded(request, self._handler)

        server.request_handler = cast("Any", answered)  # its requests are an application's


DIRECT: Final = web.AppKey("direct", Direct)
