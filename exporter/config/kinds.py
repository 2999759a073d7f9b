"""The kinds of value a key can have: what is accepted, its JSON Schema, and how it is read.

A reader gets the text of a scalar and returns the typed value, or raises Refusal with a predicate:
"is not a duration; write it like 30s, 5m or 1h30m". Who reads puts the value before it, if it may
be shown.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from exporter.config.durations import PATTERN, format_duration, parse_duration
from exporter.config.model import Window
from exporter.config.problems import Refusal
from exporter.config.secret import Secret
from exporter.config.wording import nearest


@dataclass(frozen=True, slots=True)
class Kind:
    """A scalar. `wants` names it in errors; those quote no `hidden` value, and none a `secret`."""

    wants: str
    read: Callable[[str], Any]
    schema: Mapping[str, Any]
    hidden: bool = False
    secret: bool = False


_YES: Final = {"true", "yes", "on"}
# A text may be written without quotes, and YAML takes some of those for numbers or truth values.
_AS_WRITTEN: Final = ("string", "number", "boolean")
_NO_REFERENCE: Final = r"(?:[^$]|\$\$|\$(?![${]))"
"""A character of a text without ${VAR}: for the schema, which cannot know a variable's value."""
_SOME_MILLISECOND: Final = r"(?=.*[1-9])"
_SOME_SECOND: Final = r"(?=.*[1-9][0-9]*(?:[ywdhs]|m(?!s))|.*[1-9][0-9]{3,}ms)"

_TRUTH: Final = {*_YES, "false", "no", "off"}
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NOT_FINITE: Final = re.compile(r"[+-]?\.?(?:nan|inf|infinity)", re.IGNORECASE)
_LONGEST_NUMBER: Final = 40
LONGEST_LABEL: Final = 64
_LONGEST_KEY: Final = 1024

# The statuses of the API by their names as label values.
STATUSES: Final = {
    "waiting": 0,
    "calling": 1,
    "finished": 2,
    "submission_failed": 3,
    "cancelled": 4,
    "suspended": 5,
    "submitting": 6,
}


def _read_duration(text: str, minimum: float) -> float:
    if text.lower() in _TRUTH:
        raise Refusal("is a yes/no value, not a duration; write it like 30s, 5m or 1h30m")
    if text.startswith("-"):
        raise Refusal("is negative; write a duration like 30s, 5m or 1h30m")
    if re.fullmatch(r"0*[1-9][0-9]*", text):
        raise Refusal("has no unit; write a duration like 30s, 5m or 1h30m")
    if re.fullmatch(r"[0-9]+:[0-9:]+", text):
        raise Refusal("is no duration with its colon; write it like 12m30s or 1h30m")
    try:
        seconds = parse_duration("0" if re.fullmatch("0+", text) else text)
    except ValueError as error:
        if "longer" in str(error):
            raise Refusal(f"is {error}; write a shorter duration") from None
        raise Refusal(
            "is not a duration; write whole numbers with ms, s, m, h, d, w or y, "
            "large before small, like 30s, 5m or 1h30m"
        ) from None
    if seconds < minimum or (minimum == 0 and seconds < 0):
        least = format_duration(minimum)
        raise Refusal(f"is too short; write a duration of at least {least}")
    return seconds


def duration(*, minimum: float = 0.001) -> Kind:
    """Return the kind of a Prometheus duration, read as seconds."""
    schema: dict[str, Any]
    if minimum <= 0:
        written = {"type": "string", "pattern": f"^(?:0+|(?=.){PATTERN})$"}
        schema = {"anyOf": [written, {"const": 0}]}
    else:
        least = _SOME_SECOND if minimum >= 1 else _SOME_MILLISECOND
        schema = {"type": "string", "pattern": f"^{least}{PATTERN}$"}
    return Kind("a duration", lambda text: _read_duration(text, minimum), schema)


def _read_window(text: str) -> Window:
    seconds = _read_duration(text, 1.0)
    if seconds != int(seconds):
        raise Refusal("is not in whole seconds; leave the milliseconds out")
    return Window(text, int(seconds))


def window() -> Kind:
    """Return the kind of a window: a duration in whole seconds that keeps its spelling."""
    whole_seconds = PATTERN.replace("(?:([0-9]{1,15})ms)?", "(?:([0-9]{1,12}000|0{1,15})ms)?")
    schema = {"type": "string", "pattern": f"^{_SOME_SECOND}{whole_seconds}$"}
    return Kind("a duration", _read_window, schema)


def _plain_number(text: str, wanted: str, pattern: re.Pattern[str]) -> str:
    """Return the text if it is a finite number; refuse it in the words that help most."""
    if text.lower() in _TRUTH:
        raise Refusal(f"is a yes/no value; write {wanted}")
    if _NOT_FINITE.fullmatch(text):
        raise Refusal(f"is not a finite number; write {wanted}")
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", text):
        raise Refusal(f"has a decimal comma; write {wanted}, with a point")
    if re.fullmatch(r"[0-9.]+ ?%", text):
        raise Refusal(f"is in percent; write {wanted}")
    if len(text) > _LONGEST_NUMBER or not pattern.fullmatch(text):
        raise Refusal(f"is not {wanted}; write one")
    return text


