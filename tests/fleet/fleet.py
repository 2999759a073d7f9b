"""Replicas as real processes over a real PostgreSQL, the API beside them, and what befalls them."""

import asyncio
import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
import asyncpg

from tests.fleet.watch import Watch
from tests.fleet.wire import Proxy, Wire
from tests.integration.servers import free_port
from tests.postgres import PostgresServer, postgres_server

_LOG = """
CREATE TABLE public.commits (
    id BIGSERIAL PRIMARY KEY, account TEXT, epoch BIGINT, replica TEXT, process INTEGER,
    at TIMESTAMPTZ
);
CREATE FUNCTION public.note_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.commits (account, epoch, replica, process, at)
    SELECT NEW.account, epoch, current_setting('application_name'), pg_backend_pid(),
        clock_timestamp()
    FROM itnio_exporter.accounts WHERE account = NEW.account;
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE ON itnio_exporter.apps
FOR EACH ROW EXECUTE FUNCTION public.note_commit();
"""


@dataclass(frozen=True)
class Plan:
    """How large, for how long, and how often something happens. Seconds."""

    accounts: int
    interval: float
    lasts: float
    every: float
    """Between two troubles."""
    scrape: float
    troubles: tuple[str, ...]
    """Each comes once before any comes again."""
    kills: int = 1
    """How many replicas are killed between two of them."""
    intervals: float = 2.0
    """Within how many an account must have an owner again."""
    replicas: int = 4
    seed: int = 0


@dataclass
class Replica:
    """One process that is started again whenever it ended."""

    number: int
    port: int
    wire: Proxy
    process: asyncio.subprocess.Process | None = None
    busy: bool = False
    """Something is happening to it."""


@dataclass
class Fleet:
    """What runs, and what was done to it."""

    plan: Plan
    folder: Path
    server: PostgresServer
    url: str
    api: int
    watch: Watch = field(default_factory=Watch)
    done: Counter[str] = field(default_factory=Counter)
    replicas: list[Replica] = field(default_factory=list)
    longest_end: float = 0.0
    faults: list[str] = field(default_factory=list)

    def say(self, words: str) -> None:
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")

    async def start(self, replica: Replica) -> None:
        with (self.folder / f"replica-{replica.number}.log").open("ab") as log:
            url = self.url.replace(f":{self.server.port}/", f":{replica.wire.port}/")
            replica.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "exporter", "run"),
                *("--config.file", str(self.folder / "config.yaml"), "--storage.url", url),
                f"--web.listen-address=127.0.0.1:{replica.port}",
                stdout=log,
                stderr=log,
            )

    def tell(self, replica: Replica, number: signal.Signals) -> None:
        assert replica.process is not None
        replica.process.send_signal(number)

    # --- troubles ---------------------------------------------------------------------------------

    async def kill(self, replica: Replica) -> None:
        self.tell(replica, signal.SIGKILL)
        await self._ended(replica)
        await asyncio.sleep(random.uniform(1, self.plan.interval / 3))
        await self.start(replica)

    async def drain(self, replica: Replica) -> None:
        await self._serves(replica)
        self.tell(replica, signal.SIGTERM)
        await self._told_to_end(replica)
        await self.start(replica)

    async def stop(self, replica: Replica) -> None:
        """Past what the others wait for; it wakes with everything as it was, and is wrong."""
        self.tell(replica, signal.SIGSTOP)
        await asyncio.sleep(self.plan.interval * random.uniform(0.7, 1.2))
        self.tell(replica, signal.SIGCONT)
        await asyncio.sleep(2)

    async def cut(self, replica: Replica) -> None:
        replica.wire.become(Wire.CUT)
        await asyncio.sleep(self.plan.interval * random.uniform(0.1, 1.0))
        replica.wire.become(Wire.WHOLE)

    async def silence(self, replica: Replica) -> None:
        replica.wire.become(Wire.SILENT)
        await asyncio.sleep(self.plan.interval * random.uniform(0.3, 1.0))
        replica.wire.become(Wire.WHOLE)

    async def drain_in_silence(self, replica: Replica) -> None:
        await self._serves(replica)
        replica.wire.become(Wire.SILENT)
        await asyncio.sleep(1)
        self.tell(replica, signal.SIGTERM)
        await self._told_to_end(replica)
        replica.wire.become(Wire.CUT)
        replica.wire.become(Wire.WHOLE)
        await self.start(replica)

    async def restart_database(self, _: Replica) -> None:
        how = random.choice(["fast", "immediate"])
        await asyncio.to_thread(self.server.stop, how)
        await asyncio.sleep(1)
        await asyncio.to_thread(self.server.start)

    async def trouble(self) -> None:
        """Let things happen for as long as the plan says."""
        ways: dict[str, Callable[[Replica], Awaitable[None]]] = {
            "kill": self.kill,
            "drain": self.drain,
            "stop": self.stop,
            "cut": self.cut,
            "silence": self.silence,
            "drain in silence": self.drain_in_silence,
            "database": self.restart_database,
        }
        ends = time.monotonic() + self.plan.lasts
        under_way: set[asyncio.Task[None]] = set()
        rest: list[str] = []
        turn = 0
        while time.monotonic() < ends:
            free = [each for each in self.replicas if not each.busy]
            if not free:
                await asyncio.sleep(0.5)
                continue
            rest = rest or random.sample(self.plan.troubles, len(self.plan.troubles))
            what = rest.pop() if turn % (self.plan.kills + 1) == self.plan.kills else "kill"
            replica = random.choice(free)
            self.say(f"{what}: replica {replica.number}")
            self.done[what] += 1
            task = asyncio.create_task(self._befall(replica, ways[what]))
            under_way.add(task)
            turn += 1
            # The others come between two kills, which keep their time.
            await asyncio.sleep(self.plan.every / 2)
            if what == "kill" and turn % (self.plan.kills + 1) != self.plan.kills:
                await asyncio.sleep(self.plan.every / 2)
        await asyncio.gather(*under_way)

    async def _befall(self, replica: Replica, way: Callable[[Replica], Awaitable[None]]) -> None:
        replica.busy = True
        try:
            await way(replica)
        finally:
            replica.busy = False

    async def _serves(self, replica: Replica) -> None:
        """Before that it cannot be told anything."""
        async with asyncio.timeout(30):
            while True:
                try:
                    _, there = await asyncio.open_connection("127.0.0.1", replica.port)
                except OSError:
                    await asyncio.sleep(0.1)
                    continue
                there.close()
                return

    async def _told_to_end(self, replica: Replica) -> None:
        begun = time.monotonic()
        status = await self._ended(replica)
        took = time.monotonic() - begun
        self.longest_end = max(self.longest_end, took)
        if status != 0:
            self.faults.append(f"replica {replica.number} ended with {status} at SIGTERM")

    async def _ended(self, replica: Replica) -> int:
        assert replica.process is not None
        return await asyncio.wait_for(replica.process.wait(), 30)

    # --- the judgement ----------------------------------------------------------------------------

    async def commits(self) -> int:
        """Hold the log of commits against the promise: one owner at a time, in order."""
        connection = await asyncpg.connect(self.url)
        rows = await connection.fetch(
            "SELECT account, epoch, replica FROM public.commits ORDER BY id"
        )
        await connection.close()
        epoch: dict[str, int] = {}
        owners: dict[tuple[str, int], str] = {}
        for account, each, replica in rows:
            if each < epoch.get(account, 0):
                self.faults.append(f"{account}: epoch {each} committed after {epoch[account]}")
            epoch[account] = max(each, epoch.get(account, 0))
            if owners.setdefault((account, each), replica) != replica:
                self.faults.append(f"{account}: two replicas committed in epoch {each}")
        return len(rows)

    async def asked(self, path: str, *, post: bool = False) -> dict[str, object]:
        """Ask or tell the API's world something."""
        url = f"http://127.0.0.1:{self.api}/world/{path}"
        async with (
            aiohttp.ClientSession() as client,
            client.request("POST" if post else "GET", url) as answer,
        ):
            assert answer.status == 200
            found: dict[str, object] = await answer.json()
            return found

    async def is_owned(self) -> bool:
        """Whether each account has been seen at an owner within the last three scrapes."""
        since = time.monotonic() - 3 * self.plan.scrape
        sights = self.watch.sights
        return len(sights) == self.plan.accounts and all(
            sight.owned_at > since and sight.seen for sight in sights.values()
        )


