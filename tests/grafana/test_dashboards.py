"""What every dashboard promises, read off the committed files."""

import re
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from exporter.exposition.families import CATALOGUE
from exporter.exposition.telemetry import Telemetry
from tests.grafana.dashboards import BUILT_IN, NAMES, ROOT, load, panels, queries, variables

CHOICES = ["datasource", "account", "app", "script", "window"]
UIDS = {"itnio-overview", "itnio-campaigns", "itnio-exporter-health"}

# What is not of the exporter's own catalogue: of its client library, and of Prometheus.
FOREIGN = {
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
    "scrape_duration_seconds",
    "up",
    "ALERTS",
}

# Words of PromQL that stand where a metric could.
WORDS = {"by", "on", "and", "or", "bool", "group_left", "ignoring", "without", "unless"}


@pytest.fixture(params=NAMES)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


def served() -> set[str]:
    """Every name that a sample of the exporter can have."""
    names = {family.name for family in CATALOGUE}
    telemetry = Telemetry("version", ("reason",))
    telemetry.account("account").rejected(("reason",))
    telemetry.store(("reason",))
    for metric in telemetry.registry.collect():
        names |= {sample.name for sample in metric.samples}
    return names


def metrics(expression: str) -> set[str]:
    """The metrics of an expression: its words without strings, labels, functions and numbers."""
    text = re.sub(r'"[^"]*"', "", expression)
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", text)
    text = re.sub(r"\b(by|on|group_left|ignoring|without)\s*\([^)]*\)", "", text)
    text = re.sub(r"\b\w+\s*\(", "(", text)
    return {word for word in re.findall(r"[A-Za-z_:]\w*", text) if word not in WORDS}


def texts(value: Any) -> list[str]:
    """Every string of a JSON value."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


def test_generating_again_gives_the_same_bytes() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "grafana.generate", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_there_are_three() -> None:
    assert {load(name)["uid"] for name in NAMES} == UIDS == set(NAMES)


def test_panel_ids_are_unique(dashboard: dict[str, Any]) -> None:
    ids = Counter(panel["id"] for panel in dashboard["panels"])
    assert [number for number, count in ids.items() if count > 1] == []
    assert all(0 < panel["id"] < 1000 for panel in panels(dashboard))


def test_titles_are_unique(dashboard: dict[str, Any]) -> None:
    titles = Counter(panel["title"] for panel in panels(dashboard))
    assert [title for title, count in titles.items() if count > 1] == []


def test_every_panel_says_what_it_shows_and_in_what_unit(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"], panel["title"]
        assert defaults["noValue"], panel["title"]
        assert panel["type"] == "table" or defaults["decimals"] >= 0, panel["title"]


def test_every_column_of_a_table_has_a_unit(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        if panel["type"] != "table":
            continue
        (organize,) = [each for each in panel["transformations"] if each["id"] == "organize"]
        overridden = {
            override["matcher"]["options"]: {each["id"] for each in override["properties"]}
            for override in panel["fieldConfig"]["overrides"]
        }
        titles = set(organize["options"]["renameByName"].values())
        assert {title for title in titles if "unit" not in overridden[title]} == set()
        references = {f"Value #{target['refId']}" for target in panel["targets"][0:]}
        shown = set(organize["options"]["renameByName"])
        # Labels bring a table's first query along where its value says nothing: an info's is 1.
        hidden = references - shown
        assert all(
            "itnio_voice_task_info{" in target["expr"].splitlines()[1]
            for target in panel["targets"]
            if f"Value #{target['refId']}" in hidden
        )


def test_every_data_source_is_the_chosen_one(dashboard: dict[str, Any]) -> None:
    references = [panel["datasource"] for panel in panels(dashboard)]
    references += [
        target["datasource"] for panel in panels(dashboard) for target in panel["targets"]
    ]
    references += [each["datasource"] for each in dashboard["annotations"]["list"]]
    references += [
        variable["datasource"]
        for variable in variables(dashboard).values()
        if variable["type"] == "query"
    ]
    assert all(each == {"type": "prometheus", "uid": "${datasource}"} for each in references)


def test_variables_are_the_same_everywhere(dashboard: dict[str, Any]) -> None:
    assert list(variables(dashboard)) == CHOICES
    for name in ("account", "app", "script"):
        variable = variables(dashboard)[name]
        assert (variable["multi"], variable["includeAll"]) == (True, True)
        # All includes what lacks the label: an account without apps.
        assert variable["allValue"] == ".*"
    assert not variables(dashboard)["window"].get("multi")
    assert all(variable["description"] for variable in variables(dashboard).values())


def test_every_variable_that_is_used_is_defined(dashboard: dict[str, Any]) -> None:
    used = set()
    for text in texts(dashboard):
        used |= {a or b for a, b in re.findall(r"\$(\w+)|\$\{(\w+)[^}]*\}", text)}
    known = {*variables(dashboard), *BUILT_IN, "__url_time_range", "__data", "__all"}
    assert used - known == set()


def test_every_variable_that_is_shown_is_used(dashboard: dict[str, Any]) -> None:
    asked = "\n".join(each.expression for each in queries(dashboard))
    for name, variable in variables(dashboard).items():
        if name != "datasource" and variable.get("hide", 0) == 0:
            assert f"${name}" in asked, name


def test_every_metric_exists(dashboard: dict[str, Any]) -> None:
    used = {metric for each in queries(dashboard) for metric in metrics(each.expression)}
    assert used
    assert used - served() - FOREIGN == set()


def test_the_words_of_an_expression_are_found() -> None:
    expression = 'sum by (a) (rate(x_total{b="c", d=~"$e"}[5m])) / on (f) group_left (g) y > bool 0'
    assert metrics(expression) == {"x_total", "y"}


def test_legends_name_the_account(dashboard: dict[str, Any]) -> None:
    """Where series of several accounts can be in one panel; a process has no account."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            legend = target.get("legendFormat", "")
            if "account" in target["expr"].split("{")[0] and panel["type"] != "table":
                assert "{{account}}" in legend, (panel["title"], legend)


