"""Alertmanager takes its configuration, sends alerts where they belong, and silences no cause."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.prometheus.files import ALERTS, FOLDER, NAMES, accepted

CONFIG = FOLDER / "alertmanager.yml"


def config() -> Any:
    return yaml.safe_load(CONFIG.read_text())


@pytest.mark.integration
def test_amtool_takes_it_with_its_secrets_in_files(tmp_path: Path) -> None:
    text = CONFIG.read_text().replace("/etc/alertmanager/secrets", str(tmp_path))
    for name in re.findall(re.escape(str(tmp_path)) + r"/([\w-]+)", text):
        (tmp_path / name).write_text("https://hooks.example/secret")
    path = tmp_path / "alertmanager.yml"
    path.write_text(text)
    assert "SUCCESS" in accepted("amtool", "check-config", path)


def test_no_secret_stands_in_it() -> None:
    keys = re.findall(
        r"(?m)^\s*(?:- )?(\w*(?:key|password|token|secret|api_url|credentials)\w*):",
        CONFIG.read_text(),
    )
    assert keys
    assert [key for key in keys if not key.endswith("_file")] == []


@pytest.mark.integration
@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        *((alert.labels, f"webhook,{alert.labels['severity']}s") for alert in ALERTS),
        ({"alertname": "SomebodyElses"}, "tickets"),
    ],
    ids=[*NAMES, "SomebodyElses"],
)
def test_route(labels: dict[str, str], receivers: str) -> None:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    accepted(
        *("amtool", "config", "routes", "test"),
        *(f"--config.file={CONFIG}", f"--verify.receivers={receivers}", *pairs),
    )


def test_alerts_are_grouped_by_account() -> None:
    assert "account" in config()["route"]["group_by"]
    assert {route["receiver"] for route in config()["route"]["routes"]} <= {
        receiver["name"] for receiver in config()["receivers"]
    }


# --- inhibition ---------------------------------------------------------------------------------

Labels = dict[str, str]


def matches(matchers: list[str], labels: Labels) -> bool:
    """Whether all matchers hold, as Alertmanager reads them."""
    for matcher in matchers:
        parsed = re.fullmatch(r'(\w+)(=~|!~|!=|=)"(.*)"', matcher)
        assert parsed, matcher
        name, operator, value = parsed.groups()
        actual = labels.get(name, "")
        holds = bool(re.fullmatch(value, actual)) if "~" in operator else actual == value
        if holds == operator.startswith("!"):
            return False
    return True


def silenced(source: Labels, target: Labels) -> bool:
    return any(
        matches(rule["source_matchers"], source)
        and matches(rule["target_matchers"], target)
        and all(source.get(name, "") == target.get(name, "") for name in rule.get("equal", []))
        for rule in config()["inhibit_rules"]
    )


PLACE = {"job": "itnio", "instance": "exporter:10911"}
WITHOUT_ACCOUNT = {
    *("ItnioExporterDown", "ItnioExporterAbsent", "ItnioStoreFailing", "ItnioConfigReloadFailed")
}


def possible() -> Iterator[Labels]:
    """Every alert as it can come: for an exporter, for an account, for an app."""
    for alert in ALERTS:
        if alert.name == "ItnioExporterAbsent":
            yield alert.labels
        elif alert.name in WITHOUT_ACCOUNT:
            yield alert.labels | PLACE
        else:
            yield alert.labels | PLACE | {"account": "production"}
            yield alert.labels | PLACE | {"account": "production", "app": "collections"}


def by_name(name: str, **labels: str) -> Labels:
    (found,) = [alert.labels for alert in ALERTS if alert.name == name]
    return found | PLACE | labels


def test_no_alert_silences_itself() -> None:
    assert [labels for labels in possible() if silenced(labels, labels)] == []


def test_no_alerts_silence_each_other_round_about() -> None:
    """Alertmanager lets silenced alerts silence: a circle would leave nobody to tell."""
    alerts = list(possible())
    left = {
        number: {n for n, source in enumerate(alerts) if silenced(source, target)}
        for number, target in enumerate(alerts)
    }
    while free := {number for number, sources in left.items() if not sources & left.keys()}:
        for number in free:
            del left[number]
    assert [alerts[number] for number in left] == []


def test_a_dead_exporter_silences_what_it_told_and_nothing_else() -> None:
    down = by_name("ItnioExporterDown")
    mine = by_name("ItnioAnswerRatioCollapsed", account="production", app="collections")
    assert silenced(down, mine)
    assert silenced(down, by_name("ItnioStoreFailing"))
    assert not silenced(down, mine | {"instance": "another:10911"})
    assert not silenced(mine, down)


@pytest.mark.parametrize("cause", ["ItnioCredentialsRefused", "ItnioIPRestricted"])
def test_a_refusal_silences_what_comes_of_it(cause: str) -> None:
    source = by_name(cause, account="production")
    for name in ("ItnioPollingFailing", "ItnioDataStale"):
        assert silenced(source, by_name(name, account="production"))
        assert not silenced(source, by_name(name, account="staging"))
        assert not silenced(by_name(name, account="production"), source)


def test_a_page_silences_the_ticket_of_its_family() -> None:
    place = {"account": "production", "app": "collections"}
    page = by_name("ItnioAnswerRatioCollapsed", **place)
    ticket = by_name("ItnioAnswerRatioLow", **place)
    assert silenced(page, ticket)
    assert not silenced(ticket, page)
    assert not silenced(page, ticket | {"app": "reminders"})
    assert not silenced(page, by_name("ItnioShortCalls", **place))


def test_a_page_for_the_account_silences_its_apps_tickets_on_spend() -> None:
    page = by_name("ItnioBudgetBurningFast", account="production")
    ticket = by_name("ItnioBudgetBurningSlow", account="production", app="collections")
    assert silenced(page, ticket)


def test_a_balance_that_runs_out_is_also_low_and_told_once() -> None:
    page = by_name("ItnioBalanceRunsOut", account="production", currency="USD")
    ticket = by_name("ItnioBalanceLow", account="production", currency="USD")
    assert silenced(page, ticket)
    assert not silenced(ticket, page)
    assert not silenced(page, ticket | {"account": "staging"})
