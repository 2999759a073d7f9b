"""Which zone the API's local times are in: the evidence is asked for, judged, and told."""

from datetime import datetime, tzinfo
from typing import Final

from exporter.api.client import Client
from exporter.api.errors import ParameterError
from exporter.api.records import Page
from exporter.config import format_duration
from exporter.inspection import offsets
from exporter.inspection.asking import Asking, wall
from exporter.inspection.findings import Inspection, Level, Proposal
from exporter.inspection.offsets import HOUR, Bounds
from exporter.tasks.coverage import PAGE
from exporter.tasks.task import Task

_EAST: Final = 14 * HOUR
_WEST: Final = 12 * HOUR
_FAR_BACK: Final = 30 * 24 * HOUR
_LOOK_AGAIN: Final = 5.0
"""Seconds between two looks for a task that is created meanwhile."""
_EARLIER_DAYS: Final = (1, 2, 7)


class ZoneInspection:
    """Judges the configured zone of one account.

    ``client`` takes local times for UTC, so that they are looked at as they are on the wall.
    ``wait`` is for how many seconds a task is waited for.
    """

    def __init__(self, client: Client, asking: Asking, found: Inspection, wait: float) -> None:
        self._client = client
        self._asking = asking
        self._account = asking.account
        self._clocks = asking.clocks
        self._found = found
        self._wait = wait
        self._range = (0, 0)
        """The local times last asked for."""
        self._widest = 2 * _FAR_BACK
        """Seconds: no range wider than this is asked for, once the API has refused wider ones."""

    async def offset(self) -> int:
        """Judge the configured zone; return the offset, in seconds, to go on with."""
        now = self._asking.now()
        configured = _offset(self._account.timezone, now)
        reach = max(round(self._asking.config.poll.lookback), 24 * HOUR) + _WEST
        newest = await self._newest(round(now) - reach, round(now) + _EAST + HOUR)
        if not newest:
            newest = await self._newest(round(now) - _FAR_BACK, round(now) - reach - 1)
        if not newest:
            self._found.add(
                Level.NOTE,
                "zone",
                f"cannot be told: there is no task in {format_duration(_FAR_BACK)}",
                f"Try again when there is one; until then timezone: "
                f"{self._account.timezone_name} is taken on trust.",
            )
            return configured
        outside = [task for task in newest if not self._asked_for(task)]
        if outside:
            self._found.add(
                Level.WRONG,
                "zone",
                "the API takes the times of a query in another zone than it writes createdTime "
                f"in: {len(outside)} of {len(newest)} tasks lie outside the range asked for",
                "The exporter cannot be told of two zones: ask the provider which is right.",
            )
            return configured
        bounds = Bounds.of((task.created for task in newest), now)
        seen = await self._appearing(bounds)
        if seen is not None:
            self._judge_surely(seen, configured, "a task was created while this was running")
            return seen
        return await self._judge(bounds, configured)

    async def _newest(self, begin: int, end: int) -> list[Task]:
        """Return the newest tasks between two local times: some that fit on a page.

        The order of records is not documented, so the range is cut until it fits.
        """
        page = await self._latest(begin, end)
        begin, end = self._range
        if len(page) < PAGE:
            return page.tasks
        too_many, too_few = begin, end
        while len(page) not in range(offsets.ENOUGH, PAGE) and too_few - too_many > 1:
            middle = (too_many + too_few) // 2
            latest = await self._client.page(wall(middle, end))
            if len(latest) >= PAGE:
                too_many = middle
            else:
                too_few = middle
            if len(latest):
                self._range, page = (middle, end), latest
        return page.tasks

    async def _latest(self, begin: int, end: int) -> Page:
        """Return a page of the latest part of a range that has tasks and is not too wide to ask."""
        while True:
            self._range = max(begin, end - self._widest), end
            try:
                page = await self._client.page(wall(*self._range))
            except ParameterError:
                if self._widest <= HOUR:
                    raise
                self._widest = min(self._widest, end - begin) // 2
                continue
            if len(page) or self._range[0] <= begin:
                return page
            end = self._range[0] - 1

    async def _between(self, begin: int, end: int, size: int = PAGE) -> Page:
        """Return a page of a range, or of as much of it as the API lets us ask for at once."""
        return await self._client.page(wall(begin, min(end, begin + self._widest), size))

    def _asked_for(self, task: Task) -> bool:
        begin, end = self._range
        return begin <= task.created <= end

    async def _appearing(self, bounds: Bounds) -> int | None:
        """Return the offset by a task that is created while one waits; None where none is."""
        before = bounds.now
        give_up = self._clocks.monotonic() + self._wait
        while True:
            page = await self._between(bounds.newest + 1, bounds.newest + _EAST + _WEST)
            now = self._asking.now()
            if page.tasks:
                appeared = max(task.created for task in page.tasks)
                return offsets.observed(appeared, before, now)
            if self._clocks.monotonic() >= give_up:
                return None
            before = now
            await self._clocks.sleep(_LOOK_AGAIN)

    async def _judge(self, bounds: Bounds, configured: int) -> int:
        likeliest = bounds.likeliest
        name = self._account.timezone_name
        if likeliest is None:
            ahead = format_duration(max(0, bounds.newest - round(bounds.now)))
            self._found.add(
                Level.WRONG,
                "zone",
                f"the newest task is {ahead} ahead of UTC, further than any zone is",
                "Ask the provider what createdTime means.",
            )
            return configured
        if configured < bounds.least and self._fits_by_our_clock(bounds, configured):
            self._found.add(
                Level.NOTE,
                "zone",
                f"cannot be told while the clocks disagree: timezone: {name} fits by this host's "
                "clock, not by the API's",
                "Set the clock right, then check again.",
            )
            return configured
        if configured < bounds.least:
            ahead = format_duration(round(-bounds.age(configured)))
            self._wrong(
                likeliest,
                f"timezone: {name} is wrong: by it the newest task was created {ahead} after now",
                await self._how_sure(bounds, likeliest),
            )
            return likeliest
        age = format_duration(max(0, round(bounds.age(configured))))
        if configured > likeliest and await self._implausible(bounds, configured):
            self._wrong(
                likeliest,
                f"timezone: {name} is very likely wrong: by it nothing was created for {age}, at "
                "hours in which tasks come on other days",
                await self._how_sure(bounds, likeliest),
            )
            return likeliest
        if configured == likeliest and await self._how_sure(bounds, likeliest):
            text = f"timezone: {name} fits: by it the newest task is {age} old, and no other does"
            self._found.add(Level.FINE, "zone", text)
            return configured
        others = [offset for offset in bounds.possible if offset != configured][:3]
        self._found.add(
            Level.NOTE,
            "zone",
            f"timezone: {name} is possible: by it the newest task is {age} old; so are "
            f"{', '.join(map(offsets.named, others))} and more, as few tasks are created now",
            "To be sure, try again while tasks are created, or wait for one: --live.wait 10m.",
        )
        return configured

    def _fits_by_our_clock(self, bounds: Bounds, configured: int) -> bool:
        """Tell whether only the API's idea of now speaks against the configured zone."""
        ours = Bounds(bounds.newest, self._clocks.now())
        return abs(ours.now - bounds.now) > offsets.JITTER and configured >= ours.least

    async def _how_sure(self, bounds: Bounds, offset: int) -> bool:
        """Tell whether no offset above this one is plausible."""
        above = [other for other in bounds.possible if other > offset]
        # A silence that is implausible makes every longer one implausible, too.
        return not above or await self._implausible(bounds, above[0])

    async def _implausible(self, bounds: Bounds, offset: int) -> bool:
        """Tell whether nothing can hardly have been created for as long as an offset means."""
        silence = bounds.silence(offset)
        if silence.end <= silence.begin:
            return False
        fewest = offsets.SURE
        for days in _EARLIER_DAYS:
            usual = silence.days_before(days)
            page = await self._between(usual.begin, usual.end, offsets.SURE)
            fewest = min(fewest, len(page) if page.total is None else page.total)
            if not bounds.implausible(offset, fewest):
                return False
        return True

    def _wrong(self, seems: int, text: str, sure: bool) -> None:
        self._found.add(
            Level.WRONG,
            "zone",
            f"wrong zone: {text}",
            f"It seems to be {offsets.named(seems)}"
            + ("." if sure else ", or further east: be sure with --live.wait 10m.")
            + f' Write timezone: "{offsets.written(seems)}" or the name of the zone.',
        )
        self._propose_zone(seems, "the newest tasks")

    def _judge_surely(self, seen: int, configured: int, how: str) -> None:
        name = self._account.timezone_name
        if seen == configured:
            self._found.add(Level.FINE, "zone", f"timezone: {name} is right for sure: {how}")
            return
        self._found.add(
            Level.WRONG,
            "zone",
            f"wrong zone: timezone: {name} is {offsets.written(configured)}, and the API's local "
            f"times are {offsets.written(seen)}: {how}",
            f'Write timezone: "{offsets.written(seen)}" or the name of the zone.',
        )
        self._propose_zone(seen, how)

    def _propose_zone(self, offset: int, why: str) -> None:
        name = self._account.timezone_name
        proposed = f'"{offsets.written(offset)}"'
        self._found.proposals.append(Proposal("timezone", name, proposed, f"by {why}"))


def _offset(zone: tzinfo, now: float) -> int:
    offset = datetime.fromtimestamp(now, zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
