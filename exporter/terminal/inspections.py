"""The report of `check --live`: a block for each account, or a line for each finding in a log."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from exporter.inspection.findings import Finding, Inspection, Level
from exporter.terminal.screen import plain

_STYLES: Final = {Level.FINE: "green", Level.NOTE: "yellow", Level.WRONG: "bold red"}


def show(inspections: Sequence[Inspection], console: Console) -> None:
    """Write the whole report."""
    for inspection in inspections:
        if console.is_terminal:
            _show_block(inspection, console)
        else:
            _show_lines(inspection, console)


def _show_block(inspection: Inspection, console: Console) -> None:
    console.print(plain(inspection.account, "bold"), plain(inspection.base_url, "dim"))
    grid = Table.grid(padding=(0, 2, 0, 0), pad_edge=True)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for finding in inspection.findings:
        style = _STYLES[finding.level]
        text = plain(finding.text, style if finding.level is Level.WRONG else "")
        if finding.remedy:
            text.append("\n→ ", style="dim").append_text(plain(finding.remedy))
        grid.add_row(Text(f"  {finding.level.value}", style=style), plain(finding.topic), text)
    console.print(grid)
    if inspection.proposals:
        table = Table(title="Proposed settings", title_justify="left", title_style="bold")
        for heading in ("key", "now", "proposed", "why"):
            table.add_column(heading, overflow="fold")
        for each in inspection.proposals:
            table.add_row(
                plain(each.key), plain(each.now), plain(each.proposed, "bold"), plain(each.why)
            )
        console.print(table)
    console.print()


def _show_lines(inspection: Inspection, console: Console) -> None:
    for finding in inspection.findings:
        _line(console, inspection.account, _sentence(finding))
    for each in inspection.proposals:
        _line(
            console,
            inspection.account,
            f"proposal: {each.key}: {each.proposed} instead of {each.now} ({each.why})",
        )


def _sentence(finding: Finding) -> str:
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return f"{finding.level.value}: {finding.topic}: {finding.text}{remedy}"


def _line(console: Console, account: str, text: str) -> None:
    console.print(plain(f"{account}: {text}"), soft_wrap=True)
