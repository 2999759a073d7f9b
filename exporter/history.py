"""How an account's figures went over the last hours: a point now and then, bounded, in memory.

For the trends on the status page. Whoever wants more keeps the metrics in Prometheus. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from exporter.snapshot import AccountSnapshot, WindowFigures
from exporter.totals import Total, total

SPAN: Final = 86_400.0
"""Seconds; what is older is forgotten."""
MOST_FRAMES: Final = 288
"""One in five minutes over the span."""
_MOST_POINTS: Final = 20_000
"""Of one account, some 6 MB: with very many apps there are fewer frames."""
_FEWEST_FRAMES: Final = 24
_FIRST_SPACING: Final = 5.0
_JITTER: Final = 0.8
"""Share of the spacing from which on a poll that came a bit early still counts."""

Place = tuple[str, str]
"""App (empty: the whole account) and window."""


class Point(NamedTuple):
    """The figures of one place at one moment; None where nothing could be said."""

    answer_ratio: float | None
    failure_ratio: float | None
    average_call_duration: float | None
    """Seconds."""
    spend: Mapping[str, float]
    """By currency; for drawing only, so no longer exact."""


@dataclass(frozen=True, slots=True)
class Frame:
    """All places of an account at one moment; no points: its figures were withdrawn."""

    at: float
    points: Mapping[Place, Point]


@dataclass(frozen=True, slots=True)
class History:
    """The frames of one account, oldest first.

    They begin as dense as polls are, so that a trend is there after minutes; whenever there are
    too many, every other one is given up, until they reach over the whole span.
    """

    frames: tuple[Frame, ...] = ()
    spacing: float = _FIRST_SPACING
    """Seconds between frames at least."""

    def followed_by(self, snapshot: AccountSnapshot) -> "History":
        """Return the history with what a snapshot adds, if that is worth a frame."""
        figures = snapshot.figures
        at = snapshot.taken_at if figures is None else figures.taken_at
        # A clock that was set back must not keep the history still until it has caught up.
        before = tuple(frame for frame in self.frames if at - SPAN < frame.at <= at)
        last = before[-1] if before else None
        if figures is None:
            if last is None or not last.points:
                return replace(self, frames=before)
            return _bounded((*before, Frame(at, {})), self.spacing)
        if last is not None and last.points and at - last.at < self.spacing * _JITTER:
            return replace(self, frames=before)
        return _bounded((*before, Frame(at, dict(_points(figures.windows)))), self.spacing)


def places(figures: Iterable[WindowFigures]) -> dict[Place, list[WindowFigures]]:
    """Sort figures by their places: each window of the account, then of each app it has."""
    sorted_out: dict[Place, list[WindowFigures]] = {}
    for each in figures:
        sorted_out.setdefault(("", each.window), []).append(each)
        if each.app:
            sorted_out.setdefault((each.app, each.window), []).append(each)
    return sorted_out


def _points(figures: Iterable[WindowFigures]) -> Iterable[tuple[Place, Point]]:
    for place, scripts in places(figures).items():
        yield place, point(total(scripts))


def point(figures: Total) -> Point:
    """Return what a history keeps of a sum."""
    return Point(
        figures.answer_ratio,
        figures.failure_ratio,
        figures.average_call_duration,
        {currency: float(amount) for currency, amount in figures.spend.items()},
    )


def _bounded(frames: tuple[Frame, ...], spacing: float) -> History:
    most_places = max(len(frame.points) for frame in frames)
    most = min(MOST_FRAMES, max(_FEWEST_FRAMES, _MOST_POINTS // max(1, most_places)))
    while len(frames) > most:
        spacing *= 2
        frames = tuple(_thinned(frames, spacing))
    return History(frames, spacing)


def _thinned(frames: Iterable[Frame], spacing: float) -> Iterable[Frame]:
    last: Frame | None = None
    for frame in frames:
        if last is None or frame.at - last.at >= spacing * _JITTER:
            last = frame
            yield frame
