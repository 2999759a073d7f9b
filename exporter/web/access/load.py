"""From the web configuration's file to a `WebConfig`, or to every reason why not."""

from pathlib import Path
from typing import Final

from exporter.config.fields import Section
from exporter.config.places import Node, Scalar, Table, parse_yaml
from exporter.config.problems import ConfigError
from exporter.config.reading import Place, Reader, Report, Values
from exporter.config.text_file import read_text, shown_path, told
from exporter.config.wording import join_path, shown_key
from exporter.web.access.build import Builder
from exporter.web.access.fields import ROOT, USERS
from exporter.web.access.kinds import password_hash
from exporter.web.access.model import WebConfig
from exporter.web.access.seen import Seen, signature

FLAG: Final = "--web.config.file"


def load(path: Path, seen: Seen) -> WebConfig:
    """Read the file and those it names; ConfigError with every problem at once, sorted by line.

    In `seen` is noted, good or not, which files were read, and their states just before.
    """
    seen[path] = signature(path)
    name = shown_path(path)
    root, problems = parse_yaml(read_text(path, FLAG), name)
    if root is None and problems:
        raise ConfigError(problems)
    if isinstance(root, Scalar) and root.is_null:
        root = None
    report = Report(name, problems)
    reader = _Reader(report)
    values = reader.section(ROOT, root, Place(1, ""))
    config = Builder(report, path.parent, seen).build(values)
    if report.problems or config is None:
        raise ConfigError(told(report.problems, set(reader.secrets)))
    return config


class _Reader(Reader):
    """Knows that users' names are the file's own, and that a hash's dollars are no variables."""

    def __init__(self, report: Report) -> None:
        super().__init__(report, None, ROOT)

    def section(self, section: Section, node: Node | None, place: Place) -> Values:
        if section is not USERS or not isinstance(node, Table):
            return super().section(section, node, place)
        users = Values(place)
        for name, (key, inner) in node.entries.items():
            at = Place(key.line, join_path(place.key, shown_key(name)))
            if ":" in name:
                self._report.problem(at, "has a colon in the user's name, which ends it in HTTP")
                users.complete = False
                continue
            value = self._scalar(password_hash(), inner, at)
            if value is None:
                users.complete = False
            else:
                users.found[name] = value
        return users
