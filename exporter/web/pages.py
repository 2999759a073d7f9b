"""Everything that is HTML: templates, and how a page is sent."""

from functools import cached_property
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from exporter.web import wording
from exporter.web.assets import Assets
from exporter.web.demonstration import ADDRESS
from exporter.web.negotiation import wants_gzip
from exporter.web.site import Site

if TYPE_CHECKING:
    from jinja2 import Environment

_FILTERS = {
    "age": wording.age,
    "amount": wording.amount,
    "curly": wording.curly,
    "call_duration": wording.call_duration,
    "duration": wording.duration,
    "machine_time": wording.machine_time,
    "moment": wording.moment,
    "percent": wording.percent,
    "until": wording.until,
    "visible": wording.visible,
    "whole": wording.whole,
}


class Pages:
    """Renders templates for one site."""

    def __init__(self, site: Site, assets: Assets) -> None:
        self._site = site
        self._assets = assets

    @cached_property
    def _environment(self) -> "Environment":
        # Most exporters are scraped for months before anybody looks at a page.
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

        environment = Environment(
            loader=PackageLoader("exporter.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters.update(_FILTERS)
        environment.globals.update(
            asset=self._assets.address,
            demonstration=ADDRESS,
            metrics=self._site.telemetry_path.removeprefix("/"),
            version=self._site.version,
        )
        return environment

    def render(self, template: str, **values: object) -> str:
        """Return a page; ``template`` is the name of a file of the templates folder."""
        return self._environment.get_template(template).render(values)


def answered(request: web.Request, html: str) -> web.Response:
    """Return the answer that carries a page; zipped for those who take it."""
    answer = web.Response(
        text=html,
        content_type="text/html",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "no-store", hdrs.VARY: hdrs.ACCEPT_ENCODING},
    )
    if wants_gzip(request.headers.getall(hdrs.ACCEPT_ENCODING, [])):
        # Open pages fetch it every few seconds, and table rows are much alike.
        answer.enable_compression(web.ContentCoding.gzip)
    return answer
