"""Flags that several commands share."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from exporter import logs
from exporter.config import parse_duration
from exporter.web.options import Address, parse_address

# Of each command its own, too: click makes a help option once, by whoever asks for it first.
HELP: Final = {"help_option_names": ["-h", "--help"]}

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


class _ListenAddress(click.ParamType[Address]):
    name = "ADDRESS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        if isinstance(value, Address):
            return value
        try:
            return parse_address(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Positive(click.FloatRange):
    """A finite number above 0."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; click's usage error where it is none or infinite."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class Duration(click.ParamType[float]):
    """A Prometheus duration, as seconds."""

    name = "DURATION"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds; click's usage error where it is no duration."""
        if isinstance(value, float):
            return value
        try:
            return parse_duration(value)
        except ValueError:
            self.fail(f"{value!r} is no duration; write it like 30s, 5m or 1h30m", param, ctx)


def with_listen_address(default: str) -> Decorator:
    """Give a command ``--web.listen-address``."""
    return click.option(
        "--web.listen-address",
        "addresses",
        type=_ListenAddress(),
        multiple=True,
        default=[default],
        show_default=True,
        help="Where to listen: [HOST]:PORT; may be repeated.",
    )


with_config_file: Final[Decorator] = click.option(
    "--config.file",
    "config_file",
    type=click.Path(path_type=Path),
    default="config.yaml",
    show_default=True,
    help="The configuration.",
)
with_web_config_file: Final[Decorator] = click.option(
    "--web.config.file",
    "web_config_file",
    metavar="PATH",
    default="",
    help="TLS and basic authentication, in the format that all exporters share; empty: neither.",
)
with_telemetry_path: Final[Decorator] = click.option(
    "--web.telemetry-path",
    "telemetry_path",
    default="/metrics",
    show_default=True,
    help="Path of the metrics.",
)


def with_log_options(level: str) -> Decorator:
    """Give a command ``--log.level``, with this default, and ``--log.format``."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        command = click.option(
            "--log.format",
            "log_format",
            type=click.Choice(logs.FORMATS),
            default="logfmt",
            show_default=True,
            help="How a line of the log is written.",
        )(command)
        return click.option(
            "--log.level",
            "log_level",
            type=click.Choice(sorted(logs.LEVELS)),
            default=level,
            show_default=True,
            help="The least severity that is logged.",
        )(command)

    return add
