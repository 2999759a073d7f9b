"""Recent tasks on a screen: once, or again and again in place."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from exporter.api.errors import ApiError
from exporter.config import Account, Config, format_duration
from exporter.inspection.causes import Circumstances, cause
from exporter.inspection.way import way_to
from exporter.listing.reading import ListedTask, Listing, Wanted, newest_of_all
from exporter.terminal.records import write_csv, write_json
from exporter.terminal.screen import plain, screen
from exporter.terminal.tasks import show_table, task_table

_FRAME: Final = 2
"""Lines of the screen beside the tasks: what is shown, and the names of the columns."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which tasks are asked for; how far back, in seconds, is counted from each look."""

    back: float
    limit: int
    app: str
    statuses: tuple[int, ...]
    search: str

    def wanted(self, now: float) -> Wanted:
        """Return what is wanted at a moment (Unix seconds)."""
        return Wanted(now - self.back, self.limit, self.app, self.statuses, self.search)


@dataclass(frozen=True, slots=True)
class View:
    """How tasks are looked at; ``zone`` is that of the times shown, None for this host's."""

    config: Config
    asked: Asked
    zone: tzinfo | None

    async def show(self, chosen: Sequence[Account], output: str) -> bool:
        """Show the tasks once; return whether every account could be asked."""
        async with AsyncExitStack() as stack:
            listings = await self._listings(chosen, stack)
            found, failed = await self._look(listings)
        match output:
            case "json":
                write_json(found, sys.stdout, self.zone)
            case "csv":
                write_csv(found, sys.stdout, self.zone)
            case _ if found or not failed:
                since = format_duration(self.asked.back)
                show_table(found, screen(), self.zone, since=since)
        sys.stdout.flush()
        complaints = screen(sys.stderr)
        for line in self._complaints(failed):
            complaints.print(line, soft_wrap=True)
        return not failed

    async def watch(
        self, chosen: Sequence[Account], every: float, stop_signals: Callable[[], asyncio.Event]
    ) -> bool:
        """Show the tasks in place until told to stop; return whether the last look was whole."""
        told_to_stop = stop_signals()
        stopping = asyncio.ensure_future(told_to_stop.wait())
        console, whole = screen(), True
        async with AsyncExitStack() as stack:
            listings = await self._listings(chosen, stack)
            live = stack.enter_context(Live(console=console, auto_refresh=False, screen=True))
            while not told_to_stop.is_set():
                looking = asyncio.ensure_future(self._look(listings))
                await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not looking.done():
                    looking.cancel()
                    await asyncio.gather(looking, return_exceptions=True)
                    break
                found, failed = await looking
                whole = not failed
                live.update(self._frame(found, failed, console, every), refresh=True)
                await asyncio.wait({stopping}, timeout=every)
        return whole

    async def _listings(self, chosen: Sequence[Account], stack: AsyncExitStack) -> list[Listing]:
        return [await stack.enter_async_context(Listing(each, self.config)) for each in chosen]

    async def _look(
        self, listings: Sequence[Listing]
    ) -> tuple[list[ListedTask], list[tuple[Account, ApiError]]]:
        return await newest_of_all(listings, self.asked.wanted(time.time()))

    def _frame(
        self,
        found: Sequence[ListedTask],
        failed: Sequence[tuple[Account, ApiError]],
        console: Console,
        every: float,
    ) -> Group:
        """Return what is on the screen: as many tasks as it has lines for."""
        complaints = self._complaints(failed)
        lines = sum(len(line.wrap(console, console.width)) for line in complaints)
        room = max(1, console.height - _FRAME - lines)
        now = datetime.now(self.zone).strftime("%H:%M:%S")
        below = f", {len(found) - room} more below" if len(found) > room else ""
        head = Text(
            f"{len(found)} tasks at {now}{below}, every {format_duration(every)}; Ctrl-C ends it",
            style="dim",
            no_wrap=True,
            overflow="ellipsis",
        )
        table = task_table(found[:room], console.width, self.zone)
        return Group(head, *complaints, table)

    def _complaints(self, failed: Sequence[tuple[Account, ApiError]]) -> list[Text]:
        """Return why accounts could not be asked, a line for each."""
        lines = []
        for account, error in failed:
            known = Circumstances(way_to(account.base_url), self.config.poll.timeout)
            reason = cause(error, known)
            lines.append(plain(f"{account.name}: {reason.text}; {reason.remedy}", "red"))
        return lines
