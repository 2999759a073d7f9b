"""Rows: answers whose data is odd, wrong or hostile."""

from exporter.simulator import Fault
from exporter.simulator import FaultKind as K
from tests.faults.during import Group, answer, api, faults
from tests.faults.row import FOLLOWS, Counters, Meanwhile, Row, Sums, Up, Windows, fails

_envelope = Group("Envelope")
_records = Group("Records")
_figures = Group("Figures")

HELD = Meanwhile(Up.YES, Windows.KEPT, Counters.STILL)
"""Polls are whole, but the figures they bring are none: counters wait for real ones."""
_RISE = Meanwhile(Up.YES, Windows.KEPT, Counters.RISE)
_SHOWN = Meanwhile(Up.YES, Windows.OTHER, Counters.COUNT)


def _every(name: str, fault: str, kind: K, meanwhile: Meanwhile = FOLLOWS, **more: object) -> Row:
    """Return a row about every record; ``amount`` and ``text`` are the fault's."""
    given = {key: more.pop(key) for key in ("amount", "text", "share") if key in more}
    return _figures.row(name, fault, api(kind, **given), meanwhile, **more)  # type: ignore[arg-type]


def _field(name: str, fault: str, text: str, meanwhile: Meanwhile, **more: object) -> Row:
    return _every(name, fault, K.SET_FIELD, meanwhile, text=text, **more)


ENVELOPE: list[Row] = [
    _envelope.row(
        "data null", "success, and data is null", api(K.DATA_NULL), fails("invalid_response")
    ),
    _envelope.row(
        "data a list",
        "success, and data is a list",
        answer({"code": 0, "data": []}),
        fails("invalid_response"),
    ),
    _envelope.row(
        "records null",
        "data.records is null, the total as ever",
        api(K.RECORDS_NULL),
        fails("incomplete"),
    ),
    _envelope.row(
        "records an object",
        "data.records is an object",
        answer({"code": 0, "data": {"records": {}, "total": 1}}),
        fails("invalid_response"),
    ),
    _envelope.row(
        "empty page", "no records, the total as ever", api(K.EMPTY_PAGE), fails("incomplete")
    ),
    _envelope.row(
        "nothing at all",
        "no records and a total of 0: all tasks are deleted, it says",
        answer({"code": 0, "data": {"records": [], "total": 0, "size": 100}}),
        Meanwhile(Up.YES, Windows.OTHER, Counters.STILL),
        note="a whole answer is believed: windows are empty, counters keep their marks",
    ),
    _envelope.row(
        "total too high", "total is 7 too many", api(K.WRONG_TOTAL, 7), fails("incomplete")
    ),
    _envelope.row(
        "total too low",
        "total is 2 too few",
        api(K.WRONG_TOTAL, -2),
        Meanwhile(Up.EITHER, Windows.OTHER, Counters.RISE),
        note="a total of 0 over no records cannot be told from the truth",
    ),
    _envelope.row(
        "total enormous",
        "total is 10^15 too many",
        api(K.WRONG_TOTAL, 1e15),
        fails("incomplete", "deadline"),
    ),
    _envelope.row(
        "no total", "total and pages are left out", api(K.MISSING_TOTAL), FOLLOWS, minutes=5
    ),
    _envelope.row("total as text", "total is text", api(K.TOTAL_AS_TEXT), FOLLOWS, minutes=5),
]

