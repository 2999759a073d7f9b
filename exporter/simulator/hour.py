"""The tasks created in one hour, found quickly by app and by status."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from exporter.simulator.campaign import ENDED, Campaign
from exporter.simulator.course import Course, Tariff, chart
from exporter.simulator.figures import figures_at
from exporter.simulator.incidents import FOREVER, IncidentBook
from exporter.simulator.truth import Reading
from exporter.simulator.wire import record_of


class Task:
    """A campaign and the course it takes, worked out when first needed."""

    __slots__ = ("_course", "_last_reading", "_tariff", "_timelines", "campaign", "created", "id")

    def __init__(self, campaign: Campaign, book: IncidentBook, tariff: Tariff) -> None:
        self.campaign = campaign
        self.id = campaign.id
        self.created = campaign.created
        self._timelines = book
        self._tariff = tariff
        self._course: Course | None = None
        self._last_reading: Reading | None = None

    @property
    def course(self) -> Course:
        """The course under the incidents of the world."""
        if self._course is None:
            campaign = self.campaign
            timeline = self._timelines.timeline(campaign.app, campaign.script)
            self._course = chart(campaign, timeline, self._tariff)
        return self._course

    def record(self, when: int, currency: str) -> dict[str, Any]:
        """Return the task's record at `when` (ms); `currency` is the account's."""
        course = self.course
        figures = figures_at(self.campaign, course, when)
        return record_of(self.campaign, figures, course.currency or currency)

    def reading(self, when: int, currency: str, *, corrections: bool = True) -> Reading:
        """Return all figures at `when` (ms); `currency` is the account's."""
        campaign, course = self.campaign, self.course
        final = corrections and when >= course.settled
        if final and self._last_reading is not None:
            return self._last_reading
        f = figures_at(campaign, course, when, corrections=corrections)
        reading = Reading(
            campaign.id,
            campaign.app,
            campaign.script,
            campaign.created,
            int(f.status),
            campaign.numbers,
            f.calls,
            f.answered,
            f.success,
            f.calls - f.success,
            f.billed_seconds,
            f.agent_seconds,
            f.sms,
            f.agent_fee,
            f.call_fee,
            f.sms_fee,
            f.total_fee,
            currency,
            course.currency or currency,
        )
        if final:
            self._last_reading = reading
        return reading


class Hour:
    """One hour's tasks, oldest first. What has ended is sorted out once and for all."""

    def __init__(self, campaigns: Sequence[Campaign], book: IncidentBook, tariff: Tariff) -> None:
        self._all = [
            Task(campaign, book, tariff) for campaign in campaigns if _is_born(campaign, book)
        ]
        self._by_app: dict[int, list[Task]] = {}
        for task in self._all:
            self._by_app.setdefault(task.campaign.app, []).append(task)
        # By app and statuses: an answer, and from when until when (ms) it holds.
        self._answers: dict[tuple[int | None, frozenset[int]], tuple[int, int, list[Task]]] = {}

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _by_end(self) -> list[tuple[int, int, Task]]:
        return sorted((task.course.ended, task.id, task) for task in self._all)

    @cached_property
    def settled(self) -> int:
        """The moment (ms) after which nothing in this hour changes; FOREVER where unknown."""
        return max((task.course.settled for task in self._all), default=FOREVER)

    def having(
        self, when: int, app: int | None = None, statuses: frozenset[int] | None = None
    ) -> Sequence[Task]:
        """Return the tasks of an app (None: all) in one of the statuses (None: all) at `when`."""
        of_app = self._all if app is None else self._by_app.get(app, [])
        if statuses is None or not of_app:
            return of_app
        known = self._answers.get((app, statuses))
        if known is None or not known[0] <= when < known[1]:
            known = self._answers[app, statuses] = self._sort_out(when, of_app, statuses)
        return known[2]

    def _sort_out(
        self, when: int, of_app: list[Task], statuses: frozenset[int]
    ) -> tuple[int, int, list[Task]]:
        """Return what `_answers` keeps; it holds until the next task is created or changes."""
        born = bisect_right(self._all, when, key=lambda task: task.created * 1000)
        until = self._all[born].created * 1000 if born < len(self._all) else FOREVER
        living = [
            task
            for _, _, task in self._by_end[bisect_right(self._by_end, when, key=_end) :]
            if task.created * 1000 <= when
        ]
        until = min((task.course.next_change(when) for task in living), default=until)
        if statuses.isdisjoint(ENDED):
            alive = {task.id for task in living}
            of_app = [task for task in of_app if task.id in alive]
        return when, until, [t for t in of_app if t.course.leg(when).status in statuses]


def _end(entry: tuple[int, int, Task]) -> int:
    return entry[0]


def _is_born(campaign: Campaign, book: IncidentBook) -> bool:
    """Whether no silence kept the campaign from being created."""
    timeline = book.timeline(campaign.app, campaign.script)
    effects, _ = timeline.at(campaign.created * 1000)
    return campaign.luck >= effects.unborn
