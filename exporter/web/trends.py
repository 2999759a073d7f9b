"""How a figure went, as a small drawing and as a sentence. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
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
    """The frames of an account as they are drawn, each at its place from left to right."""

    columns: tuple[tuple[int, Frame], ...]
    width: int
    seconds: float
    """How far the frames reach back; 0 where there is nothing to draw."""


def past(frames: Sequence[Frame], now: float, width: int = WIDTH) -> Past:
    """Return the frames up to ``now``; of those that would be drawn at one place, the last."""
    seconds = now - frames[0].at if len(frames) > 1 else 0.0
    if seconds < _SHORTEST:
        return Past((), width, 0.0)
    begin = now - seconds
    columns = {
        round(min(1.0, max(0.0, (frame.at - begin) / seconds)) * width): frame for frame in frames
    }
    return Past(tuple(sorted(columns.items(), key=itemgetter(0))), width, seconds)


def trend(
    name: str,
    past: Past,
    place: Place,
    pick: Pick,
    shown: Callable[[float], str],
    *,
    aim: float | None = None,
) -> Trend | None:
    """Draw what ``pick`` takes from each point; None where fewer than two values are known."""
    values = [
        (x, None if (point := frame.points.get(place)) is None else pick(point))
        for x, frame in past.columns
    ]
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
            f"{name} over the last {duration(int(past.seconds))}: "
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
