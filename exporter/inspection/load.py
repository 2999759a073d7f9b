"""What the lookback holds, and what polling it will cost."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Final

from exporter.api import local_time
from exporter.api.client import Client, Query
from exporter.api.errors import ParameterError
from exporter.api.paging import RangeReader, Selection
from exporter.api.width import NARROWEST
from exporter.config import format_duration
from exporter.inspection.asking import Asking
from exporter.inspection.cost import AppLoad, Pace, cost, proposals
from exporter.inspection.findings import Inspection, Level
from exporter.inspection.series import count_series
from exporter.tasks.coverage import BEYOND, PAGE, Range
from exporter.tasks.task import CODES, UNFINISHED, Task

_READ_WHOLE: Final = 20 * PAGE
"""So many tasks are read for an exact count of series; of more, the newest are looked at."""


class LoadInspection:
    """Counts what one account has to be asked for."""

    def __init__(self, asking: Asking, found: Inspection) -> None:
        self._asking = asking
        self._account = asking.account
        self._config = asking.config
        self._found = found

    async def note(self, zone: tzinfo) -> None:
        """Ask and note; ``zone`` is that of the API's local times."""
        poll = self._config.poll
        async with self._asking.client(zone) as client:
            now = self._asking.now()
            reader = RangeReader(client, self._asking.now, self._asking.clocks.monotonic)
            whole = Range(round(now - poll.lookback), round(now) + BEYOND)
            apps: list[AppLoad] = []
            tasks: dict[str, list[Task]] = {}
            counted = True
            for name, selection in self._selections().items():
                total = await _count(client, whole, selection)
                unfinished = await _count(client, whole, _unfinished(selection))
                if total <= _READ_WHOLE:
                    reading = await reader.whole(whole.begin, whole.end, selection)
                    tasks[name] = list(reading.tasks.values())
                    self._note_rejected(name, reading.rejected)
                else:
                    counted = False
                    latest = Range(round(now) - NARROWEST, round(now))
                    tasks[name] = (await client.page(_query(client, latest, selection))).tasks
                apps.append(AppLoad(name, total, unfinished, 0))
        series, scripts = count_series(tasks, self._config, now)
        apps = [replace(app, scripts=scripts[app.name]) for app in apps]
        self._note_load(apps, series, exact=counted)

    def _selections(self) -> Mapping[str, Selection]:
        account = self._account
        ids: dict[str, int | None] = {app.name: app.id for app in account.apps} or {"": None}
        return {name: Selection(id_, account.statuses, account.search) for name, id_ in ids.items()}

    def _note_rejected(self, app: str, reasons: Sequence[str]) -> None:
        if reasons:
            where = f" of {app}" if app else ""
            self._found.add(
                Level.NOTE,
                "tasks",
                f"{len(reasons)} records{where} cannot be read ({', '.join(sorted(set(reasons)))})",
                "They are left out of every figure; tell us what they look like.",
            )

    def _note_load(self, apps: Sequence[AppLoad], series: int, *, exact: bool) -> None:
        poll = self._config.poll
        for app in apps:
            at_least = "" if exact else "at least "
            self._found.add(
                Level.FINE if app.tasks else Level.NOTE,
                "tasks",
                f"{app.name + ': ' if app.name else ''}{app.tasks:,} in the lookback of "
                f"{format_duration(poll.lookback)}, {app.unfinished:,} of them unfinished, "
                f"{at_least}{app.scripts} scripts",
            )
        times = self._asking.observed.answered_after
        pace = Pace(statistics.median(times), max(times), "http_429" in self._asking.observed.codes)
        self._found.add(
            Level.FINE,
            "latency",
            f"{short(pace.median)} at the median of {len(times)} answers, "
            f"{short(pace.slowest)} the slowest",
        )
        expected = cost(apps, poll, pace)
        self._found.add(
            Level.FINE,
            "requests",
            f"{_between(expected.least_a_poll, expected.most_a_poll)} a poll; the first sweep "
            f"takes {expected.sweep:,}, {short(expected.sweep_seconds)} at "
            f"{poll.requests_per_second:g} a second; "
            f"{_between(expected.least_a_day, expected.most_a_day)} a day",
        )
        self._found.add(
            Level.FINE, "series", f"{'' if exact else 'at least '}{series:,} for this account"
        )
        config = self._config
        self._found.proposals += proposals(apps, poll, config.metrics, pace)


def _between(least: int, most: int) -> str:
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def short(seconds: float) -> str:
    """Return ``120 ms``, ``1.5 s`` or ``2m5s``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else format_duration(round(seconds))  # noqa: PLR2004


def _query(client: Client, span: Range, selection: Selection) -> Query:
    first, last = local_time.bounds(span.begin, span.end, client.locale.zone)
    return Query(
        first,
        last,
        statuses=selection.statuses,
        app_id=selection.app_id,
        search=selection.search,
    )


def _unfinished(selection: Selection) -> Selection | None:
    codes = sorted(CODES[status] for status in UNFINISHED)
    wanted = tuple(code for code in codes if not selection.statuses or code in selection.statuses)
    return replace(selection, statuses=wanted) if wanted else None


async def _count(client: Client, span: Range, selection: Selection | None) -> int:
    """Return how many tasks there are; as many as a page shows where the API does not say."""
    if selection is None:
        return 0
    query = _query(client, span, selection)
    try:
        page = await client.page(replace(query, size=1))
        if page.total is None:
            page = await client.page(query)
    except ParameterError:
        if span.end - span.begin <= NARROWEST:
            raise
        # Where so wide a range is refused, halves may not be.
        middle = (span.begin + span.end) // 2
        older = await _count(client, Range(span.begin, middle), selection)
        return older + await _count(client, Range(middle + 1, span.end), selection)
    return len(page) if page.total is None else page.total
