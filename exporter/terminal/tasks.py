"""Tasks as a table for people: as many columns as the terminal is wide, the important ones first.

Names are foreign text: they are cut, and nothing in them reaches the terminal as a command.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from exporter.listing.reading import ListedTask
from exporter.tasks.task import Status
from exporter.terminal.records import answer_ratio, call_duration, moment
from exporter.web import wording

_GAP: Final = 2
_NARROWEST_NAME: Final = 20
_WIDEST_NAME: Final = 60
_STYLES: Final = {
    Status.CALLING: "green",
    Status.WAITING: "cyan",
    Status.SUBMITTING: "cyan",
    Status.SUSPENDED: "yellow",
    Status.SUBMISSION_FAILED: "red",
    Status.CANCELLED: "dim",
    Status.UNKNOWN: "yellow",
}


@dataclass(frozen=True, slots=True)
class _Column:
    """``rank``: columns with a higher one are left out first where the terminal is narrow."""

    title: str
    rank: int
    text: Callable[[ListedTask], str]
    justify: Literal["left", "right"] = "right"


def _percent(ratio: float | None) -> str:
    return "" if ratio is None else wording.percent(ratio)


def _whole(number: int | None) -> str:
    return "" if number is None else wording.whole(number)


def _spend(each: ListedTask) -> str:
    spend = each.task.spend()
    return " ".join(f"{wording.amount(spend[currency])} {currency}" for currency in spend)


def _columns(tasks: Sequence[ListedTask], zone: tzinfo | None) -> list[_Column]:
    """Return the columns in their order; account and app only where there are several to tell."""

    def created(each: ListedTask) -> str:
        return f"{moment(each.task.created, zone):%Y-%m-%d %H:%M:%S}"

    columns = [
        _Column("ID", 1, lambda each: str(each.task.task_id)),
        _Column("Name", 0, lambda each: wording.visible(each.task.name, _WIDEST_NAME), "left"),
        _Column("Script", 9, lambda each: wording.visible(each.task.script_id, 24), "left"),
        _Column("Status", 0, lambda each: each.task.status.value.replace("_", " "), "left"),
        _Column("Created", 4, created, "left"),
        _Column("Progress", 3, lambda each: _percent(each.task.progress)),
        _Column("Calls", 5, lambda each: _whole(each.task.calls)),
        _Column("Answered", 2, lambda each: _percent(answer_ratio(each.task))),
        _Column(
            "ACD",
            6,
            lambda each: (
                ""
                if (seconds := call_duration(each.task)) is None
                else wording.call_duration(seconds)
            ),
        ),
        _Column("Failed", 8, lambda each: _whole(each.task.failed)),
        _Column("Spend", 7, _spend),
    ]
    if len({each.app for each in tasks}) > 1:
        columns.insert(2, _Column("App", 7, lambda each: wording.visible(each.app, 24), "left"))
    if len({each.account for each in tasks}) > 1:
        columns.insert(0, _Column("Account", 2, lambda each: wording.visible(each.account), "left"))
    return columns


def task_table(tasks: Sequence[ListedTask], width: int, zone: tzinfo | None) -> Table:
    """Return the table of tasks for so many columns of a terminal."""
    columns = _columns(tasks, zone)
    texts = {column.title: [column.text(each) for each in tasks] for column in columns}
    widths = {
        column.title: max([cell_len(column.title), *map(cell_len, texts[column.title])])
        for column in columns
    }
    shown = list(columns)
    while _needed(shown, widths) > width and any(column.rank for column in shown):
        shown.remove(max(shown, key=lambda column: column.rank))
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    others = _needed(shown, widths | {"Name": 0})
    widths["Name"] = max(1, min(widths["Name"], width - others))
    for column in shown:
        table.add_column(
            column.title,
            justify=column.justify,
            no_wrap=True,
            overflow="ellipsis",
            width=widths[column.title],
        )
    for row, each in enumerate(tasks):
        style = _STYLES.get(each.task.status, "")
        table.add_row(
            *(
                Text(texts[column.title][row], style=style if column.title == "Status" else "")
                for column in shown
            )
        )
    return table


def _needed(columns: Sequence[_Column], widths: dict[str, int]) -> int:
    """Return the width with a name that is cut as far as can still be read."""
    name = min(widths["Name"], _NARROWEST_NAME)
    return sum(
        (name if column.title == "Name" else widths[column.title]) + _GAP for column in columns
    )


def show_table(
    tasks: Sequence[ListedTask], console: Console, zone: tzinfo | None, *, since: str
) -> None:
    """Write the table, or one line that says that there is nothing."""
    if not tasks:
        console.print(Text(f"no such tasks were created in the last {since}"))
        return
    console.print(task_table(tasks, console.width, zone))
