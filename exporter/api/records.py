"""A page of the API, as it comes, read into Tasks.

Lenient where the vendor's page is vague (numbers as text, null and missing figures, ``code`` as
text, ``taskId`` or ``jobId``, units with or without their sign); strict where a wrong guess would
lie: a record with a figure that is not one is rejected, alone, and counted by its reason.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

import msgspec

from exporter.api import local_time
from exporter.api.errors import InvalidResponseError, of_code, shortened
from exporter.tasks.task import UNKNOWN_CURRENCY, UNKNOWN_SCRIPT, Money, Status, Task

LONGEST_NAME: Final = 200
LONGEST_SCRIPT_ID: Final = 64
LARGEST_FIGURE: Final = 10**15
MOST_DECIMALS: Final = 18
_MOST_DIGITS: Final = 100

Scalar = int | float | str | None


class RejectedRecordError(ValueError):
    """A record that cannot be read; its text is the ``reason`` label."""

    def __init__(self, reason: str, task_id: int | None = None) -> None:
        super().__init__(reason)
        self.task_id = task_id


@dataclass(frozen=True, slots=True)
class Locale:
    """What the API leaves unsaid and the configuration says: its zone, and agentFee's currency."""

    zone: tzinfo
    currency: str


class Page(msgspec.Struct, frozen=True):
    """One answered page: what was read, and what the API says of the whole range."""

    tasks: list[Task]
    rejected: list[tuple[int | None, str]]
    """(task id where it could be read, reason) of each record that could not be read."""
    total: int | None
    """Records in the whole range, by the API; None where it does not say."""
    size: int | None
    """Records a page, as the API counts them; may be less than was asked for."""

    def __len__(self) -> int:
        return len(self.tasks) + len(self.rejected)


class _WireRecord(msgspec.Struct, rename="camel", gc=False):
    """The record's fields that are used, as loosely typed as they are documented."""

    task_id: Scalar = None
    job_id: Scalar = None
    task_name: Scalar = None
    status: Scalar = None
    created_time: Scalar = None
    script_id: Scalar = None
    rate: Scalar = None
    num_cnt: Scalar = None
    call_num: Scalar = None
    success: Scalar = None
    fail: Scalar = None
    answered_num: Scalar = None
    agent_total_feetime: Scalar = None
    charge_len: Scalar = None
    send_sms_num: Scalar = None
    agent_fee: Scalar = None
    group_call_pay_fee: Scalar = None
    sms_pay_fee: Scalar = None
    task_sum_pay_fee: Scalar = None


class _WireData(msgspec.Struct):
    records: list[_WireRecord] | None = None
    total: Scalar = None
    size: Scalar = None


class _WireEnvelope(msgspec.Struct):
    code: Scalar = None
    msg: Any = None
    data: _WireData | None = None


_envelope: Final = msgspec.json.Decoder(_WireEnvelope)


def read_page(body: bytes, locale: Locale) -> Page:
    """Read the body of an answer.

    Raises the error of its code where that is not 0, and InvalidResponseError where the body is
    not an answer of this API at all.
    """
    try:
        envelope = _envelope.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _read_odd_page(body, locale)
    _check_code(envelope.code, envelope.msg)
    data = envelope.data
    if data is None:
        raise InvalidResponseError("the API answers success without any data")
    return _page(data.records or [], data.total, data.size, locale)


