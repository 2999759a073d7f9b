"""Two accounts over two simulated APIs, on virtual time: the faulty one and its neighbour.

Polls come on the full minute, and the worlds move just before it: so all that a poll reads, also
with retries, is of one moment, and figures can be held against the truth of it at each poll.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from exporter.accounts import Accounts
from exporter.app import App
from exporter.config import Config, parse
from exporter.running import Clocks
from exporter.simulator import (
    EXAMPLE_RECORD,
    ApiRules,
    ScriptedWorld,
    Settings,
    SimulatedWorld,
    Simulator,
    World,
    serve,
)
from exporter.simulator import App as SimulatedApp
from exporter.snapshot import AccountSnapshot
from exporter.web.options import WebOptions
from tests.faults.judge import Judge, read, reader
from tests.faults.row import Row, Setting
from tests.virtual_time import BEGIN, VirtualTime

FAULTY, HEALTHY = "faulty", "healthy"
ACCOUNTS = (FAULTY, HEALTHY)
INTERVAL = 60.0
LOOK = 55.0
"""Seconds after a poll was due: it has ended by then, in whatever way."""
STEP = 57.0
"""Seconds after a poll was due at which the worlds move on to the next."""
LOOKBACK = 4 * 3600
WINDOWS = {"30m": 1800, "4h": LOOKBACK}
POLL = """\
interval: 60s
timeout: 10s
deadline: 50s
requests_per_second: 1000
lookback: 4h
windows: [30m, 4h]
full_sweep: 4m
stale_after: 5m
settle: 10m
"""
_APP = SimulatedApp(id=12, name="collections", scripts=3)


def let_nothing_run_beside() -> None:
    """Do a thread's work within the loop: virtual time would not wait for a thread."""
    loop = asyncio.get_running_loop()

    def at_once(_: Any, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        done = loop.create_future()
        try:
            done.set_result(work(*arguments))
        except Exception as error:  # noqa: BLE001  # as an executor hands on whatever it is
            done.set_exception(error)
        return done

    loop.run_in_executor = at_once  # type: ignore[method-assign,assignment]


@dataclass(slots=True)
class WorldTime:
    """The world's clock: goes on by a minute just before each poll."""

    time: VirtualTime
    start: float
    origin: float
    offset: float = 0.0
    """Seconds by which the API's clock, and so its world's, is wrong."""

    frozen: float | None = None

    def __call__(self) -> float:
        if self.frozen is not None:
            return self.frozen
        steps = (self.time.monotonic() - self.origin + INTERVAL - STEP) // INTERVAL
        return self.start + steps * INTERVAL + self.offset


def record(task_id: int, created: float, zone: ZoneInfo, **fields: Any) -> dict[str, Any]:
    """Return the vendor's example as another task."""
    local = datetime.fromtimestamp(int(created), zone).strftime("%Y-%m-%d %H:%M:%S")
    return {**EXAMPLE_RECORD, "taskId": task_id, "taskName": "", "createdTime": local, **fields}


@dataclass(slots=True)
class Bench:
    """The running pair. Rows bring their faults about through this."""

    row: Row
    time: VirtualTime
    folder: Path
    faulty: Simulator
    healthy: Simulator
    clock: WorldTime
    server_time: Callable[[], float]
    judges: dict[str, Judge]
    origin: float
    app: App = field(init=False)
    polls: int = 0
    """How many polls of each account have been looked at."""
    cleanups: list[Callable[[], Any]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    """What a row's beginning leaves for its end."""

    @property
    def accounts(self) -> Accounts:
        return self.app.accounts

    @property
    def scripted(self) -> ScriptedWorld:
        assert isinstance(self.faulty.world, ScriptedWorld)
        return self.faulty.world

    def snapshot(self, account: str = FAULTY) -> AccountSnapshot:
        return self.accounts.snapshots[account]

    # --- the exporter's life --------------------------------------------------------------------

    def config(self, **account: str) -> Config:
        return configuration(self, **account)

    def assemble(self, folder: Path | None = None) -> None:
        """Make an exporter over a folder of state; it does not poll yet."""
        self.folder = folder or self.folder
        config = self.config()
        clocks = Clocks(self.time.now, self.time.monotonic, lambda: 0.0)
        self.app = App(config, lambda: config, WebOptions(addresses=[]), self.folder, clocks)

    async def start(self, folder: Path | None = None) -> None:
        self.assemble(folder)
        await self.accounts.start()

    async def stop(self) -> None:
        await self.accounts.stop()

    async def reload(self, **account: str) -> None:
        await self.accounts.reload(self.config(**account))

    def image(self) -> Path:
        """Copy the state as the disk has it now: what a SIGKILL at this moment leaves."""
        copy = self.folder.with_name(
            f"{self.folder.name}-{len(list(self.folder.parent.iterdir()))}"
        )
        shutil.copytree(self.folder, copy)
        return copy

    async def restart(self, folder: Path | None = None, *, after: int = 0) -> None:
        """End this exporter and begin another, ``after`` so many polls that neither makes."""
        await self.stop()
        self.polls += after
        await self.until_polls_are_due()
        await self.start(folder)

    async def until_polls_are_due(self) -> None:
        """Let time go on until just after the worlds have moved."""
        await self.until(STEP + 1 - INTERVAL)

    record = staticmethod(record)

    # --- time -----------------------------------------------------------------------------------

    async def serve_again(self, port: int) -> None:
        """Let the faulty account's API listen again after it was closed."""
        self.faulty = await serve(
            self.faulty.world,
            port=port,
            clock=self.clock,
            signing_clock=lambda: self.server_time() + self.clock.offset,
        )

    async def until(self, second: float) -> None:
        """Let time go on until so many seconds after the next poll is due."""
        due = self.origin + self.polls * INTERVAL
        await asyncio.sleep(due + second - self.time.monotonic())

    async def scrape(self) -> dict[str, float]:
        return read(await self.accounts.exposition.scrape(openmetrics=False, compressed=False))


def configuration(bench: Bench, **faulty: str) -> Config:
    """Return the configuration of both accounts; keywords replace keys of the faulty one."""
    lines = ["poll:"]
    own = {line.partition(":")[0] for line in bench.row.setting.poll.splitlines()}
    poll = [line for line in POLL.splitlines() if line.partition(":")[0] not in own]
    lines += [f"  {line}" for line in (*poll, *bench.row.setting.poll.splitlines())]
    lines.append("accounts:")
    for name, simulator in ((FAULTY, bench.faulty), (HEALTHY, bench.healthy)):
        keys = {
            "api_key": "demo-key" if name == FAULTY else "healthy-key",
            "api_secret": "demo-secret",
            "base_url": simulator.url,
            "timezone": bench.row.setting.timezone if name == FAULTY else "Asia/Shanghai",
        }
        if name == FAULTY:
            keys |= faulty
        lines.append(f"  - name: {name}")
        lines += [f"    {key}: {value!r}" for key, value in keys.items()]
    return parse("\n".join(lines), {})


async def set_up(row: Row, time: VirtualTime, folder: Path) -> Bench:
    """Return a bench for a row: nothing polls yet, whose turn is the caller's."""
    let_nothing_run_beside()
    setting = row.setting
    if setting.begin:
        time.wall_offset = setting.begin - BEGIN
    origin, wall = time.monotonic(), time.wall_offset
    start = time.now()

    def server_time() -> float:
        return BEGIN + wall + time.monotonic()

    clock = WorldTime(time, start, origin)
    steady = WorldTime(time, start, origin)
    faulty = await serve(
        _faulty_world(setting, start),
        clock=clock,
        signing_clock=lambda: server_time() + clock.offset,
        rules=setting.rules,
    )
    healthy = await serve(
        _world(start, seed=7),
        clock=steady,
        signing_clock=server_time,
        rules=ApiRules(credentials={"healthy-key": "demo-secret"}),
    )
    judges = {
        FAULTY: Judge(FAULTY, faulty.world, clock, LOOKBACK, WINDOWS, peaks=row.peaks),
        HEALTHY: Judge(HEALTHY, healthy.world, steady, LOOKBACK, WINDOWS),
    }
    if isinstance(faulty.world, SimulatedWorld):
        told, api = ZoneInfo(setting.timezone), ZoneInfo(faulty.world.settings.timezone)
        changes = {when.utcoffset() for when in _year(api)}
        if told.key != api.key or len(changes) > 1:
            judges[FAULTY].understood = reader(api, told)
    bench = Bench(row, time, folder / "state", faulty, healthy, clock, server_time, judges, origin)
    bench.assemble()
    return bench


def _year(zone: ZoneInfo) -> list[Any]:
    return [datetime(2024, month, 1, tzinfo=zone) for month in range(1, 13)]


def _faulty_world(setting: Setting, start: float) -> World:
    if setting.records:
        zone = ZoneInfo(setting.timezone)
        return ScriptedWorld([record(1, start - 600, zone)], zone=zone)
    return _world(start, seed=11, **setting.world)


def _world(start: float, **changes: Any) -> SimulatedWorld:
    usual: dict[str, Any] = {
        "apps": (_APP,),
        "tasks_per_day": 840.0,
        "epoch": int(start) - 86_400,
        "day_shape": 0.0,
        "burstiness": 0.0,
        "weekend_share": 1.0,
        "mean_task_duration": 600.0,
        "late_settlement_share": 0.0,
    }
    return SimulatedWorld(Settings(**{**usual, **changes}))
