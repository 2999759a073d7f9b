import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from exporter.config import Account, App, Metrics, Objectives, Poll, Window, load, parse
from exporter.config.fields import ACCOUNT, ACCOUNT_OBJECTIVES, APP, METRICS, POLL, Section
from tests.config.texts import ACCOUNT as ONE
from tests.config.texts import ACCOUNTS, account, poll

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def test_the_least_there_can_be_has_every_default_of_the_contract() -> None:
    config = parse(ACCOUNTS, {})
    assert config.poll == Poll(
        interval=60, timeout=10, deadline=50, concurrency=4, requests_per_second=5,
        lookback=86400, windows=(Window("1h", 3600), Window("24h", 86400)), settle=3600,
        full_sweep=3600, stale_after=300,
    )  # fmt: skip
    assert config.metrics == Metrics(script_limit=100, task_limit=50)
    (one,) = config.accounts
    assert (one.name, one.base_url, one.currency) == ("a", "https://api.itniotech.com", "USD")
    assert (one.apps, one.objectives, one.search, one.statuses) == ((), Objectives(), "", ())
    assert config.warnings == ()


def test_everything_given_arrives() -> None:
    text = account("""
        base_url: https://proxy.example:8443/itnio/
        timezone: +05:30
        currency: NOK
        search: spring sale
        statuses: [calling, 2, "3", calling, 1]
        apps:
        - {id: 12, name: collections, objectives: {answer_ratio: 0.35}}
        - {id: 13, name: yes}
        objectives: {answer_ratio: 0.3, failure_ratio: 0, average_call_duration: 1m,
                     daily_spend: 500.10, minimum_balance: 99.90}
        balance: true
    """)
    one = parse(text, {}).accounts[0]
    assert one.base_url == "https://proxy.example:8443/itnio"
    assert datetime(2026, 1, 1, tzinfo=one.timezone).utcoffset() == timedelta(hours=5, minutes=30)
    assert (one.timezone_name, one.currency, one.search) == ("+05:30", "NOK", "spring sale")
    assert one.statuses == (1, 2, 3)
    assert one.apps == (App(12, "collections", Objectives(answer_ratio=0.35)), App(13, "yes"))
    assert one.objectives == Objectives(0.3, 0, 60, Decimal("500.10"), Decimal("99.90"))
    assert one.balance is True


def test_the_example_is_valid_as_it_stands_and_names_every_key() -> None:
    assert load(EXAMPLE, {}).warnings == ()
    config = load(EXAMPLE, {"ITNIO_API_KEY": "k1", "ITNIO_API_SECRET": "s1"})
    assert config.accounts[0].api_key.reveal() == "k1"
    text = EXAMPLE.read_text(encoding="utf-8")
    for section in (POLL, METRICS, ACCOUNT, APP, ACCOUNT_OBJECTIVES):
        for field in section.fields:
            assert f"{field.name}:" in text


def test_the_example_shows_the_defaults() -> None:
    defaults, example = parse(ACCOUNTS, {}), load(EXAMPLE, {})
    assert example.poll == defaults.poll
    assert example.metrics == defaults.metrics


@pytest.mark.parametrize(
    ("section", "model"),
    [
        (POLL, Poll),
        (METRICS, Metrics),
        (ACCOUNT, Account),
        (APP, App),
        (ACCOUNT_OBJECTIVES, Objectives),
    ],
)
def test_table_and_model_have_the_same_names(section: Section, model: type) -> None:
    in_model = {field.name for field in dataclasses.fields(model)}
    assert in_model - {"timezone_name"} == {field.name for field in section.fields}
    assert all(field.help for field in section.fields)


@pytest.mark.parametrize(
    ("keys", "deadline", "timeout", "stale_after"),
    [
        ("interval: 30s", 25, 10, 300),
        ("interval: 6s", 5, 5, 300),
        ("interval: 5m", 50, 10, 900),
        ("deadline: 60s", 60, 10, 300),
        ("deadline: 4s", 4, 4, 300),
        ("interval: 500ms\ntimeout: 100ms", 0.5 * 5 / 6, 0.1, 300),
    ],
)
def test_defaults_follow_the_interval(
    keys: str, deadline: float, timeout: float, stale_after: float
) -> None:
    config = parse(poll(keys), {})
    assert config.poll.deadline == pytest.approx(deadline)
    assert config.poll.timeout == pytest.approx(timeout)
    assert config.poll.stale_after == stale_after
    assert config.warnings == ()


