"""Which address is answered by what."""

from typing import Final

from aiohttp import web

from exporter.web.access.access import Access
from exporter.web.assets import Assets
from exporter.web.demonstration import ADDRESS, DemonstrationRoute
from exporter.web.direct import DIRECT, Direct
from exporter.web.guard import LARGEST_BODY, Guard
from exporter.web.lifecycle import LifecycleRoutes
from exporter.web.metrics import MetricsRoute
from exporter.web.pages import Pages
from exporter.web.site import Site
from exporter.web.status import ConfigRoute, StatusRoute

_TAKEN: Final = ("/-/", "/static/")
_CONFIG: Final = "/config"
_SPECIAL: Final = frozenset("{}?#%")


def build(site: Site, access: Access | None = None) -> web.Application:
    """Return the application that serves a site to whom `access` lets in; not yet listening.

    ValueError where the site's telemetry path cannot be served. With ``/`` as that path there is
    no status page.
    """
    path = _checked(site.telemetry_path)
    guard = Guard(access or Access())
    application = web.Application(middlewares=[guard.guarded], client_max_size=LARGEST_BODY)
    assets = Assets.packaged()
    lifecycle = LifecycleRoutes(site)
    metrics = MetricsRoute(site, guard.complete).__call__
    application[DIRECT] = Direct(path, guard, metrics)
    routes = [
        web.get(path, metrics),
        web.get("/-/healthy", lifecycle.healthy),
        web.get("/-/ready", lifecycle.ready),
        web.post("/-/reload", lifecycle.reload),
        web.get("/static/{digest}/{name}", assets.serve),
    ]
    if path != "/":
        pages = Pages(site, assets)
        routes.append(web.get("/", StatusRoute(site, pages).__call__))
        routes.append(web.get(_CONFIG, ConfigRoute(site, pages).__call__))
        if site.demonstration is not None:
            take = DemonstrationRoute(site.demonstration)
            routes.append(web.post(f"/{ADDRESS}", take.__call__))
    application.add_routes(routes)
    return application


def _checked(path: str) -> str:
    if not path.startswith("/") or _SPECIAL.intersection(path) or not path.isprintable():
        raise ValueError(
            f"--web.telemetry-path {path!r} is no path; it begins with / and has none of {{}}?#%"
        )
    if path == _CONFIG:
        raise ValueError(
            f"--web.telemetry-path {path!r} is taken: it shows the configuration; choose another"
        )
    if path.startswith(_TAKEN):
        raise ValueError(
            f"--web.telemetry-path {path!r} is taken; choose one that is not under "
            f"{' or '.join(_TAKEN)}"
        )
    return path
