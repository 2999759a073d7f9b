"""Snapshots rendered to lines, once a publication and only where something changed."""

from collections.abc import Collection, Iterator
from typing import Final

import structlog

from exporter.exposition.blocks import Parts, alone, cut, parts_of
from exporter.exposition.body import Body, Chunk
from exporter.exposition.families import CATALOGUE
from exporter.exposition.families.family import Family, Section
from exporter.exposition.render import Prefixes, sample_lines
from exporter.snapshot import AccountSnapshot

log = structlog.get_logger("exposition")

BLOCKS_A_CHUNK: Final = 16
"""Larger chunks deflate better, smaller ones are more seldom touched by a change."""
_FEW: Final = 10_000
"""Prefixes of one family and account that are not worth looking through."""
_COMPARED: Final = 32
"""Blocks that are found unchanged before others have a turn."""


class _Block:
    """The lines of one block, family by family."""

    __slots__ = ("parts", "texts")

    def __init__(self, parts: Parts, texts: tuple[bytes, ...]) -> None:
        self.parts = parts
        self.texts = texts


class _SectionLines:
    """One section of one account: its families' lines, block by block and chunk by chunk."""

    def __init__(self, families: Collection[tuple[int, Family]]) -> None:
        self.places = [place for place, _ in families]
        self._families = [(family, Prefixes()) for _, family in families]
        self._most = [_FEW for _ in families]
        """How many prefixes are kept at most, for each family."""
        self._blocks: list[_Block] = []
        self._chunks: list[list[Chunk | None]] = []
        """For each run of blocks, each family's."""

    def known(self, place: int, parts: Parts) -> _Block | None:
        """Return the block at a place where its parts are what they were."""
        if place >= len(self._blocks) or self._blocks[place].parts != parts:
            return None
        # What is equal need not be there twice.
        self._blocks[place].parts = parts
        return self._blocks[place]

    def rendered(self, parts: Parts, snapshot: AccountSnapshot) -> _Block:
        """Return a block rendered from a snapshot that has nothing else."""
        texts = [sample_lines(family, snapshot, known) for family, known in self._families]
        return _Block(parts, tuple(texts))

    def take_over(self, blocks: list[_Block]) -> None:
        """Let these be the blocks from now on; chunks in which nothing changed stay."""
        chunks: list[list[Chunk | None]] = []
        for number, first in enumerate(range(0, len(blocks), BLOCKS_A_CHUNK)):
            run = slice(first, first + BLOCKS_A_CHUNK)
            before = self._chunks[number] if number < len(self._chunks) else None
            if before is None or self._blocks[run] != blocks[run]:
                before = self._chunked(blocks[run], before)
            chunks.append(before)
        self._blocks, self._chunks = blocks, chunks
        self._forget_old_series()

    def _forget_old_series(self) -> None:
        """Drop the prefixes where most may be of series that are gone; they are made again."""
        for place, (_, prefixes) in enumerate(self._families):
            if len(prefixes) > self._most[place]:
                prefixes.clear()
                lines = sum(block.texts[place].count(b"\n") for block in self._blocks)
                self._most[place] = _FEW + 2 * lines

    def _chunked(self, run: list[_Block], before: list[Chunk | None] | None) -> list[Chunk | None]:
        made: list[Chunk | None] = []
        for place in range(len(self._families)):
            texts = tuple([block.texts[place] for block in run if block.texts[place]])
            old = before[place] if before is not None else None
            if old is not None and old.texts == texts:
                made.append(old)
            else:
                made.append(Chunk(texts) if texts else None)
        return made

    def chunks(self, place: int) -> list[Chunk]:
        """Return the chunks of a family, by its place among this section's."""
        return [chunk for run in self._chunks if (chunk := run[place]) is not None]


class _AccountLines:
    """All lines of one account."""

    def __init__(self, families: Collection[Family]) -> None:
        self._sections = {
            section: _SectionLines(
                [(place, each) for place, each in enumerate(families) if each.section is section]
            )
            for section in Section
        }
        self.chunks: dict[int, list[Chunk]] = {}
        """Each family's, by its place in the catalogue."""

    def update(self, snapshot: AccountSnapshot) -> Iterator[None]:
        """Render what has changed, a block at a time; all of it shows at the end at once."""
        blocks: dict[Section, list[_Block]] = {section: [] for section in Section}
        for number, (section, parts) in enumerate(cut(snapshot)):
            lines, own = self._sections[section], blocks[section]
            block = lines.known(len(own), parts)
            if block is None:
                block = lines.rendered(parts, alone(snapshot, section, parts))
                yield
            elif not number % _COMPARED:
                yield
            own.append(block)
        for section, lines in self._sections.items():
            lines.take_over(blocks[section])
            for place, in_catalogue in enumerate(lines.places):
                self.chunks[in_catalogue] = lines.chunks(place)
            yield


class Renderer:
    """Keeps each account's lines; what is published is rendered in steps, or when it is needed."""

    def __init__(self, families: Collection[Family] = ()) -> None:
        self._families = tuple(families or CATALOGUE)
        self._accounts: dict[str, _AccountLines] = {}
        self._waiting: dict[str, AccountSnapshot | None] = {}
        """What is not rendered yet; None where the account is to be forgotten."""
        self._work: Iterator[None] | None = None
        self._body: Body | None = None
        """All that has been rendered so far; None where it has to be put together anew."""

    def update(self, snapshot: AccountSnapshot) -> None:
        """Take an account's new snapshot."""
        self._waiting[snapshot.account] = snapshot

    def remove(self, account: str) -> None:
        """Forget an account: from now on ``body`` is without it, whatever has yet to be done."""
        self._waiting[account] = None
        if self._accounts.pop(account, None) is not None:
            self._body = None

    @property
    def waiting(self) -> int:
        """About how many parts have yet to be looked at."""
        return sum(parts_of(each) for each in self._waiting.values() if each is not None)

    def is_settled(self) -> bool:
        """Whether ``body`` has everything."""
        return not self._waiting

    def step(self) -> None:
        """Do a little of the work that waits: less than a millisecond."""
        if self._work is None:
            self._work = self._render()
        next(self._work, None)

    def settle(self) -> None:
        """Do all of the work that waits."""
        while self._waiting:
            self.step()

    @property
    def body(self) -> Body:
        """All that has been rendered so far, put together once for as long as it is the same."""
        if self._body is None:
            self._body = self._whole()
        return self._body

    def _render(self) -> Iterator[None]:
        try:
            while self._waiting:
                name, snapshot = next(iter(self._waiting.items()))
                if snapshot is None:
                    self._accounts.pop(name, None)
                else:
                    yield from self._account(snapshot)
                if self._waiting[name] is snapshot:
                    self._body = None
                    del self._waiting[name]
        finally:
            self._work = None

    def _account(self, snapshot: AccountSnapshot) -> Iterator[None]:
        lines = self._accounts.setdefault(snapshot.account, _AccountLines(self._families))
        try:
            yield from lines.update(snapshot)
        except Exception:
            # A fault of ours in one account: the others are shown, and this one as it was.
            log.exception("an account cannot be rendered", account=snapshot.account)

    def _whole(self) -> Body:
        accounts = self._accounts.values()
        return Body(
            (family, [chunk for each in accounts for chunk in each.chunks.get(place, ())])
            for place, family in enumerate(self._families)
        )
