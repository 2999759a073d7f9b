"""Where output goes: a terminal, coloured and as wide as it is, or plain lines anywhere else."""

import contextlib
import sys
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from exporter.web.wording import visible

_LONGEST: Final = 1_000
_WIDE: Final = 200
"""Columns of what no terminal cuts."""


def screen(stream: TextIO | None = None) -> Console:
    """Return the console of a stream, standard output by default.

    Nothing is made of markup, emoji codes or numbers in what is shown: much of it is foreign text.
    """
    stream = stream or sys.stdout
    with contextlib.suppress(AttributeError, ValueError):
        # A terminal that cannot show a character shows its escape instead.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    console = Console(file=stream, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        # The environment's COLUMNS is a terminal's; a pipe has no edge.
        console.width = _WIDE
    return console


def plain(text: str, style: str = "") -> Text:
    """Return text as it may be shown: on one line, bounded, harmless."""
    return Text(visible(text, _LONGEST), style=style)
