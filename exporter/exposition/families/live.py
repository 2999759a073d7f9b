"""The live state: what has not ended over the whole lookback."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from exporter.exposition.families.family import COMMON, Families, Sample, Section, one
from exporter.snapshot import AccountSnapshot, LiveFigures

FAMILIES: Final = Families()


def _live(
    name: str,
    labels: tuple[str, ...],
    samples: Callable[[LiveFigures, float], Iterable[Sample]],
    text: str,
    section: Section = Section.AGES,
) -> None:
    def of(snapshot: AccountSnapshot) -> Iterator[Sample]:
        figures = snapshot.figures
        for each in figures.live if figures else ():
            for values, value in samples(each, figures.taken_at if figures else 0):
                yield (each.app, each.script, *values), value

    what = f"{text} Over the whole lookback, as of the last whole poll."
    FAMILIES.add("gauge", f"itnio_voice_{name}", (*COMMON, *labels), of, what, section=section)


_live(
    "unfinished_tasks",
    ("status",),
    lambda each, _: (((status.value,), count) for status, count in each.unfinished.items()),
    "Tasks that are waiting, calling, suspended or submitting (from status).",
    Section.LIVE,
)
_live(
    "oldest_unfinished_task_age_seconds",
    ("status",),
    lambda each, now: (
        ((status.value,), max(0.0, now - created)) for status, created in each.oldest.items()
    ),
    """Time since the oldest unfinished task of a status was created (createdTime); absent where
    there is none.""",
)
_live(
    "oldest_stalled_task_seconds",
    (),
    lambda each, now: one(
        None if each.stalled_since is None else max(0.0, now - each.stalled_since)
    ),
    """Of the tasks in calling, the longest time without a change of callNum; absent where none is
    calling.""",
)
