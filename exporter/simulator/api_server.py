"""The vendor's API over a world: what an exporter talks to."""

import asyncio
import json
from collections.abc import Sequence
from contextvars import ContextVar
from email.utils import formatdate
from typing import Any

from aiohttp import web

from exporter.simulator.account import (
    BALANCE_PATH,
    MESSAGES,
    QUERY_PATH,
    SUCCESS,
    ApiRules,
    Order,
    RefusedError,
    admit,
)
from exporter.simulator.clock import Clock
from exporter.simulator.fault_answers import ANSWERS, Sleep
from exporter.simulator.fault_data import relist, spoil, spoil_balance
from exporter.simulator.fault_delivery import DELIVERIES, plain
from exporter.simulator.faults import ActiveFault, Asked, FaultBoard, FaultKind
from exporter.simulator.query import Query, parse_query
from exporter.simulator.request_log import RequestLog
from exporter.simulator.world import World

# Seconds by which the server's clock is wrong for the request that is being answered.
_skew: ContextVar[float] = ContextVar("skew", default=0.0)


class ApiServer:
    """Answers requests from a world, under rules, with the faults that are switched on.

    `clock` is the world's time; `signing_clock` (the same by default) is the API's idea of
    now, against which timestamps are checked and which its `Date` shows. Both differ where
    a world is run faster than the clients' clocks.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        *,
        rules: ApiRules | None = None,
        faults: FaultBoard | None = None,
        signing_clock: Clock | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.world = world
        self.clock = clock
        self.rules = rules or ApiRules()
        self.faults = faults or FaultBoard()
        self.log = RequestLog()
        self._signing_clock = signing_clock or clock
        self._sleep = sleep

    def add_routes(self, app: web.Application) -> None:
        """Serve the API in an application."""
        app.router.add_post(QUERY_PATH, self._handle)
        app.router.add_get(BALANCE_PATH, self._handle)
        app.on_response_prepare.append(self._set_date)

    async def _set_date(self, request: web.Request, response: web.StreamResponse) -> None:
        del request
        now = self._signing_clock() + _skew.get()
        _skew.set(0.0)  # the connection may go on to ask something else
        response.headers["Date"] = formatdate(now, usegmt=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        sent = _decoded(body)
        api_key = request.headers.get("Api-Key", "")
        page = sent.get("current") if isinstance(sent, dict) else None
        page = page if isinstance(page, int) else None
        drawn = self.faults.draw(Asked(request.path, api_key, page))
        _skew.set(
            sum(
                entry.fault.quantity(600.0)
                for entry in drawn
                if entry.fault.kind is FaultKind.CLOCK_SKEW
            )
        )
        kinds = [entry.fault.kind.value for entry in drawn]
        logged = self.log.begin(self._signing_clock(), request.path, api_key, sent, kinds)
        for entry in drawn:
            if entry.fault.kind in ANSWERS:
                answer = await ANSWERS[entry.fault.kind](entry.fault, request, self._sleep)
                if answer is not None:
                    self.log.end(logged, entry.fault.kind.value)
                    return answer
        envelope = self._envelope(request, body, drawn)
        self.log.end(logged, str(envelope.get("code", envelope.get("status"))))
        text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
        for entry in drawn:
            if entry.fault.kind in DELIVERIES:
                deliver = DELIVERIES[entry.fault.kind]
                return await deliver(entry.fault, request, text, self._sleep)
        return plain(text)

    def _envelope(
        self, request: web.Request, body: bytes, drawn: Sequence[ActiveFault]
    ) -> dict[str, Any]:
        try:
            now = self._signing_clock() + _skew.get()
            admit(self.rules, request.headers, request.remote, now)
            if request.path == BALANCE_PATH:
                return self._balance(drawn)
            query = parse_query(body, request.content_type, self.rules)
            data = self._page(query, drawn)
        except RefusedError as refusal:
            if request.path == BALANCE_PATH:
                return {"status": str(refusal.code), "reason": str(refusal)}
            envelope = {"code": refusal.code, "msg": str(refusal), "data": None}
        else:
            envelope = {"code": SUCCESS, "msg": MESSAGES[SUCCESS], "data": data}
        spoil(drawn, envelope, self.faults.rng)
        return envelope

    def _page(self, query: Query, drawn: Sequence[ActiveFault]) -> dict[str, Any]:
        now = self.clock()
        tasks = relist(drawn, self.world.select(now, query.selection))
        total = len(tasks)
        chosen = self._chosen(tasks, (query.current - 1) * query.size, query.size)
        return {
            "records": self.world.records(now, chosen),
            "total": total,
            "size": query.size,
            "current": query.current,
            "searchCount": True,
            "pages": -(-total // query.size),
        }

    def _chosen(self, tasks: Sequence[Any], skip: int, size: int) -> Sequence[Any]:
        """Return a page of tasks, which come oldest first, in the order of the rules."""
        order = self.rules.order
        if order is Order.CREATED_DESCENDING:
            end = max(0, len(tasks) - skip)
            return tasks[max(0, end - size) : end][::-1]
        if order is Order.TASK_ID:
            tasks = sorted(tasks, key=lambda task: task.id)
        elif order is Order.RANDOM:
            tasks = self.faults.rng.sample(tasks, len(tasks))
        return tasks[skip : skip + size]

    def _balance(self, drawn: Sequence[ActiveFault]) -> dict[str, Any]:
        balance = self.world.balance(self.clock())
        answer = {
            "status": str(SUCCESS),
            "reason": MESSAGES[SUCCESS],
            "balance": f"{balance:.6f}",
            "gift": "0.000000",
            "credit": "0.000000",
        }
        return spoil_balance(drawn, answer)


def _decoded(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
