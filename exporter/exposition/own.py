"""The exporter's own metrics as text: each family made anew only where it may have changed.

prometheus_client keeps the figures and says how families are announced; writing out its samples
takes it about fifteen times as long as it takes here, where what stands before the value is kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, NamedTuple, cast

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_format
from prometheus_client.registry import Collector

from exporter.exposition.process import Brief
from exporter.exposition.render import EOF, escaped, number

_SUFFIXES: Final = ("", "_total", "_bucket", "_count", "_sum", "_info")


class OwnRegistry(CollectorRegistry):
    """A registry that is told which of its collectors change only when they are said to."""

    def __init__(self) -> None:
        # Asked what they are called, or process_* and python_* could not be asked for by name.
        super().__init__(auto_describe=True)
        self.changes: dict[Collector, int] = {}
        """How often each steady collector has changed; the others may have, at any moment."""
        self.collectors: list[Collector] = []

    def register(self, collector: Collector) -> None:
        """Add a collector."""
        super().register(collector)
        self.collectors.append(collector)

    def steady(self, *collectors: Collector) -> None:
        """Promise that ``changed`` is called whenever one of these changes."""
        self.changes.update(dict.fromkeys(collectors, 0))

    def changed(self, *collectors: Collector) -> None:
        """Take note of a change."""
        for each in collectors:
            self.changes[each] += 1


@dataclass(slots=True)
class _Kept:
    """A steady collector's text in one format, as of so many changes."""

    changes: int
    text: bytes


class _Form(NamedTuple):
    """The brief collectors' text with a gap, ``%s``, for each figure."""

    text: str
    figures: int


class OwnText:
    """Writes a registry's metrics in both formats."""

    def __init__(self, registry: OwnRegistry) -> None:
        self._registry = registry
        self._kept: dict[tuple[Collector, bool], _Kept] = {}
        self._steady: dict[bool, tuple[list[int], bytes]] = {}
        self._headers: dict[tuple[str, bool], str] = {}
        self._prefixes: dict[tuple[str, tuple[str, ...]], str] = {}
        self._forms: dict[bool, _Form] = {}

    def steady(self, *, openmetrics: bool) -> bytes:
        """Return what is the same object until something changes."""
        changes = self._registry.changes
        counts = list(changes.values())
        before = self._steady.get(openmetrics)
        if before is not None and before[0] == counts:
            return before[1]
        text = b"".join([self._family(each, openmetrics=openmetrics) for each in changes])
        self._steady[openmetrics] = (counts, text)
        return text

    def live(self, *, openmetrics: bool) -> bytes:
        """Return what is another every time: what the process takes."""
        changes = self._registry.changes
        live = [each for each in self._registry.collectors if each not in changes]
        briefs = [each for each in live if isinstance(each, Brief)]
        figures = [figure for each in briefs for figure in each.figures()]
        form = self._forms.get(openmetrics)
        if form is None or form.figures != len(figures):
            text = self._all_written(briefs, openmetrics=openmetrics)
            self._forms[openmetrics] = _form(text)
        elif isfinite(sum(figures)):
            text = form.text % tuple(figures)
        else:
            text = form.text % tuple([number(each) for each in figures])
        if len(briefs) < len(live):
            others = [each for each in live if not isinstance(each, Brief)]
            text += self._all_written(others, openmetrics=openmetrics)
        return text.encode()

    def only(self, names: Iterable[str], *, openmetrics: bool) -> bytes:
        """Return the families called so, by their own name or that of their samples."""
        # The library's own filter goes by sample names; part of a histogram would be none.
        families = {name.removesuffix(suffix) for name in names for suffix in _SUFFIXES}
        wanted = {family + suffix for family in families for suffix in _SUFFIXES}
        restricted = self._registry.restricted_registry(wanted)
        metrics = restricted.collect()
        return "".join([self._lines(each, openmetrics=openmetrics) for each in metrics]).encode()

    def _family(self, collector: Collector, *, openmetrics: bool) -> bytes:
        changes = self._registry.changes[collector]
        kept = self._kept.get((collector, openmetrics))
        if kept is None or kept.changes != changes:
            kept = _Kept(changes, self._written(collector, openmetrics=openmetrics).encode())
            self._kept[collector, openmetrics] = kept
        return kept.text

    def _all_written(self, collectors: Iterable[Collector], *, openmetrics: bool) -> str:
        return "".join([self._written(each, openmetrics=openmetrics) for each in collectors])

    def _written(self, collector: Collector, *, openmetrics: bool) -> str:
        metrics = collector.collect()
        return "".join([self._lines(each, openmetrics=openmetrics) for each in metrics])

    def _lines(self, metric: Metric, *, openmetrics: bool) -> str:
        header = self._headers.get((metric.name, openmetrics))
        if header is None:
            header = self._headers[metric.name, openmetrics] = _header(metric, openmetrics)
        lines = [header]
        for name, labels, value, *_ in metric.samples:
            key = (name, tuple(labels.values()))
            prefix = self._prefixes.get(key)
            if prefix is None:
                prefix = self._prefixes[key] = _prefix(name, labels)
            lines.append(f"{prefix} {number(value)}\n")
        return "".join(lines)


def _form(text: str) -> _Form:
    """Return a text without its figures, the lines that announce its families included."""
    lines = text.replace("%", "%%").splitlines(keepends=True)
    samples = [place for place, line in enumerate(lines) if not line.startswith("#")]
    for place in samples:
        lines[place] = lines[place].rpartition(" ")[0] + " %s\n"
    return _Form("".join(lines), len(samples))


class _Announced:
    """A registry of one family without its samples."""

    def __init__(self, metric: Metric) -> None:
        self._metric = Metric(metric.name, metric.documentation, metric.type, metric.unit)

    def collect(self) -> Iterator[Metric]:
        yield self._metric


def _header(metric: Metric, openmetrics: bool) -> str:
    registry = cast("Any", _Announced(metric))
    if openmetrics:
        told: bytes = openmetrics_format.generate_latest(registry)  # type: ignore[no-untyped-call]
        return told.removesuffix(EOF).decode()
    return generate_latest(registry).decode()


def _prefix(name: str, labels: dict[str, str]) -> str:
    if not labels:
        return name
    named = ",".join([f'{label}="{escaped(text)}"' for label, text in sorted(labels.items())])
    return f"{name}{{{named}}}"
