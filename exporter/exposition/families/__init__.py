"""The metric catalogue: one table for what is served, and for docs/metrics.md, made from it."""

from typing import Final

from exporter.exposition.families import account, counters, live, tasks, windows
from exporter.exposition.families.family import Family

CATALOGUE: Final[list[Family]] = [
    *windows.FAMILIES,
    *counters.FAMILIES,
    *live.FAMILIES,
    *tasks.FAMILIES,
    *account.FAMILIES,
]
