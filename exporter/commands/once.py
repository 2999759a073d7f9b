"""`itnio-exporter once`."""

import sys
from pathlib import Path

import click

from exporter.accounts import Accounts
from exporter.app import announced
from exporter.commands.loading import loaded
from exporter.commands.options import HELP, with_config_file, with_log_options
from exporter.commands.running import configure_logs, run_to_end


@click.command(context_settings=HELP)
@with_config_file
@with_log_options("warning")
def once(*, config_file: Path, log_level: str, log_format: str) -> None:
    """Poll every account once and print the exposition; 1 where a poll was not whole."""
    configure_logs(log_level, log_format)
    config = announced(loaded(config_file))

    async def work() -> bool:
        accounts = Accounts(config)
        try:
            whole = await accounts.poll_once()
            sys.stdout.buffer.write(accounts.exposition.text(openmetrics=False))
            sys.stdout.buffer.flush()
        finally:
            await accounts.stop()
        return whole

    run_to_end(work())
