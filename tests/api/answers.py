"""Answers of the API as bytes, around the vendor's example record."""

import json
from datetime import UTC
from typing import Any

from exporter.api.records import Locale, Page, read_page
from exporter.simulator import EXAMPLE_RECORD
from exporter.tasks.task import Task

LOCALE = Locale(UTC, "USD")


def record(**fields: Any) -> dict[str, Any]:
    """Return the example record with other fields."""
    return {**EXAMPLE_RECORD, **fields}


def answer(*records: Any, code: Any = 0, **data: Any) -> bytes:
    """Return a page of records; ``data`` is put over what is beside them."""
    beside = {"total": len(records), "size": 100, "current": 1, "searchCount": True, "pages": 1}
    page = {"records": list(records), **beside, **data}
    return json.dumps({"code": code, "msg": "success", "data": page}).encode()


def read(*records: Any, locale: Locale = LOCALE) -> Page:
    """Return a page of records as it is read."""
    return read_page(answer(*records), locale)


def one(**fields: Any) -> Task:
    """Return the one task of a page with the example record, other fields put over it."""
    page = read(record(**fields))
    assert not page.rejected
    [task] = page.tasks
    return task


def refused(**fields: Any) -> str:
    """Return why a record is rejected; the records around it must be read all the same."""
    before, after = record(taskId=1), record(taskId=3)
    page = read(before, record(**{"taskId": 2, **fields}), after)
    assert [task.task_id for task in page.tasks] == [1, 3]
    assert len(page) == 3
    [(_, reason)] = page.rejected
    return reason
