"""A page in the usual form, read at once: every field of a type that the vendor's page gives it.

Nearly all pages are. One with anything else in it is left to ``records``, which reads the same
meaning out of any form, at several times the cost.
"""

import re
from datetime import tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from exporter.api import fields, local_time
from exporter.tasks.task import UNKNOWN_SCRIPT, Money, Status, Task

_Identity = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Figure = Annotated[int, Meta(ge=0, le=fields.LARGEST_FIGURE)] | None


class _Record(msgspec.Struct, rename="camel", gc=False):
    task_id: _Identity
    created_time: str
    task_name: str | None = None
    status: int | None = None
    script_id: _Identity | None = None
    rate: str | None = None
    num_cnt: _Figure = None
    call_num: _Figure = None
    success: _Figure = None
    fail: _Figure = None
    answered_num: _Figure = None
    agent_total_feetime: _Figure = None
    charge_len: _Figure = None
    send_sms_num: _Figure = None
    agent_fee: str | None = None
    group_call_pay_fee: str | None = None
    sms_pay_fee: str | None = None
    task_sum_pay_fee: str | None = None


class _Data(msgspec.Struct):
    records: list[_Record]
    total: _Identity | None = None
    size: _Identity | None = None


class _Envelope(msgspec.Struct):
    code: int | str
    data: _Data


class UsualPage(NamedTuple):
    """All tasks of a page, and what it says of the whole range; see ``records.Page``."""

    tasks: list[Task]
    total: int | None
    size: int | None


_decode: Final = msgspec.json.Decoder(_Envelope).decode


def read(body: bytes, zone: tzinfo, currency: str) -> UsualPage | None:
    """Return a page that holds only what is documented; None for any other answer."""
    try:
        envelope = _decode(body)
        if envelope.code not in {0, "0"}:
            return None
        data = envelope.data
        tasks = [_task(record, zone, currency) for record in data.records]
    except (ValueError, OverflowError, RecursionError):  # msgspec's and the calendar's are such
        return None
    return UsualPage(tasks, data.total, data.size)


def _task(record: _Record, zone: tzinfo, currency: str) -> Task:
    name, script_id = record.task_name, record.script_id
    if name is None or len(name) > fields.LONGEST_NAME or not name.isascii():
        name = fields.text(name, fields.LONGEST_NAME)
    # In Task's order: by their names it would take as long as the reading of three fees.
    return Task(
        record.task_id,
        name,
        Status.of_code(record.status),
        UNKNOWN_SCRIPT if script_id is None else _script(script_id),
        local_time.parse(record.created_time, zone),
        _ratio(record.rate),
        record.num_cnt,
        record.call_num,
        record.answered_num,
        record.success,
        record.fail,
        record.charge_len,
        record.agent_total_feetime,
        record.send_sms_num,
        _money(record.agent_fee, currency),
        _money(record.group_call_pay_fee, currency),
        _money(record.sms_pay_fee, currency),
        _money(record.task_sum_pay_fee, currency),
    )


_ratio: Final = lru_cache(maxsize=4096)(fields.percent)
_script: Final = lru_cache(maxsize=4096)(str)


_is_usual: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,18})?(?:\([A-Z]{3}\))?").fullmatch


def _money(fee: str | None, currency: str) -> Money | None:
    if fee is None:
        return None
    if not _is_usual(fee):
        raise ValueError(fee)
    if fee[-1] == ")":
        return Money(Decimal(fee[:-5]), fields.interned(fee[-4:-1]))
    return Money(Decimal(fee), currency)
