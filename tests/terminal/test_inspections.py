"""The report of `check --live`: blocks in a terminal, whole lines in a log, harmless in both."""

import io

from rich.console import Console

from exporter.inspection.findings import Inspection, Level, Proposal
from exporter.terminal.inspections import show
from tests.terminal.tasks import HOSTILE


def inspection(text: str = "wrong zone", remedy: str = "Write another.") -> Inspection:
    found = Inspection("production", "https://api.example")
    found.add(Level.FINE, "reached", "directly")
    found.add(Level.WRONG, "zone", text, remedy)
    found.proposals.append(Proposal("timezone", "UTC", '"+08:00"', "by the newest tasks"))
    return found


def shown(*inspections: Inspection, terminal: bool, width: int = 80) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=terminal,
        color_system=None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    show(inspections, console)
    return stream.getvalue()


def test_a_log_has_a_line_for_each_finding_however_long() -> None:
    text = "a long reason " * 30
    lines = shown(inspection(text), terminal=False).splitlines()
    assert lines == [
        "production: ok: reached: directly",
        f"production: wrong: zone: {text}; Write another.",
        'production: proposal: timezone: "+08:00" instead of UTC (by the newest tasks)',
    ]


def test_a_terminal_has_a_block_for_each_account() -> None:
    lines = shown(inspection(), inspection(), terminal=True).splitlines()
    assert lines[0] == "production https://api.example"
    assert "  ok     reached  directly" in [line.rstrip() for line in lines]
    assert "  wrong  zone     wrong zone" in [line.rstrip() for line in lines]
    assert any("→ Write another." in line for line in lines)
    assert sum("Proposed settings" in line for line in lines) == 2
    assert all(len(line) <= 80 for line in lines)


def test_what_the_api_says_does_nothing_to_either() -> None:
    for name in HOSTILE:
        for terminal in (True, False):
            text = shown(inspection(name, name), terminal=terminal)
            assert not any(ord(each) < 0x20 for each in text if each != "\n")
            assert not any(0x7F <= ord(each) < 0xA0 for each in text)
            assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
    assert "[bold red]markup[/]" in shown(inspection(HOSTILE[1]), terminal=True)


def test_fine_is_what_has_nothing_wrong() -> None:
    found = Inspection("a", "b")
    found.add(Level.NOTE, "zone", "cannot be told")
    assert found.fine
    found.add(Level.WRONG, "clock", "skewed")
    assert not found.fine
