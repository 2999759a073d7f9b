"""How much tasks differ from each other in their answer ratio: more than coin flips do.

An interval around a ratio of N calls is too narrow where the calls of a task resemble each other.
Kish's design effect says by how much: N calls tell as much as N / effect independent ones. It is
estimated by moments, from sums of squares that are exact integers.
"""

from typing import Final

from exporter.tasks.task import Task

FEWEST_TASKS: Final = 10
"""With fewer tasks that called, nothing is said of how they differ."""


class Spread:
    """Sums over the tasks that have called anybody, for their variance around the common ratio."""

    __slots__ = ("answered", "answered_squared", "calls", "calls_squared", "product", "tasks")

    def __init__(self) -> None:
        self.tasks = 0
        self.calls = 0
        self.answered = 0
        self.calls_squared = 0
        self.answered_squared = 0
        self.product = 0

    def change(self, task: Task, sign: int) -> None:
        """Add a task (``sign`` 1) or take one away again (-1)."""
        calls, answered = task.calls, task.answered
        if calls and answered is not None:
            more_calls, more_answered = sign * calls, sign * answered
            self.tasks += sign
            self.calls += more_calls
            self.answered += more_answered
            self.calls_squared += more_calls * calls
            self.answered_squared += more_answered * answered
            self.product += more_calls * answered

    def add(self, other: "Spread") -> None:
        """Add the tasks of another."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def design_effect(self) -> float | None:
        """Return by how much fewer independent calls would tell as much: 1 or more.

        With the intraclass correlation r, tasks of n calls and p answered of all calls, the squared
        deviations (k - pn)² sum to p(1-p)(Σn + r(Σn² - Σn)) in the mean; the effect is
        1 + r(Σn²/Σn - 1). None for too few tasks, or where all or none of the calls were answered.
        """
        calls, pairs = self.calls, self.calls_squared - self.calls
        if self.tasks < FEWEST_TASKS or not 0 < self.answered < calls:
            return None
        ratio = self.answered / calls
        deviations = (
            self.answered_squared - 2 * ratio * self.product + ratio * ratio * self.calls_squared
        )
        if pairs <= 0:
            return 1.0
        correlation = (deviations / (ratio * (1 - ratio)) - calls) / pairs
        return 1 + min(max(correlation, 0.0), 1.0) * pairs / calls
