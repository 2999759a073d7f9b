"""What is asked for: from when to when, how closely, with which labels besides."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from exporter.config.durations import parse_duration

LOOKED_BACK: Final = 300
"""Seconds that Prometheus looks back for a series' last sample, unless told otherwise."""
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The moments to be written, in whole Unix seconds: from ``begin``, each ``step``, to ``end``.

    ``labels`` are put on every series; ``task_duration`` (seconds) is how long a task calls, None
    where that is to be told from the tasks that are calling now.
    """

    begin: int
    end: int
    step: int
    labels: tuple[tuple[str, str], ...] = ()
    task_duration: float | None = None

    @property
    def moments(self) -> range:
        """All moments, the last at or before ``end``."""
        return range(self.begin, self.end + 1, self.step)


def parse_moment(text: str, now: float) -> int:
    """Return Unix seconds of ``now``, ``-30d``, ``2024-06-04`` (00:00 UTC) or an RFC 3339 time.

    ValueError, with what is wrong as a sentence, for anything else.
    """
    if text == "now":
        return int(now)
    if text.startswith("-"):
        try:
            return int(now - parse_duration(text[1:]))
        except ValueError:
            raise ValueError(f"{text!r} is no time before now; write one like -30d") from None
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text)
            return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no time; write one like 2024-06-04T14:49:36Z, 2024-06-04, -30d or now"
        ) from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; end it in Z or one like +08:00")
    return int(moment.timestamp())


def parse_step(text: str) -> int:
    """Return whole seconds from a Prometheus duration; ValueError with a sentence for others."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        raise ValueError(f"{text!r} is no duration; write one like 30s, 5m or 1h") from None
    if seconds < 1 or seconds != int(seconds):
        raise ValueError(f"{text!r} is not a step of whole seconds; write one like 30s, 5m or 1h")
    return int(seconds)


def parse_labels(texts: Iterable[str], taken: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return ``name=value`` pairs; ValueError with a sentence for what can be no label.

    ``taken`` are the names that our own series use.
    """
    own = set(taken)
    labels: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not _LABEL.fullmatch(name) or name.startswith("__"):
            raise ValueError(f"{text!r} is no label; write one like job=itnio")
        if name in own:
            raise ValueError(f"{name!r} is a label that the series have already; leave it out")
        if name in labels:
            raise ValueError(f"{name!r} is given twice; leave one out")
        if value:  # to Prometheus an empty label is none
            labels[name] = value
    return tuple(labels.items())


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names under which two sets of arguments have different values."""
    names = dict.fromkeys([*before, *after])
    return [name for name in names if before.get(name) != after.get(name)]
