"""The metrics' route: from what a scraper accepts to the bytes it gets."""

from aiohttp import hdrs, web

from exporter.web.negotiation import OPENMETRICS, TEXT, wants_gzip, wants_openmetrics
from exporter.web.site import Site


class MetricsRoute:
    """Serves the exposition in the form, and of the names, that are asked for.

    The one place that every scrape passes: a limit on concurrent ones belongs here.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer GET and HEAD."""
        openmetrics = wants_openmetrics(request.headers.getall(hdrs.ACCEPT, []))
        compressed = wants_gzip(request.headers.getall(hdrs.ACCEPT_ENCODING, []))
        headers = {
            hdrs.CONTENT_TYPE: OPENMETRICS if openmetrics else TEXT,
            hdrs.VARY: "Accept, Accept-Encoding",
            hdrs.CACHE_CONTROL: "no-store",
        }
        if compressed:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        if request.method == hdrs.METH_HEAD:
            # Not scraped: nobody would have seen what a scrape counts as seen.
            return web.Response(headers=headers)
        names = frozenset(request.query.getall("name[]", []))
        body = await self._site.scrape(openmetrics, compressed, names)
        return web.Response(body=body, headers=headers)
