"""A page of the API, as it comes, read into Tasks.

Lenient where the vendor's page is vague (numbers as text, null and missing figures, ``code`` as
text, ``taskId`` or ``jobId``, units with or without their sign); strict where a wrong guess would
lie: a record with a figure that is not one is rejected, alone, and counted by its reason.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import msgspec

from exporter.api import fields, usual
from exporter.api.errors import InvalidResponseError, of_code, shortened
from exporter.api.fields import RejectedRecordError, Scalar
from exporter.tasks.task import UNKNOWN_SCRIPT, Task

_MOST_DIGITS: Final = 100


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
    page = usual.read(body, locale.zone, locale.currency)
    if page is not None:
        return Page(page.tasks, [], page.total, page.size)
    return read_loosely(body, locale)


def read_loosely(body: bytes, locale: Locale) -> Page:
    """Read an answer of any form; raises what ``read_page`` does."""
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
    return fields.code(answer.get("code")) if isinstance(answer, dict) else None


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
            task_id = fields.identity(record.get("taskId"), record.get("jobId"))
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
            rejected.append((fields.identity(record.task_id, record.job_id), str(error)))
    return Page(tasks, rejected, fields.count(total), fields.count(size))


def _task(record: _WireRecord, locale: Locale) -> Task:
    task_id = fields.identity(record.task_id, record.job_id)
    if task_id is None:
        raise RejectedRecordError("task_id")
    currency = locale.currency
    return Task(
        task_id=task_id,
        name=fields.text(record.task_name, fields.LONGEST_NAME),
        status=fields.status(record.status),
        script_id=fields.text(record.script_id, fields.LONGEST_SCRIPT_ID) or UNKNOWN_SCRIPT,
        created=fields.created(record.created_time, locale.zone),
        progress=fields.percent(record.rate),
        numbers=fields.figure(record.num_cnt),
        calls=fields.figure(record.call_num),
        answered=fields.figure(record.answered_num),
        successful=fields.figure(record.success),
        failed=fields.figure(record.fail),
        billed_seconds=fields.seconds(record.charge_len),
        agent_billed_seconds=fields.seconds(record.agent_total_feetime),
        sms_sent=fields.figure(record.send_sms_num),
        agent_fee=fields.money(record.agent_fee, currency),
        call_fee=fields.money(record.group_call_pay_fee, currency),
        sms_fee=fields.money(record.sms_pay_fee, currency),
        total_fee=fields.money(record.task_sum_pay_fee, currency),
    )


_FIELDS: Final = frozenset(_WireRecord.__struct_encode_fields__)
_FIGURES: Final = frozenset(
    {"numCnt", "callNum", "success", "fail", "answeredNum", "chargeLen", "agentTotalFeetime"}
    | {"sendSmsNum"}
)
_FEES: Final = frozenset({"agentFee", "groupCallPayFee", "smsPayFee", "taskSumPayFee"})


def _check_code(value: object, message: object) -> None:
    code = fields.code(value)
    if code is None:
        raise InvalidResponseError("the answer is JSON, but has no code")
    if code != 0:
        raise of_code(code, message)
