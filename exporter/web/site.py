"""What the server needs of the running exporter, and all it may know of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from exporter.config import Config
from exporter.history import History
from exporter.snapshot import AccountSnapshot, Failure, Shared
from exporter.web.demonstration import Demonstration


class Site(Protocol):
    """A running exporter, seen from the web.

    Everything but ``scrape`` and ``reload`` answers at once, from what is in memory.
    """

    @property
    def telemetry_path(self) -> str:
        """The path of the metrics; read once, when the application is built."""

    @property
    def version(self) -> str:
        """The exporter's own version, as shown on the page."""

    @property
    def reload(self) -> Callable[[], Awaitable[None]] | None:
        """Load the configuration anew; None where that is not enabled over HTTP.

        Raises ConfigError where the file cannot be used; the old configuration is then kept.
        """

    @property
    def demonstration(self) -> Demonstration | None:
        """The demo's incidents; None anywhere else."""

    def now(self) -> float:
        """Return the time in Unix seconds."""

    def snapshots(self) -> Mapping[str, AccountSnapshot]:
        """Return the latest snapshot of every configured account, in the order of the file."""

    def histories(self) -> Mapping[str, History]:
        """Return how the figures of the accounts went; of a new account there may be none."""

    def config(self) -> Config:
        """Return the configuration in force."""

    def reload_failure(self) -> Failure | None:
        """Return why the last attempt to load the configuration failed; None where it did not."""

    def shared(self) -> Shared | None:
        """Return how the accounts are shared with other replicas; None where they are not."""

    def ready(self) -> bool:
        """Whether each account either has its first figures or has failed a poll."""

    async def scrape(
        self, openmetrics: bool, compressed: bool, names: frozenset[str]
    ) -> Sequence[bytes]:
        """Return the exposition: text 0.0.4 or OpenMetrics 1.0, gzipped where asked.

        Only the metrics of ``names``; all of them where it is empty. In pieces, most of which all
        scrapes share: sent one after the other, no scrape needs the memory of the whole.
        """

    def scrape_refused(self) -> None:
        """Take note of a scrape that was not answered, since there were too many."""
