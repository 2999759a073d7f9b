"""The exporter's own metrics, on prometheus_client: what it asks, how that goes, what it costs.

What belongs to one poll's outcome is in its snapshot instead (``families``); here is what adds up
over polls, and the standard process and Python metrics.
"""

import platform
from collections.abc import Iterable
from typing import Final

from prometheus_client import (
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
)
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.registry import Collector

from exporter.exposition.account_metrics import AccountMetrics
from exporter.exposition.by_account import ByAccount
from exporter.exposition.own import OwnRegistry
from exporter.exposition.process import Garbage, Process

MOST_CODES: Final = 40
"""Distinct values of the ``code`` label for one account; what comes beyond them is ``other``."""

_COMMIT_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


_NO_ANSWER: Final = frozenset({"", "unreachable", "refused", "not_owned"})
"""Reasons of the store's failures that are over as soon as it answers anything."""


class Telemetry:
    """The registry of the exporter's own metrics. Durations and times are seconds."""

    def __init__(self, version: str, reasons: Iterable[str]) -> None:
        # A second series for each counter, which Prometheus' text format has no use for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = OwnRegistry()
        self.reasons = tuple(reasons)
        """Every value of the label ``reason``."""
        self._codes: dict[str, set[str]] = {}
        Process(registry=self.registry)
        self.registry.steady(PlatformCollector(registry=self.registry))
        Garbage(registry=self.registry)
        self._by_account = ByAccount(self.registry, lambda: self.registry.changed(self._by_account))
        self._store: _StoreMetrics | None = None
        self._owned: Gauge | None = None
        self.reload_successful = Gauge(
            "itnio_exporter_config_last_reload_successful",
            "1 where the last load of the configuration succeeded, 0 where it failed.",
            registry=self.registry,
        )
        self.reload_success_time = Gauge(
            "itnio_exporter_config_last_reload_success_timestamp_seconds",
            "Unix time of the last load of the configuration that succeeded.",
            registry=self.registry,
        )
        self.refused_scrapes = Counter(
            "itnio_exporter_refused_scrapes",
            "Scrapes answered with 503 since too many others were being answered.",
            registry=self.registry,
        )
        build = Info(
            "itnio_exporter_build",
            "The exporter's version and the Python it runs on; always 1.",
            registry=self.registry,
        )
        build.info({"version": version, "python_version": platform.python_version()})
        self.registry.steady(
            self._by_account,
            self.reload_successful,
            self.reload_success_time,
            self.refused_scrapes,
            build,
        )

    def account(self, name: str) -> "AccountTelemetry":
        """Return one account's view; its counters start at 0 rather than at their first value."""
        return AccountTelemetry(self, name)

    def forget(self, name: str) -> None:
        """Remove the series of an account that is no longer configured."""
        self._codes.pop(name, None)
        self._by_account.remove(name)

    def reloaded(self, now: float, *, successful: bool) -> None:
        """Take note of a load of the configuration."""
        self.reload_successful.set(successful)
        if successful:
            self.reload_success_time.set(now)
        self.registry.changed(self.reload_successful, self.reload_success_time)

    def refused_scrape(self) -> None:
        """Take note of a scrape that was not answered."""
        self.refused_scrapes.inc()
        self.registry.changed(self.refused_scrapes)

    def store(self, reasons: Iterable[str]) -> "_StoreMetrics":
        """Return the metrics of the store; there are none of them before this is first asked."""
        if self._store is None:
            self._store = _StoreMetrics(self.registry, reasons)
        return self._store

    def owned(self, account: str, *, owned: bool | None) -> None:
        """Take note of whether an account is polled here; None: it is no account any more."""
        if self._owned is None:
            self._owned = Gauge(
                "itnio_exporter_account_owned",
                "1 where this replica polls the account, 0 where another does or nobody; only with "
                "--storage.url.",
                ("account",),
                registry=self.registry,
            )
            self.registry.steady(self._owned)
        if owned is None:
            self._owned.remove_by_labels({"account": account})
        else:
            self._owned.labels(account).set(owned)
        self.registry.changed(self._owned)

    def known_code(self, account: str, code: str) -> str:
        """Return a ``code`` label, or ``other`` once an account has had too many of them."""
        codes = self._codes.setdefault(account, set())
        if code in codes or len(codes) < MOST_CODES:
            codes.add(code)
            return code
        return "other"

    def begin_account(self, name: str) -> AccountMetrics:
        """Show the counters of an account at 0, so that their first value counts as an increase.

        Those of an account that is there already go on where they are.
        """
        metrics = self._by_account.of(name)
        for metric in (metrics.polls, metrics.poll_duration, metrics.api_request_duration):
            metric.labels(name)
        metrics.corrections.labels(name)
        metrics.sweep_corrections.labels(name)
        metrics.api_requests.labels(name, self.known_code(name, "0"))
        for reason in self.reasons:
            metrics.poll_failures.labels(name, reason)
        self.changed(name, *metrics.all)
        return metrics

    def changed(self, account: str, *metrics: Collector) -> None:
        """Take note that some of an account's metrics have changed."""
        self._by_account.changed(account, *metrics)


