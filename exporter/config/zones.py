"""Time zones: an IANA name or an offset from UTC."""

import functools
import re
import zoneinfo
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Final

from exporter.config.problems import Refusal
from exporter.config.wording import nearest

_OFFSET: Final = re.compile(r"([+-])([0-9]{1,2})(?::?([0-9]{2}))?")
_PREFIXED: Final = re.compile(r"(?:UTC|GMT)([+-][0-9:]+)", re.IGNORECASE)
_LONGEST_NAME: Final = 64
SCHEMA: Final = {
    "type": "string",
    "maxLength": _LONGEST_NAME,
    # An offset up to 14:00, or what has the form of a name: which there are, this host knows.
    "pattern": (
        r"^(?:[+-](?:[0-9]|0[0-9]|1[0-3])(?::?[0-5][0-9])?|[+-]14(?::?00)?|[Zz]"
        r"|(?!(?:[Uu][Tt][Cc]|[Gg][Mm][Tt])[+-])[A-Za-z]{2}[A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*)$"
    ),
    "examples": ["Asia/Shanghai", "UTC", "+08:00"],
}
"""JSON Schema of what is accepted."""
# No place on earth is further from UTC.
_FURTHEST: Final = timedelta(hours=14)


def read_zone(text: str) -> tzinfo:
    """Return the zone; Refusal where there is none by that name."""
    if text.upper() in {"UTC", "Z"}:
        return UTC
    if match := _OFFSET.fullmatch(text):
        minutes = int(match[3] or 0)
        offset = timedelta(hours=int(match[2]), minutes=minutes)
        if offset > _FURTHEST or minutes >= 60:  # noqa: PLR2004
            raise Refusal("is no UTC offset; write one from -14:00 to +14:00, such as +08:00")
        return timezone(-offset if match[1] == "-" else offset)
    if match := _PREFIXED.fullmatch(text):
        raise Refusal("is no time zone; write the offset alone, such as +08:00")
    if 0 < len(text) <= _LONGEST_NAME and text.isascii() and text.isprintable():
        try:
            return zoneinfo.ZoneInfo(text)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise Refusal(f"is no time zone; {_hint(text)}")


def is_inverted(text: str) -> bool:
    """Tell whether it is one of the POSIX-style names whose sign is the other way round."""
    return re.fullmatch(r"Etc/GMT[+-][1-9][0-9]?", text) is not None


@functools.cache
def _hint(text: str) -> str:
    if re.fullmatch("[A-Z]{3,4}", text):
        return "abbreviations mean several; write an IANA name such as Asia/Shanghai, or +08:00"
    # Listing the zones reads folders, and one wrong zone may stand in many accounts by an alias.
    near = nearest(text, zoneinfo.available_timezones())
    if near:
        return f"did you mean {near}?"
    return "write an IANA name such as Asia/Shanghai or an offset such as +08:00"
