"""What a metric family is: its name, type, help and labels, and where its samples are."""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from exporter.snapshot import AccountSnapshot

Value = int | float | Decimal
Sample = tuple[tuple[str, ...], Value]
"""Label values, in the order of the family's labels without ``account``; and the value."""

COMMON: Final = ("app", "script_id")


class Section(enum.Enum):
    """What of a snapshot a family's samples are made from, and nothing else."""

    ACCOUNT = "account"
    """Health, objectives, and what there is once for an app: a few lines."""
    WINDOWS = "windows"
    COUNTERS = "counters"
    LIVE = "live"
    AGES = "ages"
    """What grows older in it, and is another at every moment."""
    UNFINISHED = "unfinished"

    __hash__ = object.__hash__  # as in Status


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family. ``account`` is the first label of all and is not repeated here."""

    name: str
    """As its samples are called: counters end in ``_total``, infos in ``_info``."""
    kind: Literal["gauge", "counter", "info"]
    help: str
    labels: tuple[str, ...]
    samples: Callable[[AccountSnapshot], Iterable[Sample]]
    section: Section = Section.ACCOUNT
    """Samples are made part by part of it, so that what has not changed is not rendered anew."""


class Families(list[Family]):
    """Families of one kind, in the order in which they are served."""

    def add(
        self,
        kind: Literal["gauge", "counter", "info"],
        name: str,
        labels: tuple[str, ...],
        samples: Callable[[AccountSnapshot], Iterable[Sample]],
        text: str,
        *,
        section: Section = Section.ACCOUNT,
    ) -> None:
        """Add one; ``text`` is its help, in as many lines as it takes."""
        self.append(Family(name, kind, " ".join(text.split()), labels, samples, section))


def one(value: Value | None) -> Iterable[Sample]:
    """Return the sample of a figure without further labels; none where there is no figure."""
    return () if value is None else (((), value),)
