"""Which unfinished tasks are asked for, in the page's address, and the table that gives. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from exporter.tasks.task import UNFINISHED, Status
from exporter.web.attention import STATUS_WORDS, Concern, TaskRow, Unfinished, row
from exporter.web.wording import LONGEST_TEXT, visible

MOST_ROWS: Final = 100
"""Tasks on one page of the table."""
ATTENTION: Final = "attention"
_STATUSES: Final = {
    ATTENTION: "needs attention",
    **{status.value: STATUS_WORDS[status] for status in (*UNFINISHED, Status.UNKNOWN)},
}
_MOST_CHOICES: Final = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; empty: all. ``part`` counts from 1."""

    account: str = ""
    app: str = ""
    status: str = ""
    text: str = ""
    part: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Filter":
        """Read an address; what makes no sense there is taken for absent, or finds nothing."""
        part = query.get("part", "")
        status = query.get("status", "")
        return cls(
            account=visible(query.get("account", "")),
            app=visible(query.get("app", "")),
            status=status if status in _STATUSES else "",
            text=visible(query.get("text", "").strip()),
            part=int(part) if part.isascii() and part.isdigit() and len(part) < LONGEST_TEXT else 1,
        )

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.account or self.app or self.status or self.text)

    @property
    def address(self) -> str:
        """The query that asks for this; empty where everything is asked for."""
        asked = {
            "account": self.account,
            "app": self.app,
            "status": self.status,
            "text": self.text,
            "part": str(self.part) if self.part > 1 else "",
        }
        return urlencode({name: value for name, value in asked.items() if value})

    def admits(self, task: Unfinished) -> bool:
        """Whether a task is asked for."""
        each = task.each
        if self.account and self.account != task.account:
            return False
        if self.app and self.app != visible(each.app):
            return False
        if self.status == ATTENTION:
            if task.concern is Concern.NONE:
                return False
        elif self.status and self.status != each.task.status.value:
            return False
        text = self.text.casefold()
        return (
            not text or text in str(each.task.task_id) or text in visible(each.task.name).casefold()
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a filter."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class TaskTable:
    """The part of the tasks that is shown, and how to reach the others."""

    asked: Filter
    accounts: Sequence[Choice]
    """Empty where there is nothing to choose from."""
    apps: Sequence[Choice]
    statuses: Sequence[Choice]
    rows: Sequence[TaskRow]
    first: int
    """Place of the first row among the matching ones, from 1."""
    matching: int
    total: int
    counts: Sequence[tuple[str, int]]
    """How many of all are in which status, in words."""
    earlier: Filter | None
    later: Filter | None

    @property
    def last(self) -> int:
        """Place of the last row."""
        return self.first + len(self.rows) - 1

    @property
    def with_accounts(self) -> bool:
        """Whether rows have to say which account they are of."""
        return bool(self.accounts)

    @property
    def with_apps(self) -> bool:
        """Whether there are apps to tell apart."""
        return bool(self.apps)


def task_table(
    tasks: Sequence[Unfinished], asked: Filter, accounts: Iterable[str], now: float
) -> TaskTable:
    """Return the table of what is asked for; ``accounts`` are the names as shown."""
    matching = [task for task in tasks if asked.admits(task)]
    parts = max(1, -(-len(matching) // MOST_ROWS))
    part = min(max(1, asked.part), parts)
    begin = (part - 1) * MOST_ROWS
    apps = sorted({visible(task.each.app) for task in tasks} - {""})
    counts: dict[Status, int] = {}
    for task in tasks:
        counts[task.each.task.status] = counts.get(task.each.task.status, 0) + 1
    names = list(accounts)
    return TaskTable(
        asked=asked,
        accounts=_choices(asked.account, "all accounts", names) if len(names) > 1 else (),
        apps=_choices(asked.app, "all apps", apps) if apps else (),
        statuses=_choices(asked.status, "any status", _STATUSES, _STATUSES),
        rows=[row(task, now) for task in matching[begin : begin + MOST_ROWS]],
        first=begin + 1,
        matching=len(matching),
        total=len(tasks),
        counts=[
            (words, counts[status]) for status, words in STATUS_WORDS.items() if status in counts
        ],
        earlier=replace(asked, part=part - 1) if part > 1 else None,
        later=replace(asked, part=part + 1) if part < parts else None,
    )


def _choices(
    chosen: str, everything: str, values: Iterable[str], words: Mapping[str, str] | None = None
) -> Sequence[Choice]:
    offered = list(values)[:_MOST_CHOICES]
    if chosen and chosen not in offered:
        # What is asked for must be seen to be asked for, also where it finds nothing.
        offered.append(chosen)
    return (
        Choice("", everything, not chosen),
        *(Choice(each, (words or {}).get(each, each), each == chosen) for each in offered),
    )
