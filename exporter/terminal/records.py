"""Tasks for other programs: JSON with exact decimals and whole times, CSV for spreadsheets."""

import csv
import json
import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Final, TextIO

from exporter.listing.reading import ListedTask
from exporter.tasks.task import Task
from exporter.web.wording import visible

COLUMNS: Final = (
    "account",
    "app",
    "task_id",
    "name",
    "script_id",
    "status",
    "created",
    "progress",
    "numbers",
    "calls",
    "answered",
    "failed",
    "answer_ratio",
    "average_call_duration_seconds",
    "spend",
)
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_FORMULA: Final = ("=", "+", "-", "@")
_LONGEST: Final = 10_000


def created(task: Task, zone: tzinfo | None) -> str:
    """Return when a task was created, with its offset; None: this host's zone."""
    return moment(task.created, zone).isoformat()


def moment(seconds: int, zone: tzinfo | None) -> datetime:
    """Return Unix seconds in a zone; at the calendar's ends, what is nearest."""
    try:
        return datetime.fromtimestamp(seconds, zone).astimezone(zone)
    except (OverflowError, OSError, ValueError):
        return datetime.max.replace(tzinfo=zone, microsecond=0)


def answer_ratio(task: Task) -> float | None:
    """Return answered calls over calls; None where nothing was called or it is not known."""
    if task.answered is None or not task.calls:
        return None
    return task.answered / task.calls


def call_duration(task: Task) -> float | None:
    """Return the mean seconds of an answered call; None where there is none."""
    if task.billed_seconds is None or not task.answered:
        return None
    return task.billed_seconds / task.answered


def record(each: ListedTask, zone: tzinfo | None) -> dict[str, Any]:
    """Return a task as JSON has it: None for what is not known, money as exact text."""
    task = each.task
    return {
        "account": each.account,
        "app": each.app,
        "task_id": task.task_id,
        "name": task.name,
        "script_id": task.script_id,
        "status": task.status.value,
        "created": created(task, zone),
        "progress": task.progress,
        "numbers": task.numbers,
        "calls": task.calls,
        "answered": task.answered,
        "failed": task.failed,
        "answer_ratio": answer_ratio(task),
        "average_call_duration_seconds": call_duration(task),
        "spend": {currency: f"{amount:f}" for currency, amount in task.spend().items()},
    }


def write_json(tasks: Sequence[ListedTask], stream: TextIO, zone: tzinfo | None) -> None:
    """Write one array, in ASCII, so that no control or direction character gets through."""
    json.dump([record(each, zone) for each in tasks], stream, indent=2)
    stream.write("\n")


def write_csv(tasks: Sequence[ListedTask], stream: TextIO, zone: tzinfo | None) -> None:
    """Write a line for each task under a line of names, as RFC 4180 has it."""
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for each in tasks:
        whole = record(each, zone)
        spend = whole["spend"]
        whole["spend"] = "; ".join(f"{amount} {currency}" for currency, amount in spend.items())
        writer.writerow([cell(whole[name]) for name in COLUMNS])


def cell(value: object) -> str:
    """Return a value as a spreadsheet or a terminal may have it: no formula, nothing unseen."""
    if value is None:
        return ""
    text = visible(str(value), _LONGEST)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
