"""YAML text as a tree in which every value keeps its own text and its line.

The text of a scalar is kept as written, because YAML 1.1 would read `+08:00` and `12:30` as
sexagesimal numbers and `NO` as a boolean. The tree is built from parser events instead of with
`yaml.compose`, so that depth and size have a bound before anything is built.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from exporter.config.problems import Problem
from exporter.config.syntax import describe_fault
from exporter.config.wording import join_path, shown_key

DEEPEST: Final = 20
MOST_NODES: Final = 50_000


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value; `plain` where it was written without quotes."""

    text: str
    plain: bool
    line: int
    size: int = 1

    @property
    def is_null(self) -> bool:
        """Whether YAML means "nothing" by it."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Listing:
    """A YAML sequence."""

    items: tuple["Node", ...]
    line: int
    size: int


@dataclass(frozen=True, slots=True)
class Table:
    """A YAML mapping with merge keys resolved; of a repeated key the first is kept."""

    entries: dict[str, tuple[Scalar, "Node"]]
    line: int
    size: int


Node = Scalar | Listing | Table


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read; a table's items alternate key and value."""

    is_table: bool
    line: int
    path: str
    anchor: str | None
    items: list[Node] = field(default_factory=list)

    def child_path(self) -> str:
        if not self.is_table:
            return f"{self.path}[{len(self.items)}]"
        key = self.items[-1] if len(self.items) % 2 else None
        return join_path(self.path, shown_key(key.text)) if isinstance(key, Scalar) else self.path


class _Stop(Exception):  # noqa: N818 - ends the building; the problem has been noted
    """Nothing after this can be understood."""


def parse_yaml(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """Return the document's root (None where there is none) and what is wrong with the YAML."""
    builder = _Builder(file)
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    try:
        for event in _guarded(events):
            builder.take(event)
    except _Stop:
        pass
    except yaml.YAMLError as error:
        line, message = describe_fault(error, text)
        builder.note(line, builder.path, message)
    except (ValueError, OverflowError):
        # PyYAML's own slips, such as an escape beyond Unicode.
        builder.note(builder.line, builder.path, "is not valid YAML after this line; look there")
    return builder.root, builder.problems


def _guarded(events: Iterator[Any]) -> Iterator[Any]:
    for count, event in enumerate(events):
        if count > 2 * MOST_NODES:
            raise yaml.error.MarkedYAMLError(
                problem="too many values", problem_mark=event.start_mark
            )
        yield event


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.line = 1
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0
        self._merged = 0

    @property
    def path(self) -> str:
        return self._open[-1].child_path() if self._open else ""

    def note(self, line: int, path: str, message: str) -> None:
        self.problems.append(Problem(self.file, line, path, message))

    def take(self, event: Any) -> None:
        self.line = event.start_mark.line + 1
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._stop("a second document begins here; keep one, without further '---'")
            case yaml.AliasEvent():
                self._alias(event.anchor)
            case yaml.ScalarEvent():
                self._refuse_tag(event)
                self._add(Scalar(event.value, not event.style, self.line), event.anchor)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._refuse_tag(event)
                if len(self._open) >= DEEPEST:
                    self._stop(f"is nested more than {DEEPEST} levels deep; nothing here is")
                is_table = isinstance(event, yaml.MappingStartEvent)
                self._open.append(_Open(is_table, self.line, self.path, event.anchor))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._close()

    def _stop(self, message: str, line: int | None = None) -> None:
        self.note(line or self.line, self.path, message)
        raise _Stop

    def _refuse_tag(self, event: Any) -> None:
        # The tag itself is not shown: it may be an unquoted secret that begins with '!'.
        if event.tag is not None:
            self.note(
                self.line,
                self.path,
                "has a YAML tag (!…), which is not used here; remove it, "
                "or quote the value if it begins with '!'",
            )

    def _alias(self, anchor: str | None) -> None:
        node = self._anchors.get(anchor or "")
        if node is None:
            # The name is not shown: it may be an unquoted secret that begins with '*'.
            self._stop(
                "refers to an anchor (*…) that is not defined above; define it, "
                "or quote the value if it begins with '*'"
            )
            return
        self._add(node, None)

    def _close(self) -> None:
        done = self._open.pop()
        size = 1 + sum(item.size for item in done.items)
        # Aliases are shared here, but whoever walks the tree would see them in full.
        if size > MOST_NODES:
            self._stop("grows beyond all bounds through its aliases; write it out", done.line)
        if done.is_table:
            self._add(self._table(done, size), done.anchor)
        else:
            self._add(Listing(tuple(done.items), done.line, size), done.anchor)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].items.append(node)
        else:
            self.root = node

    def _table(self, done: _Open, size: int) -> Table:
        entries: dict[str, tuple[Scalar, Node]] = {}
        merges: list[tuple[Scalar, Node]] = []
        for key, value in zip(done.items[::2], done.items[1::2], strict=True):
            if not isinstance(key, Scalar):
                self.note(key.line, done.path, "has a key that is not text; write 'key: value'")
            elif key.plain and key.text == "<<":
                merges.append((key, value))
            elif key.text in entries:
                first = entries[key.text][0].line
                path = join_path(done.path, shown_key(key.text))
                self.note(key.line, path, f"is given twice, first in line {first}; keep one")
            else:
                entries[key.text] = (key, value)
        for key, value in merges:
            for source in value.items if isinstance(value, Listing) else (value,):
                self._merge(entries, source, key, done.path)
        return Table(entries, done.line, size)

    def _merge(
        self, entries: dict[str, tuple[Scalar, Node]], source: Node, key: Scalar, path: str
    ) -> None:
        if not isinstance(source, Table):
            self.note(
                key.line,
                join_path(path, "<<"),
                "merges what is no mapping; give it an alias to one",
            )
            return
        self._merged += len(source.entries)
        if self._merged > MOST_NODES:
            self._stop("grows beyond all bounds through its merge keys; write it out", key.line)
        for name, entry in source.entries.items():
            entries.setdefault(name, entry)
