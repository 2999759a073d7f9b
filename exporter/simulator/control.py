"""Control of a running simulator over HTTP, for other processes: demo, crash tests.

Under `/simulator/`, and for loopback only: there is no authentication, and it can do whatever
a test wants to do to the API. Requests from elsewhere are refused with 403, and bodies must be
JSON by their content type, so that no web page can post them.

    GET    /simulator/state            clock, faults, incidents, settings
    GET    /simulator/truth            exact sums; money as strings
    GET    /simulator/requests         what was asked of the API; DELETE forgets it
    POST   /simulator/faults           a Fault; DELETE clears all, or /faults/NUMBER
    POST   /simulator/incidents        an IncidentOrder; DELETE /incidents/NUMBER ends it now
    POST   /simulator/clock            {"speed": 0} stops the world, 1 lets it go on
    POST   /simulator/balance          {"amount": "100"} pays in; a negative amount takes away
    POST   /simulator/credentials      {"api_key": "…", "api_secret": "…"} sets the key's secret
"""

import ipaddress
from collections.abc import Callable
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from exporter.simulator.api_server import ApiServer
from exporter.simulator.clock import ScaledClock
from exporter.simulator.faults import Fault
from exporter.simulator.incidents import Incident, IncidentKind
from exporter.simulator.settings import SECONDS_A_DAY
from exporter.simulator.truth import gained, sum_up
from exporter.simulator.world import SimulatedWorld

PREFIX = "/simulator"
_T = TypeVar("_T")


class IncidentOrder(msgspec.Struct, forbid_unknown_fields=True):
    """An incident as it is asked for: it begins now, and lasts `seconds`, unless told else."""

    kind: IncidentKind
    begin: float | None = None
    end: float | None = None
    seconds: float = 1800.0
    app: int | None = None
    script: int | None = None
    strength: float | None = None
    currency: str = "EUR"


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True):
    """How fast the world shall go: 1 as real time does, 0 not at all."""

    speed: float


class TopUpOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Money that is paid in, in the account's currency."""

    amount: Decimal


class CredentialsOrder(msgspec.Struct, forbid_unknown_fields=True):
    """The secret that a key has from now on."""

    api_key: str
    api_secret: str


