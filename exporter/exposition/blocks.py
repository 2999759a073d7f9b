"""A snapshot cut into blocks: what its lines are made from, a little at a time.

A block whose parts equal those of the poll before has the same lines, and need not be rendered
anew; one that has changed is rendered from a snapshot that holds nothing else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final, TypeVar

from exporter.exposition.families.family import Section
from exporter.snapshot import AccountSnapshot, AppCounters, Figures

PARTS: Final = 4
"""How many windows' figures, scripts or tasks are rendered at a time: about a hundred lines."""
_TOTALS: Final = 40
"""How many counters are: about as many as two scripts have."""

Parts = tuple[Any, ...]
_Part = TypeVar("_Part")


def cut(snapshot: AccountSnapshot) -> Iterator[tuple[Section, Parts]]:
    """Yield the blocks of a snapshot, each section's in a row and always in the same order."""
    figures = snapshot.figures
    dispersions = figures.dispersions if figures else ()
    # All but what has blocks of its own, so that nothing which is added to it can be forgotten.
    rest = replace(snapshot, taken_at=0.0, figures=None, counters=())
    yield Section.ACCOUNT, (rest, dispersions)
    for app in snapshot.counters:
        totals = iter(app.totals.items())
        while some := tuple(islice(totals, _TOTALS)):
            yield Section.COUNTERS, (app.app, some)
    if figures is None:
        return
    for windows in _some(figures.windows):
        yield Section.WINDOWS, windows
    for live in _some(figures.live):
        yield Section.LIVE, live
        if any(each.oldest or each.stalled_since is not None for each in live):
            yield Section.AGES, (figures.taken_at, *live)
    for tasks in _some(figures.unfinished[: snapshot.task_limit]):
        yield Section.UNFINISHED, tasks


def alone(snapshot: AccountSnapshot, section: Section, parts: Parts) -> AccountSnapshot:
    """Return a snapshot that has nothing for this section's families but one block's parts."""
    if section is Section.ACCOUNT:
        return snapshot
    if section is Section.COUNTERS:
        app, totals = parts
        return replace(snapshot, figures=None, counters=(AppCounters(app, dict(totals)),))
    taken_at = snapshot.figures.taken_at if snapshot.figures else 0.0
    figures = Figures(
        windows=parts if section is Section.WINDOWS else (),
        live=_live(section, parts),
        unfinished=parts if section is Section.UNFINISHED else (),
        taken_at=taken_at,
    )
    return replace(snapshot, figures=figures, counters=())


def _live(section: Section, parts: Parts) -> Parts:
    if section is Section.AGES:
        return parts[1:]
    return parts if section is Section.LIVE else ()


def parts_of(snapshot: AccountSnapshot) -> int:
    """Return about how many parts a snapshot has: a measure of the work of rendering it."""
    figures = snapshot.figures
    totals = sum(len(app.totals) for app in snapshot.counters)
    of_figures = len(figures.windows) + len(figures.live) + snapshot.task_limit if figures else 0
    return totals // (_TOTALS // PARTS) + of_figures


def _some(parts: Sequence[_Part]) -> Iterator[tuple[_Part, ...]]:
    for first in range(0, len(parts), PARTS):
        yield tuple(parts[first : first + PARTS])
