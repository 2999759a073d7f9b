"""How marks and totals are written: msgpack for a task, text for a total, nothing rounded."""

from decimal import Decimal
from typing import Final

import msgspec

from exporter.tasks.ledger import Mark, Marks
from exporter.tasks.task import Kind, Task


class _Above(msgspec.Struct):
    figures: dict[str, int]
    fees: list[tuple[Kind, str, Decimal]]


_encode: Final = msgspec.msgpack.Encoder().encode
_record: Final = msgspec.msgpack.Decoder(Task)
_above: Final = msgspec.msgpack.Decoder(_Above)


def written_record(task: Task) -> bytes:
    """Return a task's last counted record."""
    return _encode(task)


def read_record(written: bytes) -> Task:
    """Return a record as it was written; MsgspecError where it is not one."""
    return _record.decode(written)


def written_above(marks: Marks | None) -> bytes | None:
    """Return marks that lie above a record; None where there are none."""
    if not marks:
        return None
    figures = {key: int(mark) for key, mark in marks.items() if isinstance(key, str)}
    fees = [(*key, Decimal(mark)) for key, mark in marks.items() if isinstance(key, tuple)]
    return _encode(_Above(figures, fees))


def read_above(written: bytes | None) -> Marks | None:
    """Return marks as they were written."""
    if written is None:
        return None
    above = _above.decode(written)
    marks: Marks = {}
    marks.update(above.figures.items())
    marks.update({(kind, currency): mark for kind, currency, mark in above.fees})
    return marks


def read_total(text: str) -> Mark:
    """Return a total from its text: a count, or an amount of money."""
    return int(text) if text.isdecimal() else Decimal(text)
