"""The fields of a record, each read for itself: lenient in form, strict in meaning.

Numbers come as text, units with or without their sign, figures not at all: that is read. A figure
that is none rejects its record, by the reason that is counted.
"""

import re
from datetime import tzinfo
from decimal import Decimal
from typing import Final

from exporter.api import local_time
from exporter.tasks.task import UNKNOWN_CURRENCY, Money, Status

LONGEST_NAME: Final = 200
LONGEST_SCRIPT_ID: Final = 64
LARGEST_FIGURE: Final = 10**15
MOST_DECIMALS: Final = 18

Scalar = int | float | str | None


class RejectedRecordError(ValueError):
    """A record that cannot be read; its text is the ``reason`` label."""

    def __init__(self, reason: str, task_id: int | None = None) -> None:
        super().__init__(reason)
        self.task_id = task_id


_WHOLE: Final = re.compile(r"([0-9]{1,19})(?:\.0*)?", re.ASCII)
_MONEY: Final = re.compile(
    # With an exponent too: Java writes a small BigDecimal as 0E-8.
    r"([+-]?[0-9]{1,20}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,2})?)"
    r"\s*(?:\((.*)\)|([A-Za-z]{3}))?",
    re.ASCII | re.DOTALL,
)
_PERCENT: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{0,9})?)\s*%?", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)


def _is_missing(value: Scalar) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def figure(value: Scalar) -> int | None:
    """Return a count or a number of seconds; None where the API gives none."""
    if type(value) is int:
        whole = value
    elif _is_missing(value):
        return None
    elif isinstance(value, str) and (match := _WHOLE.fullmatch(value.strip())):
        whole = int(match[1])
    elif isinstance(value, float) and value.is_integer():
        whole = int(value)
    else:
        raise RejectedRecordError("figure")
    if 0 <= whole <= LARGEST_FIGURE:
        return whole
    raise RejectedRecordError("figure")


def seconds(value: Scalar) -> int | None:
    """Return a number of seconds, with or without its sign, as acd has one."""
    return figure(value.strip().removesuffix("s") if isinstance(value, str) else value)


def money(value: Scalar, currency: str) -> Money | None:
    """Return an exact amount; one without a currency is in the account's, as agentFee is."""
    if value is None or _is_missing(value):
        return None
    # A JSON number has been through a float, whose repr is the shortest text that gives it back.
    match = _MONEY.fullmatch(value.strip() if isinstance(value, str) else _plain(value))
    if match is None:
        raise RejectedRecordError("money")
    amount = Decimal(match[1])
    exponent = amount.as_tuple().exponent
    if abs(amount) > LARGEST_FIGURE or not isinstance(exponent, int) or -exponent > MOST_DECIMALS:
        raise RejectedRecordError("money")
    named = match[2] if match[2] is not None else match[3]
    if named is None or not named.strip():
        return Money(amount, currency)
    named = named.strip()
    return Money(amount, interned(named) if _CURRENCY.fullmatch(named) else UNKNOWN_CURRENCY)


def _plain(number: float) -> str:
    """Return a number without an exponent, exactly; what is no number comes back as its name."""
    return format(Decimal(repr(number)), "f")


_currencies: Final[dict[str, str]] = {}


def interned(currency: str) -> str:
    """Return one string object a currency (there are at most 26³ of them): tasks hold four."""
    return _currencies.setdefault(currency, currency)


def percent(value: Scalar) -> float | None:
    """Return a ratio; None for what is missing or unreadable, as nothing is summed from it."""
    if value is None or not (match := _PERCENT.fullmatch(str(value).strip())):
        return None
    return float(match[1]) / 100


def status(value: Scalar) -> Status:
    """Return a status; UNKNOWN for whatever is not a code on the vendor's list."""
    match = None if value is None else _WHOLE.fullmatch(str(value).strip())
    return Status.of_code(int(match[1]) if match else None)


def created(value: Scalar, zone: tzinfo) -> int:
    """Return Unix seconds from a local time; nothing can be known of a task without one."""
    if isinstance(value, str):
        try:
            return local_time.parse(value.strip(), zone)
        except (ValueError, OverflowError):
            pass
    raise RejectedRecordError("created_time")


def identity(task_id: object, job_id: object) -> int | None:
    """Return a task's id, under either of the names that the vendor's page gives it."""
    found = count(task_id)
    return count(job_id) if found is None else found


def text(value: Scalar, longest: int) -> str:
    """Return text bounded in length and fit to be encoded; a number keeps its digits."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)[:longest]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def count(value: object) -> int | None:
    """Return a whole number that is not negative; None for anything else."""
    if isinstance(value, str) and (match := _WHOLE.fullmatch(value.strip())):
        value = int(match[1])
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    return None


def code(value: object) -> int | str | None:
    """Return a code, documented as String and shown as Int, as an int where it is one."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    try:
        return int(str(value).strip().removesuffix(".0"))
    except ValueError:
        return str(value)
