"""Numbers, times and foreign text as people read them. Pure."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

NARROW: Final = "\N{NO-BREAK SPACE}"
NOTHING: Final = "\N{EN DASH}"
LONGEST_TEXT: Final = 200
_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
# Cc control, Cf format (direction marks), Cs lone surrogates, Co private, Cn unassigned,
# Zl and Zp line and paragraph separators: none of them is a character to look at.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Emoji and several scripts are written with these two, and they do no harm.
_JOINERS: Final = frozenset({"\N{ZERO WIDTH JOINER}", "\N{ZERO WIDTH NON-JOINER}"})
_C0_PICTURES: Final = 0x2400
_C0_END: Final = 0x20
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_ROUNDED_FROM: Final = 1
"""Amounts from here on are shown to the cent; smaller ones in full."""
_CENTS: Final = 2
_MOST_PLACES: Final = 6


def visible(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return foreign text on one line, bounded, its invisible characters replaced by signs."""
    cut = text if len(text) <= longest else text[: longest - 1] + _ELLIPSIS
    if cut.isprintable():
        return cut
    return "".join(map(_visible, cut))


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN or character in _JOINERS:
        return character
    if ord(character) < _C0_END:
        return chr(_C0_PICTURES + ord(character))
    return "\N{REPLACEMENT CHARACTER}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return ``a, b and c``; of more than ``most`` names, how many more there are."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) > 1:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return "".join(names)


def counted(number: int, noun: str) -> str:
    """Return ``1 task`` or ``1,234 tasks``."""
    return f"{whole(number)}{NARROW}{noun}{'' if number == 1 else 's'}"


def whole(number: int | None) -> str:
    """Return ``1,234``."""
    return NOTHING if number is None else f"{number:,}"


def percent(ratio: float | None) -> str:
    """Return ``31.2 %`` for 0.312; a ratio that only rounds to none or all does not say so."""
    if ratio is None:
        return NOTHING
    text = f"{ratio * 100:.1f}"
    if ratio in (0, 1):
        text = text.removesuffix(".0")
    elif text == "0.0":
        text = f"<{NARROW}0.1"
    elif text == "100.0" and ratio < 1:
        text = f">{NARROW}99.9"
    return f"{text}{NARROW}%"


def aim(ratio: float) -> str:
    """Return an objective's ratio as it was meant: ``30 %`` for 0.3, ``12.5 %`` for 0.125."""
    return f"{ratio * 100:.6g}{NARROW}%"


def duration(seconds: float | None) -> str:
    """Return ``0.42 s``, ``42 s``, ``1 m 03 s``, ``2 h 05 m`` or ``3 d 04 h``."""
    if seconds is None:
        return NOTHING
    if seconds < 0:
        return f"\N{MINUS SIGN}{duration(-seconds)}"
    if seconds < 10:  # noqa: PLR2004 - below it, whole seconds say too little
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + f"{NARROW}s"
    rounded = round(seconds)
    for size, part, name, part_name in (
        (_DAY, _HOUR, "d", "h"),
        (_HOUR, _MINUTE, "h", "m"),
        (_MINUTE, 1, "m", "s"),
    ):
        if rounded >= size:
            count, rest = divmod(rounded // part * part, size)
            return f"{count}{NARROW}{name}{NARROW}{rest // part:02d}{NARROW}{part_name}"
    return f"{rounded}{NARROW}s"


def call_duration(seconds: float | None) -> str:
    """Return a call's length: to the tenth of a second while it is below a minute."""
    if seconds is None or not 0 <= seconds < _MINUTE - 0.05:
        return duration(seconds)
    return f"{seconds:.1f}".removesuffix(".0") + f"{NARROW}s"


def age(seconds: float) -> str:
    """Return how long ago something was; a time still to come is now, as clocks differ a bit."""
    return "just now" if seconds < 1 else f"{duration(int(seconds))} ago"


def until(seconds: float) -> str:
    """Return when something will be."""
    return "now" if seconds < 1 else f"in {duration(int(seconds))}"


def amount(value: Decimal, beside: Decimal | None = None) -> str:
    """Return money: in full below 1, to the cent from there on; the exact sum is elsewhere.

    ``beside``: a larger amount that it is part of, to be as exact as.
    """
    larger = abs(value if beside is None else beside)
    places = _CENTS if larger >= _ROUNDED_FROM else _MOST_PLACES
    text = f"{value:,.{places}f}"
    integer, _, fraction = text.partition(".")
    sign = "\N{MINUS SIGN}" if integer.startswith("-") else ""
    return f"{sign}{integer.removeprefix('-')}.{fraction.rstrip('0').ljust(_CENTS, '0')}"


def money(value: Decimal, currency: str) -> str:
    """Return ``12.34 USD``."""
    return f"{amount(value)}{NARROW}{currency}"


def curly(text: str) -> str:
    """Return our own text with the apostrophes of print."""
    return text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")


def moment(seconds: float) -> str:
    """Return ``2024-06-04 14:49:36 UTC``; out of the calendar's range, the bare number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return f"{seconds:.0f}"


def machine_time(seconds: float) -> str:
    """Return the same for a program: ``2024-06-04T14:49:36Z``."""
    return moment(seconds).replace(" UTC", "Z").replace(" ", "T")
