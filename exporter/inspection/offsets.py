"""Which zone the API's local times are in, judged by evidence. Pure.

A local time is kept as seconds: what the clock on the wall shows, read as if it were UTC. A zone
is known here only by its present offset from UTC, in seconds.

What can be known: no task is created in the future, so the newest one bounds the offset from
below, with certainty. From above it is bounded by habit alone: the further the true offset lies
above that bound, the longer nothing has been created; so at the same hours of earlier days there
should have been nothing either. And a task that appears while one looks tells it exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

HOUR: Final = 3600
JITTER: Final = 90
"""Seconds by which creation times and the API's Date may differ."""
SURE: Final = 20
"""So many tasks in the same hours of each of several earlier days do not fail to come by chance."""
_SOME: Final = 5
"""So many do not, where the silence is also far longer than any gap between the last tasks."""
_FAR_LONGER: Final = 3
ENOUGH: Final = 30
"""Tasks of which the gaps say something."""
APPEARS_WITHIN: Final = 180
"""A task can be seen at most so many seconds after its creation."""
_WHOLE_HOURS: Final = range(-12, 15)
_OTHERS: Final = (-3.5, 3.5, 4.5, 5.5, 5.75, 6.5, 9.5)
IN_USE: Final = tuple(sorted(round(hours * HOUR) for hours in (*_WHOLE_HOURS, *_OTHERS)))
"""The offsets of zones in which more than a few thousand people live."""
_NAMES: Final = {
    0: "UTC",
    8: "Asia/Shanghai",
    7: "Asia/Jakarta",
    5.5: "Asia/Kolkata",
    9: "Asia/Tokyo",
    -3: "America/Sao_Paulo",
    4: "Asia/Dubai",
}
"""Names for what is likely; they have no daylight-saving time."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Local times between which nothing was created, if an offset is the true one."""

    begin: int
    end: int

    def days_before(self, days: int) -> "Silence":
        """Return the same hours of an earlier day."""
        return Silence(self.begin - days * 24 * HOUR, self.end - days * 24 * HOUR)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the newest tasks tell at the moment ``now`` (Unix seconds by the API's clock).

    ``gap`` is the longest time between two of the last ones; None where they are too few.
    """

    newest: int
    now: float
    gap: int | None = None

    @classmethod
    def of(cls, created: Iterable[int], now: float) -> "Bounds":
        """Return what creation times tell, in any order; one at least."""
        ordered = sorted(created)
        gaps = [later - earlier for earlier, later in pairwise(ordered)]
        return cls(ordered[-1], now, max(gaps) if len(ordered) >= ENOUGH else None)

    @property
    def least(self) -> float:
        """Seconds: no offset below this is possible."""
        return self.newest - self.now - JITTER

    @property
    def possible(self) -> list[int]:
        """The offsets in use that are not too small, the smallest first."""
        return [offset for offset in IN_USE if offset >= self.least]

    @property
    def likeliest(self) -> int | None:
        """The offset by which the newest task has just been created; None where none fits."""
        return next(iter(self.possible), None)

    def silence(self, offset: int) -> Silence:
        """Return since when nothing was created, if that is the offset."""
        return Silence(self.newest + 1, round(self.now) + offset)

    def age(self, offset: int) -> float:
        """Return how old the newest task is, in seconds, if that is the offset."""
        return self.now + offset - self.newest

    def implausible(self, offset: int, fewest: int) -> bool:
        """Tell whether nothing can hardly have been created for as long as an offset means.

        ``fewest``: so many tasks were created in the same hours of each earlier day at least.
        """
        if fewest >= SURE:
            return True
        far_longer = self.gap is not None and self.age(offset) > _FAR_LONGER * max(self.gap, JITTER)
        return fewest >= _SOME and far_longer


def observed(appeared: int, before: float, after: float) -> int | None:
    """Return the offset that a task shows which appeared between two moments.

    ``appeared`` is its local creation time; None where no offset in use or several would do.
    """
    least, most = appeared - after - JITTER, appeared - before + APPEARS_WITHIN
    within = [offset for offset in IN_USE if least <= offset <= most]
    return within[0] if len(within) == 1 else None


def written(offset: int) -> str:
    """Return an offset as the configuration has it: ``+08:00``."""
    sign = "-" if offset < 0 else "+"
    hours, rest = divmod(abs(offset), HOUR)
    return f"{sign}{hours:02}:{rest // 60:02}"


def named(offset: int) -> str:
    """Return what to write for a zone with this offset, and that others have it too."""
    name = _NAMES.get(offset / HOUR)
    return f"{name} ({written(offset)})" if name else written(offset)
