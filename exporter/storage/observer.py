"""What a store tells for the exporter's own metrics, whichever store it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from exporter.storage.model import StorageError

log = structlog.get_logger("store")


class Observer(Protocol):
    """What the store tells for the exporter's own metrics."""

    def store_committed(self, seconds: float, size: int) -> None:
        """Take note of a commit, how long it took, and the bytes that the store has now."""

    def store_failed(self, reason: str) -> None:
        """Take note of a try that failed."""


@contextmanager
def reported(observer: Observer, where: str) -> Iterator[None]:
    """Tell of a use of the store that fails, as a StorageError whatever it was."""
    try:
        yield
    except StorageError as error:
        observer.store_failed(error.reason)
        raise
    except Exception as error:
        # Whatever it was, polling and scraping must go on without the store.
        log.exception("a fault in keeping the counters")
        observer.store_failed("failed")
        raise StorageError(
            "failed", f"{where}: {type(error).__name__}: {error}; see the log"
        ) from error
