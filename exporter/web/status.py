"""The status page's route and its templates."""

from aiohttp import hdrs, web
from jinja2 import Environment, PackageLoader, StrictUndefined

from exporter.web import wording
from exporter.web.assets import Assets
from exporter.web.negotiation import wants_gzip
from exporter.web.page import status_page
from exporter.web.site import Site

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


class StatusRoute:
    """Serves the status page, rendered anew for each request."""

    def __init__(self, site: Site, assets: Assets) -> None:
        self._site = site
        environment = Environment(
            loader=PackageLoader("exporter.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters.update(_FILTERS)
        environment.globals["asset"] = assets.address
        self._template = environment.get_template("status.html")

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer GET and HEAD."""
        answer = web.Response(
            text=self.render(),
            content_type="text/html",
            charset="utf-8",
            headers={hdrs.CACHE_CONTROL: "no-store", hdrs.VARY: hdrs.ACCEPT_ENCODING},
        )
        if wants_gzip(request.headers.getall(hdrs.ACCEPT_ENCODING, [])):
            # Open pages fetch it every few seconds, and table rows are much alike.
            answer.enable_compression(web.ContentCoding.gzip)
        return answer

    def render(self) -> str:
        """Return the page as it is now."""
        site = self._site
        page = status_page(site.snapshots().values(), site.now())
        return self._template.render(
            page=page, version=site.version, metrics=site.telemetry_path.removeprefix("/")
        )
