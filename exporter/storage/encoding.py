"""How marks and totals are written: a task as packed, text for a total, nothing rounded."""

from decimal import Decimal
from typing import Final

import msgspec

from exporter.tasks.ledger import Mark, Marks
from exporter.tasks.packed import packed, unpacked
from exporter.tasks.task import Kind, Task


class _Above(msgspec.Struct):
    figures: dict[str, int]
    fees: list[tuple[Kind, str, Decimal]]


_encode: Final = msgspec.msgpack.Encoder().encode
_MAP: Final = b"\xde"
# Version 0.1 stored each field with its name.
_named: Final = msgspec.msgpack.Decoder(
    msgspec.defstruct(
        "_NamedTask",
        [
            (each.name, each.type) if each.required else (each.name, each.type, each.default)
            for each in msgspec.structs.fields(Task)
        ],
    )
)
_above: Final = msgspec.msgpack.Decoder(_Above)


def read_record(written: bytes) -> bytes:
    """Return a packed task from the bytes that were stored; MsgspecError where they are not one."""
    if written[:1] == _MAP:
        return packed(Task(*msgspec.structs.astuple(_named.decode(written))))
    unpacked(written)
    return written


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
