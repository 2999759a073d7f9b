"""The configuration as a command reads it: what is wrong with it ends the command."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import click

from exporter.config import Config, ConfigError, load

BAD_USAGE: Final = 2

T = TypeVar("T")


def loaded(config_file: Path) -> Config:
    """Return what the file says; every problem on standard error and exit status 2 instead."""
    return usable(lambda: load(config_file, os.environ))


def usable(read: Callable[[], T]) -> T:
    """Return what was read; every problem on standard error and exit status 2 instead."""
    try:
        return read()
    except ConfigError as error:
        click.echo(str(error), err=True)
        raise SystemExit(BAD_USAGE) from None
