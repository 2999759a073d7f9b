"""What a scrape is answered with: the accounts' families, then the exporter's own metrics, live."""

import asyncio
import gzip
import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_format

from exporter.exposition.render import EOF, Renderer

LEVEL: Final = 1
_LARGE: Final = 2**16
"""Bytes: what is longer is compressed in a thread, not to hold the event loop."""

LEAST_PATIENCE: Final = 120.0
"""Seconds: after a start nothing is known of who scrapes, and someone with a browser says nothing
of a server that comes once a minute."""
LONGEST_PATIENCE: Final = 300.0
"""Seconds: scrapes that come more seldom are not waited for."""
_REMEMBERED: Final = 5
_SUFFIXES: Final = ("", "_total", "_bucket", "_count", "_sum", "_info")


class Exposition:
    """Answers scrapes, and knows how often they come, for those who wait until they were seen."""

    def __init__(
        self,
        renderer: Renderer,
        registry: CollectorRegistry,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.served = 0
        """How many scrapes of everything have been answered."""
        self._renderer = renderer
        self._registry = registry
        self._monotonic = monotonic
        self._times: deque[float] = deque(maxlen=_REMEMBERED)

    def patience(self) -> float:
        """Return the seconds within which the next scrape can be expected."""
        gaps = [later - earlier for earlier, later in pairwise(self._times)]
        return min(LONGEST_PATIENCE, max(LEAST_PATIENCE, 2 * max(gaps, default=0.0)))

    async def scrape(
        self, *, openmetrics: bool, compressed: bool, names: frozenset[str] = frozenset()
    ) -> bytes:
        """Return a body in text 0.0.4 or OpenMetrics 1.0, gzipped where asked.

        ``names``: only the families or samples called so; empty for all.
        """
        body = self.text(openmetrics=openmetrics, names=names)
        if not compressed:
            return body
        if len(body) < _LARGE:
            return gzip.compress(body, LEVEL, mtime=0)
        return await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)

    def text(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> bytes:
        """Return a body, not compressed."""
        if not names:  # who asks for some families has not seen the others
            self.served += 1
            self._times.append(self._monotonic())
        accounts = self._renderer.body(openmetrics=openmetrics, names=names)
        own = self._own(openmetrics=openmetrics, names=names)
        return accounts + own + (EOF if openmetrics else b"")

    def _own(self, *, openmetrics: bool, names: frozenset[str]) -> bytes:
        registry = self._registry
        if names:
            # The library's own filter goes by sample names; part of a histogram would be none.
            families = {name.removesuffix(suffix) for name in names for suffix in _SUFFIXES}
            wanted = {family + suffix for family in families for suffix in _SUFFIXES}
            registry = registry.restricted_registry(wanted)  # type: ignore[assignment]
        if openmetrics:
            own: bytes = openmetrics_format.generate_latest(registry)  # type: ignore[no-untyped-call]
            return own.removesuffix(EOF)
        return generate_latest(registry)
