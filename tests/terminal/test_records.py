"""JSON and CSV of tasks: exact, whole, and harmless to what opens them."""

import csv
import io
import json
import unicodedata
from datetime import UTC, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.tasks.task import Money, Status
from exporter.terminal.records import COLUMNS, cell, write_csv, write_json
from tests.terminal.tasks import HOSTILE, listed


def as_json(*tasks: object, zone: timezone = UTC) -> str:
    stream = io.StringIO()
    write_json(tasks, stream, zone)  # type: ignore[arg-type]
    return stream.getvalue()


def as_csv(*tasks: object) -> list[dict[str, str]]:
    stream = io.StringIO(newline="")
    write_csv(tasks, stream, UTC)  # type: ignore[arg-type]
    return list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))


def test_json_has_every_figure_exactly() -> None:
    (record,) = json.loads(as_json(listed(7, "a task", app="collections")))
    assert record == {
        "account": "production",
        "app": "collections",
        "task_id": 7,
        "name": "a task",
        "script_id": "56",
        "status": "calling",
        "created": "2023-11-14T22:13:20+00:00",
        "progress": 0.5,
        "numbers": 20,
        "calls": 10,
        "answered": 4,
        "failed": 1,
        "answer_ratio": 0.4,
        "average_call_duration_seconds": 30.0,
        "spend": {"USD": "0.100001"},
    }
    assert tuple(record) == COLUMNS


def test_what_is_not_known_is_null_and_not_zero() -> None:
    nothing = listed(
        progress=None, numbers=None, calls=None, answered=None, failed=None,
        billed_seconds=None, agent_fee=None, call_fee=None,
    )  # fmt: skip
    (record,) = json.loads(as_json(nothing))
    assert record["calls"] is record["answer_ratio"] is record["progress"] is None
    assert record["spend"] == {}
    (row,) = as_csv(nothing)
    assert row["calls"] == row["answer_ratio"] == row["spend"] == ""


def test_times_carry_their_offset() -> None:
    shanghai = timezone(timedelta(hours=8))
    (record,) = json.loads(as_json(listed(), zone=shanghai))
    assert record["created"] == "2023-11-15T06:13:20+08:00"


def test_several_currencies_stay_apart() -> None:
    task = listed(call_fee=Money(Decimal("1E-7"), "EUR"))
    (record,) = json.loads(as_json(task))
    assert record["spend"] == {"USD": "0.100000", "EUR": "0.0000001"}
    (row,) = as_csv(task)
    assert row["spend"] == "0.100000 USD; 0.0000001 EUR"


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_survive_json_and_show_nothing_unseen(name: str) -> None:
    text = as_json(listed(name=name))
    assert text.isascii()
    assert all(character == "\n" or character.isprintable() for character in text)
    assert json.loads(text)[0]["name"] == name


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_leave_csv_whole(name: str) -> None:
    (row,) = as_csv(listed(name=name, status=Status.FINISHED))
    assert row["status"] == "finished"
    assert all(unicodedata.category(character) not in {"Cc", "Cf"} for character in row["name"])


@pytest.mark.parametrize("formula", ["=1+1", "+A1", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_no_cell_is_a_formula(formula: str) -> None:
    (row,) = as_csv(listed(name=formula, script_id=formula))
    assert row["name"] == row["script_id"] == f"'{formula}"


@given(st.text())
def test_no_text_makes_a_formula(text: str) -> None:
    shown = cell(text)
    assert not shown.startswith(("=", "@", "\t", "\r"))
    assert not shown.startswith(("+", "-")) or shown[1:].replace(".", "", 1).isdecimal()


def test_a_number_stays_a_number() -> None:
    assert cell(-0.5) == "-0.5"
    assert cell("-12") == "-12"
    assert cell(None) == ""
