"""What is measured of serving, each in one run: every figure is by turns with what it is beside."""

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.serving import peers, subjects
from benchmarks.serving.scraper import Scraper
from benchmarks.serving.tracked import accounts
from exporter.exposition.kept import Renderer

NAMES: Final = (
    subjects.OURS,
    subjects.STATIC,
    peers.PUSHGATEWAY,
    peers.GO,
    subjects.SCRIPT,
    subjects.CLIENT,
)
_TURN: Final = 5
"""Scrapes in one turn: few, so that what else the machine does falls on all alike."""
_TURNS: Final = 8
"""In each round."""
_ENOUGH, _FEWEST = 2.0, 3
"""Who has taken so many seconds in all, and has been scraped so often, is scraped no more."""


@dataclass(slots=True)
class Times:
    """How long the scrapes of one subject took, in seconds, and what an answer weighed."""

    seconds: list[float] = field(default_factory=list)
    size: int = 0

    @property
    def median(self) -> float:
        """Half of them took no longer."""
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        """Of a hundred, one took longer."""
        return sorted(self.seconds)[math.ceil(len(self.seconds) * 0.99) - 1]


def scrapes(
    names: Sequence[str],
    series: int,
    folder: Path,
    *,
    compressed: bool,
    rounds: int,
    api: str = "",
) -> dict[str, Times]:
    """Scrape each of the subjects by turns; ``api`` is for those that read meanwhile."""
    times = {name: Times() for name in names}
    with ExitStack() as started:
        scrapers = {}
        for name in names:
            port, _ = started.enter_context(peers.serving(name, series, folder, api))
            scrapers[name] = Scraper(port, compressed=compressed)
            started.callback(scrapers[name].close)
        for scraper in scrapers.values():
            scraper.scrape()
        for _ in range(rounds * _TURNS):
            for name, scraper in scrapers.items():
                for _ in range(_TURN):
                    taken = times[name].seconds
                    if sum(taken) < _ENOUGH or len(taken) < _FEWEST:
                        taken.append(scraper.scrape())
                times[name].size = scraper.size
    return times


@dataclass(frozen=True, slots=True)
class Rendering:
    """What one poll costs to render: processor time in ms, and bytes that are deflated anew."""

    case: str
    milliseconds: float
    deflated: int


def rendering(series: int, rounds: int) -> list[Rendering]:
    """Render a first poll, one in which all has changed, and one in which 1 % has."""
    results: dict[str, list[tuple[float, int]]] = {}
    for _ in range(rounds):
        made = accounts(series)
        renderer = Renderer()
        for case, share in (("the first poll", None), ("all changed", 1.0), ("1 % changed", 0.01)):
            polled = [each.snapshot() if share is None else each.go_on(share) for each in made]
            before = {id(chunk) for chunk in renderer.body.chunks()}
            begun = time.process_time()
            for each in polled:
                renderer.update(each)
            renderer.settle()
            took = time.process_time() - begun
            anew = sum(each.size for each in renderer.body.chunks() if id(each) not in before)
            results.setdefault(case, []).append((took * 1e3, anew))
            # Kept until the next: what was there before must not share its ids.
            renderer.body.gzipped(openmetrics=False)
    return [
        Rendering(case, statistics.median(ms for ms, _ in each), each[0][1])
        for case, each in results.items()
    ]


@dataclass(frozen=True, slots=True)
class Absent:
    """What clients that never read cost."""

    clients: int
    megabytes: float
    """More memory than before they came."""
    before: float
    """Median of another's scrapes, in seconds."""
    meanwhile: float


def absent(series: int, folder: Path, clients: int = 20, scrapes_each: int = 60) -> Absent:
    """Ask for the plain text so often without reading it, while another scrapes on."""
    with peers.serving(subjects.OURS, series, folder) as (port, pid):
        other = Scraper(port, compressed=True)
        reader = Scraper(port, compressed=False)
        reader.scrape()
        before = [other.scrape() for _ in range(scrapes_each)]
        memory = resident(pid)
        idle = [Scraper(port, compressed=False) for _ in range(clients)]
        for each in idle:
            each.ask()
        meanwhile = [other.scrape() for _ in range(scrapes_each)]
        grown = resident(pid) - memory
        for each in (*idle, other, reader):
            each.close()
    return Absent(clients, grown / 1e6, statistics.median(before), statistics.median(meanwhile))


def resident(pid: int) -> int:
    """Return the bytes of memory that a process takes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Imported:
    """What importing takes in a Python of its own: seconds, and bytes of memory at its end."""

    seconds: float
    memory: int


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until the first answer and bytes of memory at rest, beside those of imports."""

    answered: float
    memory: int
    imported: dict[str, Imported]


LIBRARIES: Final = "aiohttp, prometheus_client, yaml"
_IMPORTS: Final = {
    LIBRARIES: f"import {LIBRARIES}",
    "all libraries that `run` needs": f"import {LIBRARIES}, aiohttp.web, structlog, click, "
    "stamina, msgspec, sqlite3, aiolimiter, bcrypt",
    "the exporter": "import exporter.app, exporter.commands.run",
}
_TELL_MEMORY: Final = "; print(open('/proc/self/statm').read().split()[1])"
_WITHOUT_RICH: Final = "import sys; sys.modules['rich'] = None; "  # as the exporter starts


def start(folder: Path, rounds: int) -> Start:
    """Start the exporter over an account that cannot be reached, and ask for its metrics."""
    config = folder / "config.yaml"
    config.write_text(
        "accounts:\n  - {name: a, api_key: k, api_secret: s, timezone: UTC, "
        "base_url: 'http://127.0.0.1:9'}\n"
    )
    answered, memory = [], []
    imported: dict[str, list[Imported]] = {name: [] for name in _IMPORTS}
    for number in range(rounds):
        for name, code in _IMPORTS.items():
            imported[name].append(_imported(code))
        seconds, size = _started(config, settle=number == rounds - 1)
        answered.append(seconds)
        memory.append(size)
    return Start(
        statistics.median(answered),
        memory[-1],
        {
            name: sorted(each, key=lambda one: one.seconds)[len(each) // 2]
            for name, each in imported.items()
        },
    )


def _imported(code: str) -> Imported:
    begun = time.perf_counter()
    told = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _WITHOUT_RICH + code + _TELL_MEMORY],
        check=True,
        capture_output=True,
        env=_with_bytecode(),
    ).stdout
    return Imported(time.perf_counter() - begun, int(told) * os.sysconf("SC_PAGE_SIZE"))


def _with_bytecode() -> dict[str, str]:
    """Return an environment in which modules are started as they are installed."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _started(config: Path, *, settle: bool) -> tuple[float, int]:
    port = peers.free_port()
    command = [sys.executable, "-m", "exporter", "run", f"--config.file={config}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--storage.path=", "--log.level=error"]
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=_with_bytecode())  # noqa: S603
    try:
        peers.await_port(port, every=0.002)
        scraper = Scraper(port, compressed=False)
        scraper.scrape()
        took = time.perf_counter() - begun
        if settle:
            time.sleep(3)
            for _ in range(3):
                scraper.scrape()
        scraper.close()
        return took, resident(process.pid)
    finally:
        process.terminate()
        process.wait()
