"""A whole range, read completely and consistently, or an error that says it could not be.

Pages shift while they are read: tasks are created and deleted, and the sort order is not
documented. One page is one moment; what fits in it is whole by nature. A longer range is held
against the API's own ``total``: every page must give the same total, and as many different tasks
must have been seen. Where that fails, the range is cut into parts that fit on a page, and each is
read anew; one of them begins with the newest task seen, so that the older ones stand still and what
keeps coming is left to it. A second that does not fit on a page is read again until its readings
add up together. The number of cuts, and of readings that show nothing new, is bounded.

One thing cannot be told: in a range that still grows though it should not (the configured zone is
wrong), a task deleted and another created between two pages make up for each other in the total,
and the next reading shows what this one missed.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from exporter.api import local_time
from exporter.api.client import LARGEST_PAGE, Client, Query
from exporter.api.errors import IncompleteError, ParameterError
from exporter.api.reading import (
    Reading,
    gather,
    may_be_full,
    page_size,
    several_pages,
    shown_ids,
)
from exporter.api.records import Page
from exporter.api.width import NARROWEST, Width
from exporter.tasks.task import Task

MOST_CUTS: Final = 6
"""How often one range is cut, one part of it after another, before it counts as incomplete."""
MOST_IDLE_READINGS: Final = 4
"""How often the same second is read again without anything new to see."""
RECENT: Final = 60
"""Seconds: what ends this close to now, or beyond it, may still be growing."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for besides the range; statuses as codes, empty for all."""

    app_id: int | None = None
    statuses: tuple[int, ...] = ()
    search: str = ""


