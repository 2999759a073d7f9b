"""SIGKILL at random moments while the world moves: nothing is lost, nothing is counted twice.

Two accounts in one exporter and one store: one whose figures only grow, with money that settles
late, so that every sum is known exactly; and one where a part of the tasks is corrected downwards
afterwards. What a corrected task showed in its best moment may have been gone before anybody could
see it, so that its two corrected figures lie between the last and the highest value; all of its
other figures are exact again.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Final, Self

import aiohttp
import pytest

from exporter.simulator import App, ScaledClock, Settings, SimulatedWorld, Simulator, serve
from tests.crash.books import Key, differences, stored, truth
from tests.crash.observer import Observer
from tests.crash.victim import Victim
from tests.integration.servers import free_port

pytestmark = pytest.mark.integration

KILLS: Final = int(os.environ.get("CRASH_KILLS", "200"))
SEED: Final = int(os.environ.get("CRASH_SEED", "0")) or random.randrange(1, 2**32)
COLD: Final = 20
"""One start in so many is a cold one, by the command itself."""
APPS: Final = {12: "collections", 15: "reminders"}
GROWING, CORRECTED = "growing", "corrected"
SETTLE: Final = 8.0


def lively(now: float, **settings: float) -> Settings:
    """Tasks that live some seconds; about one a second is created."""
    return Settings(
        apps=tuple(App(id=number, name=name, scripts=3) for number, name in APPS.items()),
        epoch=int(now) - 120,
        tasks_per_day=86_400,
        day_shape=0,
        weekend_share=1,
        burstiness=0,
        mean_task_duration=15,
        mean_waiting=1,
        mean_submitting=1,
        mean_numbers=40,
        mean_call_length=20,
        sms_share=0.3,
        suspended_share=0.02,
        late_settlement_share=0.5,
        late_settlement_delay=SETTLE - 2,
        **settings,  # type: ignore[arg-type]
    )


def configuration(growing: Simulator, corrected: Simulator) -> str:
    apps = ", ".join(f"{{id: {number}, name: {name}}}" for number, name in APPS.items())
    return f"""\
poll:
  interval: 500ms
  timeout: 500ms
  deadline: 500ms
  requests_per_second: 500
  lookback: 1h
  windows: [10m, 1h]
  settle: {SETTLE:g}s
  full_sweep: 1h
  stale_after: 1m
accounts:
  - name: {GROWING}
    api_key: demo-key
    api_secret: demo-secret
    base_url: {growing.url}
    timezone: Asia/Shanghai
    apps: [{apps}]
  - name: {CORRECTED}
    api_key: demo-key
    api_secret: demo-secret
    base_url: {corrected.url}
    timezone: Asia/Shanghai
