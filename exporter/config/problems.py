"""What is wrong with a configuration, and where."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

WHOLE_FILE = "(file)"

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: `message` says what is wrong and what to do, `key` where: `poll.windows[1]`.

    Lines count from 1. `key` is empty where the file as a whole is meant.
    """

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key or WHOLE_FILE}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` has every reason, by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line)))
        super().__init__("\n".join(map(str, self.problems)))


class Refusal(Exception):  # noqa: N818 - not an error of the program, and never leaves this package
    """A value is not acceptable. Carries what is wrong and what to do, never the value itself."""


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Return what two loaders return; ConfigError with the problems of both at once."""
    try:
        loaded = first()
    except ConfigError as error:
        try:
            second()
        except ConfigError as other:
            raise ConfigError([*error.problems, *other.problems]) from None
        raise
    return loaded, second()
