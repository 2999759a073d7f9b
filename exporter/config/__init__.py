"""The configuration file: YAML in, a frozen typed `Config` out, every error at its line."""

from exporter.config.durations import format_duration, parse_duration
from exporter.config.load import load, parse
from exporter.config.model import (
    Account,
    App,
    Config,
    Metrics,
    Objectives,
    Poll,
    Window,
)
from exporter.config.problems import ConfigError, Problem
from exporter.config.secret import Secret

__all__ = [
    "Account",
    "App",
    "Config",
    "ConfigError",
    "Metrics",
    "Objectives",
    "Poll",
    "Problem",
    "Secret",
    "Window",
    "format_duration",
    "load",
    "parse",
    "parse_duration",
]
