"""The tasks of the lookback as they were last read, each once, and when that was.

Not what they add to any counter (``ledger``) nor what they sum to (``windows``): only which tasks
there are, so that others can tell what changed and what must be asked for again.
"""

import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from exporter.tasks.task import Task

OTHER_SCRIPTS: Final = "other"


@dataclass(slots=True)
class Entry:
    """A task and what is remembered about reading it.

    Readings are put in order by a clock that is never set back, unlike the one that tells the
    time: ``read_at`` and ``ended_at`` are its seconds.
    """

    task: Task
    script: str
    """The ``script_id`` label it is shown under."""
    read_at: float
    """When the reading began that this record is from."""
    progressed_at: float
    """Unix time at which its number of calls, or its status, was last seen to change."""
    ended_at: float | None = None
    """When it was first seen ended, while its money may still settle; None before and after."""


class Change(NamedTuple):
    """What a reading changed of one task: the record before (None: new) and after (None: gone)."""

    before: Task | None
    after: Task | None
    script: str


class ScriptLabels:
    """Which scripts of an app have a label of their own: first come, first kept."""

    def __init__(self, limit: int) -> None:
        self.own: dict[str, None] = {}
        self._limit = limit

    def restore(self, scripts: Iterable[str]) -> None:
        """Put scripts that had labels of their own in an earlier life before those of this one."""
        self.own = {**dict.fromkeys(scripts), **self.own}

    def label(self, script_id: str) -> str:
        """Return the label of a script, giving it its own while there is room."""
        if script_id in self.own:
            return script_id
        if len(self.own) >= self._limit:
            return OTHER_SCRIPTS
        self.own[script_id] = None
        return script_id


