"""The row of the fault matrix that needs a real process: SIGKILL, again and again.

Once is not enough to hit every stage of a poll; tests/crash does it hundreds of times.
"""

import asyncio
import random
import signal
import time
from pathlib import Path

import pytest

from exporter.simulator import App as SimulatedApp
from exporter.simulator import ScaledClock, Settings, serve
from tests.faults.judge import Judge, counters_of, read, without_noughts
from tests.integration.servers import exporter, fetch

KILLS = 4
CONFIG = """\
poll: {{interval: 500ms, timeout: 500ms, deadline: 500ms, requests_per_second: 1000, lookback: 4h,
       windows: [4h], full_sweep: 1s, settle: 0s}}
accounts:
  - {{name: faulty, api_key: demo-key, api_secret: demo-secret, base_url: '{url}', timezone: UTC}}
"""


@pytest.mark.integration
async def test_killed_really(tmp_path: Path) -> None:
    now = time.time()
    world = Settings(
        apps=(SimulatedApp(id=12, name="collections", scripts=2),),
        tasks_per_day=600,
        epoch=int(now) - 6 * 3600,
        timezone="UTC",
        day_shape=0,
        late_settlement_share=0,
    )
    # A minute of the world in a second of ours.
    clock = ScaledClock(time.time, 1.0)
    chance = random.Random(1)
    async with await serve(world, clock=clock, signing_clock=time.time) as simulator:
        clock.speed = 0
        judge = Judge("faulty", simulator.world, clock, 4 * 3600, {})
        judge.begin()
        config = tmp_path / "config.yaml"
        config.write_text(CONFIG.format(url=simulator.url))
        highest: dict[str, float] = {}

        def scrape(url: str) -> dict[str, float]:
            shown = read(fetch(f"{url}/metrics")[1].encode())
            counters = counters_of(shown, "faulty")
            assert all(
                counters.get(name, 0) >= value for name, value in highest.items() if counters
            )
            highest.update(counters)
            return shown

        def live(number: int) -> None:
            """Run a process for a while, watch it, and end it without a word."""
            arguments = (f"--config.file={config}", f"--storage.path={tmp_path / 'state'}")
            with exporter("run", *arguments, log=tmp_path / f"{number}.log") as server:
                server.wait_until_ready()
                until = time.monotonic() + chance.uniform(0.3, 1.5)
                while time.monotonic() < until:
                    scrape(server.url)
                    time.sleep(0.05)
                if number < KILLS:
                    server.process.send_signal(signal.SIGKILL)
                    server.process.wait(5)
                    return
                clock.speed = 0
                give_up = time.monotonic() + 20
                expected = judge.counters()
                while (
                    shown := without_noughts(counters_of(scrape(server.url), "faulty"))
                ) != expected:
                    assert time.monotonic() < give_up, (shown, expected)
                    time.sleep(0.1)

        for number in range(KILLS + 1):
            await asyncio.to_thread(live, number)
            clock.speed = 60
        assert any(highest.values())
