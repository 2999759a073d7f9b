"""Faults in the data of an answer: the envelope, the page, its records, what is listed."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from exporter.simulator.faults import ActiveFault, Fault, FaultKind

Record = dict[str, Any]
Envelope = dict[str, Any]
EnvelopeFault = Callable[[Fault, Envelope], None]
PageFault = Callable[[Fault, dict[str, Any], Random], None]
RecordFault = Callable[[Fault, Record], Any]
ListingFault = Callable[[ActiveFault, Sequence[Any]], Sequence[Any]]

COUNTS = (
    "numCnt",
    "callNum",
    "success",
    "fail",
    "answeredNum",
    "agentTotalFeetime",
    "chargeLen",
    "sendSmsNum",
)
FEES = ("agentFee", "groupCallPayFee", "smsPayFee", "taskSumPayFee")
FIGURES = (*COUNTS, *FEES, "rate", "asr", "acd")
HOSTILE_NAME = '<script>alert("1")</script>\n\\"{}\u202e\x00' + "long " * 400


def _code_as_text(_fault: Fault, envelope: Envelope) -> None:
    envelope["code"] = str(envelope["code"])


def _data_null(_fault: Fault, envelope: Envelope) -> None:
    envelope["data"] = None


def _records_null(_fault: Fault, page: dict[str, Any], _rng: Random) -> None:
    page["records"] = None


def _empty_page(_fault: Fault, page: dict[str, Any], _rng: Random) -> None:
    page["records"] = []


def _duplicates(fault: Fault, page: dict[str, Any], rng: Random) -> None:
    page["records"] = [
        copy
        for record in page["records"] or ()
        for copy in [record] * (2 if _hit(fault, rng) else 1)
    ]


def _lost_records(fault: Fault, page: dict[str, Any], rng: Random) -> None:
    page["records"] = [record for record in page["records"] or () if not _hit(fault, rng)]


def _wrong_total(fault: Fault, page: dict[str, Any], _rng: Random) -> None:
    page["total"] = max(0, page.get("total", 0) + int(fault.quantity(7)))


def _missing_total(_fault: Fault, page: dict[str, Any], _rng: Random) -> None:
    for name in ("total", "pages"):
        page.pop(name, None)


def _total_as_text(_fault: Fault, page: dict[str, Any], _rng: Random) -> None:
    page["total"] = str(page.get("total"))


def _hit(fault: Fault, rng: Random) -> bool:
    return fault.share >= 1 or rng.random() < fault.share


def _fields(fault: Fault, default: Sequence[str]) -> Sequence[str]:
    return default if fault.text is None else [name.strip() for name in fault.text.split(",")]


def _numbers_as_text(_fault: Fault, record: Record) -> Record:
    return {k: str(v) if isinstance(v, int) else v for k, v in record.items()}


def _null_figures(fault: Fault, record: Record) -> Record:
    return {**record, **dict.fromkeys(_fields(fault, FIGURES))}


def _missing_fields(fault: Fault, record: Record) -> Record:
    missing = set(_fields(fault, FIGURES))
    return {k: v for k, v in record.items() if k not in missing}


def _extra_fields(_fault: Fault, record: Record) -> Record:
    return {"voiceName": None, **record, "detail": {"retries": [1, 2]}, "": "", "rate2": 1.5}


def _set_field(fault: Fault, record: Record) -> Record:
    name, _, value = (fault.text or "").partition("=")
    return {**record, name: json.loads(value)}


def _negative(fault: Fault, record: Record) -> Record:
    return {**record, **{name: -1 - _size(record.get(name)) for name in _fields(fault, COUNTS)}}


def _size(figure: Any) -> int:
    return abs(figure) if isinstance(figure, int) else 0


def _enormous(fault: Fault, record: Record) -> Record:
    return {**record, **dict.fromkeys(_fields(fault, COUNTS), int(fault.quantity(1e30)))}


def _nan(fault: Fault, record: Record) -> Record:
    return {**record, **dict.fromkeys(_fields(fault, COUNTS), float("nan"))}


def _job_id(_fault: Fault, record: Record) -> Record:
    return {"jobId" if k == "taskId" else k: v for k, v in record.items()}


def _bare_money(_fault: Fault, record: Record) -> Record:
    return {**record, **{name: _number(record.get(name)) for name in FEES}}


def _other_currency(fault: Fault, record: Record) -> Record:
    currency = "EUR" if fault.text is None else fault.text
    return {**record, **{name: f"{_number(record.get(name))}({currency})" for name in FEES[1:]}}


def _money_as_number(_fault: Fault, record: Record) -> Record:
    return {**record, **{name: float(_number(record.get(name))) for name in FEES}}


def _number(money: Any) -> str:
    return money.partition("(")[0] if isinstance(money, str) else "0"


def _bare_duration(_fault: Fault, record: Record) -> Record:
    return {**record, "acd": str(record.get("acd")).rstrip("s")}


def _percent_sign(_fault: Fault, record: Record) -> Record:
    return {**record, "rate": f"{record.get('rate')}%", "asr": f"{record.get('asr')}%"}


def _fractional_percent(_fault: Fault, record: Record) -> Record:
    return {**record, "rate": f"{record.get('rate')}.00", "asr": f"{record.get('asr')}.25"}


def _unknown_status(fault: Fault, record: Record) -> Record:
    return {**record, "status": int(fault.quantity(9))}


def _bad_time(fault: Fault, record: Record) -> Record:
    return {**record, "createdTime": "yesterday" if fault.text is None else fault.text}


def _iso_time(_fault: Fault, record: Record) -> Record:
    return {**record, "createdTime": str(record.get("createdTime")).replace(" ", "T")}


def _hostile_names(fault: Fault, record: Record) -> Record:
    return {**record, "taskName": HOSTILE_NAME if fault.text is None else fault.text}


def _record_not_object(fault: Fault, record: Record) -> Any:
    del record
    return json.loads("null" if fault.text is None else fault.text)


_PERIOD = 8  # requests after which an unlimited shift begins anew


def _appearing(entry: ActiveFault, tasks: Sequence[Any]) -> Sequence[Any]:
    period = entry.fault.times or _PERIOD
    missing = period - 1 - (entry.hits - 1) % period
    return _without_newest(tasks, missing * int(entry.fault.quantity(1)))


def _vanishing(entry: ActiveFault, tasks: Sequence[Any]) -> Sequence[Any]:
    period = entry.fault.times or _PERIOD
    return _without_newest(tasks, (entry.hits - 1) % period * int(entry.fault.quantity(1)))


def _without_newest(tasks: Sequence[Any], number: int) -> Sequence[Any]:
    return tasks[: max(0, len(tasks) - number)]


ENVELOPES: dict[FaultKind, EnvelopeFault] = {
    FaultKind.CODE_AS_TEXT: _code_as_text,
    FaultKind.DATA_NULL: _data_null,
}
PAGES: dict[FaultKind, PageFault] = {
    FaultKind.RECORDS_NULL: _records_null,
    FaultKind.EMPTY_PAGE: _empty_page,
    FaultKind.DUPLICATES: _duplicates,
    FaultKind.LOST_RECORDS: _lost_records,
    FaultKind.WRONG_TOTAL: _wrong_total,
    FaultKind.MISSING_TOTAL: _missing_total,
    FaultKind.TOTAL_AS_TEXT: _total_as_text,
}
RECORDS: dict[FaultKind, RecordFault] = {
    FaultKind.NUMBERS_AS_TEXT: _numbers_as_text,
    FaultKind.NULL_FIGURES: _null_figures,
    FaultKind.MISSING_FIELDS: _missing_fields,
    FaultKind.EXTRA_FIELDS: _extra_fields,
    FaultKind.SET_FIELD: _set_field,
    FaultKind.NEGATIVE: _negative,
    FaultKind.ENORMOUS: _enormous,
    FaultKind.NAN: _nan,
    FaultKind.JOB_ID: _job_id,
    FaultKind.BARE_MONEY: _bare_money,
    FaultKind.OTHER_CURRENCY: _other_currency,
    FaultKind.MONEY_AS_NUMBER: _money_as_number,
    FaultKind.BARE_DURATION: _bare_duration,
    FaultKind.PERCENT_SIGN: _percent_sign,
    FaultKind.FRACTIONAL_PERCENT: _fractional_percent,
    FaultKind.UNKNOWN_STATUS: _unknown_status,
    FaultKind.BAD_TIME: _bad_time,
    FaultKind.ISO_TIME: _iso_time,
    FaultKind.HOSTILE_NAMES: _hostile_names,
    FaultKind.RECORD_NOT_OBJECT: _record_not_object,
}
LISTINGS: dict[FaultKind, ListingFault] = {
    FaultKind.APPEARING: _appearing,
    FaultKind.VANISHING: _vanishing,
}


def relist(drawn: Sequence[ActiveFault], tasks: Sequence[Any]) -> Sequence[Any]:
    """Return what is listed (oldest first) under these faults."""
    for entry in drawn:
        if entry.fault.kind in LISTINGS:
            tasks = LISTINGS[entry.fault.kind](entry, tasks)
    return tasks


def spoil_balance(drawn: Sequence[ActiveFault], answer: Record) -> Record:
    """Return the balance after the faults that are limited to its path and name its fields."""
    for entry in drawn:
        fault = entry.fault
        if fault.path is not None and fault.text is not None and fault.kind in _OF_FIELDS:
            answer = RECORDS[fault.kind](fault, answer)
    return answer


_OF_FIELDS: Final = {FaultKind.NULL_FIGURES, FaultKind.MISSING_FIELDS, FaultKind.SET_FIELD}


def spoil(drawn: Sequence[ActiveFault], envelope: Envelope, rng: Random) -> None:
    """Apply the faults to an answer in place: records first, then page, then envelope."""
    faults = [entry.fault for entry in drawn]
    page = envelope["data"]
    if isinstance(page, dict):
        for fault in faults:
            if fault.kind in RECORDS:
                change = RECORDS[fault.kind]
                page["records"] = [
                    change(fault, r) if isinstance(r, dict) and _hit(fault, rng) else r
                    for r in page["records"]
                ]
        for fault in faults:
            if fault.kind in PAGES:
                PAGES[fault.kind](fault, page, rng)
    for fault in faults:
        if fault.kind in ENVELOPES:
            ENVELOPES[fault.kind](fault, envelope)
