"""`itnio-exporter schema`."""

import click

from exporter.commands.options import HELP
from exporter.config.schema import schema_text


@click.command(context_settings=HELP)
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    click.echo(schema_text(), nl=False)
