"""The committed dashboards, as the tests of this folder and the integration tests read them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "grafana" / "dashboards"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))

# Grafana's own, with the values it gives them for a dashboard of six hours and a data source that
# is scraped every 15 s: $__rate_interval is at least four scrapes.
BUILT_IN = {"__rate_interval": "1m", "__interval": "15s", "__range": "6h"}


def load(name: str) -> dict[str, Any]:
    dashboard: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return dashboard


def panels(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The panels that show something: rows are only headings, and none of them is folded."""
    assert not any(panel.get("panels") for panel in dashboard["panels"])
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def variables(dashboard: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and where it stands."""

    where: str
    expression: str
    instant: bool


def queries(dashboard: Mapping[str, Any]) -> Iterator[Asked]:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield Asked(
                f"{panel['id']} {panel['title']} {target['refId']}",
                target["expr"],
                target.get("instant", False),
            )


def substituted(text: str, values: Mapping[str, str]) -> str:
    """Put values for variables, as Grafana does; KeyError where one is not known."""
    known = {**BUILT_IN, **values}
    return re.sub(r"\$(\w+)|\$\{(\w+)\}", lambda match: known[match[1] or match[2]], text)
