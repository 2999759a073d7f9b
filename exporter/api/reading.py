"""What pages show together: the tasks of a range, each once, and whether they are all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from exporter.api import local_time
from exporter.api.client import LARGEST_PAGE
from exporter.api.records import Page
from exporter.tasks.task import Task


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


def several_pages(first: Page) -> bool:
    """Tell whether there is more than the first page."""
    return first.total > len(first) if first.total is not None else may_be_full(first)


def may_be_full(page: Page) -> bool:
    """Tell whether more can follow a page; where its size is not told, an empty one is the last."""
    return len(page) >= min(page.size or 1, LARGEST_PAGE)


def page_size(first: Page) -> int:
    """Return how many records the API puts on a page: it may allow fewer than were asked for.

    The first of several pages is full, whatever size it says; one that repeats records is fuller.
    """
    return min(len(first), first.size or LARGEST_PAGE)


def shown_ids(page: Page) -> set[int]:
    """Return the ids on a page; records without one by their place, as negative numbers."""
    shown = {task.task_id for task in page.tasks}
    return shown.union(~n if id_ is None else id_ for n, (id_, _) in enumerate(page.rejected))


def gather(reading: Reading, pages: Sequence[Page]) -> str:
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
