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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Final

from exporter.api import local_time
from exporter.api.client import LARGEST_PAGE, Client, Query
from exporter.api.errors import IncompleteError, ParameterError
from exporter.api.records import Page
from exporter.tasks.task import Task

MOST_CUTS: Final = 6
"""How often one range is cut, one part of it after another, before it counts as incomplete."""
MOST_IDLE_READINGS: Final = 4
"""How often the same second is read again without anything new to see."""
SPLIT_AGAIN: Final = 600
"""Seconds for which a range is not tried in parts after the narrowest was refused, too."""
RECENT: Final = 60
"""Seconds: what ends this close to now, or beyond it, may still be growing."""
NARROWEST_SPLIT: Final = 3600
"""Seconds: a range this narrow is not too wide for any API; refused, it is refused for itself."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for besides the range; statuses as codes, empty for all."""

    app_id: int | None = None
    statuses: tuple[int, ...] = ()
    search: str = ""


@dataclass(slots=True)
class Reading:
    """A range as it was read: every task in it, each once.

    ``begin`` and ``end`` are Unix seconds, both included. ``begun`` is the moment, by a clock
    that is never set back, at which the first request was made: what was read later is newer.
    """

    begin: int
    end: int
    begun: float
    tasks: dict[int, Task] = field(default_factory=dict)
    rejected_ids: set[int] = field(default_factory=set)
    rejected: list[str] = field(default_factory=list)
    """The reason of each record that could not be read."""
    unnamed: int = 0
    """How many of these do not even say which task they are of: it may be any in the range."""

    def take(self, other: "Reading") -> None:
        """Add what a part of this range held."""
        self.tasks |= other.tasks
        self.rejected_ids |= other.rejected_ids
        self.rejected += other.rejected
        self.unnamed += other.unnamed


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
        self._widest: int | None = None
        """Seconds: the widest range that the API accepts, once it has refused one as too wide."""
        self._no_split_before = float("-inf")
        """By the monotonic clock: until then a refused range is not tried in parts."""

    async def whole(self, begin: int, end: int, selection: Selection) -> Reading:
        """Return every task created from ``begin`` to ``end`` (Unix seconds, both included).

        Raises IncompleteError where the pages do not add up after bounded tries, and whatever
        ApiError a request ends in.
        """
        reading = Reading(begin, end, self._monotonic())
        for part_begin, part_end in self._accepted(begin, end):
            reading.take(await self._split(part_begin, part_end, selection))
        return reading

    async def passing(self, begin: int, end: int, selection: Selection) -> Reading:
        """Return what the pages of a range show, without holding it against the total.

        For a selection by status, whose pages shift whenever a task changes its status: who is
        missing from it is asked for by other means.
        """
        reading = Reading(begin, end, self._monotonic())
        for part_begin, part_end in self._accepted(begin, end):
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
            if end - begin <= NARROWEST_SPLIT:
                raise
            return LARGEST_PAGE, None
        if not _several_pages(page) and not _gather(reading, [page]):
            return len(page), reading
        return (page.total or LARGEST_PAGE), None

    def _accepted(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Cut a range into parts that are not wider than the API is known to accept."""
        width = end - begin if self._widest is None else self._widest
        for start in range(begin, end + 1, width + 1):
            yield start, min(start + width, end)

    async def _split(
        self, begin: int, end: int, selection: Selection, *, check: bool = True
    ) -> Reading:
        """Read a range; where it is refused as a parameter, try whether it was too wide."""
        try:
            return await self._consistent(begin, end, selection, cuts=MOST_CUTS, check=check)
        except ParameterError:
            if end - begin <= NARROWEST_SPLIT:
                # It is not the width, then: what is refused for itself is asked once a poll.
                self._no_split_before = self._monotonic() + SPLIT_AGAIN
                raise
            if self._monotonic() < self._no_split_before:
                raise
        reading = Reading(begin, end, self._monotonic())
        middle = (begin + end) // 2
        for part_begin, part_end in ((begin, middle), (middle + 1, end)):
            reading.take(await self._split(part_begin, part_end, selection, check=check))
            # Only now is the width known to be the reason: the narrower half was accepted.
            self._widest = min(self._widest or part_end - part_begin, part_end - part_begin)
        return reading

    async def _consistent(
        self, begin: int, end: int, selection: Selection, *, cuts: int, check: bool
    ) -> Reading:
        reading = Reading(begin, end, self._monotonic())
        query = self._query(begin, end, selection)
        first = await self._page(query)
        now = int(self._clock())
        if check and cuts == MOST_CUTS and begin < now <= end and _several_pages(first):
            return await self._apart(begin, now, end, selection, cuts=cuts - 1)
        pages = [first, *await self._others(query, first)]
        fault = _gather(reading, pages)
        if not fault or not check:
            return reading
        if begin == end and len(pages) > 1:
            return await self._united(reading, query)
        if cuts == 0:
            raise _incomplete(fault, query)
        parts = self._cut(begin, end, reading.tasks.values(), _page_size(first))
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
            fault = _gather(reading, [first, *await self._others(query, first)])
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
        size = _page_size(first)
        last = -(-first.total // size) if size else 1
        pages: list[Page] = []
        seen = _shown(first)
        ended = False
        numbers = takewhile(lambda _: not ended, range(2, last + 1))

        async def read_on() -> None:
            nonlocal ended
            for number in numbers:
                page = await self._page(replace(query, page=number))
                pages.append(page)
                shown = _shown(page)
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
        seen = _shown(first)
        latest = first
        while latest.total is None and _may_be_full(latest):
            page = await self._page(replace(query, page=len(pages) + 2))
            shown = _shown(page)
            if shown == _shown(latest):
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


def _several_pages(first: Page) -> bool:
    return first.total > len(first) if first.total is not None else _may_be_full(first)


def _may_be_full(page: Page) -> bool:
    """Tell whether more can follow a page; where its size is not told, an empty one is the last."""
    return len(page) >= min(page.size or 1, LARGEST_PAGE)


def _page_size(first: Page) -> int:
    """Return how many records the API puts on a page: it may allow fewer than were asked for.

    The first of several pages is full, whatever size it says; one that repeats records is fuller.
    """
    return min(len(first), first.size or LARGEST_PAGE)


def _shown(page: Page) -> set[int]:
    """Return the ids on a page; records without one by their place, as negative numbers."""
    shown = {task.task_id for task in page.tasks}
    return shown.union(~n if id_ is None else id_ for n, (id_, _) in enumerate(page.rejected))


def _gather(reading: Reading, pages: Sequence[Page]) -> str:
    """Put pages into a reading; return what does not add up, or nothing."""
    # A time far from what was asked for is none: taken at its word, the task would be forgotten as
    # out of date, and counted once more when its time is right again.
    first = reading.begin - local_time.WIDEST_ZONE_ERROR
    last = reading.end + local_time.WIDEST_ZONE_ERROR
    records = 0
    for page in pages:
        records += len(page)
        for task in page.tasks:
            if first <= task.created <= last:
                reading.tasks[task.task_id] = task
            else:
                reading.rejected.append("created_time")
                reading.rejected_ids.add(task.task_id)
        for task_id, reason in page.rejected:
            reading.rejected.append(reason)
            if task_id is None:
                reading.unnamed += 1
            else:
                reading.rejected_ids.add(task_id)
    reading.rejected_ids -= reading.tasks.keys()
    seen = len(reading.tasks) + len(reading.rejected_ids) + reading.unnamed
    totals = {page.total for page in pages}
    if len(totals) > 1:
        return "the number of tasks changed while the pages were read"
    total = pages[0].total
    if total is not None and total != seen:
        return f"the API says {total} tasks, its pages show {seen}"
    if total is None and records != seen:
        return "pages repeat tasks"
    return ""