def write_config(folder: Path, plan: Plan, api: int) -> None:
    """Every account with a key of its own. JSON is YAML."""
    (folder / "config.yaml").write_text(
        json.dumps(
            {
                "poll": {
                    "interval": f"{plan.interval:g}s",
                    "timeout": "5s",
                    "deadline": f"{plan.interval:g}s",
                    "lookback": "1h",
                    "windows": ["1h"],
                    "settle": "10m",
                    "full_sweep": "10m",
                },
                "metrics": {"task_limit": 0},
                "accounts": [
                    {
                        "name": f"account {number}",
                        "api_key": f"key-{number}",
                        "api_secret": f"secret-{number}",
                        "base_url": f"http://127.0.0.1:{api}",
                        "timezone": "UTC",
                        "currency": "USD",
                    }
                    for number in range(plan.accounts)
                ],
            }
        )
    )


@asynccontextmanager
async def running(plan: Plan, folder: Path) -> AsyncIterator[Fleet]:
    """The API, the database and the replicas; all of them are gone afterwards."""
    random.seed(plan.seed)
    api = free_port()
    write_config(folder, plan, api)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(postgres_server())
        fleet = Fleet(plan, folder, server, server.database(), api)
        fake = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fleet.fake_api", str(api), str(plan.accounts))
        )
        stack.push_async_callback(_gone, fake)
        for number in range(plan.replicas):
            wire = await stack.enter_async_context(Proxy(server.port))
            replica = Replica(number, free_port(), wire)
            fleet.replicas.append(replica)
            await fleet.start(replica)
            stack.push_async_callback(_replica_gone, replica)
        followed = [
            asyncio.create_task(follow(f"http://127.0.0.1:{each.port}/metrics"))
            for each in fleet.replicas
            for follow in (
                partial(fleet.watch.follow, f"replica {each.number}", every=plan.scrape),
                partial(fleet.watch.follow_owner, every=min(1.0, plan.scrape)),
            )
        ]
        try:
            yield fleet
        finally:
            for task in followed:
                task.cancel()
            await asyncio.gather(*followed, return_exceptions=True)


async def _gone(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


async def _replica_gone(replica: Replica) -> None:
    if replica.process is not None:
        await _gone(replica.process)


async def note_commits(fleet: Fleet) -> None:
    """Have the database itself write down who commits, by which epoch."""
    connection = await asyncpg.connect(fleet.url)
    await connection.execute(_LOG)
    await connection.close()
