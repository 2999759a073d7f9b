"""The routes under ``/-/``, as Prometheus has them: alive, ready, reload."""

from http import HTTPStatus

import structlog
from aiohttp import web

from exporter.config import ConfigError
from exporter.snapshot import AccountSnapshot
from exporter.web.guard import plain
from exporter.web.site import Site
from exporter.web.wording import listed, visible

_log = structlog.get_logger()


class LifecycleRoutes:
    """Answers probes, and reloads the configuration where that is enabled."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def healthy(self, _: web.Request) -> web.Response:
        """Answer 200: that this runs at all is the answer."""
        return plain(HTTPStatus.OK, "itnio-exporter is healthy.")

    async def ready(self, _: web.Request) -> web.Response:
        """Answer 200 once every account has been heard of; until then name the others."""
        if self._site.ready():
            return plain(HTTPStatus.OK, "itnio-exporter is ready.")
        awaited = [
            visible(name)
            for name, snapshot in self._site.snapshots().items()
            if is_awaited(snapshot)
        ]
        sentence = "itnio-exporter is not ready yet"
        if awaited:
            sentence += f": it awaits the first figures of {listed(awaited)}"
        return plain(HTTPStatus.SERVICE_UNAVAILABLE, f"{sentence}.")

    async def reload(self, _: web.Request) -> web.Response:
        """Load the configuration anew; 500 with every problem where it cannot be used."""
        reload = self._site.reload
        if reload is None:
            return plain(
                HTTPStatus.FORBIDDEN,
                "403: reloading over HTTP is not enabled; start with --web.enable-lifecycle, "
                "or send SIGHUP.",
            )
        try:
            await reload()
        except ConfigError as error:
            return plain(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"The configuration was not reloaded; the old one is kept:\n{error}",
            )
        except Exception:  # noqa: BLE001 - whatever it is, the old configuration serves on
            _log.exception("reload failed")
            return plain(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "The configuration was not reloaded: an internal error, which the log describes.",
            )
        return plain(HTTPStatus.OK, "The configuration was reloaded.")


def is_awaited(snapshot: AccountSnapshot) -> bool:
    """Whether an account has neither figures nor a failed poll yet."""
    return snapshot.figures is None and snapshot.health.up is not False
