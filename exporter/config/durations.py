"""Durations as Prometheus writes them: 500ms, 30s, 5m, 1h30m, 1d, 1w, 1y.

Grammar and formatting follow `model.ParseDuration` and `Duration.String` of prometheus/common:
units from large to small, each at most once, whole numbers, a bare `0` allowed.
"""

import re
from typing import Final

_MILLISECONDS: Final = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
# Years, weeks and days are written only where nothing remains, as Prometheus does: 36h, not 1d12h.
_ONLY_WHOLE: Final = frozenset({"y", "w", "d"})
PATTERN: Final = "".join(f"(?:([0-9]{{1,15}}){unit})?" for unit in _MILLISECONDS)
_DURATION: Final = re.compile(PATTERN)
LONGEST: Final = 100 * 365 * 86_400.0
"""Seconds; longer ones are slips of the pen, and would leave the range of dates."""


def parse_duration(text: str) -> float:
    """Return the seconds in a Prometheus duration; ValueError where it is none."""
    if text == "0":
        return 0.0
    match = _DURATION.fullmatch(text) if text else None
    if match is None:
        raise ValueError("not a duration")
    pairs = zip(match.groups(), _MILLISECONDS.values(), strict=True)
    seconds = sum(int(number) * size for number, size in pairs if number) / 1000
    if seconds > LONGEST:
        raise ValueError("longer than 100 years")
    return seconds


def format_duration(seconds: float) -> str:
    """Return the shortest Prometheus duration for so many seconds, to the millisecond."""
    remaining = round(seconds * 1000)
    if remaining < 0:
        raise ValueError("a duration is never negative")
    if remaining == 0:
        return "0s"
    parts = []
    for unit, size in _MILLISECONDS.items():
        if unit in _ONLY_WHOLE and remaining % size:
            continue
        count, remaining = divmod(remaining, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
