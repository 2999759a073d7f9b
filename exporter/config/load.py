"""From a file to a `Config`, or to every reason why not."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from exporter.config.build import build_config
from exporter.config.fields import ROOT
from exporter.config.model import Config
from exporter.config.places import Scalar, parse_yaml
from exporter.config.problems import ConfigError, Problem
from exporter.config.reading import Place, Reader, Report
from exporter.config.secret import MASK
from exporter.config.wording import escaped

LARGEST: Final = 1024 * 1024
MOST_PROBLEMS: Final = 500
# Shorter texts occur in ordinary words.
_SHORTEST_MASKED: Final = 4


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the file; raise ConfigError with every problem at once, sorted by line."""
    return parse(_read(path), environ, file=path)


def parse(text: str, environ: Mapping[str, str], *, file: Path = Path("config.yaml")) -> Config:
    """Read the text of a file; `file` names it in errors, and its folder anchors secret files."""
    name = _name(file)
    root, problems = parse_yaml(text, name)
    if root is None and problems:
        # Nothing could be read, so what is missing is not known.
        raise ConfigError(problems)
    if root is None or (isinstance(root, Scalar) and root.is_null):
        raise _whole_file(file, "is empty; begin with a copy of config.example.yaml")
    report = Report(name, problems)
    reader = Reader(report, environ)
    values = reader.section(ROOT, root, Place(1, ""))
    config = build_config(values, report, file.parent)
    if report.problems or config is None:
        raise ConfigError(_masked(_first(report.problems), set(reader.secrets)))
    return config


def _first(problems: list[Problem]) -> list[Problem]:
    """Return the problems, or, where aliases have multiplied them, as many as one may read."""
    if len(problems) <= MOST_PROBLEMS:
        return problems
    shown = sorted(problems, key=lambda problem: problem.line)[:MOST_PROBLEMS]
    left = len(problems) - MOST_PROBLEMS
    last = dataclasses.replace(shown[-1], key="", message=f"{left} more problems; mend these first")
    return [*shown, last]


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise _whole_file(path, "does not exist; create it or correct --config.file") from None
    except IsADirectoryError:
        raise _whole_file(path, "is a directory; write the path of a file") from None
    except PermissionError:
        raise _whole_file(path, "may not be read by this user; change its owner or mode") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise _whole_file(path, f"cannot be read: {reason}") from None
    if len(content) > LARGEST:
        raise _whole_file(path, "is larger than 1 MiB; is it the right file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _whole_file(path, "is not UTF-8 text; save it as UTF-8", line) from None


def _name(path: Path) -> str:
    return escaped(str(path))


def _whole_file(path: Path, message: str, line: int = 1) -> ConfigError:
    return ConfigError([Problem(_name(path), line, "", message)])


def _masked(problems: Iterable[Problem], secrets: Iterable[str]) -> Iterable[Problem]:
    """Hide what is a secret elsewhere in the file: nobody else's message is worth showing it."""
    for problem in problems:
        message = problem.message
        for secret in secrets:
            if len(secret) >= _SHORTEST_MASKED:
                message = message.replace(secret, MASK)
        yield dataclasses.replace(problem, message=message)