RECORDS: list[Row] = [
    _records.row("record null", "each record is null", api(K.RECORD_NOT_OBJECT), HELD),
    _records.row(
        "some records null",
        "half of the records are null",
        api(K.RECORD_NOT_OBJECT, share=0.5),
        _RISE,
    ),
    _records.row(
        "record a list", "each record is a list", api(K.RECORD_NOT_OBJECT, text="[1, 2]"), HELD
    ),
    _records.row("task id null", "taskId is null", api(K.SET_FIELD, text="taskId=null"), HELD),
    _records.row(
        "task id an object", "taskId is an object", api(K.SET_FIELD, text='taskId={"id": 1}'), HELD
    ),
    _records.row(
        "task id negative", "taskId is negative", api(K.SET_FIELD, text="taskId=-5"), HELD
    ),
    _records.row(
        "task id enormous", "taskId is 10^30", api(K.SET_FIELD, text="taskId=" + "9" * 30), HELD
    ),
    _records.row("jobId", "jobId in place of taskId", api(K.JOB_ID), FOLLOWS),
    _records.row(
        "extra fields", "fields that nobody knows, objects among them", api(K.EXTRA_FIELDS), FOLLOWS
    ),
    _records.row("bad time", "createdTime is: yesterday", api(K.BAD_TIME), HELD),
    _records.row(
        "no such time",
        "createdTime is 2024-02-30 25:61:00",
        api(K.BAD_TIME, text="2024-02-30 25:61:00"),
        HELD,
    ),
    _records.row(
        "time with an offset",
        "createdTime has an offset",
        api(K.BAD_TIME, text="2023-11-15 06:00:00+02:00"),
        HELD,
    ),
    _records.row(
        "time null", "createdTime is null", api(K.SET_FIELD, text="createdTime=null"), HELD
    ),
    _records.row("ISO time", "createdTime has a T in its middle", api(K.ISO_TIME), FOLLOWS),
    _records.row(
        "time of year 9999",
        "createdTime is 9999-12-31 23:59:59",
        api(K.BAD_TIME, text="9999-12-31 23:59:59"),
        HELD,
    ),
    _records.row(
        "time of year 1",
        "createdTime is 0001-01-01 00:00:00",
        api(K.BAD_TIME, text="0001-01-01 00:00:00"),
        HELD,
    ),
    _records.row("status unknown", "status is 9", api(K.UNKNOWN_STATUS), _SHOWN),
    _records.row("status null", "status is null", api(K.SET_FIELD, text="status=null"), _SHOWN),
    _records.row(
        "status an object", "status is an object", api(K.SET_FIELD, text="status={}"), _SHOWN
    ),
    _records.row(
        "script null",
        "scriptId is null",
        api(K.SET_FIELD, text="scriptId=null"),
        _RISE,
        sums=Sums.SCRIPTS,
        note='what is gained meanwhile is counted under script_id="unknown"',
    ),
    _records.row(
        "hostile names",
        "taskName is markup, quotes, line breaks, 2,000 characters",
        api(K.HOSTILE_NAMES),
        FOLLOWS,
    ),
    _records.row("duplicates", "every record comes twice", api(K.DUPLICATES), FOLLOWS, minutes=5),
    _records.row(
        "some duplicates",
        "a third of the records comes twice",
        api(K.DUPLICATES, share=0.3),
        FOLLOWS,
        minutes=5,
    ),
    _records.row(
        "lost records",
        "a third of the records is left out",
        api(K.LOST_RECORDS, share=0.3),
        Meanwhile(Up.EITHER, Windows.OTHER, Counters.RISE),
        minutes=5,
    ),
]

FIGURES: list[Row] = [
    _every("numbers as text", "every number is text", K.NUMBERS_AS_TEXT),
    _every("figures null", "every figure is null", K.NULL_FIGURES, _RISE),
    _every(
        "some figures null",
        "every figure of a third of the records is null",
        K.NULL_FIGURES,
        _RISE,
        share=0.3,
    ),
    _every("figures missing", "every figure is left out", K.MISSING_FIELDS, _RISE),
    _field("figure empty", "callNum is an empty text", 'callNum=""', _RISE),
    _every(
        "one figure missing", "chargeLen is left out", K.MISSING_FIELDS, _RISE, text="chargeLen"
    ),
    _every("negative", "every number is negative", K.NEGATIVE, HELD),
    _every(
        "some negative",
        "every number of a third of the records is negative",
        K.NEGATIVE,
        _RISE,
        share=0.3,
    ),
    _every("enormous", "every number is 10^30", K.ENORMOUS, HELD),
    _every("NaN", "every number is NaN", K.NAN, HELD),
    _field("Infinity", "chargeLen is Infinity", "chargeLen=Infinity", HELD),
    _field("fraction", "callNum is 1.5", "callNum=1.5", HELD),
    _field("number in words", "callNum is: lots", 'callNum="lots"', HELD),
    _field("true", "callNum is true", "callNum=true", HELD),
    _field("a list", "callNum is a list", "callNum=[1]", HELD),
    _field(
        "many digits",
        "callNum is a number of 5,000 digits as text",
        'callNum="' + "9" * 5000 + '"',
        HELD,
    ),
    _every("zero", "callNum is 0 for a while", K.SET_FIELD, _RISE, text="callNum=0"),
    _every("bare money", "fees have no currency", K.BARE_MONEY),
    _every("money as number", "fees are JSON numbers", K.MONEY_AS_NUMBER),
    _field("money NaN", "groupCallPayFee is NaN(USD)", 'groupCallPayFee="NaN(USD)"', HELD),
    _field("money in words", "groupCallPayFee is: free", 'groupCallPayFee="free"', HELD),
    _field("money enormous", "groupCallPayFee is 1e90(USD)", 'groupCallPayFee="1e90(USD)"', HELD),
    _field("money negative", "groupCallPayFee is -1.5(USD)", 'groupCallPayFee="-1.5(USD)"', _RISE),
    _field("money null", "agentFee is null", "agentFee=null", _RISE),
    _every("bare durations", "acd has no s", K.BARE_DURATION),
    _every("percent signs", "rate and asr have a percent sign", K.PERCENT_SIGN),
    _every("fractional percent", "rate and asr have decimals", K.FRACTIONAL_PERCENT),
    _field("progress in words", "rate is: done", 'rate="done"', FOLLOWS),
    _figures.row(
        "everything at once",
        "half of the records null, negative, hostile, twice, as text",
        faults(
            *(
                Fault(kind=kind, share=0.5)
                for kind in (
                    K.NULL_FIGURES,
                    K.NEGATIVE,
                    K.HOSTILE_NAMES,
                    K.DUPLICATES,
                    K.NUMBERS_AS_TEXT,
                )
            )
        ),
        _RISE,
        minutes=5,
    ),
]

ROWS = [*ENVELOPE, *RECORDS, *FIGURES]
