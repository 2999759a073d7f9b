"""When a new counter has been seen at 0, so that what it counts from then on is not lost."""

from collections.abc import Iterable, Mapping

from exporter.tasks.ledger import Mark, Series


class Introductions:
    """Holds a new counter at 0 until it has been seen at 0, so that increase() has its start.

    A series stays at 0 from its first publication to the first one after it has been scraped; or
    for one publication and a patience, where scrapes are late or nobody scrapes at all.
    """

    def __init__(self, known: Iterable[Series] = ()) -> None:
        self._introduced = set(known)
        self._news: set[Series] = set()
        self._waiting: dict[Series, tuple[float, int]] = {}

    def exposed(
        self, totals: Mapping[Series, Mark], now: float, scrapes: int, patience: float
    ) -> dict[Series, Mark]:
        """Return what to publish at ``now``.

        ``scrapes`` is how many have been served so far, ``patience`` (seconds) how long a scrape
        is waited for.
        """
        return {
            series: total if self._is_known(series, now, scrapes, patience) else 0
            for series, total in totals.items()
        }

    def known(self, series: Series) -> bool:
        """Whether a series has been seen at 0."""
        return series in self._introduced

    def take_news(self) -> set[Series]:
        """Return the series that have become known since this was last asked."""
        news, self._news = self._news, set()
        return news

    def shown(self, series: Iterable[Series], now: float, scrapes: int) -> None:
        """Wait for these from now on: only now has it been published that they are at 0."""
        for each in series:
            if each in self._waiting:
                self._waiting[each] = (now, scrapes)

    def not_shown(self, series: Iterable[Series]) -> None:
        """Let these begin anew: that they are at 0 has not been published after all."""
        for each in series:
            self._waiting.pop(each, None)

    def _is_known(self, series: Series, now: float, scrapes: int, patience: float) -> bool:
        if series in self._introduced:
            return True
        if series not in self._waiting:
            self._waiting[series] = (now, scrapes)
            return False
        since, scrapes_then = self._waiting[series]
        # A clock that was set back must not hold a series for ever.
        if scrapes > scrapes_then or abs(now - since) >= patience:
            self._introduced.add(series)
            self._news.add(series)
            del self._waiting[series]
            return True
        return False