class Inventory:
    """The known tasks of one app (or of an account that lists none)."""

    def __init__(self, labels: ScriptLabels) -> None:
        self.labels = labels
        self.unfinished: dict[int, Entry] = {}
        self.settling: dict[int, Entry] = {}
        """Ended tasks that are still read again for what their money does."""
        self._entries: dict[int, Entry] = {}
        self.overflowing: Counter[str] = Counter()
        """How many tasks each script has that is shown under ``other``."""
        self._by_creation: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, task_id: int) -> bool:
        return task_id in self._entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def get(self, task_id: int) -> Entry | None:
        """Return what is known of a task."""
        return self._entries.get(task_id)

    @property
    def newest(self) -> int | None:
        """Return the creation time of the newest task."""
        return self._by_creation[-1][0] if self._by_creation else None

    def count_between(self, begin: int, end: int) -> int:
        """Return how many known tasks were created from ``begin`` to ``end``, both included."""
        first = bisect_left(self._by_creation, (begin,))
        return bisect_left(self._by_creation, (end + 1,), first) - first

    def created_between(self, begin: int, end: int) -> list[Entry]:
        """Return the known tasks created from ``begin`` to ``end``, oldest first."""
        first = bisect_left(self._by_creation, (begin,))
        last = bisect_left(self._by_creation, (end + 1,), first)
        return [self._entries[task_id] for _, task_id in self._by_creation[first:last]]

    def update(
        self, tasks: Mapping[int, Task], read_at: float, now: float, *, settle: float
    ) -> list[Change]:
        """Take in records read by a reading that began at ``read_at``; ``now`` is Unix time.

        A record older than what is known of its task changes nothing. Tasks that ended while
        they were watched, or were created within ``settle`` seconds, are kept for reading again.
        """
        changes: list[Change] = []
        fresh: list[tuple[int, int]] = []
        for task_id, task in tasks.items():
            entry = self._entries.get(task_id)
            if entry is None:
                entry = Entry(task, self.labels.label(task.script_id), read_at, now)
                self._enter(task_id, entry)
                fresh.append((task.created, task_id))
                changes.append(Change(None, task, entry.script))
                recent = task.created > now - settle
                self._classify(task_id, entry, read_at if recent else None)
            elif read_at >= entry.read_at:
                entry.read_at = read_at
                if entry.task != task:
                    changes += self._replace(task_id, entry, task, now, fresh)
        self._index(fresh)
        return changes

    def _replace(
        self, task_id: int, entry: Entry, task: Task, now: float, fresh: list[tuple[int, int]]
    ) -> Iterable[Change]:
        before = entry.task
        script = entry.script
        entry.task = task
        if task.calls != before.calls or task.status is not before.status:
            entry.progressed_at = now
        if task.created != before.created:
            self._unindex(before.created, task_id)
            fresh.append((task.created, task_id))
        if before.status.ended != task.status.ended:
            self._classify(task_id, entry, entry.read_at)
        if task.script_id == before.script_id:
            return (Change(before, task, script),)
        self._leave(before.script_id)
        entry.script = self.labels.label(task.script_id)
        self._enter(task_id, entry)
        return (Change(before, None, script), Change(None, task, entry.script))

    def _classify(self, task_id: int, entry: Entry, ended_at: float | None) -> None:
        if entry.task.status.ended:
            self.unfinished.pop(task_id, None)
            entry.ended_at = ended_at
            if ended_at is not None:
                self.settling[task_id] = entry
        else:
            self.unfinished[task_id] = entry
            self.settling.pop(task_id, None)
            entry.ended_at = None

    def looked_at(self, task_ids: Iterable[int], read_at: float) -> None:
        """Take note that these tasks were read at ``read_at``, although nothing came of it."""
        for task_id in task_ids:
            entry = self._entries.get(task_id)
            if entry is not None:
                entry.read_at = max(entry.read_at, read_at)

    def settle(self, task_id: int, ended_at: float) -> None:
        """Read an ended task again for its money's sake, as one that ended at ``ended_at``."""
        entry = self._entries[task_id]
        entry.ended_at = ended_at
        self.settling[task_id] = entry

    def settled(self, task_id: int) -> None:
        """Read a task no more for its money's sake."""
        entry = self.settling.pop(task_id, None)
        if entry is not None:
            entry.ended_at = None

    def absent(self, begin: int, end: int, present: Collection[int], read_at: float) -> list[int]:
        """Return the known tasks that a whole reading of a range shows to be there no more."""
        return [
            entry.task.task_id
            for entry in self.created_between(begin, end)
            if entry.task.task_id not in present and entry.read_at < read_at
        ]

    def remove(self, task_ids: Iterable[int]) -> list[Change]:
        """Forget tasks."""
        changes: list[Change] = []
        for task_id in task_ids:
            entry = self._drop(task_id)
            self._unindex(entry.task.created, task_id)
            changes.append(Change(entry.task, None, entry.script))
        return changes

    def remove_before(self, moment: float) -> list[Change]:
        """Forget the tasks created at ``moment`` or earlier: they have left the lookback."""
        end = bisect_left(self._by_creation, (math.floor(moment) + 1,))
        leaving = self._by_creation[:end]
        del self._by_creation[:end]
        changes: list[Change] = []
        for _, task_id in leaving:
            entry = self._drop(task_id)
            changes.append(Change(entry.task, None, entry.script))
        return changes

    def _enter(self, task_id: int, entry: Entry) -> None:
        self._entries[task_id] = entry
        if entry.task.script_id not in self.labels.own:
            self.overflowing[entry.task.script_id] += 1

    def _leave(self, script_id: str) -> None:
        if script_id in self.overflowing:
            self.overflowing[script_id] -= 1
            if not self.overflowing[script_id]:
                del self.overflowing[script_id]

    def _drop(self, task_id: int) -> Entry:
        entry = self._entries.pop(task_id)
        self.unfinished.pop(task_id, None)
        self.settling.pop(task_id, None)
        self._leave(entry.task.script_id)
        return entry

    def _index(self, fresh: list[tuple[int, int]]) -> None:
        if len(fresh) > _MANY:
            self._by_creation += fresh
            self._by_creation.sort()
            return
        for place in fresh:
            insort(self._by_creation, place)

    def _unindex(self, created: int, task_id: int) -> None:
        place = bisect_left(self._by_creation, (created, task_id))
        if self._by_creation[place : place + 1] == [(created, task_id)]:
            del self._by_creation[place]


_MANY: Final = 64
