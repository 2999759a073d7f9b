"""From a file to a `Config`, or to every reason why not."""

from collections.abc import Mapping
from pathlib import Path

from exporter.config.build import build_config
from exporter.config.fields import ROOT
from exporter.config.model import Config
from exporter.config.places import Scalar, parse_yaml
from exporter.config.problems import ConfigError
from exporter.config.reading import Place, Reader, Report
from exporter.config.text_file import read_text, shown_path, told, whole_file


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the file; raise ConfigError with every problem at once, sorted by line."""
    return parse(read_text(path, "--config.file"), environ, file=path)


def parse(text: str, environ: Mapping[str, str], *, file: Path = Path("config.yaml")) -> Config:
    """Read the text of a file; `file` names it in errors, and its folder anchors secret files."""
    name = shown_path(file)
    root, problems = parse_yaml(text, name)
    if root is None and problems:
        # Nothing could be read, so what is missing is not known.
        raise ConfigError(problems)
    if root is None or (isinstance(root, Scalar) and root.is_null):
        raise whole_file(file, "is empty; begin with a copy of config.example.yaml")
    report = Report(name, problems)
    reader = Reader(report, environ)
    values = reader.section(ROOT, root, Place(1, ""))
    config = build_config(values, report, file.parent)
    if report.problems or config is None:
        raise ConfigError(told(report.problems, set(reader.secrets)))
    return config