@pytest.mark.parametrize(
    ("keys", "windows"),
    [
        ("lookback: 12h", (Window("1h", 3600),)),
        ("lookback: 60m", (Window("1h", 3600),)),
        ("lookback: 30m", (Window("30m", 1800),)),
        ("lookback: 2d", (Window("1h", 3600), Window("24h", 86400))),
        ("windows: [90m, 1d]", (Window("90m", 5400), Window("1d", 86400))),
    ],
)
def test_default_windows_fit_the_lookback(keys: str, windows: tuple[Window, ...]) -> None:
    assert parse(poll(keys), {}).poll.windows == windows


def test_an_ended_task_need_not_settle_and_no_task_need_have_series() -> None:
    config = parse("metrics: {task_limit: 0}\n" + poll("settle: 0s"), {})
    assert (config.poll.settle, config.metrics.task_limit) == (0, 0)


@pytest.mark.parametrize("empty", ["", " null", " ~", " {}"])
def test_a_section_with_everything_commented_out_is_its_defaults(empty: str) -> None:
    assert parse(f"poll:{empty}\n{ACCOUNTS}", {}) == parse(ACCOUNTS, {})


@pytest.mark.parametrize(
    ("written", "hours"),
    [("UTC", 0), ("Z", 0), ("+08:00", 8), ("-0530", -5.5), ("+8", 8), ('"+08"', 8),
     ("Asia/Shanghai", 8), ("-12:00", -12), ("+14:00", 14)],
)  # fmt: skip
def test_time_zones(written: str, hours: float) -> None:
    zone = parse(account(f"timezone: {written}"), {}).accounts[0].timezone
    assert datetime(2026, 1, 1, tzinfo=zone).utcoffset() == timedelta(hours=hours)


def test_utc_is_utc() -> None:
    assert parse(account("timezone: UTC"), {}).accounts[0].timezone is UTC


def test_keys_can_be_shared_by_anchors_and_merge_keys() -> None:
    config = parse(
        "accounts:\n"
        "- &first {name: one, api_key: abcdefgh, api_secret: ijklmnop, timezone: &zone UTC}\n"
        "- <<: *first\n"
        "  name: two\n"
        "  api_key: qrstuvwx\n"
        "- {<<: [*first], name: three, api_key: yzyzyzyz, timezone: *zone}\n",
        {},
    )
    assert [one.name for one in config.accounts] == ["one", "two", "three"]
    assert [one.api_key.reveal()[0] for one in config.accounts] == ["a", "q", "y"]
    assert {one.api_secret.reveal() for one in config.accounts} == {"ijklmnop"}


def test_the_text_of_scalars_counts_and_not_yamls_idea_of_them() -> None:
    one = parse("accounts:\n- {name: 0o17, api_key: 1e3, api_secret: 0x10, timezone: Z}", {})
    assert one.accounts[0].name == "0o17"
    assert one.accounts[0].api_key.reveal() == "1e3"
    assert one.accounts[0].api_secret.reveal() == "0x10"


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + ACCOUNTS.replace("\n", "\r\n").encode())
    assert load(path, {}) == parse(ACCOUNTS, {})


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("https://api.example", False),
        ("http://api.example", True),
        ("http://10.0.0.1:80/x", True),
        ("http://localhost:1", False),
        ("http://127.0.0.9", False),
        ("http://[::1]:8080", False),
        ("http://sim.localhost", False),
    ],
)
def test_plain_http_to_another_host_is_worth_a_warning(url: str, warned: bool) -> None:
    warnings = parse(account(f"timezone: Z\nbase_url: '{url}'"), {}).warnings
    assert [(one.line, one.key) for one in warnings] == [(6, "accounts[0].base_url")] * warned


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        (account("currency: USD"), 2, "accounts[0].timezone", "Asia/Shanghai is assumed"),
        (account("timezone: Etc/GMT+8"), 5, "accounts[0].timezone", "opposite sign"),
        (ACCOUNTS + ONE.replace("name: a", "name: b"), 3, "accounts[1].api_key", "the same as"),
        (poll("stale_after: 30s"), 2, "poll.stale_after", "not longer than poll.interval"),
        (poll("lookback: 59s"), 2, "poll.lookback", "shorter than poll.interval"),
    ],
)
def test_what_is_odd_but_usable_is_a_warning(text: str, line: int, key: str, words: str) -> None:
    (warning,) = parse(text, {}).warnings
    assert (warning.line, warning.key) == (line, key)
    assert words in warning.message


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("Yes", True), ("on", True), ("false", False), ("no", False), ("", False)],
)
def test_a_switch_is_on_or_off(text: str, value: bool) -> None:
    assert parse(account(f"balance: {text}\ntimezone: UTC"), {}).accounts[0].balance is value
