"""Snapshots to render: a whole one, made small, and how they look to the library's own renderer."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporter.exposition.families.family import Family, Sample
from exporter.snapshot import AccountSnapshot


def family(
    name: str, kind: str, labels: tuple[str, ...], samples: Iterable[Sample], text: str = "Help."
) -> Family:
    """A family whose samples do not depend on the snapshot."""
    kept = list(samples)
    return Family(name, kind, text, labels, lambda _: kept)  # type: ignore[arg-type]


def openmetrics_families(text: bytes) -> list[Metric]:
    """What the library reads from an exposition in OpenMetrics."""
    return list(text_string_to_metric_families(text.decode()))  # type: ignore[no-untyped-call]


class Reference:
    """The same families as the library would expose them."""

    def __init__(self, families: Iterable[Family], snapshots: Iterable[AccountSnapshot]) -> None:
        self._families = list(families)
        self._snapshots = list(snapshots)

    def collect(self) -> Iterable[Metric]:
        for each in self._families:
            labels = ("account", *each.labels)
            unit = each.name.removesuffix("_total").rpartition("_")[2]
            unit = unit if unit in {"seconds", "ratio"} else ""
            metric: Metric
            if each.kind == "counter":
                metric = CounterMetricFamily(each.name, each.help, labels=labels, unit=unit)
            elif each.kind == "info":
                metric = InfoMetricFamily(each.name.removesuffix("_info"), each.help)
            else:
                metric = GaugeMetricFamily(each.name, each.help, labels=labels, unit=unit)
            for snapshot in self._snapshots:
                for values, value in each.samples(snapshot):
                    named = dict(zip(labels, (snapshot.account, *values), strict=True))
                    name = each.name
                    metric.add_sample(name, named, float(value))
            if metric.samples:
                yield metric

    def registry(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        registry.register(self)
        return registry
