"""The exporter's own metrics as text: each family made anew only where it may have changed.

prometheus_client keeps the figures and says how families are announced; writing out its samples
takes it about fifteen times as long as it takes here, where what stands before the value is kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from math import isfinite
from typing import Any, Final, NamedTuple, cast

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_format
from prometheus_client.registry import Collector

from exporter.exposition.body import Chunk
from exporter.exposition.by_account import ByAccount
from exporter.exposition.process import Brief
from exporter.exposition.render import EOF, escaped, number

ACCOUNTS_A_CHUNK: Final = 16
_SUFFIXES: Final = ("", "_total", "_bucket", "_count", "_sum", "_info")


class OwnRegistry(CollectorRegistry):
    """A registry that is told which of its collectors change only when they are said to."""

    def __init__(self) -> None:
        # Asked what they are called, or process_* and python_* could not be asked for by name.
        super().__init__(auto_describe=True)
        self.changes: dict[Collector, int] = {}
        """How often each steady collector has changed; the others may have, at any moment."""
        self.live: tuple[Collector, ...] = ()
        """Those others, as another tuple whenever they are others."""

    def register(self, collector: Collector) -> None:
        """Add a collector."""
        super().register(collector)
        self.live = (*self.live, collector)

    def steady(self, *collectors: Collector) -> None:
        """Promise that ``changed`` is called whenever one of these changes."""
        self.changes.update(dict.fromkeys(collectors, 0))
        self.live = tuple([each for each in self.live if each not in self.changes])

    def changed(self, *collectors: Collector) -> None:
        """Take note of a change."""
        for each in collectors:
            self.changes[each] += 1


@dataclass(slots=True)
class _Kept:
    """A steady collector's text in one format, as of so many changes."""

    changes: int
    text: bytes


_Prefixes = dict[tuple[str, tuple[str, ...]], str]
"""What stands before the value, by the sample's name and the values of its labels."""


class _Form(NamedTuple):
    """The brief collectors' text with a gap, ``%s``, for each figure."""

    text: str
    figures: int


class OwnText:
    """Writes a registry's metrics in both formats."""

    def __init__(self, registry: OwnRegistry) -> None:
        self._registry = registry
        self._kept: dict[tuple[Collector, bool], _Kept] = {}
        self._steady: dict[bool, tuple[list[int], tuple[Chunk, ...]]] = {}
        self._headers: dict[tuple[str, bool], str] = {}
        self._header_chunks: dict[tuple[str, bool], Chunk] = {}
        self._prefixes: _Prefixes = {}
        self._live: tuple[Collector, ...] = ()
        self._briefs: list[Brief] = []
        self._forms: dict[bool, _Form] = {}
        self._accounts: dict[ByAccount, _AccountTexts] = {}

    def steady(self, *, openmetrics: bool) -> tuple[Chunk, ...]:
        """Return what is the same object until something changes; so is each unchanged chunk."""
        changes = self._registry.changes
        counts = list(changes.values())
        before = self._steady.get(openmetrics)
        if before is not None and before[0] == counts:
            return before[1]
        chunks: list[Chunk] = []
        for by_account, some in groupby(changes, lambda each: isinstance(each, ByAccount)):
            if by_account:
                for each in some:
                    chunks += self._chunks(cast("ByAccount", each), openmetrics=openmetrics)
            else:
                texts = [self._family(each, openmetrics=openmetrics) for each in some]
                chunks.append(Chunk(tuple(texts)))
        self._steady[openmetrics] = (counts, tuple(chunks))
        return self._steady[openmetrics][1]

    def write(self, account: str) -> None:
        """Write what has changed of an account now, so that the next scrape need not."""
        for each in self._registry.changes:
            if isinstance(each, ByAccount) and account in each.accounts:
                self._texts(each).write(account)

    def _chunks(self, collector: ByAccount, *, openmetrics: bool) -> Iterator[Chunk]:
        texts = self._texts(collector)
        texts.refresh()
        for place, metric in enumerate(collector.describe()):
            yield self._header_chunk(metric, openmetrics=openmetrics)
            yield from texts.chunks[place]

    def _header_chunk(self, metric: Metric, *, openmetrics: bool) -> Chunk:
        key = metric.name, openmetrics
        if key not in self._header_chunks:
            header = self._header(metric, openmetrics=openmetrics)
            self._header_chunks[key] = Chunk((header.encode(),))
        return self._header_chunks[key]

    def _texts(self, collector: ByAccount) -> "_AccountTexts":
        if collector not in self._accounts:
            self._accounts[collector] = _AccountTexts(collector)
        return self._accounts[collector]

    def live(self, *, openmetrics: bool) -> bytes:
        """Return what is another every time: what the process takes."""
        if self._live is not self._registry.live:
            self._live = self._registry.live
            self._briefs = [each for each in self._live if isinstance(each, Brief)]
            self._forms.clear()
        figures = [figure for each in self._briefs for figure in each.figures()]
        form = self._forms.get(openmetrics)
        if form is None or form.figures != len(figures):
            text = self._all_written(self._briefs, openmetrics=openmetrics)
            self._forms[openmetrics] = _form(text)
        elif isfinite(sum(figures)):
            text = form.text % tuple(figures)
        else:
            text = form.text % tuple([number(each) for each in figures])
        if len(self._briefs) < len(self._live):
            others = [each for each in self._live if not isinstance(each, Brief)]
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
        header = self._header(metric, openmetrics=openmetrics)
        return header + _samples(metric, self._prefixes)

    def _header(self, metric: Metric, *, openmetrics: bool) -> str:
        header = self._headers.get((metric.name, openmetrics))
        if header is None:
            header = self._headers[metric.name, openmetrics] = _header(metric, openmetrics)
        return header