def test_the_grid_is_full_and_nothing_overlaps(dashboard: dict[str, Any]) -> None:
    taken: Counter[tuple[int, int]] = Counter()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken.update(
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        )
    assert set(taken.values()) == {1}
    height = 1 + max(y for _, y in taken)
    assert len(taken) == 24 * height


def test_links_keep_choices_and_time(dashboard: dict[str, Any]) -> None:
    assert {link["url"] for link in dashboard["links"]} == {
        f"/d/{uid}" for uid in UIDS - {dashboard["uid"]}
    }
    assert all(link["includeVars"] and link["keepTime"] for link in dashboard["links"])
    inside = [text for text in texts(dashboard["panels"]) if text.startswith("/d/")]
    for url in inside:
        path, _, query = url.partition("?")
        assert path.removeprefix("/d/") in UIDS
        assert query.startswith("${__url_time_range}&")
        for name in CHOICES:
            assert f"${{{name}:queryparam}}" in query or f"var-{name}=" in query


def test_objectives_are_dashed_lines() -> None:
    aims = {
        target["expr"].split("(")[2].split("{")[0]: panel
        for panel in panels(load("itnio-overview"))
        for target in panel["targets"]
        if target["refId"] == "aim"
    }
    assert set(aims) == {
        "itnio_voice_objective_answer_ratio",
        "itnio_voice_objective_average_call_duration_seconds",
        "itnio_voice_objective_failure_ratio",
        "itnio_voice_objective_daily_spend",
        "itnio_voice_objective_minimum_balance",
    }
    for panel in aims.values():
        (style,) = [
            each["value"]
            for override in panel["fieldConfig"]["overrides"]
            if override["matcher"] == {"id": "byFrameRefID", "options": "aim"}
            for each in override["properties"]
            if each["id"] == "custom.lineStyle"
        ]
        assert style["fill"] == "dash"


def test_alerts_are_drawn(dashboard: dict[str, Any]) -> None:
    (annotation,) = dashboard["annotations"]["list"]
    assert annotation["enable"]
    assert annotation["expr"].startswith("ALERTS{")
    assert 'alertstate="firing"' in annotation["expr"]


def test_no_average_of_ratios(dashboard: dict[str, Any]) -> None:
    assert [each.where for each in queries(dashboard) if re.search(r"\bavg", each.expression)] == []
    of_windows = r"itnio_voice_window_(answer_ratio|failure_ratio|average_call_duration_seconds)\b"
    assert [
        each.where for each in queries(dashboard) if re.search(of_windows, each.expression)
    ] == []
