"""The figures of a window as the page shows them, each beside its objective. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from exporter.config import parse_duration
from exporter.snapshot import Objective, WindowFigures
from exporter.tasks.task import Kind
from exporter.web import wording
from exporter.totals import Total, total
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


@dataclass(frozen=True, slots=True)
class WindowView:
    """The headlines of one window, of one app or (``app`` empty) of the whole account."""

    window: str
    app: str
    tasks: int
    headlines: tuple[Headline, ...]

    @property
    def missed(self) -> int:
        """How many objectives are missed."""
        verdicts = (headline.verdict for headline in self.headlines)
        return sum(verdict is not None and verdict.met is False for verdict in verdicts)


def window_views(
    figures: Iterable[WindowFigures], objectives: Iterable[Objective]
) -> Iterator[WindowView]:
    """Give every window of the account, in the order of the configuration; then of each app."""
    everything = tuple(figures)
    aims = {objective.app: objective for objective in objectives}
    labels = tuple(dict.fromkeys(each.window for each in everything))
    apps = sorted({each.app for each in everything} - {""})
    for app in ("", *apps):
        for label in labels:
            scripts = [each for each in everything if each.window == label]
            if app:
                scripts = [each for each in scripts if each.app == app]
            yield _view(label, app, total(scripts), aims.get(app, _NONE))


def _view(window: str, app: str, figures: Total, aim: Objective) -> WindowView:
    calls = "" if figures.calls is None else counted(figures.calls, "call")
    answered = f"{whole(figures.answered)} of {calls} answered" if figures.calls else calls
    ratios = (
        Headline(
            "Answer ratio",
            percent(figures.answer_ratio),
            answered,
            verdict=_at_least(figures.answer_ratio, aim.answer_ratio, wording.aim),
        ),
        Headline(
            "Average call",
            call_duration(figures.average_call_duration),
            verdict=_at_least(
                figures.average_call_duration, aim.average_call_duration, call_duration
            ),
        ),
        Headline(
            "Failure ratio",
            percent(figures.failure_ratio),
            verdict=_at_most(figures.failure_ratio, aim.failure_ratio),
        ),
    )
    return WindowView(window, app, figures.tasks, (*ratios, *_spend(window, figures, aim)))


def _spend(window: str, figures: Total, aim: Objective) -> Iterator[Headline]:
    if not figures.spend:
        yield Headline("Spend", NOTHING)
    for currency, spent in figures.spend.items():
        parts = (
            f"{name} {amount(fee, spent)}"
            for kind, name in _KINDS.items()
            if (fee := figures.spend_by_kind.get((kind, currency)))
        )
        yield Headline(
            "Spend",
            # Written large, it may have to break here on a phone.
            f"{amount(spent)} {visible(currency)}",
            ", ".join(parts),
            exact=f"{spent:f} {visible(currency)}",
            verdict=_within_a_day(window, spent, aim) if currency == aim.currency else None,
        )


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
