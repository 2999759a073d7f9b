"""One app's tasks, followed: what is read goes into inventory, windows and ledger, in that order.

The only place where the three meet, so that none of them can be forgotten when tasks change.
"""

import math
from collections.abc import Collection, Iterable, Mapping

from exporter.tasks.coverage import Range
from exporter.tasks.inventory import Change, Inventory, ScriptLabels
from exporter.tasks.ledger import Ledger
from exporter.tasks.task import Task
from exporter.tasks.windows import Windows


class TrackedApp:
    """The state of one app, or of an account that lists none (``name`` is then empty).

    ``lookback`` and ``settle`` in seconds; ``windows`` gives each window's length by its label.
    """

    def __init__(
        self,
        name: str,
        *,
        lookback: float,
        settle: float,
        windows: Mapping[str, float],
        script_limit: int,
    ) -> None:
        self.name = name
        self.lookback = lookback
        self.settle = settle
        self.inventory = Inventory(ScriptLabels(script_limit))
        self.windows = Windows(windows)
        self.ledger = Ledger()
        self.last_whole: float | None = None
        """When the last whole poll began; None before the first."""
        self.complete = False
        """Whether all of the lookback is known: the first sweep is whole and no gap is open."""

    def begin(self, newest: Range, tasks: Mapping[int, Task]) -> None:
        """Begin the state with the first reading ever: what it holds is baseline."""
        self.complete = False
        label = self.inventory.labels.label
        self.ledger.begin(newest.begin, ((task, label(task.script_id)) for task in tasks.values()))

    def begun(self, now: float) -> bool:
        """Whether the state has been begun, now or in an earlier life.

        One that counts from a time in the future was moved there by a clock that has been set
        back since; it would take all that comes for baseline, and must be begun anew.
        """
        return self.ledger.counted_from is not None and self.ledger.counted_from <= now

    def take(self, tasks: Mapping[int, Task], *, read_at: float, now: float) -> list[Change]:
        """Take in records from a reading that began at ``read_at``; return what they changed."""
        changes = self.inventory.update(tasks, read_at, now, settle=self.settle)
        self.windows.apply(changes)
        for change in changes:
            if change.after is not None:
                self.ledger.count(change.after, change.script)
        return changes

    def drop_absent(self, span: Range, present: Collection[int], *, read_at: float) -> int:
        """Forget what a whole reading of ``span`` shows to be deleted; return how many tasks.

        Their marks stay: should one come back, it is not counted again.
        """
        gone = self.inventory.absent(span.begin, span.end, present, read_at)
        self.windows.apply(self.inventory.remove(gone))
        return len(gone)

    def advance(self, now: float) -> None:
        """Let time pass: windows slide, and tasks leave the lookback."""
        self.windows.advance(now, self.inventory)
        horizon = math.floor(now - self.lookback)
        leaving = self.inventory.remove_before(horizon)
        self.windows.apply(leaving)
        self.ledger.forget(_ids(leaving), horizon + 1)

    def swept(self, span: Range, now: float) -> None:
        """Take note that everything in ``span`` is known.

        From now on whatever is first seen is new, however old it says it is: all that was there
        has been seen. Marks of tasks that have left the lookback unseen are dropped.
        """
        ledger = self.ledger
        if ledger.counted_from is not None and not self.complete:
            ledger.counted_from = min(ledger.counted_from, span.begin)
        self.complete = True
        horizon = math.floor(now - self.lookback)
        left = [task_id for task_id, task in ledger.seen.items() if task.created <= horizon]
        ledger.forget(left, horizon + 1)


def _ids(changes: Iterable[Change]) -> list[int]:
    return [change.before.task_id for change in changes if change.before is not None]
