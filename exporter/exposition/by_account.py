"""Metrics that each account has for itself: told as one family, kept account by account.

prometheus_client goes through all children of a metric to tell of any. With hundreds of accounts
that takes longer than all else at a scrape, where only a few have been polled since the last.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector


class ByAccount(Collector):
    """The metrics of all accounts, those of each made by ``make`` and in no registry.

    ``make`` makes the same metrics for each account, in the same order; ``changed`` is called
    whenever any account's have.
    """

    def __init__(
        self,
        make: Callable[[], Sequence[Collector]],
        changed: Callable[[], None],
        registry: CollectorRegistry,
    ) -> None:
        self._changed = changed
        self._empty = tuple(_told(each) for each in make())
        self._of: dict[str, Sequence[Collector]] = {}
        self._current: dict[str, list[int]] = {}
        self._revisions = count()
        registry.register(self)

    def describe(self) -> Sequence[Metric]:
        """Return the families without samples."""
        return self._empty

    def collect(self) -> Iterator[Metric]:
        """Yield each family with the samples of all accounts."""
        for place, empty in enumerate(self._empty):
            family = Metric(empty.name, empty.documentation, empty.type, empty.unit)
            for metrics in self._of.values():
                family.samples += _told(metrics[place]).samples
            yield family

    @property
    def accounts(self) -> Iterable[str]:
        """The accounts there are, in the order in which they came."""
        return self._of

    def add(self, account: str, metrics: Sequence[Collector]) -> None:
        """Tell of an account from now on."""
        self._of[account] = metrics
        self._current[account] = [next(self._revisions) for _ in metrics]
        self._changed()

    def remove(self, account: str) -> None:
        """Tell of an account no more."""
        if self._of.pop(account, None) is not None:
            del self._current[account]
            self._changed()

    def changed(self, account: str, *metrics: Collector) -> None:
        """Take note that some of an account's metrics have changed."""
        known = self._of.get(account, ())
        # Else a client that ends tells of what has been forgotten.
        for each in set(metrics).intersection(known):
            self._current[account][known.index(each)] = next(self._revisions)
            self._changed()

    def revisions(self, account: str) -> Sequence[int]:
        """Return for each of an account's metrics a number that no other state of it ever has."""
        return self._current[account]

    def metric(self, account: str, place: int) -> Metric:
        """Return one of an account's metrics, by its place among them."""
        return _told(self._of[account][place])


def _told(collector: Collector) -> Metric:
    (metric,) = collector.collect()
    return metric
