"""The part of the page that the demo alone has: incidents to begin and to end."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from exporter.web.filters import Filter
from exporter.web.guard import plain

ADDRESS = "demonstration"


@dataclass(frozen=True, slots=True)
class Offer:
    """An incident that can be begun; ``since``: when it was, in Unix seconds, while it lasts."""

    name: str
    title: str
    effect: str
    """What will be seen of it, and how soon."""
    since: float | None = None


class Demonstration(Protocol):
    """A world in which something can be made to go wrong."""

    def offers(self) -> Sequence[Offer]:
        """Return all incidents, in the order in which they are offered."""

    def begin(self, name: str) -> None:
        """Let an incident begin; nothing where it lasts already. KeyError for any other name."""

    def end(self, name: str) -> None:
        """Let an incident end; nothing where it does not last. KeyError for any other name."""


class DemonstrationRoute:
    """Takes the buttons that are pressed, and shows the page again."""

    def __init__(self, demonstration: Demonstration) -> None:
        self._demonstration = demonstration

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer POST with ``begin`` or ``end`` and an incident's name."""
        form = dict(parse_qsl((await request.read()).decode(errors="replace")))
        world = self._demonstration
        for action, act in (("begin", world.begin), ("end", world.end)):
            if action in form:
                try:
                    act(form[action])
                except KeyError:
                    return plain(HTTPStatus.NOT_FOUND, "404: there is no such incident.")
                return _shown_again(request)
        return plain(HTTPStatus.BAD_REQUEST, "400: name the incident to begin or to end.")


def _shown_again(request: web.Request) -> web.Response:
    address = Filter.of(request.query).address
    return web.Response(
        status=HTTPStatus.SEE_OTHER,
        headers={
            # Relative, so that it holds behind a proxy's prefix.
            hdrs.LOCATION: f"./?{address}" if address else "./",
            hdrs.CACHE_CONTROL: "no-store",
        },
    )
