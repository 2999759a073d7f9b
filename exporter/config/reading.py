"""From the YAML tree to values, by the table of fields; every problem is noted, none is raised."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.config.environment import Substituted, substitute
from exporter.config.fields import ROOT, Field, Many, Section
from exporter.config.kinds import Kind
from exporter.config.places import Listing, Node, Scalar, Table
from exporter.config.problems import Problem, Refusal
from exporter.config.wording import join_path, nearest, shown_key, shown_value


@dataclass(slots=True)
class Report:
    """Collects what is wrong, and what is only worth a line in the log."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def problem(self, place: "Place", message: str) -> None:
        """Note what makes the file unusable."""
        self.problems.append(Problem(self.file, place.line, place.key, message))

    def warning(self, place: "Place", message: str) -> None:
        """Note what does not."""
        self.warnings.append(Problem(self.file, place.line, place.key, message))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands; a default stands where its section does."""

    line: int
    key: str


@dataclass(frozen=True, slots=True)
class Value:
    """What was read; `given` is false for a default.

    `text` is as written, after substitution, and empty for a secret.
    """

    value: Any
    place: Place
    given: bool
    text: str = ""


@dataclass(slots=True)
class Values:
    """The values of one section. What was wrong is absent, so that nothing follows from it."""

    place: Place
    found: dict[str, Value] = field(default_factory=dict)
    complete: bool = True

    def __getitem__(self, name: str) -> Value:
        return self.found[name]

    def get(self, name: str) -> Any:
        """Return a value, None where it is absent."""
        found = self.found.get(name)
        return found.value if found else None

    def given(self, name: str) -> bool:
        """Tell whether the file has a good value of its own for the key."""
        found = self.found.get(name)
        return found is not None and found.given

    def where(self, name: str) -> Place:
        """Return the place of a key, or where it would have to be."""
        found = self.found.get(name)
        return found.place if found else Place(self.place.line, join_path(self.place.key, name))


def _sections(section: Section, name: str) -> Iterator[tuple[str, Section]]:
    yield name, section
    for known in section.fields:
        inner = known.kind.of if isinstance(known.kind, Many) else known.kind
        if isinstance(inner, Section):
            yield from _sections(inner, join_path(name, known.name))


class Reader:
    """Reads a tree by the table, of which `root` is the whole.

    Without an `environ` nothing is substituted: a dollar sign is one.
    """

    def __init__(
        self, report: Report, environ: Mapping[str, str] | None, root: Section = ROOT
    ) -> None:
        self._report = report
        self._environ = environ
        self._root = root
        self.secrets: list[str] = []
        """What was written for keys and secrets, good or not."""

    def section(self, section: Section, node: Node | None, place: Place) -> Values:
        """Read a mapping; without one, every value is its default."""
        values = Values(place)
        entries: Mapping[str, tuple[Scalar, Node]] = {}
        if isinstance(node, Table):
            entries = node.entries
        elif node is not None:
            self._wrong_shape(node, place, "a mapping of keys and values")
            values.complete = False
            return values
        known = {item.name: item for item in section.fields}
        for name, (key, _) in entries.items():
            if name not in known:
                self._unknown(name, Place(key.line, join_path(place.key, shown_key(name))), section)
        for item in section.fields:
            value = self._field(item, entries.get(item.name), place)
            if value is None:
                values.complete = False
            else:
                values.found[item.name] = value
                # A section or list below may be there and yet not whole.
                values.complete &= _is_complete(value.value)
        return values

    def _field(
        self, item: Field, entry: tuple[Scalar, Node] | None, section: Place
    ) -> Value | None:
        path = join_path(section.key, item.name)
        line = entry[0].line if entry else section.line
        node = entry[1] if entry else None
        absent = node is None or (isinstance(node, Scalar) and node.is_null)
        if absent and item.required:
            what = "is empty" if entry else "is missing"
            hint = f"write {item.name}: {item.example}" if item.example else "write at least one"
            self._report.problem(Place(line, path), f"{what}; {hint}")
            return None
        if absent:
            return self._default(item, Place(line, path))
        return self._read(item.kind, node, Place(line, path)) if node else None

    def _default(self, item: Field, place: Place) -> Value:
        match item.kind, item.default:
            case Section() as section, _:
                return Value(self.section(section, None, place), place, given=False)
            case Many(of=Kind() as kind), tuple(texts):
                items = tuple(Value(kind.read(text), place, given=False) for text in texts)
                return Value(items, place, given=False)
            case Kind() as kind, str(text):
                return Value(kind.read(text), place, given=False, text=text)
            case Many(), _:
                return Value((), place, given=False)
            case _:
                return Value(None, place, given=False)

    def _read(self, kind: Kind | Many | Section, node: Node, place: Place) -> Value | None:
        match kind:
            case Section():
                values = self.section(kind, node, place)
                return Value(values, place, given=True)
            case Many():
                return self._many(kind, node, place)
            case Kind():
                return self._scalar(kind, node, place)

    def _many(self, kind: Many, node: Node, place: Place) -> Value | None:
        if not isinstance(node, Listing):
            self._wrong_shape(node, place, "a list; write [..] or lines that begin with '- '")
            return None
        read = [
            self._read(kind.of, item, Place(item.line, f"{place.key}[{index}]"))
            for index, item in enumerate(node.items)
        ]
        values = tuple(value for value in read if value is not None)
        if len(values) < len(read):
            return None
        return Value(values, place, given=True)

    def _scalar(self, kind: Kind, node: Node, place: Place) -> Value | None:
        if not isinstance(node, Scalar):
            self._wrong_shape(node, place, kind.wants)
            return None
        place = Place(node.line, place.key)
        try:
            if self._environ is None:
                substituted = Substituted(node.text)
            else:
                substituted = substitute(node.text, self._environ)
        except Refusal as refusal:
            self._report.problem(place, str(refusal))
            return None
        if kind.secret:
            self.secrets.append(substituted.text)
        try:
            value = kind.read(substituted.text)
        except Refusal as refusal:
            self._report.problem(place, f"{_subject(kind, substituted)}{refusal}")
            return None
        return Value(value, place, given=True, text="" if kind.secret else substituted.text)

    def _wrong_shape(self, node: Node, place: Place, wanted: str) -> None:
        # What was found is named by its shape alone: it may be a secret in the wrong place.
        match node:
            case Scalar():
                found = "nothing" if node.is_null else "a single value"
            case Listing():
                found = "a list"
            case Table():
                found = "a mapping"
        self._report.problem(place, f"is {found}, not {wanted}")

    def _unknown(self, name: str, place: Place, section: Section) -> None:
        known = [item.name for item in section.fields]
        stem, colon, _ = name.partition(":")
        if colon and stem in known:
            self._report.problem(place, f"has no space after its colon; write '{stem}: '")
            return
        home = next(
            (
                where
                for where, other in _sections(self._root, "")
                if where and other is not section and name in {f.name for f in other.fields}
            ),
            None,
        )
        near = nearest(name, known)
        if home:
            hint = f"it belongs under {home}"
        elif near:
            hint = f"did you mean {near}?"
        else:
            hint = f"known here are {', '.join(known)}"
        self._report.problem(place, f"is not a known key; {hint}")


def _subject(kind: Kind, value: Substituted) -> str:
    """Return how to speak of a value: itself, where it can be no secret."""
    if value.variables:
        names = " and ".join(f"${{{name}}}" for name in value.variables)
        return f"the value of {names} "
    return f"{shown_value(value.text)} " if not kind.hidden and value.text else ""


def _is_complete(value: Any) -> bool:
    if isinstance(value, Values):
        return value.complete
    if isinstance(value, tuple):
        return all(_is_complete(item.value) for item in value if isinstance(item, Value))
    return True
