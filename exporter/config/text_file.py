"""A configuration's file as text, and what is told of its problems."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from exporter.config.problems import ConfigError, Problem
from exporter.config.secret import MASK
from exporter.config.wording import escaped

LARGEST: Final = 1024 * 1024
MOST_PROBLEMS: Final = 500
# Shorter texts occur in ordinary words.
_SHORTEST_MASKED: Final = 4


def read_text(path: Path, flag: str) -> str:
    """Return what is in a file that the flag names; ConfigError where it is no readable text."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise whole_file(path, f"does not exist; create it or correct {flag}") from None
    except IsADirectoryError:
        raise whole_file(path, "is a directory; write the path of a file") from None
    except PermissionError:
        raise whole_file(path, "may not be read by this user; change its owner or mode") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise whole_file(path, f"cannot be read: {reason}") from None
    if len(content) > LARGEST:
        raise whole_file(path, "is larger than 1 MiB; is it the right file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise whole_file(path, "is not UTF-8 text; save it as UTF-8", line) from None


def shown_path(path: Path) -> str:
    """Return the path as errors show it."""
    return escaped(str(path))


def whole_file(path: Path, message: str, line: int = 1) -> ConfigError:
    """Return the error that says something of the file as a whole."""
    return ConfigError([Problem(shown_path(path), line, "", message)])


def told(problems: Sequence[Problem], secrets: Iterable[str]) -> Iterable[Problem]:
    """Return as many problems as one may read, without what is a secret elsewhere in the file."""
    hidden = [secret for secret in secrets if len(secret) >= _SHORTEST_MASKED]
    for problem in _first(problems):
        message = problem.message
        for secret in hidden:
            message = message.replace(secret, MASK)
        yield dataclasses.replace(problem, message=message)


def _first(problems: Sequence[Problem]) -> Sequence[Problem]:
    """Return the problems, or, where aliases have multiplied them, the first of them."""
    if len(problems) <= MOST_PROBLEMS:
        return problems
    shown = sorted(problems, key=lambda problem: problem.line)[:MOST_PROBLEMS]
    left = len(problems) - MOST_PROBLEMS
    last = dataclasses.replace(shown[-1], key="", message=f"{left} more problems; mend these first")
    return [*shown, last]
