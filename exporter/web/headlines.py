"""The figures of a window as the page shows them, each beside its objective. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from exporter.config import parse_duration
from exporter.history import Frame, Place, Point, places
from exporter.snapshot import Objective, WindowFigures
from exporter.tasks.task import Kind
from exporter.totals import Total, total
from exporter.web import trends, wording
from exporter.web.trends import Past, Pick, Trend
from exporter.web.wording import (
    NOTHING,
    amount,
    call_duration,
    counted,
    money,
    percent,
    visible,
    whole,
)

_DAY: Final = 86_400.0
_KINDS: Final = {Kind.AGENT: "agent", Kind.CALL: "calls", Kind.SMS: "SMS"}
_NONE: Final = Objective(app="", currency="")
_SMALL: Final = trends.WIDTH // 2
"""Width of a drawing in a table's cell."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An objective, and whether the figure beside it meets it; None: that cannot be said yet."""

    met: bool | None
    aim: str


@dataclass(frozen=True, slots=True)
class Headline:
    """One figure: what it is called, what it is, and what else there is to say about it."""

    label: str
    value: str
    note: str = ""
    exact: str = ""
    """The figure in full, where ``value`` is rounded."""
    verdict: Verdict | None = None
    trend: Trend | None = None


@dataclass(frozen=True, slots=True)
class WindowView:
    """The headlines of one window, of one app or (``app`` empty) of the whole account."""

    window: str
    app: str
    tasks: int
    headlines: tuple[Headline, ...]
    seconds: float = 0.0
    """How far the trends reach back; 0 where there are none yet."""

    @property
    def missed(self) -> Iterator[Headline]:
        """The figures that miss their objective."""
        for headline in self.headlines:
            if headline.verdict is not None and headline.verdict.met is False:
                yield headline


def window_views(
    figures: Iterable[WindowFigures],
    objectives: Iterable[Objective],
    frames: Sequence[Frame] = (),
    now: float = 0.0,
) -> Iterator[WindowView]:
    """Give every window of the account, in the order of the configuration; then of each app.

    Trends are drawn from ``frames``, up to ``now``.
    """
    by_place = places(figures)
    aims = {objective.app: objective for objective in objectives}
    labels = tuple(dict.fromkeys(window for _, window in by_place))
    large = trends.past(frames, now)
    small = trends.past(frames, now, _SMALL)
    for app in sorted({app for app, _ in by_place}):
        for label in labels:
            figures_of = total(by_place.get((app, label), ()))
            yield _view((app, label), figures_of, aims.get(app, _NONE), small if app else large)


def _view(place: Place, figures: Total, aim: Objective, past: Past) -> WindowView:
    app, window = place
    calls = "" if figures.calls is None else counted(figures.calls, "call")
    answered = f"{whole(figures.answered)} of {calls} answered" if figures.calls else calls

    def drawn(
        name: str, pick: Pick, shown: Callable[[float], str], aim: float | None
    ) -> Trend | None:
        return trends.trend(name, past, place, pick, shown, aim=aim)

    ratios = (
        Headline(
            "Answer ratio",
            percent(figures.answer_ratio),
            answered,
            verdict=_at_least(figures.answer_ratio, aim.answer_ratio, wording.aim),
            trend=drawn("Answer ratio", lambda at: at.answer_ratio, percent, aim.answer_ratio),
        ),
        Headline(
            "Average call",
            call_duration(figures.average_call_duration),
            verdict=_at_least(
                figures.average_call_duration, aim.average_call_duration, call_duration
            ),
            trend=drawn(
                "Average call",
                lambda at: at.average_call_duration,
                call_duration,
                aim.average_call_duration,
            ),
        ),
        Headline(
            "Failure ratio",
            percent(figures.failure_ratio),
            verdict=_at_most(figures.failure_ratio, aim.failure_ratio),
            trend=drawn("Failure ratio", lambda at: at.failure_ratio, percent, aim.failure_ratio),
        ),
    )
    spend = tuple(_spend(place, figures, aim, past))
    return WindowView(window, app, figures.tasks, (*ratios, *spend), past.seconds)


def _spend(place: Place, figures: Total, aim: Objective, past: Past) -> Iterator[Headline]:
    if not figures.spend:
        yield Headline("Spend", NOTHING)
    for currency, spent in figures.spend.items():
        parts = (
            f"{name} {amount(fee, spent)}"
            for kind, name in _KINDS.items()
            if (fee := figures.spend_by_kind.get((kind, currency)))
        )
        verdict = _within_a_day(place[1], spent, aim) if currency == aim.currency else None
        shown = visible(currency)
        yield Headline(
            "Spend",
            # Written large, it may have to break here on a phone.
            f"{amount(spent)} {shown}",
            ", ".join(parts),
            exact=f"{spent:f} {shown}",
            verdict=verdict,
            trend=trends.trend(
                "Spend",
                past,
                place,
                _spent(currency),
                lambda value, shown=shown: money(Decimal(str(value)), shown),  # type: ignore[misc]
                # A line for what a day may cost says something only beside what a day cost.
                aim=float(aim.daily_spend) if verdict and aim.daily_spend is not None else None,
            ),
        )


def _spent(currency: str) -> Callable[[Point], float | None]:
    return lambda point: point.spend.get(currency)


def _at_least(
    figure: float | None, aim: float | None, shown: Callable[[float], str]
) -> Verdict | None:
    if aim is None:
        return None
    return Verdict(None if figure is None else figure >= aim, f"at least {shown(aim)}")


def _at_most(figure: float | None, aim: float | None) -> Verdict | None:
    if aim is None:
        return None
    return Verdict(None if figure is None else figure <= aim, f"at most {wording.aim(aim)}")


def _within_a_day(window: str, spent: Decimal, aim: Objective) -> Verdict | None:
    """Hold the spend against what a day may cost.

    Only a window of a day can meet that; a shorter one can already miss it.
    """
    if aim.daily_spend is None:
        return None
    try:
        seconds = parse_duration(window)
    except ValueError:
        return None
    missed = spent > aim.daily_spend
    if seconds != _DAY and not (seconds < _DAY and missed):
        return None
    return Verdict(not missed, f"at most {money(aim.daily_spend, visible(aim.currency))} a day")
