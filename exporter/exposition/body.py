"""The accounts' families of one moment, whole: as pieces to be sent, plain or gzipped.

Text 0.0.4 and OpenMetrics 1.0 differ in the headers of families, not in the lines of these: both
are put together from the same chunks, and so are their deflated forms.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from exporter.exposition.families.family import Family
from exporter.exposition.gzipped import HEAD, Deflated, checksum, deflate
from exporter.exposition.render import family_name, header

PIECE: Final = 2**18
"""Bytes: at least so much is sent at once, and not much more is held for a client that waits."""
PACKED_PIECE: Final = 2**20
"""The same where it is gzipped: few answers are longer, and one piece is sent in one go."""
_WHOLE: Final = 2**17
"""Bytes: what is shorter is deflated as one, and better so."""


class Chunk:
    """Lines that stay together, and are deflated once for as long as none of them changes."""

    __slots__ = ("_deflated", "size", "texts")

    def __init__(self, texts: tuple[bytes, ...]) -> None:
        self.texts = texts
        self.size = sum(map(len, texts))
        self._deflated: Deflated | None = None

    def deflated(self) -> Deflated:
        """Return the lines deflated."""
        if self._deflated is None:
            self._deflated = deflate(b"".join(self.texts))
        return self._deflated


def text_of(chunks: Iterable[Chunk]) -> bytes:
    """Return the lines of chunks, one after the other."""
    return b"".join([text for each in chunks for text in each.texts])


def deflated_together(chunks: Sequence[Chunk]) -> Sequence[Deflated]:
    """Return chunks deflated each for itself, or as one where they are short."""
    if sum(each.size for each in chunks) >= _WHOLE:
        return [each.deflated() for each in chunks]
    return [deflate(text_of(chunks))]


@lru_cache(maxsize=256)
def _header_chunk(family: Family, *, openmetrics: bool) -> Chunk:
    return Chunk((header(family, openmetrics=openmetrics),))


@dataclass(frozen=True, slots=True)
class Gzipped:
    """A gzip member that has yet to be ended: its pieces, checksum and length so far."""

    pieces: tuple[bytes, ...]
    crc: int
    size: int
    """Bytes before they were deflated."""


class Body:
    """Families that have samples, each with all of its chunks; never changed once it is made."""

    def __init__(self, families: Iterable[tuple[Family, Sequence[Chunk]]] = ()) -> None:
        self._families = [(family, chunks) for family, chunks in families if chunks]
        self.size = sum(each.size for _, chunks in self._families for each in chunks)
        """Bytes, without the headers of families."""
        self._plain: dict[bool, tuple[bytes, ...]] = {}
        self._gzipped: dict[bool, Gzipped] = {}

    def chunks(self) -> Iterator[Chunk]:
        """Yield every chunk."""
        for _, chunks in self._families:
            yield from chunks

    def is_ready(self, *, openmetrics: bool, compressed: bool) -> bool:
        """Whether this form has been made before, and costs nothing."""
        return openmetrics in (self._gzipped if compressed else self._plain)

    def make_plain(self, *, openmetrics: bool) -> Iterator[None]:
        """Make the plain form a piece at a time."""
        pieces: list[bytes] = []
        announced = self._announced(openmetrics=openmetrics)
        for piece in _pieces(text for each in announced for text in each.texts):
            pieces.append(piece)
            yield
        self._plain[openmetrics] = tuple(pieces)

    def plain(self, *, openmetrics: bool) -> tuple[bytes, ...]:
        """Return the text, without OpenMetrics' end mark."""
        if openmetrics not in self._plain:
            for _ in self.make_plain(openmetrics=openmetrics):
                pass
        return self._plain[openmetrics]

    def gzipped(self, *, openmetrics: bool) -> Gzipped:
        """Return the same gzipped; the first time this takes a while, and is for a thread."""
        if openmetrics not in self._gzipped:
            parts = deflated_together(list(self._announced(openmetrics=openmetrics)))
            pieces = tuple(_pieces([HEAD, *(each.data for each in parts)], PACKED_PIECE))
            size = sum(each.size for each in parts)
            self._gzipped[openmetrics] = Gzipped(pieces, checksum(parts), size)
        return self._gzipped[openmetrics]

    def only(self, names: Collection[str], *, openmetrics: bool) -> bytes:
        """Return the text of families called so, by their own name or that of their samples."""
        wanted = frozenset(names)
        named = (
            (family, chunks)
            for family, chunks in self._families
            if not wanted.isdisjoint((family.name, family_name(family)))
        )
        return text_of(Body(named)._announced(openmetrics=openmetrics))  # noqa: SLF001  # one class

    def _announced(self, *, openmetrics: bool) -> Iterator[Chunk]:
        """Yield every chunk, each family's after its header."""
        for family, chunks in self._families:
            yield _header_chunk(family, openmetrics=openmetrics)
            yield from chunks


def _pieces(texts: Iterable[bytes], least: int = PIECE) -> Iterator[bytes]:
    """Put texts together to pieces that are long enough to be worth sending."""
    some: list[bytes] = []
    size = 0
    for each in texts:
        some.append(each)
        size += len(each)
        if size >= least:
            yield b"".join(some)
            some, size = [], 0
    if some:
        yield b"".join(some)