"""


class Crash:
    """One run: the worlds, the exporter of the moment, and whoever watches it."""

    def __init__(self, folder: Path, worlds: Mapping[str, Simulator], observer: Observer) -> None:
        self.kills = 0
        self.stages: Counter[str] = Counter()
        self._folder = folder
        self._worlds = worlds
        self._observer = observer
        self._chance = random.Random(SEED)
        self._starts = 0
        self._victim: Victim | None = None
        self._arguments = [
            f"--config.file={folder / 'config.yaml'}",
            f"--storage.path={folder / 'state'}",
            f"--web.listen-address={observer.url.removeprefix('http://')}",
        ]

    @property
    def log(self) -> Path:
        return self._folder / "exporter.log"

    def start(self) -> Victim:
        self._starts += 1
        self._victim = Victim(self._arguments, self.log, cold=self._starts % COLD == 0)
        return self._victim

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._victim is not None and self._victim.alive:
            await asyncio.to_thread(self._victim.kill)

    async def kill(self, victim: Victim) -> None:
        assert victim.alive, f"the exporter ended by itself:\n{self.log.read_text()[-4000:]}"
        await asyncio.to_thread(victim.kill)
        self.kills += 1

    async def at_a_random_moment(self, victim: Victim) -> None:
        """Wait until one, scraping meanwhile; the last scrape is just before this returns."""
        stage, longest = self._chance.choice(
            [("start", 0.3), ("request", 0.3), ("request", 0.3), ("figures", 0.8)]
        )
        if stage == "request":
            await self._until_asked()
        elif stage == "figures":
            await self.until_scraped(victim)
        self.stages[stage] += 1
        await self._observer.watch(self._chance.uniform(0, longest))

    async def _until_asked(self) -> None:
        asked = self._asked()
        give_up = time.monotonic() + 20
        while self._asked() == asked and time.monotonic() < give_up:  # noqa: ASYNC110
            await asyncio.sleep(0.002)

    def _asked(self) -> int:
        return sum(simulator.api.log.total for simulator in self._worlds.values())

    async def until_scraped(self, victim: Victim) -> None:
        """Until counters of both accounts are there again."""
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up:
            found = await self._observer.scrape() or {}
            if all(any(f'account="{name}"' in key for key in found) for name in self._worlds):
                return
            assert victim.alive, self.log.read_text()[-4000:]
            await asyncio.sleep(0.02)
        raise AssertionError(f"no counters:\n{self.log.read_text()[-4000:]}")

    async def until_ready(self, victim: Victim) -> None:
        """Until the lookback of both accounts is known, and its tasks are counted."""
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up:
            text = await self._observer.fetch("/metrics") or ""
            if all(f'itnio_voice_window_tasks{{account="{n}"' in text for n in self._worlds):
                return
            assert victim.alive, self.log.read_text()[-4000:]
            await asyncio.sleep(0.02)
        raise AssertionError(f"not ready:\n{self.log.read_text()[-4000:]}")

    def set_speed(self, speed: float) -> dict[str, float]:
        """Stop the worlds (0) or let them go on (1); return what time it is in each."""
        now: dict[str, float] = {}
        for name, simulator in self._worlds.items():
            clock = simulator.api.clock
            assert isinstance(clock, ScaledClock)
            clock.speed = speed
            now[name] = clock()
        return now

    def bounds(
        self, name: str, since: float, now: float
    ) -> tuple[dict[Key, Decimal], dict[Key, Decimal]]:
        world = self._worlds[name].world
        assert isinstance(world, SimulatedWorld)
        apps = APPS if name == GROWING else {}
        return (
            truth(world, since, now, apps),
            truth(world, since, now, apps, peaks=True),
        )

    async def until_exact(self, since: Mapping[str, float], now: Mapping[str, float]) -> None:
        """Until every sum, as scraped and as stored, is what the truth says; else fail."""
        bounds = {name: self.bounds(name, since[name], now[name]) for name in self._worlds}
        give_up = time.monotonic() + SETTLE + 12
        while True:
            wrong: list[str] = []
            scraped = await self._observer.scrape() or {}
            for name, (lower, upper) in bounds.items():
                kept = stored(self._folder / "state", name)
                wrong += differences(kept, lower, upper)
                wrong += [
                    f"{key}: scraped {scraped.get(key.series(name))}, stored {value}"
                    for key, value in kept.items()
                    if scraped.get(key.series(name)) != float(value)
                ]
            if not wrong:
                return
            assert time.monotonic() < give_up, "\n".join(wrong)
            await asyncio.sleep(0.5)


async def test_no_crash_loses_or_doubles_anything(tmp_path: Path) -> None:
    print(f"\nCRASH_SEED={SEED} CRASH_KILLS={KILLS}")  # noqa: T201
    begun = time.monotonic()
    now = time.time()
    async with (
        await serve(lively(now, seed=SEED % 1000)) as growing,
        await serve(
            lively(now, seed=SEED % 1000 + 1, correction_share=0.3, correction_delay=10)
        ) as corrected,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
        AsyncExitStack() as stack,
    ):
        (tmp_path / "config.yaml").write_text(configuration(growing, corrected))
        observer = Observer(f"http://127.0.0.1:{free_port()}", session)
        crash = await stack.enter_async_context(
            Crash(tmp_path, {GROWING: growing, CORRECTED: corrected}, observer)
        )

        # What is there now is the baseline: the world waits until it has been seen.
        since = crash.set_speed(0)
        victim = crash.start()
        await crash.until_ready(victim)
        crash.set_speed(1)
        while crash.kills < KILLS:
            await crash.at_a_random_moment(victim)
            await observer.scrape()
            await crash.kill(victim)
            victim = crash.start()
            await observer.scrape()

        # The last one goes on for a while, so that polls, and not only its first sweep, have to
        # find what is missing; then it is killed once more.
        await crash.until_ready(victim)
        await observer.watch(3)
        end = crash.set_speed(0)
        await crash.until_exact(since, end)
        await crash.kill(victim)
        victim = crash.start()
        await crash.until_ready(victim)
        await crash.until_exact(since, end)
        await crash.kill(victim)

    total = sum(value for key, value in observer.seen.items() if "spend_total" in key)
    print(  # noqa: T201  # what was measured, with -s
        f"{crash.kills} kills {dict(crash.stages)} in {time.monotonic() - begun:.0f} s,"
        f" {observer.scrapes} scrapes ({observer.with_counters} with counters),"
        f" {len(observer.seen)} counters, {total:.6f} spent"
    )
    assert observer.fell == []
    assert crash.kills >= KILLS
