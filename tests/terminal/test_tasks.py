"""The table of tasks: fits the terminal, and no name does anything to it."""

import io
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from exporter.listing.reading import ListedTask
from exporter.tasks.task import Status
from exporter.terminal.tasks import show_table
from tests.terminal.tasks import HOSTILE, listed


def shown(*tasks: ListedTask, width: int = 160) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, markup=False, emoji=False, highlight=False)
    show_table(tasks, console, UTC, since="1d")
    return stream.getvalue().splitlines()


def test_every_column_where_there_is_room() -> None:
    head, line = shown(listed(30374002, "reminders renewal"))
    assert head.split() == [
        *("ID", "Name", "Script", "Status", "Created"),
        *("Progress", "Calls", "Answered", "ACD", "Failed", "Spend"),
    ]
    assert " ".join(line.replace("\N{NO-BREAK SPACE}", " ").split()) == (
        "30374002 reminders renewal 56 calling 2023-11-14 22:13:20 "
        "50.0 % 10 40.0 % 30 s 1 0.100001 USD"
    )


def test_account_and_app_where_there_are_several() -> None:
    head, *_ = shown(listed(1, account="a", app="x"), listed(2, account="b", app="y"))
    assert head.split()[:4] == ["Account", "ID", "Name", "App"]


def test_nothing_found_is_a_sentence() -> None:
    assert shown() == ["no such tasks were created in the last 1d"]


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (30, {"Name", "Status"}),
        (50, {"ID", "Name", "Status"}),
        (80, {"ID", "Name", "Status", "Created", "Progress", "Answered"} - {"Created"}),
        (100, {"ID", "Name", "Status", "Created", "Progress", "Answered", "Calls"}),
    ],
)
def test_a_narrow_terminal_has_fewer_columns(width: int, columns: set[str]) -> None:
    head, line = shown(listed(258740048, "2024-06-04 14:49:17-agent " * 3), width=width)
    assert columns <= set(head.split())
    assert cell_len(line.rstrip()) <= width
    assert "…" in line


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("width", [40, 80, 160])
def test_hostile_names_are_one_harmless_line(name: str, width: int) -> None:
    lines = shown(listed(1, name, script_id=name, app=name), listed(2, app="other"), width=width)
    assert len(lines) == 3
    for line in lines:
        assert line.isprintable() or "\N{NO-BREAK SPACE}" in line
        assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in line)
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in line
        assert cell_len(line.rstrip()) <= width


def test_markup_is_shown_as_it_is() -> None:
    _, line = shown(listed(1, "[bold red]markup[/] :boom:"))
    assert "[bold red]markup[/] :boom:" in line


@given(st.text(max_size=300), st.integers(20, 200), st.sampled_from(Status))
def test_any_name_fits(name: str, width: int, status: Status) -> None:
    lines = shown(listed(1, name, status=status), width=width)
    assert len(lines) == 2
    assert all(cell_len(line.rstrip()) <= max(width, 40) for line in lines)
