"""Metrics that each account has for itself: told as one family, kept account by account.

prometheus_client goes through all children of a metric to tell of any. With hundreds of accounts
that takes longer than all else at a scrape, where only a few have been polled since the last.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from exporter.exposition.account_metrics import AccountMetrics


class ByAccount(Collector):
    """The metrics of all accounts; ``changed`` is called whenever any account's have."""

    def __init__(self, registry: CollectorRegistry, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._empty = tuple(_told(each) for each in AccountMetrics().all)
        self._of: dict[str, AccountMetrics] = {}
        self._revision_of: dict[str, list[int]] = {}
        """Of each of an account's metrics."""
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
                family.samples += _told(metrics.all[place]).samples
            yield family

    @property
    def accounts(self) -> Iterable[str]:
        """The accounts there are, in the order in which they came."""
        return self._of

    def of(self, account: str) -> AccountMetrics:
        """Return an account's metrics, which are told of from now on; the same ones each time."""
        metrics = self._of.get(account)
        if metrics is None:
            metrics = self._of[account] = AccountMetrics()
            self._revision_of[account] = [next(self._revisions) for _ in metrics.all]
            self._changed()
        return metrics

    def remove(self, account: str) -> None:
        """Tell of an account no more."""
        if self._of.pop(account, None) is not None:
            del self._revision_of[account]
            self._changed()

    def changed(self, account: str, *metrics: Collector) -> None:
        """Take note that some of an account's metrics have changed.

        Not where they are those of before it was removed: a client that ends may tell of them yet.
        """
        if account not in self._of:
            return
        for place, known in enumerate(self._of[account].all):
            if known in metrics:
                self._revision_of[account][place] = next(self._revisions)
                self._changed()

    def revisions(self, account: str) -> Sequence[int]:
        """Return for each of an account's metrics a number that no other state of it ever has."""
        return self._revision_of[account]

    def metric(self, account: str, place: int) -> Metric:
        """Return one of an account's metrics, by its place among them."""
        return _told(self._of[account].all[place])


def _told(collector: Collector) -> Metric:
    (metric,) = collector.collect()
    return metric
