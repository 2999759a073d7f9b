"""The configuration as a command reads it: what is wrong with it ends the command."""

import os
from pathlib import Path
from typing import Final

import click

from exporter.config import Config, ConfigError, load

BAD_USAGE: Final = 2


def loaded(config_file: Path) -> Config:
    """Return what the file says; every problem on standard error and exit status 2 instead."""
    try:
        return load(config_file, os.environ)
    except ConfigError as error:
        click.echo(str(error), err=True)
        raise SystemExit(BAD_USAGE) from None
