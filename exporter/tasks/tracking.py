"""One app's tasks, followed: what is read goes into inventory, windows and ledger, in that order.

The only place where the three meet, so that none of them can be forgotten when tasks change.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from exporter.tasks.coverage import Range
from exporter.tasks.inventory import Change, Inventory, ScriptLabels
from exporter.tasks.ledger import Ledger
from exporter.tasks.packed import unpacked
from exporter.tasks.task import Task
from exporter.tasks.windows import STEP, Windows

_NOT_YET: Final = 2**62
"""Unix seconds: a ledger that counts from then on is begun anew by the next poll."""


class TrackedApp:
    """The state of one app, or of an account that lists none (``name`` is then empty).

    ``lookback`` and ``settle`` in seconds; ``windows`` gives each window's length by its label;
    ``selection`` says which tasks are asked for, in any words that change with it.
    """

    def __init__(
        self,
        name: str,
        *,
        lookback: float,
        settle: float,
        windows: Mapping[str, float],
        script_limit: int,
        selection: str = "",
    ) -> None:
        self.name = name
        self.lookback = lookback
        self.settle = settle
        self.inventory = Inventory(ScriptLabels(script_limit))
        self.windows = Windows(windows)
        self.ledger = Ledger(selection=selection)
        self.counting = True
        """False while the ledger of an earlier life is not known: what is read is only shown."""
        self._progressed: dict[int, float] = {}
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
        if not self.counting:
            return True
        return self.ledger.counted_from is not None and self.ledger.counted_from <= now

    def resume(
        self,
        ledger: Ledger,
        scripts: Iterable[str],
        progressed: Mapping[int, float],
        *,
        now: float,
    ) -> None:
        """Go on counting with the ledger of an earlier life, and count what is known by now.

        ``scripts`` have labels of their own since then; ``progressed`` is when tasks that may
        still change were last seen to progress (Unix time, as is ``now``).
        """
        # What is asked for only now was there all the time: it is a baseline.
        others = ledger.selection not in {"", self.ledger.selection}
        ledger.selection = self.ledger.selection
        if ledger.counted_from is not None and others:
            ledger.counted_from = _NOT_YET
        self.ledger = ledger
        self.counting = True
        self.inventory.labels.restore(scripts)
        self._progressed = dict(progressed)
        newest = self.inventory.newest
        if newest is not None and not self.begun(now):
            known = ((entry.task, entry.script) for entry in self.inventory)
            ledger.begin(min(newest + 1, math.floor(now)), known)
            return
        for entry in self.inventory:
            ledger.count(entry.task, entry.script, entry.record)

    def succeed(self, earlier: "TrackedApp", *, now: float) -> None:
        """Go on counting where an earlier configuration of the app left off."""
        watched = earlier.inventory.unfinished | earlier.inventory.settling
        progressed = {task_id: entry.progressed_at for task_id, entry in watched.items()}
        self.resume(earlier.ledger, earlier.inventory.labels.own, progressed, now=now)

    def take(self, tasks: Mapping[int, Task], *, read_at: float, now: float) -> list[Change]:
        """Take in records from a reading that began at ``read_at``; return what they changed."""
        changes = self.inventory.update(tasks, read_at, now, settle=self.settle)
        self.windows.apply(changes)
        if not self.counting:
            return changes
        for change in changes:
            task = change.after
            if task is not None:
                if self._progressed:
                    self._restore_progress(change, read_at, now)
                self.ledger.count(task, change.script, self.inventory.record(task.task_id))
        return changes

    def _restore_progress(self, change: Change, read_at: float, now: float) -> None:
        """Let a task that is read for the first time in this life stall since when it did.

        One that has ended is read again for its money as if there had been no restart.
        """
        task = change.after
        if task is None or change.before is not None or task.task_id not in self._progressed:
            return
        since = self._progressed.pop(task.task_id)
        seen, entry = self.ledger.seen.get(task.task_id), self.inventory.get(task.task_id)
        if seen is None or entry is None:
            return
        before = unpacked(seen)
        if (before.calls, before.status) == (task.calls, task.status):
            entry.progressed_at = since
        if task.status.ended:
            age = max(0.0, now - entry.progressed_at)
            if age < self.settle:
                self.inventory.settle(task.task_id, read_at - age)

    def drop_absent(self, span: Range, present: Collection[int], *, read_at: float) -> int:
        """Forget what a whole reading of ``span`` shows to be deleted; return how many tasks.

        Their marks stay: should one come back, it is not counted again.
        """
        gone = self.inventory.absent(span.begin, span.end, present, read_at)
        self.windows.apply(self.inventory.remove(gone))
        return len(gone)

    def advance(self, now: float) -> None:
        """Let time pass: windows slide, and tasks leave the lookback."""
        for _ in self.advancing(now):
            pass

    def advancing(self, now: float) -> Iterator[None]:
        """Let time pass in steps of bounded work; between them, everything is consistent."""
        yield from self.windows.advancing(now, self.inventory)
        horizon = math.floor(now - self.lookback)
        while (oldest := self.inventory.oldest) is not None and oldest <= horizon:
            reached = self.inventory.moment_after(oldest, STEP)
            leaving = self.inventory.remove_before(
                horizon if reached is None else min(horizon, reached)
            )
            self.windows.apply(leaving)
            self.ledger.forget(_ids(leaving), horizon + 1)
            yield
        self.ledger.forget((), horizon + 1)

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
        # What the inventory knows leaves the ledger with it.
        ledger.forget_older(horizon, self.inventory.ids, horizon + 1)


def _ids(changes: Iterable[Change]) -> list[int]:
    return [change.before.task_id for change in changes if change.before is not None]