def read_code(body: bytes) -> int | str | None:
    """Return the code in a body, as far as there is one: an error's page may be anything."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return _code(answer.get("code")) if isinstance(answer, dict) else None


def _read_odd_page(body: bytes, locale: Locale) -> Page:
    """Read a page that has a record, or more around the records, of an unexpected type."""
    try:
        answer = _loads(body)
    except (ValueError, RecursionError):
        started = shortened(body[:1000].decode("utf-8", "replace"))
        what = f"it begins with {started}" if body else "it is empty"
        raise InvalidResponseError(f"the answer is not JSON; {what}") from None
    if not isinstance(answer, dict):
        raise InvalidResponseError("the answer is JSON, but not an object")
    _check_code(answer.get("code"), answer.get("msg"))
    data = answer.get("data")
    if not isinstance(data, dict):
        raise InvalidResponseError("the API answers success without any data")
    records = data.get("records")
    if not isinstance(records, list | None):
        raise InvalidResponseError("data.records in the answer is not a list")
    return _page(list(_wire_records(records or [])), data.get("total"), data.get("size"), locale)


def _loads(body: bytes) -> Any:
    """Return JSON, also where a name in it is cut within a character or in another encoding.

    A number of hundreds of digits, which int() may refuse, is read as the infinity it might be.
    """

    def whole(digits: str) -> float:
        return int(digits) if len(digits) < _MOST_DIGITS else float(digits)

    try:
        return json.loads(body, parse_int=whole)
    except UnicodeDecodeError:
        return json.loads(body.decode("utf-8", "replace"), parse_int=whole)


def _wire_records(records: list[object]) -> Iterator[_WireRecord | RejectedRecordError]:
    for record in records:
        if not isinstance(record, dict):
            yield RejectedRecordError("not_an_object")
            continue
        try:
            yield msgspec.convert(record, _WireRecord)
        except (msgspec.ValidationError, UnicodeEncodeError, RecursionError):
            # Which field is at fault is found by reading the rest of them without it.
            yield _without_faults(record)


def _without_faults(record: dict[Any, object]) -> _WireRecord | RejectedRecordError:
    """Read a record of which a field is a list, an object or a truth value, or has an odd name."""
    scalars: dict[str, object] = {}
    for key in _FIELDS & record.keys():
        value = record[key]
        if isinstance(value, int | float | str | None) and not isinstance(value, bool):
            scalars[key] = value
        elif key in _FIGURES or key in _FEES:
            task_id = _identity(record.get("taskId"), record.get("jobId"))
            return RejectedRecordError("money" if key in _FEES else "figure", task_id)
    return msgspec.convert(scalars, _WireRecord)


def _page(
    records: Sequence[_WireRecord | RejectedRecordError],
    total: object,
    size: object,
    locale: Locale,
) -> Page:
    tasks: list[Task] = []
    rejected: list[tuple[int | None, str]] = []
    for record in records:
        if isinstance(record, RejectedRecordError):
            rejected.append((record.task_id, str(record)))
            continue
        try:
            tasks.append(_task(record, locale))
        except RejectedRecordError as error:
            rejected.append((_identity(record.task_id, record.job_id), str(error)))
    return Page(tasks, rejected, _count(total), _count(size))


def _task(record: _WireRecord, locale: Locale) -> Task:
    task_id = _identity(record.task_id, record.job_id)
    if task_id is None:
        raise RejectedRecordError("task_id")
    currency = locale.currency
    return Task(
        task_id=task_id,
        name=_text(record.task_name, LONGEST_NAME),
        status=_status(record.status),
        script_id=_text(record.script_id, LONGEST_SCRIPT_ID) or UNKNOWN_SCRIPT,
        created=_created(record.created_time, locale.zone),
        progress=_percent(record.rate),
        numbers=_figure(record.num_cnt),
        calls=_figure(record.call_num),
        answered=_figure(record.answered_num),
        successful=_figure(record.success),
        failed=_figure(record.fail),
        billed_seconds=_seconds(record.charge_len),
        agent_billed_seconds=_seconds(record.agent_total_feetime),
        sms_sent=_figure(record.send_sms_num),
        agent_fee=_money(record.agent_fee, currency),
        call_fee=_money(record.group_call_pay_fee, currency),
        sms_fee=_money(record.sms_pay_fee, currency),
        total_fee=_money(record.task_sum_pay_fee, currency),
    )


_FIELDS: Final = frozenset(_WireRecord.__struct_encode_fields__)
_FIGURES: Final = frozenset(
    {"numCnt", "callNum", "success", "fail", "answeredNum", "chargeLen", "agentTotalFeetime"}
    | {"sendSmsNum"}
)
_FEES: Final = frozenset({"agentFee", "groupCallPayFee", "smsPayFee", "taskSumPayFee"})
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


def _figure(value: Scalar) -> int | None:
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


def _seconds(value: Scalar) -> int | None:
    """Return a number of seconds, with or without its sign, as acd has one."""
    return _figure(value.strip().removesuffix("s") if isinstance(value, str) else value)


def _money(value: Scalar, currency: str) -> Money | None:
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
    return Money(amount, _interned(named) if _CURRENCY.fullmatch(named) else UNKNOWN_CURRENCY)


def _plain(number: float) -> str:
    """Return a number without an exponent, exactly; what is no number comes back as its name."""
    return format(Decimal(repr(number)), "f")


_currencies: Final[dict[str, str]] = {}


def _interned(currency: str) -> str:
    """Return one string object a currency (there are at most 26³ of them): tasks hold four."""
    return _currencies.setdefault(currency, currency)


def _percent(value: Scalar) -> float | None:
    """Return a ratio; None for what is missing or unreadable, as nothing is summed from it."""
    if value is None or not (match := _PERCENT.fullmatch(str(value).strip())):
        return None
    return float(match[1]) / 100


def _status(value: Scalar) -> Status:
    match = None if value is None else _WHOLE.fullmatch(str(value).strip())
    return Status.of_code(int(match[1]) if match else None)


def _created(value: Scalar, zone: tzinfo) -> int:
    if isinstance(value, str):
        try:
            return local_time.parse(value.strip(), zone)
        except (ValueError, OverflowError):
            pass
    raise RejectedRecordError("created_time")


def _identity(task_id: object, job_id: object) -> int | None:
    found = _count(task_id)
    return _count(job_id) if found is None else found


def _text(value: Scalar, longest: int) -> str:
    """Return text bounded in length and fit to be encoded; a number keeps its digits."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)[:longest]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _count(value: object) -> int | None:
    """Return a whole number that is not negative; None for anything else."""
    if isinstance(value, str) and (match := _WHOLE.fullmatch(value.strip())):
        value = int(match[1])
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    return None


def _code(value: object) -> int | str | None:
    """Return a code, documented as String and shown as Int, as an int where it is one."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    try:
        return int(str(value).strip().removesuffix(".0"))
    except ValueError:
        return str(value)


def _check_code(value: object, message: object) -> None:
    code = _code(value)
    if code is None:
        raise InvalidResponseError("the answer is JSON, but has no code")
    if code != 0:
        raise of_code(code, message)
