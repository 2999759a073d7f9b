"""`itnio-exporter check`."""

from pathlib import Path

import click

from exporter.commands.loading import loaded
from exporter.commands.options import HELP, with_config_file


@click.command(context_settings=HELP)
@with_config_file
def check(config_file: Path) -> None:
    """Validate the configuration: every problem at once, each with its line."""
    config = loaded(config_file)
    for warning in config.warnings:
        click.echo(f"warning: {warning}", err=True)
    names = ", ".join(account.name for account in config.accounts)
    click.echo(f"{config_file}: fine; accounts: {names}")
