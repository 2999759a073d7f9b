"""What a scrape is answered with: the accounts' families, then the exporter's own metrics, live."""

import asyncio
import gzip
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from exporter.exposition.body import Body, Chunk, deflated_together, text_of
from exporter.exposition.gzipped import LEVEL, Deflated, checksum, ended
from exporter.exposition.kept import Renderer
from exporter.exposition.own import OwnRegistry, OwnText
from exporter.exposition.render import EOF
from exporter.snapshot import AccountSnapshot

LARGE: Final = 2**16
"""Bytes: what is longer is compressed in a thread, not to hold the event loop."""
SMALL: Final = 200
"""Parts (a few thousand lines): what can be rendered at once when it is asked for."""

LEAST_PATIENCE: Final = 120.0
"""Seconds: after a start nothing is known of who scrapes, and someone with a browser says nothing
of a server that comes once a minute."""
LONGEST_PATIENCE: Final = 300.0
"""Seconds: scrapes that come more seldom are not waited for."""
_REMEMBERED: Final = 5

Pieces = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Front:
    """What stands before the live metrics, and what it was put together from."""

    body: Body
    steady: tuple[Chunk, ...]
    pieces: Pieces
    own: Sequence[Deflated] = ()
    """Of what is steady, where it is compressed."""
    crc: int = 0
    size: int = 0


class Exposition:
    """Answers scrapes, and knows how often they come, for those who wait until they were seen.

    What is much to render is rendered a little at a time, between other work, and scrapes are
    answered with what was there before until all of it is ready.
    """

    def __init__(
        self,
        registry: OwnRegistry,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.served = 0
        """How many scrapes of everything have been answered with all that is published."""
        self._renderer = Renderer()
        self._own = OwnText(registry)
        self._fronts: dict[tuple[bool, bool], _Front] = {}
        self._monotonic = monotonic
        self._times: deque[float] = deque(maxlen=_REMEMBERED)
        self._shown: Body | None = Body()
        self._removals = 0
        self._rendering: asyncio.Task[None] | None = None
        self._forms: set[tuple[bool, bool]] = set()
        """Formats, compressed or not, that were asked for since another body was shown."""
        self._zipping = asyncio.Lock()

    def publish(self, snapshot: AccountSnapshot) -> None:
        """Show an account's new snapshot from now on, or as soon as it is rendered."""
        self._own.write(snapshot.account)
        self._renderer.update(snapshot)
        if self._rendering is None and self._renderer.waiting > SMALL:
            self._rendering = asyncio.get_running_loop().create_task(self._render())

    def remove(self, account: str) -> None:
        """Show an account no more, from this moment on: another replica may be showing it."""
        self._renderer.remove(account)
        self._shown = None  # put together when it is asked for: many may be removed at once
        self._removals += 1

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
        pieces = await self.pieces(openmetrics=openmetrics, compressed=compressed, names=names)
        return b"".join(pieces)

    async def pieces(
        self, *, openmetrics: bool, compressed: bool, names: frozenset[str] = frozenset()
    ) -> Pieces:
        """Return the same in pieces, most of which are shared by all scrapes."""
        end = EOF if openmetrics else b""
        body = self._current()
        if names:
            own = self._own.only(names, openmetrics=openmetrics)
            some = body.only(names, openmetrics=openmetrics) + own + end
            return (await _zipped(some) if compressed else some,)
        self._note_scrape()
        self._forms.add((openmetrics, compressed))
        if compressed:
            body = await self._compressed(body, openmetrics=openmetrics)
        front = self._front(body, openmetrics=openmetrics, compressed=compressed)
        live = self._own.live(openmetrics=openmetrics) + end
        last = ended(live, front.crc, front.size) if compressed else live
        if sum(map(len, front.pieces)) < LARGE:
            return (b"".join((*front.pieces, last)),)
        return (*front.pieces, last)

    def text(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> bytes:
        """Return a body, not compressed, with all that is published: rendered now if need be."""
        self._renderer.settle()
        self._shown = body = self._renderer.body
        end = EOF if openmetrics else b""
        if names:
            own = self._own.only(names, openmetrics=openmetrics)
            return body.only(names, openmetrics=openmetrics) + own + end
        self._note_scrape()
        steady = text_of(self._own.steady(openmetrics=openmetrics))
        live = self._own.live(openmetrics=openmetrics)
        return b"".join((*body.plain(openmetrics=openmetrics), steady, live, end))

    def _current(self) -> Body:
        """Return what is to be shown now."""
        if self._rendering is None:
            self._renderer.settle()
            self._shown = self._renderer.body
        elif self._shown is None:
            self._shown = self._renderer.body
        return self._shown

    def _note_scrape(self) -> None:
        self._times.append(self._monotonic())
        # Who is shown what was there before has not seen what is new.
        if self._renderer.is_settled() and self._shown is self._renderer.body:
            self.served += 1

    def _front(self, body: Body, *, openmetrics: bool, compressed: bool) -> _Front:
        """Return all but what is live, put together once for as long as it is the same."""
        steady = self._own.steady(openmetrics=openmetrics)
        front = self._fronts.get((openmetrics, compressed))
        if front is not None and front.body is body and front.steady is steady:
            return front
        if compressed:
            packed = body.gzipped(openmetrics=openmetrics)
            if front is not None and front.steady is steady:
                own = front.own
            else:
                own = deflated_together(steady)
            front = _Front(
                body,
                steady,
                _ending_in(packed.pieces, b"".join([each.data for each in own])),
                own,
                checksum(own, packed.crc),
                packed.size + sum(each.size for each in own),
            )
        else:
            front = _Front(
                body, steady, _ending_in(body.plain(openmetrics=openmetrics), text_of(steady))
            )
        self._fronts[openmetrics, compressed] = front
        return front

    async def _compressed(self, body: Body, *, openmetrics: bool) -> Body:
        """Return what is to be shown, with its compressed form ready, and nothing removed in it."""
        while not body.is_ready(openmetrics=openmetrics, compressed=True):
            removals = self._removals
            await self._zip(body, openmetrics=openmetrics)
            if removals != self._removals:
                # Another replica may be showing what was removed while this was compressed.
                body = self._current()
        return body

    async def _zip(self, body: Body, *, openmetrics: bool) -> None:
        if body.size < LARGE:
            body.gzipped(openmetrics=openmetrics)
            return
        async with self._zipping:  # once, however many ask for it
            if not body.is_ready(openmetrics=openmetrics, compressed=True):
                await asyncio.to_thread(body.gzipped, openmetrics=openmetrics)

    async def _render(self) -> None:
        """Render what waits, and show it once it is ready in the forms in which it is wanted."""
        try:
            while not self._renderer.is_settled():
                while not self._renderer.is_settled():
                    self._renderer.step()
                    await asyncio.sleep(0)
                body, removals = self._renderer.body, self._removals
                forms, self._forms = self._forms, set()
                for openmetrics, compressed in forms:
                    if compressed:
                        await self._zip(body, openmetrics=openmetrics)
                    else:
                        for _ in body.make_plain(openmetrics=openmetrics):
                            await asyncio.sleep(0)
                if removals == self._removals:
                    self._shown = body
        finally:
            if self._rendering is asyncio.current_task():
                self._rendering = None


def _ending_in(pieces: Pieces, end: bytes) -> Pieces:
    """Return pieces with an end that is sent together with the last of them."""
    return (*pieces[:-1], b"".join((*pieces[-1:], end)))


async def _zipped(text: bytes) -> bytes:
    if len(text) < LARGE:
        return gzip.compress(text, LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, text, LEVEL, mtime=0)
