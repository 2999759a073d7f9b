"""Alertmanager takes its configuration, sends alerts where they belong, and silences no cause."""

import json
import re
import urllib.request
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.integration.servers import Server, fetch, running_alertmanager, wait_for
from tests.prometheus.files import ALERTS, FOLDER, NAMES, accepted

CONFIG = FOLDER / "alertmanager.yml"


@cache
def config() -> Any:
    """The configuration, read once: it is asked for at every pair of alerts."""
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


def test_the_webhook_is_no_port_of_alertmanager_itself() -> None:
    """9093 is where it is asked, 9094 where its cluster talks."""
    urls = [
        webhook["url"]
        for receiver in config()["receivers"]
        for webhook in receiver.get("webhook_configs", ())
    ]
    assert urls
    assert not {urlsplit(url).port for url in urls} & {9093, 9094}


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


def test_what_one_prometheus_has_lost_silences_nothing_of_another() -> None:
    """Several may tell one Alertmanager, told apart by the external label `cluster`."""
    assert [rule for rule in config()["inhibit_rules"] if "cluster" not in rule["equal"]] == []
    (absent,) = [alert.labels for alert in ALERTS if alert.name == "ItnioExporterAbsent"]
    collapsed = by_name("ItnioAnswerRatioCollapsed", account="production", app="collections")
    assert silenced(absent, collapsed)
    east, west = {"cluster": "east"}, {"cluster": "west"}
    assert silenced(absent | east, collapsed | east)
    assert not silenced(absent | east, collapsed | west)
    down = by_name("ItnioExporterDown")
    assert not silenced(down | east, collapsed | west)


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


# --- a real Alertmanager ------------------------------------------------------------------------


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Server]:
    """With this configuration, but for the receivers, who hear nothing."""
    quiet = deepcopy(config())
    quiet["global"] = {}
    quiet["receivers"] = [{"name": receiver["name"]} for receiver in quiet["receivers"]]
    with running_alertmanager(quiet, tmp_path) as server:
        yield server


def told(server: Server, alerts: list[Labels]) -> list[Any]:
    """Let all of them fire at once; return Alertmanager's groups once each alert is in its own."""
    request = urllib.request.Request(
        f"{server.url}/api/v2/alerts",
        json.dumps([{"labels": labels} for labels in alerts]).encode(),
        {"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=5) as reply:
        assert reply.status == 200

    def grouped() -> list[Any]:
        groups: list[Any] = json.loads(fetch(f"{server.url}/api/v2/alerts/groups")[1])
        found = {key(alert["labels"]) for group in groups for alert in group["alerts"]}
        return groups if found == {key(labels) for labels in alerts} else []

    return wait_for(grouped, "all alerts in their groups")


def key(labels: Labels) -> str:
    return json.dumps(labels, sort_keys=True)


@pytest.mark.integration
@pytest.mark.parametrize("left_out", ["", "ItnioExporterAbsent", "ItnioExporter.*"])
def test_of_all_alerts_at_once_the_same_are_silenced(alertmanager: Server, left_out: str) -> None:
    """What is held here about inhibition holds for Alertmanager's own, and somebody is told."""
    alerts = [labels for labels in possible() if not re.fullmatch(left_out, labels["alertname"])]
    expected = {
        key(target) for target in alerts if any(silenced(source, target) for source in alerts)
    }
    assert expected < {key(labels) for labels in alerts}
    told(alertmanager, alerts)

    def said() -> set[str]:
        answered = json.loads(fetch(f"{alertmanager.url}/api/v2/alerts")[1])
        return {key(alert["labels"]) for alert in answered if alert["status"]["inhibitedBy"]}

    wait_for(lambda: said() == expected, "the same alerts silenced")


def pages_of(groups: list[Any]) -> list[set[str]]:
    """The accounts of each notification that wakes somebody."""
    return [
        {alert["labels"]["account"] for alert in group["alerts"]}
        for group in groups
        if group["receiver"]["name"] == "pages"
    ]


ACCOUNTS = ("production", "staging", "trials")


@pytest.mark.integration
@pytest.mark.parametrize(
    "name", ["ItnioPollingFailing", "ItnioDataStale", "ItnioIPRestricted", "ItnioAccountUnowned"]
)
def test_what_all_accounts_have_at_once_is_one_page(alertmanager: Server, name: str) -> None:
    """An outage of the provider, another address of the host, a database that is away."""
    alerts = [by_name(name, account=account) for account in ACCOUNTS]
    assert pages_of(told(alertmanager, alerts)) == [set(ACCOUNTS)]


@pytest.mark.integration
@pytest.mark.parametrize("name", ["ItnioCredentialsRefused", "ItnioAnswerRatioCollapsed"])
def test_what_an_account_has_for_itself_is_a_page_each(alertmanager: Server, name: str) -> None:
    alerts = [by_name(name, account=account) for account in ACCOUNTS]
    pages = pages_of(told(alertmanager, alerts))
    assert sorted(pages, key=min) == [{account} for account in ACCOUNTS]