class _AccountTexts:
    """The samples of metrics that each account has for itself, by family."""

    def __init__(self, collector: ByAccount) -> None:
        self._collector = collector
        self._texts: dict[str, list[bytes]] = {}
        self._written: dict[str, list[int]] = {}
        """Which revision of each."""
        self._prefixes: dict[str, _Prefixes] = {}
        self.chunks: list[list[Chunk]] = [[] for _ in collector.describe()]
        """Each family's."""

    def write(self, account: str) -> None:
        """Write anew what has changed of an account."""
        revisions = list(self._collector.revisions(account))
        written = self._written.get(account, [])
        if written == revisions:
            return
        texts = self._texts.setdefault(account, [b""] * len(revisions))
        prefixes = self._prefixes.setdefault(account, {})
        for place, revision in enumerate(revisions):
            if not written or written[place] != revision:
                metric = self._collector.metric(account, place)
                texts[place] = _samples(metric, prefixes).encode()
        self._written[account] = revisions

    def refresh(self) -> None:
        """Write what has changed of any account; chunks in which nothing did stay."""
        names = list(self._collector.accounts)
        for gone in self._texts.keys() - set(names):
            del self._texts[gone], self._written[gone], self._prefixes[gone]
        for account in names:
            self.write(account)
        runs = [
            [self._texts[name] for name in names[first : first + ACCOUNTS_A_CHUNK]]
            for first in range(0, len(names), ACCOUNTS_A_CHUNK)
        ]
        for place, before in enumerate(self.chunks):
            chunks = [Chunk(tuple([texts[place] for texts in run])) for run in runs]
            for run, known in enumerate(before[: len(chunks)]):
                if known.texts == chunks[run].texts:
                    chunks[run] = known
            self.chunks[place] = chunks


def _samples(metric: Metric, prefixes: "_Prefixes") -> str:
    lines: list[str] = []
    for name, labels, value, *_ in metric.samples:
        key = (name, tuple(labels.values()))
        prefix = prefixes.get(key)
        if prefix is None:
            prefix = prefixes[key] = _prefix(name, labels)
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
