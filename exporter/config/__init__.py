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
from exporter.config.problems import ConfigError, Problem, both
from exporter.config.secret import Secret
from exporter.config.secret_file import SecretFileError, read_secret_file

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
    "SecretFileError",
    "Window",
    "both",
    "format_duration",
    "load",
    "parse",
    "parse_duration",
    "read_secret_file",
]
