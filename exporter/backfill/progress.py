"""How far a backfill is: bars on a terminal, a line now and then in a log."""

from types import TracebackType
from typing import Final, Self

import structlog
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

log = structlog.get_logger("backfill")

_READING: Final = "reading the history"
_REPLAYING: Final = "working out the figures"
_WRITING: Final = "writing the output"


class LoggedProgress:
    """Tells of each tenth that is done, once."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""

    def reading(self, account: str, done: float) -> None:
        """Take note of how much of an account's history is read."""
        self._tell(_READING, account, done)

    def replaying(self, account: str, done: float) -> None:
        """Take note of how much of an account's figures are worked out."""
        self._tell(_REPLAYING, account, done)

    def writing(self, done: float) -> None:
        """Take note of how much of the output is written."""
        self._tell(_WRITING, "", done)

    def _tell(self, what: str, account: str, done: float) -> None:
        tenth = int(done * 10)
        if tenth > self._told.get((what, account), 0):
            self._told[what, account] = tenth
            of = {"account": account} if account else {}
            log.info(what, progress=f"{tenth * 10}%", **of)


class BarProgress:
    """A bar for each account and what is done with it, on a terminal."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
            console=console,
            redirect_stdout=False,  # it may be the output itself
        )
        self._bars: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def reading(self, account: str, done: float) -> None:
        """Take note of how much of an account's history is read."""
        self._show(_READING, account, done)

    def replaying(self, account: str, done: float) -> None:
        """Take note of how much of an account's figures are worked out."""
        self._show(_REPLAYING, account, done)

    def writing(self, done: float) -> None:
        """Take note of how much of the output is written."""
        self._show(_WRITING, "", done)

    def _show(self, what: str, account: str, done: float) -> None:
        key = (what, account)
        if key not in self._bars:
            text = f"{account}: {what}" if account else what
            self._bars[key] = self._progress.add_task(escape(text), total=1.0)
        self._progress.update(self._bars[key], completed=done)