def whole(*, minimum: int, maximum: int) -> Kind:
    """Return the kind of a whole number within bounds."""
    wanted = f"a whole number from {minimum} to {maximum}"

    def read(text: str) -> int:
        number = int(_plain_number(text, wanted, _INTEGER))
        if not minimum <= number <= maximum:
            raise Refusal(f"is out of range; write {wanted}")
        return number

    return Kind(wanted, read, {"type": "integer", "minimum": minimum, "maximum": maximum})


def number(*, maximum: float, zero: bool = False) -> Kind:
    """Return the kind of a number above 0 (or, with `zero`, of 0 too) up to a maximum."""
    wanted = f"a number {'from 0' if zero else 'above 0'} up to {maximum:g}"

    def read(text: str) -> float:
        value = float(_plain_number(text, wanted, _NUMBER))
        if not (math.isfinite(value) and 0 <= value <= maximum and (zero or value > 0)):
            raise Refusal(f"is out of range; write {wanted}")
        return value

    lower = {"minimum": 0} if zero else {"exclusiveMinimum": 0}
    return Kind(wanted, read, {"type": "number", **lower, "maximum": maximum})


def money() -> Kind:
    """Return the kind of an amount above 0, read as an exact decimal."""
    wanted = "an amount above 0, without its currency"
    most = Decimal(10) ** 12

    def read(text: str) -> Decimal:
        value = Decimal(_plain_number(text, wanted, _NUMBER))
        if not 0 < value <= most:
            raise Refusal(f"is out of range; write {wanted}")
        return value

    schema = {"type": "number", "exclusiveMinimum": 0, "maximum": int(most)}
    return Kind(wanted, read, schema)


def switch() -> Kind:
    """Return the kind of what is on or off."""

    def read(value: str) -> bool:
        if value.lower() not in _TRUTH:
            raise Refusal("is neither true nor false; write one of them")
        return value.lower() in _YES

    return Kind("true or false", read, {"type": "boolean"})


def text(*, longest: int, empty: bool = False) -> Kind:
    """Return the kind of a text on one line."""

    def read(value: str) -> str:
        if not value.strip() and not (empty and not value):
            raise Refusal("is empty; write a text")
        if len(value) > longest:
            raise Refusal(f"has {len(value)} characters; write at most {longest}")
        if not value.isprintable():
            raise Refusal("has control or invisible characters; remove them")
        if value != value.strip():
            raise Refusal("begins or ends with a space; remove it")
        return value

    schema = {
        "type": list(_AS_WRITTEN),
        "maxLength": longest,
        "pattern": rf"^(?!\s)(?!.*\s$){_NO_REFERENCE}{'*' if empty else '+'}$",
    }
    return Kind("text", read, schema, hidden=True)


def path() -> Kind:
    """Return the kind of a path, which is not opened here."""

    def read(value: str) -> str:
        if not value or "\0" in value:
            raise Refusal("is empty or no path; write the path of a file")
        return value

    schema = {"type": list(_AS_WRITTEN), "pattern": f"^{_NO_REFERENCE}+$"}
    return Kind("a path", read, schema, hidden=True)


def check_credential(value: str) -> Secret:
    """Return the value as a Secret if it can go into an HTTP header; else Refusal."""
    if not value:
        raise Refusal("is empty; write the value from the vendor's console")
    if len(value) > _LONGEST_KEY:
        raise Refusal(f"is longer than {_LONGEST_KEY} characters; is it the right value?")
    if any(char.isspace() for char in value):
        raise Refusal("contains a space, tab or line break; remove it")
    if any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in value):  # noqa: PLR2004
        raise Refusal("contains a control character; remove it")
    if any(ord(char) > 0xFF for char in value):  # noqa: PLR2004
        raise Refusal("contains a character that an HTTP header cannot carry; copy it again")
    return Secret(value)


def credential() -> Kind:
    """Return the kind of an API key or secret."""
    return Kind(
        "text",
        check_credential,
        {
            "type": list(_AS_WRITTEN),
            "maxLength": _LONGEST_KEY,
            "pattern": rf"^(?:(?!\s){_NO_REFERENCE})+$",
        },
        hidden=True,
        secret=True,
    )


def currency() -> Kind:
    """Return the kind of an ISO 4217 code."""

    def read(value: str) -> str:
        if not re.fullmatch("[A-Z]{3}", value):
            raise Refusal("is not a currency; write three capital letters such as USD")
        return value

    return Kind("three capital letters", read, {"type": "string", "pattern": "^[A-Z]{3}$"})


def status() -> Kind:
    """Return the kind of a task status, by name or code, read as the code."""
    names = ", ".join(STATUSES)

    def read(value: str) -> int:
        if value in STATUSES:
            return STATUSES[value]
        if re.fullmatch(f"[0-{max(STATUSES.values())}]", value):
            return int(value)
        near = nearest(value, STATUSES)
        hint = f"did you mean {near}?" if near else f"write one of {names}"
        raise Refusal(f"is not a status; {hint}")

    return Kind("a status", read, {"enum": [*STATUSES, *STATUSES.values()]})
