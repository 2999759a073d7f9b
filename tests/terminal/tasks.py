"""Tasks to show, with names that would rather do something else."""

from decimal import Decimal
from typing import Any

from exporter.listing.reading import ListedTask
from exporter.tasks.task import Money, Status, Task

HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07",
    "[bold red]markup[/] [link=http://evil]x[/link]",
    "two\nlines\r\n\tand a tab",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\N{POP DIRECTIONAL FORMATTING}",
    "\x9b31mC1\x85next",
    ":boom: \N{ZERO WIDTH SPACE}\N{LINE SEPARATOR}",
    "long " * 2_000,
    "\0null",
)


def listed(task_id: int = 1, name: str = "a task", **fields: Any) -> ListedTask:
    account, app = fields.pop("account", "production"), fields.pop("app", "")
    figures = {
        "progress": 0.5,
        "numbers": 20,
        "calls": 10,
        "answered": 4,
        "failed": 1,
        "billed_seconds": 120,
        "agent_fee": Money(Decimal("0.100000"), "USD"),
        "call_fee": Money(Decimal("0.000001"), "USD"),
        **fields,
    }
    status = figures.pop("status", Status.CALLING)
    created = figures.pop("created", 1_700_000_000)
    script_id = figures.pop("script_id", "56")
    task = Task(task_id, name, status, script_id, created, **figures)
    return ListedTask(account, app, task)
