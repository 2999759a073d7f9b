"""Task ids in the order of their creation: 16 bytes a task, and no objects."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence


class Chronology:
    """Pairs of creation time (Unix seconds) and task id, by the first; ties as they came."""

    __slots__ = ("_created", "_ids")

    def __init__(self) -> None:
        self._created = array("q")
        self._ids = array("q")

    @property
    def oldest(self) -> int | None:
        """Return the first creation time."""
        return self._created[0] if self._created else None

    @property
    def newest(self) -> int | None:
        """Return the last creation time."""
        return self._created[-1] if self._created else None

    def count_between(self, begin: int, end: int) -> int:
        """Return how many were created from ``begin`` to ``end``, both included."""
        first = bisect_left(self._created, begin)
        return bisect_right(self._created, end, first) - first

    def between(self, begin: int, end: int) -> Sequence[int]:
        """Return the ids of those created from ``begin`` to ``end``, oldest first."""
        first = bisect_left(self._created, begin)
        return self._ids[first : bisect_right(self._created, end, first)]

    def moment_after(self, begin: int, number: int) -> int | None:
        """Return when the task was created that is ``number`` after the first since ``begin``.

        None where there are not so many.
        """
        place = bisect_left(self._created, begin) + number
        return self._created[place] if place < len(self._created) else None

    def add(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Take in pairs of creation time and id."""
        news = sorted(pairs)
        while news:
            # What goes to the same place goes there together: a sweep's slice is one move of all
            # that is younger, not two thousand.
            place = bisect_right(self._created, news[-1][0])
            first = bisect_left(news, (self._created[place - 1],)) if place else 0
            run = news[first:]
            del news[first:]
            self._created[place:place] = array("q", [created for created, _ in run])
            self._ids[place:place] = array("q", [task_id for _, task_id in run])

    def remove(self, created: int, task_id: int) -> None:
        """Take out a pair; ValueError where it is not there."""
        first = bisect_left(self._created, created)
        place = self._ids.index(task_id, first, bisect_right(self._created, created, first))
        del self._created[place], self._ids[place]

    def take_until(self, moment: int) -> Sequence[int]:
        """Take out all that were created at ``moment`` or earlier, and return their ids."""
        end = bisect_right(self._created, moment)
        leaving = self._ids[:end]
        del self._created[:end], self._ids[:end]
        return leaving
