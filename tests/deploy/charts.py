"""The chart as Helm renders it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from helm_python import chart as helm

from tests.project.files import ROOT

CHART = ROOT / "deploy/helm/itnio-exporter"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
Document = dict[str, Any]


@cache
def _chart() -> helm.Chart:
    return helm.Chart.load(CHART)


def render(values: Mapping[str, Any], release: str = "voice") -> list[Document]:
    """What would be created, without the notes."""
    rendered = _chart().render(dict(values), name=release, namespace="monitoring")
    return [
        document
        for path, text in sorted(rendered.items())
        if not path.endswith("NOTES.txt")
        for document in yaml.safe_load_all(text)
        if document
    ]


def values_of(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(path.read_text())
    return values


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    return [document for document in documents if document["kind"] == kind]


def only(documents: list[Document], kind: str) -> Document:
    (document,) = of_kind(documents, kind)
    return document