class RangeReader:
    """Reads whole ranges of one account.

    ``clock`` is Unix time by the API's clock, ``monotonic`` says what was read before what.
    """

    def __init__(
        self,
        client: Client,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        gate: AbstractAsyncContextManager[object] | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._monotonic = monotonic
        self._gate = gate or nullcontext()
        """Held for each page: bounds how many requests of a long read wait before others."""
        self.pages_read = 0
        """How many pages have been answered so far."""
        self._width = Width(monotonic)

    async def whole(self, begin: int, end: int, selection: Selection) -> Reading:
        """Return every task created from ``begin`` to ``end`` (Unix seconds, both included).

        Raises IncompleteError where the pages do not add up after bounded tries, and whatever
        ApiError a request ends in.
        """
        reading = Reading(begin, end, self._monotonic())
        for part_begin, part_end in self._width.accepted(begin, end):
            reading.take(await self._split(part_begin, part_end, selection))
        return reading

    async def passing(self, begin: int, end: int, selection: Selection) -> Reading:
        """Return what the pages of a range show, without holding it against the total.

        For a selection by status, whose pages shift whenever a task changes its status: who is
        missing from it is asked for by other means.
        """
        reading = Reading(begin, end, self._monotonic())
        for part_begin, part_end in self._width.accepted(begin, end):
            reading.take(await self._split(part_begin, part_end, selection, check=False))
        return reading

    async def first_page(
        self, begin: int, end: int, selection: Selection
    ) -> tuple[int, Reading | None]:
        """Return how many tasks a range holds, and the reading of it where one page has them all.

        Where the API does not say how many there are, or refuses so wide a range, the number is a
        guess: enough to have the range read in parts.
        """
        reading = Reading(begin, end, self._monotonic())
        try:
            page = await self._page(self._query(begin, end, selection))
        except ParameterError:
            if end - begin <= NARROWEST:
                raise
            return LARGEST_PAGE, None
        if not several_pages(page) and not gather(reading, [page]):
            return len(page), reading
        return (page.total or LARGEST_PAGE), None

    async def _split(
        self, begin: int, end: int, selection: Selection, *, check: bool = True
    ) -> Reading:
        """Read a range; where it is refused as a parameter, try whether it was too wide."""
        try:
            return await self._consistent(begin, end, selection, cuts=MOST_CUTS, check=check)
        except ParameterError:
            if not self._width.may_be_too_wide(begin, end):
                raise
        reading = Reading(begin, end, self._monotonic())
        middle = (begin + end) // 2
        for part_begin, part_end in ((begin, middle), (middle + 1, end)):
            reading.take(await self._split(part_begin, part_end, selection, check=check))
            # Only now is the width known to be the reason: the narrower half was accepted.
            self._width.learn(part_end - part_begin)
        return reading

    async def _consistent(
        self, begin: int, end: int, selection: Selection, *, cuts: int, check: bool
    ) -> Reading:
        reading = Reading(begin, end, self._monotonic())
        query = self._query(begin, end, selection)
        first = await self._page(query)
        now = int(self._clock())
        if check and cuts == MOST_CUTS and begin < now <= end and several_pages(first):
            return await self._apart(begin, now, end, selection, cuts=cuts - 1)
        pages = [first, *await self._others(query, first)]
        fault = gather(reading, pages)
        if not fault or not check:
            return reading
        if begin == end and len(pages) > 1:
            return await self._united(reading, query)
        if cuts == 0:
            raise _incomplete(fault, query)
        parts = self._cut(begin, end, reading.tasks.values(), page_size(first))
        return await self._parts(parts, selection, cuts=cuts - 1)

    async def _apart(
        self, begin: int, now: int, end: int, selection: Selection, *, cuts: int
    ) -> Reading:
        """Read what is still to come apart from what stands still, at the same time."""
        whole = Reading(begin, end, self._monotonic())
        growing = asyncio.ensure_future(
            self._consistent(now, end, selection, cuts=cuts, check=True)
        )
        try:
            whole.take(await self._consistent(begin, now - 1, selection, cuts=cuts, check=True))
            whole.take(await growing)
        finally:
            growing.cancel()
            await asyncio.gather(growing, return_exceptions=True)
        return whole

    async def _parts(
        self, parts: Sequence[tuple[int, int]], selection: Selection, *, cuts: int
    ) -> Reading:
        """Read a range in parts, given youngest first.

        They are read in that order: were the youngest last, what was created since would grow it.
        """
        whole = Reading(parts[-1][0], parts[0][1], self._monotonic())
        for begin, end in parts:
            whole.take(await self._consistent(begin, end, selection, cuts=cuts, check=True))
        return whole

    def _cut(
        self, begin: int, end: int, tasks: Iterable[Task], page_size: int
    ) -> list[tuple[int, int]]:
        """Return the parts in which a range is read again, the youngest first.

        As far as creation times allow, each fits on a page, with room for what was not seen.
        """
        created = sorted(task.created for task in tasks)
        number = max(2, -(-3 * len(created) // (2 * max(1, page_size))))
        # Each part ends before one of the tasks; where there is none to go by, in the middle.
        lasts = {created[len(created) * part // number] - 1 for part in range(1, number) if created}
        if not created:
            lasts = {(begin + end) // 2}
        elif end >= self._clock() - RECENT:
            # Where tasks keep coming, they are the newest: what is older than those stands still.
            lasts.add(created[-1] - 1)
        lasts = {last for last in lasts if begin <= last < end}
        if not lasts and begin < end:
            lasts = {min(max(begin, created[-1]), end - 1)}
        ordered = sorted(lasts)
        begins = [begin, *(last + 1 for last in ordered)]
        return list(zip(begins, [*ordered, end], strict=True))[::-1]

    async def _united(self, reading: Reading, query: Query) -> Reading:
        """Read one second again until its readings together show as many tasks as the API says.

        Tasks of the same second may come in another order at each request, so that no single
        reading of several pages shows all of them.
        """
        fault, idle = "", 0
        while idle < MOST_IDLE_READINGS:
            known = len(reading.tasks)
            reading.unnamed = 0
            reading.rejected.clear()
            first = await self._page(query)
            fault = gather(reading, [first, *await self._others(query, first)])
            if not fault:
                return reading
            idle = 0 if len(reading.tasks) > known else idle + 1
        raise _incomplete(fault, query)

    async def _others(self, query: Query, first: Page) -> Sequence[Page]:
        """Read the pages after the first, side by side within the account's limits.

        A page that shows nothing new ends it: neither a total that is wrong nor an API that
        shows its last page again and again must make us ask for ever.
        """
        if first.total is None:
            return await self._until_short(query, first)
        size = page_size(first)
        last = -(-first.total // size) if size else 1
        pages: list[Page] = []
        seen = shown_ids(first)
        ended = False
        numbers = takewhile(lambda _: not ended, range(2, last + 1))

        async def read_on() -> None:
            nonlocal ended
            for number in numbers:
                page = await self._page(replace(query, page=number))
                pages.append(page)
                shown = shown_ids(page)
                if shown <= seen:
                    ended = True
                    return
                seen.update(shown)

        readers = [
            asyncio.ensure_future(read_on())
            for _ in range(min(self._client.limits.concurrency, last - 1))
        ]
        try:
            await asyncio.gather(*readers)
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
        return pages

    async def _page(self, query: Query) -> Page:
        async with self._gate:
            page = await self._client.page(query)
        self.pages_read += 1
        return page

    async def _until_short(self, query: Query, first: Page) -> Sequence[Page]:
        """Read pages until one is not full: the API does not say how many there are."""
        pages: list[Page] = []
        seen = shown_ids(first)
        latest = first
        while latest.total is None and may_be_full(latest):
            page = await self._page(replace(query, page=len(pages) + 2))
            shown = shown_ids(page)
            if shown == shown_ids(latest):
                break  # the last page once more, as some APIs answer beyond the end
            pages.append(page)
            if shown <= seen:
                break
            seen |= shown
            latest = page
        return pages

    def _query(self, begin: int, end: int, selection: Selection) -> Query:
        first, last = local_time.bounds(begin, end, self._client.locale.zone)
        return Query(
            begin=first,
            end=last,
            statuses=selection.statuses,
            app_id=selection.app_id,
            search=selection.search,
        )


def _incomplete(fault: str, query: Query) -> IncompleteError:
    return IncompleteError(
        f"{fault} in the tasks created from {query.begin} to {query.end}, "
        f"also after reading again {MOST_CUTS} times"
    )
