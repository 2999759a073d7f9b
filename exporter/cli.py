"""The command line: which commands there are. What each does is a module of `exporter.commands`.

A command's module is imported when it is called for, so that `check` and `--help` do not pay for
the server.
"""

import gc
import importlib
import os
import signal
from typing import Final

import click

from exporter import __version__

_COMMANDS: Final = {
    "run": "Poll the configured accounts and serve their metrics.",
    "demo": "Simulate an account on loopback and run the exporter over it.",
    "simulate": "Serve only the simulated API, to point an exporter at.",
    "check": "Validate the configuration; --live: try each account, too.",
    "tasks": "Show recent tasks in the terminal.",
    "schema": "Print the JSON Schema of the configuration.",
    "once": "Poll every account once and print the exposition.",
    "backfill": "Write the API's own history as OpenMetrics with timestamps.",
}


class _Commands(click.Group):
    """Commands that are imported when they are called for; their list needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        _end_as_first_process()
        # What imports make stays: to look for garbage among it takes a tenth of the start.
        gc.disable()
        try:
            module = importlib.import_module(f"exporter.commands.{cmd_name}")
        finally:
            gc.enable()
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _end_as_first_process() -> None:
    """End at SIGTERM also before, or where, nothing else handles it.

    The kernel lets the first process of a container ignore what it has no handler for: it would run
    on until it is killed.
    """
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="itnio-exporter")
def main() -> None:
    """Prometheus exporter for AI-agent outbound voice campaigns on the ITNIO voice API."""
