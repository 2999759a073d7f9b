"""Worlds too large to be served over HTTP in a test: tasks by arithmetic, pages without a wire.

Everything but the exchange itself is the real thing: the client's limits, rate and retries, the
paging, polls, sweeps, ledger, store and exposition.
"""

import random
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Self

import pytest

from exporter import running as wiring
from exporter.accounts import Accounts
from exporter.api.client import Client, Query
from exporter.api.errors import ConnectionFailedError
from exporter.api.records import Page
from exporter.config import parse
from exporter.running import Clocks
from exporter.tasks.task import CODES, Money, Status, Task
from tests import virtual_time
from tests.accounts import Samples, samples
from tests.virtual_time import VirtualTime

A_CALL: Final = Decimal("0.001234")
A_SMS: Final = Decimal("0.008")
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Course:
    """A task that calls `numbers` numbers evenly over its `life` seconds, then has finished."""

    task_id: int
    created: int
    life: int
    numbers: int
    script: str
    correction: int = 0
    """Seconds after its end at which some of its money is taken back; 0: never."""

    def at(self, now: float) -> Task:
        """What the API shows."""
        age = now - self.created
        done = age >= self.life
        calls = self.numbers if done else int(self.numbers * age / self.life)
        fee = A_CALL * calls
        if self.correction and age >= self.life + self.correction:
            fee /= 2
        answered = calls // 3
        return Task(
            task_id=self.task_id,
            name=f"task {self.task_id}",
            status=Status.FINISHED if done else Status.CALLING if calls else Status.WAITING,
            script_id=self.script,
            created=self.created,
            progress=calls / self.numbers,
            numbers=self.numbers,
            calls=calls,
            answered=answered,
            successful=calls - calls // 10,
            failed=calls // 10,
            billed_seconds=answered * 37,
            agent_billed_seconds=answered * 31,
            sms_sent=calls // 7,
            agent_fee=Money(A_CALL * answered, "USD"),
            call_fee=Money(fee, "USD"),
            sms_fee=Money(A_SMS * (calls // 7), "USD"),
            total_fee=Money(fee + A_CALL * answered + A_SMS * (calls // 7), "USD"),
        )

    @property
    def last_change(self) -> int:
        return self.created + self.life + self.correction


def courses(
    begin: float,
    end: float,
    number: int,
    *,
    life: float,
    first_id: int,
    seed: int = 1,
    corrected: float = 0,
) -> list[Course]:
    """So many tasks, created evenly; they live `life` seconds in the mean."""
    chance = random.Random(seed)
    return [
        Course(
            task_id=first_id + place,
            created=int(begin + (end - begin) * place / number),
            life=max(1, round(chance.uniform(0.5, 1.5) * life)),
            numbers=chance.randrange(10, 100),
            script=str(chance.randrange(8)),
            correction=600 if chance.random() < corrected else 0,
        )
        for place in range(number)
    ]


@dataclass
class LargeWorld:
    """Tasks as the API shows them at a moment that only goes on."""

    time: VirtualTime
    requests: int = 0
    down: bool = False
    most_settled: int = 200_000
    """How many records that change no more are kept ready."""
    _all: list[Course] = field(default_factory=list)
    _created: list[int] = field(default_factory=list)
    _settled: dict[int, Task] = field(default_factory=dict)
    _born: int = 0
    _alive: dict[int, Course] = field(default_factory=dict)

    def add(self, tasks: Iterable[Course]) -> None:
        self._all = sorted([*self._all, *tasks], key=lambda each: (each.created, each.task_id))
        self._created = [each.created for each in self._all]
        self._born = 0
        self._alive.clear()

    def between(self, begin: float, end: float) -> list[Course]:
        """The tasks created between two moments, oldest first, as far as they are there by now."""
        last = min(end, self.time.now())
        return self._all[bisect_left(self._created, begin) : bisect_right(self._created, last)]

    def unfinished(self) -> list[Course]:
        now = self.time.now()
        born = bisect_right(self._created, now)
        for each in self._all[self._born : born]:
            self._alive[each.task_id] = each
        self._born = born
        ended = [each for each in self._alive.values() if each.created + each.life <= now]
        for each in ended:
            del self._alive[each.task_id]
        return list(self._alive.values())

    def shown(self, course: Course) -> Task:
        settled = self._settled.get(course.task_id)
        if settled is None:
            now = self.time.now()
            settled = course.at(now)
            if now >= course.last_change:
                if len(self._settled) > self.most_settled:  # not to grow with the month
                    self._settled.clear()
                self._settled[course.task_id] = settled
        return settled

    def page(self, query: Query) -> Page:
        self.requests += 1
        begin, end = _unix(query.begin), _unix(query.end)
        if query.statuses and CODES[Status.FINISHED] not in query.statuses:
            alive = [each for each in self.unfinished() if begin <= each.created <= end]
            found = [each for each in alive if self.shown(each).status.code in query.statuses]
            found.sort(key=lambda each: each.created)
        else:
            found = self.between(begin, end)
        stop = max(0, len(found) - (query.page - 1) * query.size)
        chosen = found[max(0, stop - query.size) : stop][::-1]
        return Page([self.shown(each) for each in chosen], [], len(found), query.size)


def _unix(local: str) -> float:
    return datetime.fromisoformat(local).replace(tzinfo=UTC).timestamp()


def client_of(world: LargeWorld) -> type[Client]:
    """A client whose exchange is a call."""

    class DirectClient(Client):
        async def __aenter__(self) -> Self:
            return self

        async def _exchange(self, request: Any, skew: list[float]) -> Any:
            del skew
            if world.down:
                raise ConnectionFailedError("the world is down")
            return world.page(request.query)

    return DirectClient


@asynccontextmanager
async def accounts_over(
    world: LargeWorld,
    patch: pytest.MonkeyPatch,
    state: Path | None = None,
    requests_per_second: float = 1000,
    poll: str = "",
) -> AsyncIterator[Accounts]:
    """Accounts over a world, not yet polling."""
    patch.setattr(wiring, "Client", client_of(world))
    # There is no thread and no socket to wait for.
    patch.setattr(virtual_time, "_GRACE", 0.0)
    patch.setattr(virtual_time, "_PATIENCE", 0.0)
    lines = [
        "poll:",
        "  settle: 1h",
        *(f"  {line}" for line in poll.splitlines()),
        "accounts:",
        "  - {name: production, api_key: key, api_secret: secret, timezone: UTC}",
    ]
    time = world.time
    config = parse("\n".join(lines), {})
    config = replace(config, poll=replace(config.poll, requests_per_second=requests_per_second))
    made = Accounts(config, Clocks(time.now, time.monotonic, lambda: 0.0), state)
    try:
        yield made
    finally:
        await made.stop()


GAUGES: Final = ("itnio_voice_window_", "itnio_voice_unfinished_", "itnio_voice_task_info")


def gauges(accounts: Accounts) -> Samples:
    """What is shown of the tasks themselves, counters apart."""
    return {
        (name, labels): value
        for (name, labels), value in samples(accounts.exposition.text(openmetrics=False)).items()
        if name.startswith(GAUGES)
    }


def set_back(time: VirtualTime, accounts: Accounts) -> None:
    """Let it be again what time it was at the last poll, so that windows end where its did."""
    shown = accounts.snapshots["production"].figures
    assert shown is not None
    time.wall_offset += shown.taken_at - time.now()


async def swept_afresh(world: LargeWorld, patch: pytest.MonkeyPatch) -> Samples:
    """What somebody shows who has just read everything."""
    # So fast that the windows have not moved on when all has been read.
    async with accounts_over(world, patch, requests_per_second=100_000) as fresh:
        assert await fresh.poll_once()
        return gauges(fresh)
