"""The world: every campaign of an account, at any moment.

A pure function of its settings, its incidents and the time asked about. Hours are made when
they are first looked at and kept for a while; what is kept never changes an answer.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from exporter.simulator.arrivals import HOUR, Arrivals
from exporter.simulator.bulk import in_bulk
from exporter.simulator.course import Tariff
from exporter.simulator.hour import Hour, Task
from exporter.simulator.incidents import Incident, IncidentBook
from exporter.simulator.settings import SECONDS_A_DAY, Settings, micro
from exporter.simulator.truth import Reading, Truth, sum_up
from exporter.simulator.wire import LocalTime, name_of

_KEPT_TASKS = 250_000  # in hours that stay in memory; about 3 kB each

_KEPT_RANGES = 8  # that are being paged through at once


@dataclass(frozen=True, slots=True)
class Selection:
    """What a query asks for. Times are local seconds (see wire.LocalTime), both included.

    `statuses` of None means all; `text` is looked for in the task name, case-insensitively.
    """

    created_from: int
    created_to: int
    app: int | None = None
    statuses: frozenset[int] | None = None
    text: str = ""


class World(Protocol):
    """What the API needs to know of a world, and a test of its truth."""

    @property
    def local_time(self) -> LocalTime:
        """The zone of the API's local times."""

    def select(self, now: float, wanted: Selection) -> Sequence[Any]:
        """Return matching tasks by createdTime, oldest first; each has an `id`."""

    def records(self, now: float, tasks: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the records of tasks that `select` returned."""

    def tasks(
        self, now: float, created_from: float, created_to: float, app: int | None = None
    ) -> list[Reading]:
        """Return tasks created between two moments (Unix seconds, both included)."""

    def truth(
        self, now: float, created_from: float, created_to: float, app: int | None = None
    ) -> Truth:
        """Return the exact sums over the same tasks."""

    def balance(self, now: float) -> Decimal:
        """Return the account's balance in its currency."""

    def top_up(self, amount: Decimal, at: float) -> None:
        """Pay in, at `at` (Unix seconds); a negative amount takes away."""


class SimulatedWorld:
    """A whole account drawn from a seed. See World for the meaning of the shared methods."""

    def __init__(
        self, settings: Settings | None = None, incidents: Sequence[Incident] = ()
    ) -> None:
        self.settings = settings or Settings()
        self._arrivals = Arrivals(self.settings)
        self._book = IncidentBook(incidents)
        self._hours: OrderedDict[int, Hour] = OrderedDict()
        self._kept = 0
        self._ranges: dict[object, list[Task]] = {}
        self._top_ups: list[tuple[float, Decimal]] = []
        self._tariff = Tariff(
            micro(self.settings.agent_price),
            micro(self.settings.call_price),
            micro(self.settings.sms_price),
        )

    @property
    def local_time(self) -> LocalTime:
        """The zone of the API's local times."""
        return self._arrivals.local_time

    @property
    def incidents(self) -> dict[int, Incident]:
        """The incidents by number."""
        return self._book.entries

    def add_incident(self, incident: Incident) -> int:
        """Add an incident and return its number. Only what follows its `begin` changes."""
        number = self._book.add(incident)
        self._forget(incident.begin)
        return number

    def end_incident(self, number: int, at: float) -> Incident:
        """End an incident at `at` (Unix seconds). KeyError where there is none of the number."""
        ended = self._book.end(number, at)
        self._forget(ended.begin)
        return ended

    def select(self, now: float, wanted: Selection) -> Sequence[Task]:
        """Return matching tasks that exist at `now`, oldest first."""
        first = self.local_time.moments(wanted.created_from)[0]
        last = min(self.local_time.moments(wanted.created_to)[1], int(now // 1))
        known = self._ranges.get((wanted, last))
        if known is not None:
            return known
        found: list[Task] = []
        when = round(now * 1000)
        with in_bulk():
            for part in self._parts(when, first, last, wanted.app, wanted.statuses):
                found.extend(part)
        if self._is_ambiguous(first, last, wanted):
            found = [
                task
                for task in found
                if wanted.created_from <= task.campaign.local <= wanted.created_to
            ]
            found.sort(key=lambda task: (task.campaign.local, task.id))
        if wanted.text:
            text = wanted.text.casefold()
            found = [task for task in found if text in name_of(task.campaign).casefold()]
        if wanted.statuses is None:  # a range's tasks do not change, their statuses do
            if len(self._ranges) >= _KEPT_RANGES:
                self._ranges.clear()
            self._ranges[wanted, last] = found
        return found

    def records(self, now: float, tasks: Sequence[Task]) -> list[dict[str, Any]]:
        """Return the records of tasks that `select` returned."""
        when = round(now * 1000)
        return [task.record(when, self.settings.currency) for task in tasks]

    def tasks(
        self,
        now: float,
        created_from: float,
        created_to: float,
        app: int | None = None,
        *,
        peaks: bool = False,
    ) -> list[Reading]:
        """Return tasks with all figures; `peaks`: the highest ever shown until `now`."""
        when = round(now * 1000)
        first, last = -int(-created_from // 1), int(min(created_to, now) // 1)
        currency = self.settings.currency
        with in_bulk():
            return [
                task.reading(when, currency, corrections=not peaks)
                for part in self._parts(when, first, last, app, None)
                for task in part
            ]

    def truth(
        self,
        now: float,
        created_from: float,
        created_to: float,
        app: int | None = None,
        *,
        peaks: bool = False,
    ) -> Truth:
        """Return the exact sums over the same tasks as `tasks`."""
        return sum_up(self.tasks(now, created_from, created_to, app, peaks=peaks))

    def balance(self, now: float) -> Decimal:
        """Return what is left of the balance that is there at midnight, and of what came since."""
        local = self.local_time.seconds(now)
        midnight = self.local_time.moments(local - local % SECONDS_A_DAY)[0]
        spent = sum(task.total_fee for task in self.tasks(now, midnight, now))
        paid_in = sum(amount for at, amount in self._top_ups if midnight <= at <= now)
        return self.settings.balance + paid_in - Decimal(spent).scaleb(-6)

    def top_up(self, amount: Decimal, at: float) -> None:
        """Pay in, at `at` (Unix seconds); a negative amount takes away."""
        self._top_ups.append((at, amount))

    def _is_ambiguous(self, first: int, last: int, wanted: Selection) -> bool:
        """Whether local times in the range do not simply follow the moments."""
        seconds = self.local_time.seconds
        return seconds(first) != wanted.created_from or seconds(first) - first != (
            seconds(last) - last
        )

    def _parts(
        self, when: int, first: int, last: int, app: int | None, statuses: frozenset[int] | None
    ) -> Iterator[Sequence[Task]]:
        """Yield the tasks created from `first` to `last` (Unix seconds), hour by hour."""
        first = max(first, self.settings.epoch)
        for number in range(first // HOUR, last // HOUR + 1):
            part = self._hour(number).having(when, app, statuses)
            if number == first // HOUR and first % HOUR:
                part = part[bisect_left(part, first, key=_created) :]
            if number == last // HOUR and (last + 1) % HOUR:
                part = part[: bisect_right(part, last, key=_created)]
            yield part

    def _hour(self, number: int) -> Hour:
        found = self._hours.get(number)
        if found is not None:
            self._hours.move_to_end(number)
            return found
        made = Hour(self._arrivals.hour(number), self._book, self._tariff)
        self._hours[number] = made
        self._kept += len(made)
        while self._kept > _KEPT_TASKS and len(self._hours) > 1:
            _, dropped = self._hours.popitem(last=False)
            self._kept -= len(dropped)
        return made

    def _forget(self, since: float) -> None:
        """Drop what an incident that begins at `since` (Unix seconds) could change."""
        self._ranges.clear()
        for number, hour in list(self._hours.items()):
            if hour.settled >= since * 1000:
                self._kept -= len(self._hours.pop(number))


def _created(task: Task) -> int:
    return task.created