class AccountTelemetry:
    """What one account's client and poller tell."""

    def __init__(self, telemetry: Telemetry, account: str) -> None:
        self._telemetry = telemetry
        self._account = account
        self.requests = 0
        """Requests made so far."""
        self.last_clock_skew: float | None = None
        """Seconds that the server's Date was ahead of our clock, at the last answer."""
        self._metrics = telemetry.begin_account(account)

    def request(self, code: str, seconds: float) -> None:
        """Take note of a request answered with a code (or none, and why) after so long."""
        metrics = self._metrics
        self.requests += 1
        code = self._telemetry.known_code(self._account, code)
        metrics.api_requests.labels(self._account, code).inc()
        metrics.api_request_duration.labels(self._account).observe(seconds)
        self._changed(metrics.api_requests, metrics.api_request_duration)

    def clock_skew(self, seconds: float) -> None:
        """Take note of the server's Date minus our clock."""
        self.last_clock_skew = seconds

    def poll(self, seconds: float, failure: str | None) -> None:
        """Take note of a poll that has ended, and why where it was not whole."""
        metrics = self._metrics
        metrics.polls.labels(self._account).inc()
        metrics.poll_duration.labels(self._account).observe(seconds)
        self._changed(metrics.polls, metrics.poll_duration)
        if failure is not None:
            metrics.poll_failures.labels(self._account, failure).inc()
            self._changed(metrics.poll_failures)

    def rejected(self, reasons: Iterable[str]) -> None:
        """Take note of records that could not be read."""
        for reason in reasons:
            self._metrics.rejected_records.labels(self._account, reason).inc()
            self._changed(self._metrics.rejected_records)

    def balance_watched(self) -> None:
        """Show from now on, at 0, how many look-ups of the balance failed."""
        for reason in self._telemetry.reasons:
            self._metrics.balance_failures.labels(self._account, reason)
        self._changed(self._metrics.balance_failures)

    def balance_failed(self, reason: str) -> None:
        """Take note of a look-up of the balance that failed."""
        self._metrics.balance_failures.labels(self._account, reason).inc()
        self._changed(self._metrics.balance_failures)

    def corrected(self, figures: int) -> None:
        """Take note of figures that went down upstream."""
        self._metrics.corrections.labels(self._account).inc(figures)
        if figures:
            self._changed(self._metrics.corrections)

    def sweep_corrected(self, tasks: int) -> None:
        """Take note of tasks that a sweep found otherwise."""
        self._metrics.sweep_corrections.labels(self._account).inc(tasks)
        if tasks:
            self._changed(self._metrics.sweep_corrections)

    def _changed(self, *metrics: Collector) -> None:
        self._telemetry.changed(self._account, *metrics)


class _StoreMetrics:
    """How keeping the counters on disk goes."""

    def __init__(self, registry: OwnRegistry, reasons: Iterable[str]) -> None:
        self._registry = registry
        self._failed_by = ""
        self._up = Gauge(
            "itnio_exporter_store_up",
            "1 where the last use of the store succeeded, 0 where it failed: counters are then "
            "withheld or stand still.",
            registry=registry,
        )
        self._failures = Counter(
            "itnio_exporter_store_failures",
            "Uses of the store that failed, by reason.",
            ("reason",),
            registry=registry,
        )
        self._size = Gauge(
            "itnio_exporter_store_size_bytes",
            "What the store takes on disk.",
            registry=registry,
        )
        self._duration = Histogram(
            "itnio_exporter_store_commit_duration_seconds",
            "How long commits took, until they were on the disk.",
            buckets=_COMMIT_SECONDS,
            registry=registry,
        )
        for reason in reasons:
            self._failures.labels(reason)
        registry.steady(self._up, self._failures, self._size, self._duration)

    def store_committed(self, seconds: float, size: int) -> None:
        """Take note of a commit, how long it took, and the bytes that the store has now."""
        self._failed_by = ""
        self._up.set(1)
        self._size.set(size)
        self._duration.observe(seconds)
        self._registry.changed(self._up, self._size, self._duration)

    def store_answered(self) -> None:
        """Take note that the store answers: enough where nothing but that was missing."""
        if self._failed_by in _NO_ANSWER:
            self._failed_by = ""
            self._up.set(1)
            self._registry.changed(self._up)

    def store_failed(self, reason: str) -> None:
        """Take note of a try that failed."""
        self._failed_by = reason
        self._up.set(0)
        self._failures.labels(reason).inc()
        self._registry.changed(self._up, self._failures)
