"""Everything in the lookback, read again: in slices, beside the polls, however long it takes.

A slice that has been read is applied at once and never read again by the same sweep; one that
fails stays to be read when the sweep is taken up again. So a sweep of any length gets through.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from exporter.api.paging import RangeReader, Selection
from exporter.api.reading import Reading
from exporter.tasks import coverage
from exporter.tasks.coverage import Range

AT_ONCE: Final = 8
"""Slices: so many leave no connection idle for long; more would hold more readings in memory."""
_ALMOST: Final = 0.99
"""What is shown where more pages had to be read than were expected."""


class Sweep:
    """One sweep of one app over ``span``.

    ``expected`` tasks are known to be in it; None where that is not known yet and must be asked.
    ``apply`` takes each slice's reading. At most ``side_by_side`` slices are read at a time.
    """

    def __init__(
        self,
        span: Range,
        selection: Selection,
        reader: RangeReader,
        apply: Callable[[Reading], Awaitable[None]],
        *,
        expected: int | None,
        side_by_side: int,
    ) -> None:
        self.span = span
        self._selection = selection
        self._reader = reader
        self._apply = apply
        self._side_by_side = side_by_side
        self._pages = 0
        self._pages_before: int | None = None
        self._pending: list[Range] | None = None
        if expected is not None:
            self._cut(expected)

    @property
    def whole(self) -> bool:
        """Whether all of the span has been read."""
        return self._pending is not None and not self._pending

    @property
    def progress(self) -> float:
        """How much of the span has been read, from 0 to 1: by pages, 1 only when all is done."""
        if self.whole:
            return 1.0
        if self._pending is None or self._pages_before is None:
            return 0.0
        return min(_ALMOST, (self._reader.pages_read - self._pages_before) / self._pages)

    async def run(self, applied: Callable[[], Awaitable[None]]) -> None:
        """Read what is left of the span; raise the first ApiError that a slice ends in.

        ``applied`` is awaited after each slice.
        """
        if self._pages_before is None:
            self._pages_before = self._reader.pages_read
        if self._pending is None:
            await self._begin()
        pending = list(self._pending or ())
        queue = iter(pending)

        async def read_slices() -> None:
            for part in queue:
                reading = await self._reader.whole(part.begin, part.end, self._selection)
                await self._apply(reading)
                if self._pending is not None:
                    self._pending.remove(part)
                await applied()

        readers = [
            asyncio.ensure_future(read_slices())
            for _ in range(min(self._side_by_side, AT_ONCE, len(pending)))
        ]
        try:
            await asyncio.gather(*readers)
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    async def _begin(self) -> None:
        """Read the first page: it tells how many there are, and may be all of them."""
        total, reading = await self._reader.first_page(
            self.span.begin, self.span.end, self._selection
        )
        if reading is not None:
            await self._apply(reading)
            self._pending = []
            return
        self._cut(total)

    def _cut(self, expected: int) -> None:
        self._pending = coverage.slices(self.span, expected)
        self._pages = max(1, -(-expected // coverage.PAGE))
