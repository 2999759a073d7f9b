"""The dashboards are what Grafana's published types say, and the check would see it if not."""

import copy
import functools
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from tests.grafana.dashboards import NAMES, ROOT, load, panels

SCHEMA = ROOT / "grafana" / "schema" / "dashboard.schema.json"


@functools.cache
def validator() -> jsonschema.Draft7Validator:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def definition(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA.read_text())["definitions"][name]
    return found


def faults(dashboard: dict[str, Any]) -> list[str]:
    """What is wrong; of a panel that fits no type, what its own type says."""
    found = []
    for error in validator().iter_errors(dashboard):
        best = jsonschema.exceptions.best_match([error])
        found.append(f"{'/'.join(map(str, best.absolute_path))}: {best.message[:300]}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_it_fits_the_published_types(name: str) -> None:
    assert faults(load(name)) == []


def first(dashboard: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(panel for panel in panels(dashboard) if panel["type"] == kind)


def misspell_an_option(dashboard: dict[str, Any]) -> None:
    first(dashboard, "stat")["options"]["colourMode"] = "value"


def invent_a_value(dashboard: dict[str, Any]) -> None:
    first(dashboard, "stat")["options"]["colorMode"] = "loud"


def misspell_a_field(dashboard: dict[str, Any]) -> None:
    first(dashboard, "timeseries")["fieldConfig"]["defaults"]["custom"]["lineWith"] = 2


def put_text_for_a_number(dashboard: dict[str, Any]) -> None:
    first(dashboard, "timeseries")["fieldConfig"]["defaults"]["decimals"] = "1"


def use_an_unknown_panel(dashboard: dict[str, Any]) -> None:
    first(dashboard, "table")["type"] = "tabel"


def forget_the_query(dashboard: dict[str, Any]) -> None:
    del first(dashboard, "table")["targets"][0]["expr"]


def misspell_a_key_of_the_dashboard(dashboard: dict[str, Any]) -> None:
    dashboard["timezones"] = "utc"


def give_a_variable_an_unknown_type(dashboard: dict[str, Any]) -> None:
    dashboard["templating"]["list"][0]["type"] = "choice"


@pytest.mark.parametrize(
    "spoil",
    [
        misspell_an_option,
        invent_a_value,
        misspell_a_field,
        put_text_for_a_number,
        use_an_unknown_panel,
        forget_the_query,
        misspell_a_key_of_the_dashboard,
        give_a_variable_an_unknown_type,
    ],
)
def test_a_fault_is_seen(spoil: Callable[[dict[str, Any]], None]) -> None:
    dashboard = copy.deepcopy(load("itnio-overview"))
    spoil(dashboard)
    assert faults(dashboard) != []


def custom_fields(kind: str) -> set[str]:
    """What a panel's fields can be set to beside what all panels know."""
    panel = next(
        option
        for option in definition("Dashboard")["properties"]["panels"]["items"]["anyOf"]
        if option.get("properties", {}).get("type", {}).get("const") == kind
    )
    custom = panel["properties"]["fieldConfig"]["properties"]["defaults"]["properties"]["custom"]
    return set(custom.get("properties", {}))


@pytest.mark.parametrize("name", NAMES)
def test_overrides_name_what_there_is(name: str) -> None:
    """The published types allow any name; a wrong one is passed over in silence."""
    common = set(definition("FieldConfig")["properties"]) | {"color"}
    for panel in panels(load(name)):
        known = common | {f"custom.{field}" for field in custom_fields(panel["type"])}
        used = {
            each["id"]
            for override in panel["fieldConfig"]["overrides"]
            for each in override["properties"]
        }
        assert used - known == set(), panel["title"]
