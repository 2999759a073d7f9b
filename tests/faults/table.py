"""The fault matrix: every row there is, in the order of docs/reliability.md."""

from typing import Final

from tests.faults import answers, clocks, data, paging, processes, scrapers, stores, worlds
from tests.faults.row import Row

TABLE: Final[list[Row]] = [
    row
    for part in (answers, data, paging, clocks, worlds, stores, processes, scrapers)
    for row in part.ROWS
]
