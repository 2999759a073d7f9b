"""What scrapers see of an exporter that is killed again and again: counters must never go down."""

import asyncio
import contextlib
from dataclasses import dataclass, field

import aiohttp

PREFIX = "itnio_voice_"


def counters(text: str) -> dict[str, float]:
    """The counters of an exposition by name and labels, as it writes them."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        name, _, number = line.rpartition(" ")
        if name.startswith(PREFIX) and name.partition("{")[0].endswith("_total"):
            found[name] = float(number)
    return found


@dataclass
class Observer:
    """Scrapes, and holds every counter against the last value that anybody has seen of it."""

    url: str
    session: aiohttp.ClientSession
    seen: dict[str, float] = field(default_factory=dict)
    scrapes: int = 0
    with_counters: int = 0
    fell: list[str] = field(default_factory=list)

    async def scrape(self) -> dict[str, float] | None:
        """The counters now; None where nobody answers."""
        text = await self.fetch("/metrics")
        if text is None:
            return None
        found = counters(text)
        self.scrapes += 1
        self.with_counters += bool(found)
        for name, value in found.items():
            before = self.seen.get(name, 0.0)
            if value < before:
                self.fell.append(f"{name}: {value} after {before}")
        self.seen.update(found)
        return found

    async def fetch(self, path: str) -> str | None:
        """A page, where the exporter answers it with 200."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.session.get(self.url + path) as answer:
                if answer.status == 200:
                    return await answer.text()
        return None

    async def watch(self, seconds: float) -> None:
        """Scrape as often as it can be done for so long; at least once."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            await self.scrape()
            left = end - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(0.05, left))
