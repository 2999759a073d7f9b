"""The vendor's API over accounts whose every figure is known: written for the fleet's test alone.

It shares no code with the exporter or its simulator. Tasks appear and progress as a function of the
time since the world began, and stand still once it is frozen, so that the sums of each account can
be told exactly.

    python -m tests.fleet.fake_api PORT ACCOUNTS
"""

import asyncio
import contextlib
import hashlib
import math
import signal
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

EVERY = 20.0
"""Seconds between two tasks of an account."""
_WAITING = 4.0
_CALLING = 50.0
_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Campaign:
    """One task: all that it does follows from its number."""

    account: int
    number: int

    @property
    def numbers(self) -> int:
        return 40 + (self.account * 31 + self.number * 17) % 60

    def born(self, begin: float) -> float:
        return begin + EVERY * (self.number + (self.account * 0.618) % 1.0)

    def record(self, begin: float, now: float) -> dict[str, Any]:
        age = now - self.born(begin)
        done = min(1.0, max(0.0, (age - _WAITING) / _CALLING))
        called = math.floor(done * self.numbers)
        answered = called * (30 + self.account % 40) // 100
        success = answered * 9 // 10
        billed = answered * (20 + self.number % 15)
        agent = answered * 11
        messages = answered // 4
        # Thousandths of a cent, so that nothing is ever rounded.
        fees = (agent * 125, billed * 43, messages * 510)
        return {
            "taskId": (self.account + 1) * 1_000_000 + self.number,
            "taskName": f"campaign {self.number}",
            "scriptId": 50 + self.number % 2,
            "taskType": 3,
            "createdTime": datetime.fromtimestamp(int(self.born(begin)), UTC).strftime(_FORMAT),
            "status": 0 if age < _WAITING else 1 if done < 1 else 2,
            "rate": str(math.floor(done * 100)),
            "numCnt": self.numbers,
            "callNum": called,
            "success": success,
            "fail": called - success,
            "answeredNum": answered,
            "asr": str(answered * 100 // called) if called else "0",
            "acd": f"{billed // answered}s" if answered else "0s",
            "agentTotalFeetime": agent,
            "chargeLen": billed,
            "agentFee": _money(fees[0]),
            "groupCallPayFee": f"{_money(fees[1])}(USD)",
            "smsPayFee": f"{_money(fees[2])}(USD)",
            "taskSumPayFee": f"{_money(sum(fees))}(USD)",
            "sendSmsNum": messages,
        }


def _money(millionths: int) -> str:
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"


@dataclass
class World:
    """Every account's tasks; none before ``begin``, and nothing moves after ``frozen``."""

    accounts: int
    begin: float = math.inf
    frozen: float = math.inf
    asked: dict[int, float] = field(default_factory=dict)
    """When each account was last asked for, and the longest it was not, since the begin."""
    gaps: dict[int, float] = field(default_factory=dict)
    requests: int = 0

    def now(self) -> float:
        return min(time.time(), self.frozen)

    def tasks(self, account: int) -> list[dict[str, Any]]:
        now = self.now()
        if now < self.begin:
            return []
        born = (Campaign(account, each) for each in range(int((now - self.begin) / EVERY) + 1))
        return [each.record(self.begin, now) for each in born if each.born(self.begin) <= now]

    def note(self, account: int) -> None:
        now = time.monotonic()
        self.requests += 1
        if account in self.asked:
            gap = now - self.asked[account]
            self.gaps[account] = max(gap, self.gaps.get(account, 0.0))
        self.asked[account] = now

    def truth(self) -> dict[str, dict[str, int]]:
        """The sums of each account, money in millionths."""
        return {str(account): self._sums(account) for account in range(self.accounts)}

    def _sums(self, account: int) -> dict[str, int]:
        tasks = self.tasks(account)
        sums = {
            name: sum(task[wire] for task in tasks)
            for name, wire in {
                "calls": "callNum",
                "answered_calls": "answeredNum",
                "successful_calls": "success",
                "failed_calls": "fail",
                "billed_seconds": "chargeLen",
                "agent_billed_seconds": "agentTotalFeetime",
                "sms_sent": "sendSmsNum",
            }.items()
        }
        for kind, wire in {
            "agent": "agentFee",
            "call": "groupCallPayFee",
            "sms": "smsPayFee",
        }.items():
            amounts = (task[wire].removesuffix("(USD)").replace(".", "") for task in tasks)
            sums[f"spend {kind}"] = sum(map(int, amounts))
        return sums


class Api:
    """The query of the contract, and what the test tells and asks the world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/voice/group/call/query", self.query)
        application.router.add_post("/world/begin", self.begin)
        application.router.add_post("/world/freeze", self.freeze)
        application.router.add_get("/world/truth", self.truth)
        return application

    async def query(self, request: web.Request) -> web.Response:
        key, stamp = request.headers.get("Api-Key", ""), request.headers.get("Timestamp", "")
        account = int(key.removeprefix("key-")) if key.removeprefix("key-").isdigit() else -1
        expected = hashlib.md5(f"{key}secret-{account}{stamp}".encode()).hexdigest()
        known = 0 <= account < self.world.accounts
        if not known or request.headers.get("Sign") != expected:
            return web.json_response({"code": -1, "msg": "authentication error", "data": None})
        if not stamp.isdigit() or abs(int(stamp) - time.time()) > 300:
            return web.json_response({"code": -16, "msg": "timestamp expired", "data": None})
        asked = await request.json()
        params = asked.get("params", {})
        size, current = asked.get("size", 0), asked.get("current", 0)
        if not 1 <= size <= 100 or current < 1 or params.get("taskType") != 3:
            return web.json_response({"code": -22, "msg": "parameter exception", "data": None})
        self.world.note(account)
        statuses = params.get("statusList") or range(7)
        found = [
            task
            for task in reversed(self.world.tasks(account))
            # Times of this form are in order as texts.
            if params["strTime"] <= task["createdTime"] <= params["endTime"]
            and task["status"] in statuses
        ]
        page = {
            "records": found[(current - 1) * size : current * size],
            "total": len(found),
            "size": size,
            "current": current,
            "searchCount": True,
            "pages": -(-len(found) // size),
        }
        return web.json_response({"code": 0, "msg": "success", "data": page})

    async def begin(self, _: web.Request) -> web.Response:
        self.world.begin = time.time()
        self.world.gaps.clear()
        return web.json_response({})

    async def freeze(self, _: web.Request) -> web.Response:
        self.world.frozen = time.time()
        return web.json_response({})

    async def truth(self, _: web.Request) -> web.Response:
        world = self.world
        return web.json_response(
            {
                "truth": world.truth(),
                "requests": world.requests,
                "longest": max(world.gaps.values(), default=0.0),
            }
        )


async def _serve(port: int, accounts: int) -> None:
    runner = web.AppRunner(Api(World(accounts)).application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
