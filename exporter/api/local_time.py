"""The API's local times, which carry no zone, and Unix time.

A zone is configured, never assumed. Where a change of daylight-saving time repeats an hour, a
local time in it means two moments; the earlier is taken, always, so that a task has one creation
time. Ranges are widened by the change, so that neither meaning is missed.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_MINUTE_LENGTH: Final = len("2024-06-04 14:49:")
_SECONDS: Final = {f"{second:02}": second for second in range(60)}
_HOUR: Final = 3600
# No zone is further from another than from -12:00 to +14:00.
WIDEST_ZONE_ERROR: Final = 26 * _HOUR


@lru_cache(maxsize=8192)
def _midnight(day: str, zone: tzinfo) -> tuple[int, int] | None:
    """Return the Unix times at which a local day begins and ends; None where it has a change."""
    begin = datetime.fromisoformat(day).replace(tzinfo=zone)
    end = (begin + timedelta(days=1)).replace(fold=0)
    first, last = int(begin.timestamp()), int(end.timestamp())
    return (first, last) if last - first == 24 * _HOUR else None


@lru_cache(maxsize=8192)
def _usual_minute(text: str, zone: tzinfo) -> int | None:
    """Return the Unix time of ``2024-06-04 14:49:`` (or with a T); None where it is not usual.

    By arithmetic: a zone look-up per record costs as much as the rest of it.
    """
    if len(text) != _MINUTE_LENGTH or text[10] not in " T" or not text[13] == text[16] == ":":
        return None
    hour, minute = text[11:13], text[14:16]
    if not (hour.isdecimal() and minute.isdecimal() and text.isascii()):
        return None
    day = _midnight(text[:10], zone)
    if day is None or hour >= "24" or minute >= "60":
        return None
    return day[0] + int(hour) * _HOUR + int(minute) * 60


def parse(text: str, zone: tzinfo) -> int:
    """Return the Unix seconds of ``2024-06-04 14:49:36`` (or with a T, or with a fraction).

    Raises ValueError (OverflowError at the calendar's ends) for anything else, an offset included:
    the vendor documents none, and one that appeared would change what the text means.
    """
    # Tasks of the same minute come together, and a look-up costs less than reading it again.
    second = _SECONDS.get(text[_MINUTE_LENGTH:])
    if second is not None and (minute := _usual_minute(text[:_MINUTE_LENGTH], zone)) is not None:
        return minute + second
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None or len(text) < len("2024-06-04 14:49"):
        msg = "not a local date and time"
        raise ValueError(msg)
    return int(moment.replace(tzinfo=zone).timestamp())


def written(moment: int, zone: tzinfo) -> str:
    """Return Unix seconds as the API writes them."""
    return datetime.fromtimestamp(moment, zone).strftime(_FORMAT)


def bounds(begin: int, end: int, zone: tzinfo) -> tuple[str, str]:
    """Return the local times between which everything created from ``begin`` to ``end`` lies."""
    offsets = [_offset(begin, zone), _offset(end, zone)]
    offsets += (_offset(moment, zone) for moment in range(begin + _HOUR, end, _HOUR))
    return _as_local(begin + min(offsets)), _as_local(end + max(offsets))


@lru_cache(maxsize=65536)
def _offset_of_hour(hour: int, zone: tzinfo) -> int | None:
    """Return the offset in force during a UTC hour; None where it changes within it."""
    first, last = _exact_offset(hour * _HOUR, zone), _exact_offset((hour + 1) * _HOUR - 1, zone)
    return first if first == last else None


def _offset(moment: int, zone: tzinfo) -> int:
    known = _offset_of_hour(moment // _HOUR, zone)
    return _exact_offset(moment, zone) if known is None else known


def _exact_offset(moment: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(moment, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _as_local(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_FORMAT)
