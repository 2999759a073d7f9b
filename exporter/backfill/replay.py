"""The tasks of an account in the order of time, as polls at each step would have seen them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from exporter.backfill.course import Known, as_of, last_change
from exporter.snapshot import AccountSnapshot, AppCounters, figures
from exporter.tasks.coverage import Range
from exporter.tasks.task import Task
from exporter.tasks.tracking import TrackedApp


class _App:
    """One app: what is yet to be created, and what has not come to what it is now."""

    def __init__(self, history: "History", duration: float) -> None:
        self.tracked = history.tracked
        self._calling_is_shown = history.calling_is_shown
        self._coming = iter(history.tasks)
        self._next = next(self._coming, None)
        self._duration = duration
        self._under_way: dict[int, tuple[Task, int]] = {}

    def poll(self, moment: int) -> dict[int, Task]:
        """Return the tasks that are new or may have changed by ``moment``, as they were then."""
        while self._next is not None and self._next.task.created <= moment:
            task = self._next.task
            end = last_change(self._next, self._duration)
            self._under_way[task.task_id] = (task, end)
            self._next = next(self._coming, None)
        seen = {
            task_id: as_of(task, moment, end)
            for task_id, (task, end) in self._under_way.items()
            if moment >= end or self._calling_is_shown
        }
        for task_id in [each for each, (_, end) in self._under_way.items() if moment >= end]:
            del self._under_way[task_id]
        return seen


@dataclass(frozen=True, slots=True)
class History:
    """What is known of one app: its tracked state, empty, and its tasks, oldest first."""

    tracked: TrackedApp
    tasks: Iterable[Known]
    calling_is_shown: bool = True
    """False where only other statuses are asked for: polls would not have seen who is calling."""


def replay(
    account: str, histories: Sequence[History], moments: Iterable[int], duration: float
) -> Iterator[AccountSnapshot]:
    """Yield the account's snapshot at each moment.

    ``duration`` (seconds) is how long a task calls. What is there at the first moment is the
    baseline of the counters, as it is for an exporter that is started then.
    """
    apps = [_App(each, duration) for each in histories]
    first = True
    for moment in moments:
        for app in apps:
            seen, tracked = app.poll(moment), app.tracked
            if first:
                tracked.begin(Range(moment + 1, moment + 1), seen)
            tracked.take(seen, read_at=moment, now=moment)
            if first:
                tracked.swept(Range(int(moment - tracked.lookback) + 1, moment), moment)
            tracked.advance(moment)
            tracked.ledger.touched.clear()  # nobody stores it, and it would grow with the history
        first = False
        yield AccountSnapshot(
            account,
            moment,
            figures=figures((app.tracked for app in apps), moment),
            counters=tuple(
                AppCounters(app.tracked.name, app.tracked.ledger.totals) for app in apps
            ),
        )
