"""What the scripts of a window add up to: sums, and ratios of sums. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from exporter.snapshot import WindowFigures
from exporter.tasks.task import EXACT, Kind


@dataclass(frozen=True, slots=True)
class Total:
    """The figures of one window over several scripts; None where nothing can be said."""

    tasks: int
    calls: int | None
    answered: int | None
    answer_ratio: float | None
    failure_ratio: float | None
    average_call_duration: float | None
    """Seconds."""
    spend: Mapping[str, Decimal]
    """By currency, all kinds together."""
    spend_by_kind: Mapping[tuple[Kind, str], Decimal]


def total(scripts: Iterable[WindowFigures]) -> Total:
    """Add up the figures of scripts, all of the same window."""
    parts = tuple(scripts)
    by_kind: dict[tuple[Kind, str], Decimal] = {}
    spend: dict[str, Decimal] = {}
    for part in parts:
        for (kind, currency), fee in part.spend.items():
            key = (kind, currency)
            by_kind[key] = EXACT.add(by_kind.get(key, Decimal(0)), fee)
            spend[currency] = EXACT.add(spend.get(currency, Decimal(0)), fee)
    return Total(
        tasks=sum(sum(part.tasks.values()) for part in parts),
        calls=_sum(parts, "calls"),
        answered=_sum(parts, "answered"),
        answer_ratio=_ratio(parts, lambda part: part.answer_ratio, "calls"),
        failure_ratio=_ratio(parts, lambda part: part.failure_ratio, "calls"),
        average_call_duration=_ratio(parts, lambda part: part.average_call_duration, "answered"),
        spend=dict(sorted(spend.items())),
        spend_by_kind=by_kind,
    )


def _sum(parts: Sequence[WindowFigures], name: str) -> int | None:
    known = [figure for part in parts if (figure := part.figures.get(name)) is not None]
    return sum(known) if known else None


def _ratio(
    parts: Sequence[WindowFigures], ratio: Callable[[WindowFigures], float | None], below: str
) -> float | None:
    """Return the ratio of the sums.

    From each script's own ratio, which leaves out the tasks that lack a figure, and its weight in
    the denominator; where no figure is missing, that is the sum of numerators by the sum of
    denominators. A mean of ratios it is never.
    """
    numerator, denominator = 0.0, 0
    for part in parts:
        weight, own = part.figures.get(below), ratio(part)
        if weight and own is not None:
            numerator += own * weight
            denominator += weight
    return numerator / denominator if denominator else None
