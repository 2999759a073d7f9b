"""From a file to a `Config`, or to every reason why not."""

from collections.abc import Mapping
from pathlib import Path

from exporter.config.model import Config


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the file; raise ConfigError with every problem at once."""
    return parse(path.read_text(encoding="utf-8"), environ, file=path)


def parse(text: str, environ: Mapping[str, str], *, file: Path = Path("config.yaml")) -> Config:
    """Read the text of a file; `file` names it in errors and anchors relative paths."""
    raise NotImplementedError
