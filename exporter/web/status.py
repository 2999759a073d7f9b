"""The routes of the pages for people: the status, and the configuration in force."""

from collections.abc import Mapping

from aiohttp import web

from exporter.config.effective import effective_config
from exporter.web.filters import Filter
from exporter.web.page import status_page
from exporter.web.pages import Pages, answered
from exporter.web.site import Site
from exporter.web.wording import visible

_LONGEST_LINE = 4_000


class StatusRoute:
    """Serves the status page, rendered anew for each request."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._pages = pages

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer GET and HEAD."""
        return answered(request, self.render(request.query))

    def render(self, query: Mapping[str, str] | None = None) -> str:
        """Return the page as it is now; ``query`` is what its address asks for."""
        site = self._site
        demonstration = site.demonstration
        page = status_page(
            site.snapshots().values(),
            site.now(),
            histories=site.histories(),
            asked=Filter.of(query or {}),
            reload_failure=site.reload_failure(),
            shared=site.shared(),
            offers=None if demonstration is None else demonstration.offers(),
        )
        return self._pages.render("status.html", page=page)


class ConfigRoute:
    """Serves the configuration in force, without its secrets."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._pages = pages

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer GET and HEAD."""
        return answered(request, self.render())

    def render(self) -> str:
        """Return the page as it is now."""
        text = effective_config(self._site.config())
        return self._pages.render(
            "config.html",
            lines=[visible(line, _LONGEST_LINE) for line in text.splitlines()],
            failure=self._site.reload_failure(),
        )
