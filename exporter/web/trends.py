"""How a figure went, as a small drawing and as a sentence. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exporter.history import Frame, Place, Point
from exporter.web.wording import duration

WIDTH: Final = 120
HEIGHT: Final = 30
"""Units of the drawing, which is stretched to the place it has."""
_ROOM: Final = 1.15
"""How much higher than its highest value a drawing reaches."""
_SHORTEST: Final = 5.0
"""Seconds; below it there is nothing to draw yet."""

Pick = Callable[[Point], float | None]


@dataclass(frozen=True, slots=True)
class Trend:
    """A line from the first known value to the last, from 0 upwards, broken where none is known."""

    lines: tuple[str, ...]
    """Points of each unbroken stretch, as SVG writes them."""
    areas: tuple[str, ...]
    """What lies below each of them."""
    end: str
    """The last point."""
    aim: int | None
    """How far down the objective lies."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Past:
    """The frames of an account, as of ``now``, and the place whose figures are drawn."""

    frames: Sequence[Frame]
    place: Place
    now: float

    @property
    def seconds(self) -> float:
        """How far the frames reach back; 0 where there is nothing to draw."""
        reach = self.now - self.frames[0].at if self.frames else 0.0
        return reach if len(self.frames) > 1 and reach >= _SHORTEST else 0.0


def trend(
    name: str,
    past: Past,
    pick: Pick,
    shown: Callable[[float], str],
    *,
    aim: float | None = None,
    width: int = WIDTH,
) -> Trend | None:
    """Draw what ``pick`` takes from each point; None where fewer than two values are known."""
    seconds = past.seconds
    if not seconds:
        return None
    begin = past.now - seconds
    values: list[tuple[int, float | None]] = []
    for frame in past.frames:
        point = frame.points.get(past.place)
        x = round(min(1.0, max(0.0, (frame.at - begin) / seconds)) * width)
        value = None if point is None else pick(point)
        # Of values that would be drawn on top of each other the last one is enough.
        if values and values[-1][0] == x and (values[-1][1] is None) == (value is None):
            values[-1] = (x, value)
        else:
            values.append((x, value))
    known = [value for _, value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004 - a single point is no trend
        return None
    top = max(*known, aim or 0.0) * _ROOM or 1.0

    def y(value: float) -> int:
        return round(HEIGHT * (1 - max(0.0, value) / top))

    stretches = [[(x, y(value)) for x, value in stretch] for stretch in _unbroken(values)]
    lowest, highest = min(known), max(known)
    last = stretches[-1][-1]
    return Trend(
        lines=tuple(_written(stretch) for stretch in stretches),
        areas=tuple(
            _written([(stretch[0][0], HEIGHT), *stretch, (stretch[-1][0], HEIGHT)])
            for stretch in stretches
        ),
        end=f"{last[0]} {last[1]}",
        aim=None if aim is None else y(aim),
        sentence=(
            f"{name} over the last {duration(int(seconds))}: "
            f"between {shown(lowest)} and {shown(highest)}"
        ),
    )


def _unbroken(
    values: Iterable[tuple[int, float | None]],
) -> Iterator[list[tuple[int, float]]]:
    stretch: list[tuple[int, float]] = []
    for x, value in values:
        if value is not None:
            stretch.append((x, value))
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _written(points: Iterable[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
