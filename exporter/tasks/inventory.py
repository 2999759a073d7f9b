"""The tasks of the lookback as they were last read, each once, and when that was.

Not what they add to any counter (``ledger``) nor what they sum to (``windows``): only which tasks
there are, so that others can tell what changed and what must be asked for again.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from exporter.tasks.chronology import Chronology
from exporter.tasks.packed import created, packed, unpacked
from exporter.tasks.task import ENDED, Task

OTHER_SCRIPTS: Final = "other"


class Entry(msgspec.Struct, gc=False):
    """A task and what is remembered about reading it.

    Readings are put in order by a clock that is never set back, unlike the one that tells the
    time: ``read_at`` and ``ended_at`` are its seconds.
    """

    record: bytes
    """The task as it was last read, packed."""
    script: str
    """The ``script_id`` label it is shown under."""
    read_at: float
    """When the reading began that this record is from."""
    progressed_at: float
    """Unix time at which its number of calls, or its status, was last seen to change."""
    ended_at: float | None = None
    """When it was first seen ended, while its money may still settle; None before and after."""

    @property
    def task(self) -> Task:
        """The task as it was last read; once ended, without its name."""
        return unpacked(self.record)

    @property
    def created(self) -> int:
        """When the task was created, in Unix seconds."""
        return created(self.record)


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
        self._order = Chronology()

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
    def ids(self) -> Collection[int]:
        """The ids of all known tasks."""
        return self._entries.keys()

    def record(self, task_id: int) -> bytes:
        """Return a known task, packed."""
        return self._entries[task_id].record

    @property
    def oldest(self) -> int | None:
        """Return the creation time of the oldest task."""
        return self._order.oldest

    @property
    def newest(self) -> int | None:
        """Return the creation time of the newest task."""
        return self._order.newest

    def count_between(self, begin: int, end: int) -> int:
        """Return how many known tasks were created from ``begin`` to ``end``, both included."""
        return self._order.count_between(begin, end)

    def created_between(self, begin: int, end: int) -> list[Entry]:
        """Return the known tasks created from ``begin`` to ``end``, oldest first."""
        return [self._entries[task_id] for task_id in self._order.between(begin, end)]

    def moment_after(self, begin: int, number: int) -> int | None:
        """Return when the task was created that is ``number`` after the first since ``begin``."""
        return self._order.moment_after(begin, number)

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
                script = self.labels.label(task.script_id)
                entry = Entry(packed(task), script, read_at, now)
                self._enter(task_id, entry, task.script_id)
                fresh.append((task.created, task_id))
                changes.append(Change(None, task, script))
                ended = task.status in ENDED
                if not ended or task.created > now - settle:
                    self._classify(task_id, entry, ended, read_at)
            elif read_at >= entry.read_at:
                entry.read_at = read_at
                record = packed(task)
                if entry.record != record:
                    changes += self._replace(entry, task, record, now=now, fresh=fresh)
        self._order.add(fresh)
        return changes

    def _replace(
        self,
        entry: Entry,
        task: Task,
        record: bytes,
        *,
        now: float,
        fresh: list[tuple[int, int]],
    ) -> Iterable[Change]:
        task_id, before, script = task.task_id, entry.task, entry.script
        if unpacked(record) == before:
            return ()  # only an amount is written otherwise
        entry.record = record
        if task.calls != before.calls or task.status is not before.status:
            entry.progressed_at = now
        if task.created != before.created:
            self._order.remove(before.created, task_id)
            fresh.append((task.created, task_id))
        if before.status.ended != task.status.ended:
            self._classify(task_id, entry, task.status.ended, entry.read_at)
        if task.script_id == before.script_id:
            return (Change(before, task, script),)
        self._leave(before.script_id)
        entry.script = self.labels.label(task.script_id)
        self._enter(task_id, entry, task.script_id)
        return (Change(before, None, script), Change(None, task, entry.script))

    def _classify(self, task_id: int, entry: Entry, ended: bool, ended_at: float | None) -> None:
        if ended:
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
            task_id
            for task_id in self._order.between(begin, end)
            if task_id not in present and self._entries[task_id].read_at < read_at
        ]

    def remove(self, task_ids: Iterable[int]) -> list[Change]:
        """Forget tasks."""
        changes: list[Change] = []
        for task_id in task_ids:
            self._order.remove(self._entries[task_id].created, task_id)
            changes.append(self._drop(task_id))
        return changes

    def remove_before(self, moment: float) -> list[Change]:
        """Forget the tasks created at ``moment`` or earlier: they have left the lookback."""
        return [self._drop(task_id) for task_id in self._order.take_until(math.floor(moment))]

    def _enter(self, task_id: int, entry: Entry, script_id: str) -> None:
        self._entries[task_id] = entry
        if script_id not in self.labels.own:
            self.overflowing[script_id] += 1

    def _leave(self, script_id: str) -> None:
        if script_id in self.overflowing:
            self.overflowing[script_id] -= 1
            if not self.overflowing[script_id]:
                del self.overflowing[script_id]

    def _drop(self, task_id: int) -> Change:
        entry = self._entries.pop(task_id)
        self.unfinished.pop(task_id, None)
        self.settling.pop(task_id, None)
        task = entry.task
        self._leave(task.script_id)
        return Change(task, None, entry.script)