class Control:
    """The handlers; all times in them are Unix seconds of the world's clock."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    def add_routes(self, app: web.Application) -> None:
        """Serve the control in an application."""
        handlers: list[tuple[str, str, Callable[[web.Request], web.Response]]] = [
            ("GET", "/state", self._state),
            ("GET", "/truth", self._truth),
            ("GET", "/requests", self._requests),
            ("DELETE", "/requests", self._clear_requests),
            ("DELETE", "/faults", self._clear_faults),
            ("DELETE", "/faults/{number:\\d+}", self._clear_faults),
            ("DELETE", "/incidents/{number:\\d+}", self._end_incident),
        ]
        for method, path, handler in handlers:
            app.router.add_route(method, PREFIX + path, _on_loopback(handler))
        app.router.add_post(f"{PREFIX}/faults", self._add_fault)
        app.router.add_post(f"{PREFIX}/incidents", self._add_incident)
        app.router.add_post(f"{PREFIX}/clock", self._set_clock)
        app.router.add_post(f"{PREFIX}/balance", self._top_up)
        app.router.add_post(f"{PREFIX}/credentials", self._set_credentials)

    def _state(self, request: web.Request) -> web.Response:
        del request
        world = self._server.world
        incidents = world.incidents if isinstance(world, SimulatedWorld) else {}
        return web.json_response(
            {
                "now": self._server.clock(),
                "faults": [asdict(entry) for entry in self._server.faults.active],
                "incidents": {str(n): asdict(incident) for n, incident in incidents.items()},
                "requests": self._server.log.total,
                "settings": msgspec.to_builtins(world.settings)
                if isinstance(world, SimulatedWorld)
                else None,
            }
        )

    def _truth(self, request: web.Request) -> web.Response:
        """Answer with the sums over tasks created from `created_from` to `created_to`.

        Query: `now` (the clock's), `created_from` (a day before now), `created_to` (now),
        `app` (all), `peaks` (no: with it, figures are the highest ever shown), and `since`:
        with it, sums are what was gained since then, as counters begun at that time count it.
        """
        query = request.query
        now = _float(query.get("now"), self._server.clock())
        begin = _float(query.get("created_from"), now - SECONDS_A_DAY)
        end = _float(query.get("created_to"), now)
        app = int(_float(query["app"], 0)) if "app" in query else None
        world = self._server.world
        if query.get("peaks") and isinstance(world, SimulatedWorld):
            tasks = world.tasks(now, begin, end, app, peaks=True)
        else:
            tasks = world.tasks(now, begin, end, app)
        if "since" in query:
            truth = gained(world.tasks(_float(query["since"], now), begin, end, app), tasks)
        else:
            truth = sum_up(tasks)
        return web.json_response(
            {"now": now, "created_from": begin, "created_to": end, **truth.as_json()}
        )

    def _requests(self, request: web.Request) -> web.Response:
        last = int(_float(request.query.get("last"), 100))
        return web.json_response(self._server.log.as_json(last))

    def _clear_requests(self, request: web.Request) -> web.Response:
        del request
        self._server.log.clear()
        return web.Response(status=204)

    def _clear_faults(self, request: web.Request) -> web.Response:
        number = request.match_info.get("number")
        self._server.faults.clear(None if number is None else int(number))
        return web.Response(status=204)

    def _end_incident(self, request: web.Request) -> web.Response:
        world = _simulated(self._server)
        try:
            world.end_incident(int(request.match_info["number"]), self._server.clock())
        except KeyError:
            raise web.HTTPNotFound(text="no such incident") from None
        return web.Response(status=204)

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = await _body(request, Fault)
        return web.json_response({"number": self._server.faults.add(fault)}, status=201)

    async def _set_clock(self, request: web.Request) -> web.Response:
        """Set the world's speed; at 0 it stands still, and truth can be compared at leisure."""
        order = await _body(request, ClockOrder)
        clock = self._server.clock
        if not isinstance(clock, ScaledClock):
            raise web.HTTPConflict(text="this world's clock cannot be set")
        clock.speed = order.speed
        return web.json_response({"now": clock(), "speed": clock.speed})

    async def _top_up(self, request: web.Request) -> web.Response:
        order = await _body(request, TopUpOrder)
        if not order.amount.is_finite():
            raise web.HTTPBadRequest(text="not an amount")
        world, now = self._server.world, self._server.clock()
        world.top_up(order.amount, now)
        return web.json_response({"balance": str(world.balance(now))})

    async def _set_credentials(self, request: web.Request) -> web.Response:
        """Accept another secret for a key, as when it is renewed at the provider."""
        order = await _body(request, CredentialsOrder)
        known = {**self._server.rules.credentials, order.api_key: order.api_secret}
        self._server.rules = replace(self._server.rules, credentials=known)
        return web.Response(status=204)

    async def _add_incident(self, request: web.Request) -> web.Response:
        order = await _body(request, IncidentOrder)
        begin = self._server.clock() if order.begin is None else order.begin
        try:
            incident = Incident(
                kind=order.kind,
                begin=begin,
                end=begin + order.seconds if order.end is None else order.end,
                app=order.app,
                script=order.script,
                strength=order.strength,
                currency=order.currency,
            )
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        number = _simulated(self._server).add_incident(incident)
        return web.json_response({"number": number}, status=201)


def _simulated(server: ApiServer) -> SimulatedWorld:
    if not isinstance(server.world, SimulatedWorld):
        raise web.HTTPConflict(text="a scripted world has no incidents")
    return server.world


def _float(text: str | None, default: float) -> float:
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise web.HTTPBadRequest(text=f"not a number: {text}") from None


async def _body(request: web.Request, kind: type[_T]) -> _T:
    _require_loopback(request)
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise web.HTTPBadRequest(text=str(error)) from None


def _require_loopback(request: web.Request) -> None:
    address = ipaddress.ip_address(request.remote) if request.remote else None
    if address is None or not address.is_loopback:
        raise web.HTTPForbidden(text="the simulator is controlled from loopback only")


def _on_loopback(handler: Callable[[web.Request], web.Response]) -> Any:
    async def guarded(request: web.Request) -> web.Response:
        _require_loopback(request)
        return handler(request)

    return guarded
