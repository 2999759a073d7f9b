"""`python -m benchmarks.fleet`: one process, more and more accounts; the table of docs/scale.md.

The API is the fake of the fleet's test: a task every 20 seconds for each account, 50 s of calling.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.fleet.fleet import Plan, write_config
from tests.integration.servers import free_port
from tests.postgres import PostgresServer, postgres_server


@dataclass(frozen=True)
class Measured:
    """One process with so many accounts, over some polls."""

    accounts: int
    requests: float
    """A poll of one account."""
    processor: float
    """Seconds for one poll, its share of scrapes included."""
    memory: float
    """Resident, in MiB."""
    series: int
    size: float
    """Of one scrape, in MiB, not compressed."""
    scrape: float
    """Seconds."""
    database: float
    """Seconds of its server's processor for one poll."""

    def row(self) -> str:
        """Return its line of the table."""
        return (
            f"| {self.accounts} | {self.requests:.1f} | {self.processor * 1000:.0f} ms |"
            f" {self.memory:.0f} MiB | {self.series:,} | {self.size:.2f} MiB |"
            f" {self.scrape * 1000:.0f} ms |"
            + (f" {self.database * 1000:.1f} ms |" if self.database else "")
        )


async def measured(accounts: int, interval: float, lasts: float, *, postgres: bool) -> Measured:
    """Return what a process needs once it has settled; with ``postgres``, what its server does."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server()) if postgres else None
        return await _measured(accounts, interval, lasts, server)


async def _measured(
    accounts: int, interval: float, lasts: float, server: PostgresServer | None
) -> Measured:
    folder, api, port = Path(tempfile.mkdtemp()), free_port(), free_port()
    plan = Plan(accounts, interval, lasts, 1, 1, ())
    write_config(folder, plan, api)
    fake = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fleet.fake_api", str(api), str(accounts))
    )
    exporter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exporter", "run", "--log.level", "warning"),
        *("--config.file", str(folder / "config.yaml")),
        *(
            ("--storage.url", server.database())
            if server
            else ("--storage.path", str(folder / "data"))
        ),
        f"--web.listen-address=127.0.0.1:{port}",
    )
    try:
        async with aiohttp.ClientSession() as client:
            await asyncio.sleep(3)
            await client.post(f"http://127.0.0.1:{api}/world/begin")
            await asyncio.sleep(3 * interval)
            before, _, _ = await _scraped(client, port)
            of_server = _processor(server)
            ends = time.monotonic() + lasts
            while time.monotonic() < ends:
                await asyncio.sleep(min(15.0, lasts))
                after, text, took = await _scraped(client, port)
            of_server = _processor(server) - of_server
    finally:
        for process in (exporter, fake):
            process.terminate()
            await process.wait()
    polls = after["polls"] - before["polls"]
    return Measured(
        accounts,
        (after["requests"] - before["requests"]) / polls,
        (after["processor"] - before["processor"]) / polls,
        after["memory"] / 2**20,
        sum(not line.startswith("#") for line in text.splitlines()),
        len(text.encode()) / 2**20,
        took,
        of_server / polls,
    )


def _processor(server: PostgresServer | None) -> float:
    """Return the seconds that the processes of a database have taken so far."""
    if server is None:
        return 0.0
    first = (server.folder / "data/postmaster.pid").read_text().split()[0]
    ticks = 0
    for process in Path("/proc").glob("[0-9]*"):
        # One that has ended meanwhile took little.
        with contextlib.suppress(OSError):
            of = (process / "stat").read_text().rpartition(")")[2].split()
            if first in (process.name, of[1]):
                ticks += int(of[11]) + int(of[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def _scraped(client: aiohttp.ClientSession, port: int) -> tuple[dict[str, float], str, float]:
    begun = time.monotonic()
    async with client.get(f"http://127.0.0.1:{port}/metrics") as answer:
        text = await answer.text()
    took = time.monotonic() - begun
    names = {
        "itnio_exporter_polls_total": "polls",
        "itnio_exporter_api_requests_total": "requests",
        "process_cpu_seconds_total": "processor",
        "process_resident_memory_bytes": "memory",
    }
    sums = dict.fromkeys(names.values(), 0.0)
    for line in text.splitlines():
        name = line.partition("{")[0].partition(" ")[0]
        if name in names:
            sums[names[name]] += float(line.rpartition(" ")[2])
    return sums, text, took


def main() -> None:
    """Measure, and print a line for each number of accounts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[25, 100, 400])
    parser.add_argument("--interval", type=float, default=20.0, help="seconds between two polls")
    parser.add_argument("--lasts", type=float, default=60.0, help="seconds that are measured")
    parser.add_argument("--postgres", action="store_true", help="instead of a folder")
    parser.add_argument("--json", action="store_true", help="for a program")
    asked = parser.parse_args()
    for accounts in asked.accounts:
        found = asyncio.run(
            measured(accounts, asked.interval, asked.lasts, postgres=asked.postgres)
        )
        line = json.dumps(found.__dict__) if asked.json else found.row()
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


main()
