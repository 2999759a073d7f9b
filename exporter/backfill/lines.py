"""Snapshots into lines of OpenMetrics, and the lines of all accounts into one file.

OpenMetrics wants a family's series together, and a series' samples together, in the order of
time. Snapshots come in the order of time, so lines are collected series by series, and put on
disk whenever there are many.
"""

from collections.abc import Collection, Iterator
from typing import BinaryIO, Final

from exporter.backfill.request import Request
from exporter.backfill.spool import Spool
from exporter.exposition.families import CATALOGUE
from exporter.exposition.families.family import Family
from exporter.exposition.render import EOF, escaped, header, number
from exporter.snapshot import AccountSnapshot

MOST_SAMPLES: Final = 100_000
"""So many are held in memory."""

FAMILIES: Final[tuple[Family, ...]] = tuple(
    family
    for family in CATALOGUE
    if family.name.startswith("itnio_voice_window_")
    or (family.kind == "counter" and family.name.startswith("itnio_voice_"))
)
"""What can be told of the past: sums over tasks; neither polls nor the state of a moment."""
OWN_LABELS: Final = frozenset({"account"}.union(*(family.labels for family in FAMILIES)))

_Key = tuple[int, tuple[str, ...]]


class LineWriter:
    """Takes the snapshots of one account, in the order of time, into the spool."""

    def __init__(self, spool: Spool, place: int, account: str, request: Request) -> None:
        self._spool = spool
        self._place = place
        self._step = request.step
        self._begin = request.begin
        self._first = f'account="{escaped(account)}"'
        self._last = "".join(f',{name}="{escaped(text)}"' for name, text in request.labels)
        self._numbers: dict[_Key, int] = {}
        self._held: dict[_Key, list[str]] = {}
        self._samples = 0
        self._part = 0

    def add(self, snapshot: AccountSnapshot) -> bool:
        """Take a snapshot; return whether lines have been put on disk."""
        moment = int(snapshot.taken_at)
        held = self._held
        for place, family in enumerate(FAMILIES):
            for values, value in family.samples(snapshot):
                key = (place, values)
                lines = held.get(key)
                if lines is None:
                    lines = held[key] = self._begun(key, family, moment)
                lines.append(f"{number(value)} {moment}\n")
                self._samples += 1
        if self._samples < MOST_SAMPLES:
            return False
        self.flush()
        return True

    def _begun(self, key: _Key, family: Family, moment: int) -> list[str]:
        """Return the lines of a series so far: a new counter has been at 0 a step before."""
        new = key not in self._numbers
        return (
            [f"0 {moment - self._step}\n"]
            if new and family.kind == "counter" and moment > self._begin
            else []
        )

    def flush(self) -> None:
        """Put on disk what is held."""
        new = [key for key in self._held if key not in self._numbers]
        numbers = self._spool.add_series(
            self._place, ((place, self._labels(place, values)) for place, values in new)
        )
        self._numbers.update(zip(new, numbers, strict=True))
        points = (
            (self._numbers[key], "".join(lines).encode()) for key, lines in self._held.items()
        )
        self._spool.add_points(self._part, points)
        self._part += 1
        self._held = {}
        self._samples = 0

    def _labels(self, place: int, values: tuple[str, ...]) -> str:
        names = FAMILIES[place].labels
        own = "".join(
            f',{name}="{escaped(text)}"' for name, text in zip(names, values, strict=True)
        )
        return f"{self._first}{own}{self._last}"


def write(spool: Spool, accounts: Collection[int], to: BinaryIO) -> Iterator[float]:
    """Write all lines of these accounts; yield how much is done, from 0 to 1."""
    for place, family in enumerate(FAMILIES):
        series = spool.series(place, accounts)
        if series:
            to.write(header(family, openmetrics=True))
        for series_number, labels in series:
            begin = f"{family.name}{{{labels}}} ".encode()
            between = b"\n" + begin
            to.writelines(
                begin + lines[:-1].replace(b"\n", between) + b"\n"
                for lines in spool.points(series_number)
            )
        yield (place + 1) / len(FAMILIES)
    to.write(EOF)
