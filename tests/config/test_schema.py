"""The JSON Schema says of a file what the loader says of it, as far as one key alone decides."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from exporter.config import ConfigError, fields, parse
from exporter.config.fields import ROOT, Many, Section
from exporter.config.schema import json_schema, schema_text

VALIDATOR = Draft202012Validator(json_schema())
# What a schema cannot tell: it depends on another key, on a file, or on the zones of this host.
BEYOND = re.compile(
    r"is longer than poll\.|is the same|points to|needs the balance|longer than 100 years"
    r"|is no time zone; (did|write an IANA)|no usable host|: is not a URL; "
)
Values = st.SearchStrategy[Any]
ENVIRON = {
    "SPAN": "30s",
    "COUNT": "1",
    "WORD": "word",
    "ZONE": "UTC",
    "MONEY": "USD",
    "SITE": "http://a.b",
}

BROKEN = ["${", "${}", "${1}", "${A", "a${B:=c}", "$${${"]
SPANS: Values = st.one_of(
    st.sampled_from([
        *("60s", "1h30m", "500ms", "0", "0s", "00", "", "soon", "1.5h", "-5s", "1s0ms", "1500ms"),
        *("2000ms", "1m5s", "5s1m", " 5s", "1y", "999ms", "0ms", "60", "1h ", "٣s"),
        *("${SPAN}", "${NOT_SET:-5m}", "$${SPAN}", *BROKEN),
        *(0, 60, 1.5, True, None, [], {}),
    ]),
    st.text("0123456789smhdwy", max_size=8),
)  # fmt: skip
NUMBERS: Values = st.one_of(
    st.integers(-5, 20_000),
    st.floats(-2, 2_000, allow_nan=False).filter(lambda number: number % 1 != 0),
    st.sampled_from(["${COUNT}", "${NOT_SET:-1}", "many", "", None, True, [], 10**13, *BROKEN]),
)
WORDS: Values = st.one_of(
    st.sampled_from([
        *("a", "two words", " a", "a ", "", " ", "x" * 64, "x" * 65, "$$", "a$b", "$", "a$$b"),
        *("${WORD}", "a ${WORD}", "${NOT_SET:-word}", *BROKEN, None, True, 17, 1.5, [], {}),
    ]),
    st.text("ab-_./$ ", max_size=6),
)  # fmt: skip
ZONES: Values = st.sampled_from([
    *("UTC", "utc", "Z", "Asia/Shanghai", "+08:00", "-0330", "+14:00", "+14:30", "+15", "-9", "8"),
    *("UTC+8", "gmt-3", "+08:60", "+8:00", "Etc/GMT+8", "", "Mars", "Asia/Shang hai", "${ZONE}"),
    *("+1", "GMT+0", None, 8.5, [], *BROKEN),
])  # fmt: skip
URLS: Values = st.sampled_from([
    *("https://api.itniotech.com", "http://127.0.0.1:8080/", "HTTPS://A.b/c/", "ftp://a", "a.b"),
    *("https://", "https://u:p@a.b", "https://a.b?c", "https://a.b/#", "https://a b", "${SITE}"),
    *("https://[::1]:1/", "https://a.b/{c}", "https://:80", "", None, 1, "https://a.b/c@d"),
    *BROKEN,
])  # fmt: skip
CURRENCIES: Values = st.sampled_from(
    ["USD", "usd", "US", "USDT", "${MONEY}", "", None, 1, [], *BROKEN]
)
STATUSES: Values = st.lists(
    st.sampled_from(["waiting", "calling", "ended", 0, 6, 7, -1, "${COUNT}", None, ""]), max_size=3
)
SWITCHES: Values = st.sampled_from([True, False, 0, 1, "maybe", None, [], *BROKEN])
CREDENTIALS: Values = st.sampled_from([
    *("key", "a b", "", "k" * 1024, "k" * 1025, "${WORD}", "a$$b", "tab\tbed", 12345678, None, []),
    *BROKEN,
])  # fmt: skip

OBJECTIVES = {
    "answer_ratio": NUMBERS,
    "failure_ratio": NUMBERS,
    "average_call_duration": SPANS,
    "daily_spend": NUMBERS,
}
ACCOUNT_OBJECTIVES = {**OBJECTIVES, "minimum_balance": NUMBERS}
POLL = {
    "interval": SPANS,
    "timeout": SPANS,
    "deadline": SPANS,
    "concurrency": NUMBERS,
    "requests_per_second": NUMBERS,
    "lookback": SPANS,
    "windows": st.lists(SPANS, max_size=3) | st.sampled_from([None, "1h", {}]),
    "settle": SPANS,
    "full_sweep": SPANS,
    "stale_after": SPANS,
}
METRICS = {"script_limit": NUMBERS, "task_limit": NUMBERS}
APP = {"id": NUMBERS, "name": WORDS, "objectives": OBJECTIVES}
ACCOUNT = {
    "name": WORDS,
    "api_key": CREDENTIALS,
    "api_secret": CREDENTIALS,
    "api_secret_file": WORDS,
    "base_url": URLS,
    "timezone": ZONES,
    "currency": CURRENCIES,
    "apps": [APP],
    "objectives": ACCOUNT_OBJECTIVES,
    "balance": SWITCHES,
    "search": WORDS,
    "statuses": STATUSES,
}
SOUND: dict[str, Any] = {"name": "a", "api_key": "k", "api_secret": "s", "timezone": "UTC"}


def names(section: Section) -> set[str]:
    return {field.name for field in section.fields}


def test_every_key_is_tried() -> None:
    tried = {
        "poll": set(POLL),
        "metrics": set(METRICS),
        "accounts": set(ACCOUNT),
        "apps": set(APP),
        "objectives": set(ACCOUNT_OBJECTIVES),
    }
    known = {}
    for field in (*ROOT.fields, *fields.ACCOUNT.fields):
        inner = field.kind.of if isinstance(field.kind, Many) else field.kind
        if isinstance(inner, Section):
            known[field.name] = names(inner)
    assert known == tried


def problems(text: str) -> list[str]:
    try:
        parse(text, ENVIRON)
    except ConfigError as error:
        return str(error).splitlines()
    return []


def agree(document: object) -> None:
    """The loader refuses what the schema refuses, and nothing more than no schema can tell."""
    text = json.dumps(document, ensure_ascii=False)
    told = problems(text)
    by_schema = [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document)]
    more = [line for line in told if not BEYOND.search(line)]
    agreed = bool(told) if by_schema else not more
    assert agreed, f"{text}\nloader: {told}\nschema: {by_schema}"


def values(keys: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the keys, at most three of them, with good and bad values."""

    def value(strategy: Any) -> st.SearchStrategy[Any]:
        if isinstance(strategy, dict):
            return values(strategy)
        return st.lists(values(strategy[0]), max_size=2) if isinstance(strategy, list) else strategy

    some = st.lists(st.sampled_from(sorted(keys)), unique=True, max_size=3)
    return some.flatmap(lambda names: st.fixed_dictionaries({n: value(keys[n]) for n in names}))


@given(values(POLL), values(METRICS))
def test_poll_and_metrics(poll: dict[str, Any], metrics: dict[str, Any]) -> None:
    agree({"poll": poll, "metrics": metrics, "accounts": [SOUND]})


@given(values(ACCOUNT), st.booleans())
def test_accounts(account: dict[str, Any], complete: bool) -> None:
    agree({"accounts": [{**(SOUND if complete else {}), **account}]})


@given(values(APP), values(ACCOUNT_OBJECTIVES))
def test_apps(app: dict[str, Any], objectives: dict[str, Any]) -> None:
    whole = {"id": 1, "name": "a", **app}
    agree({"accounts": [{**SOUND, "apps": [whole], "objectives": objectives}]})


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        {"accounts": []},
        {"accounts": None},
        {"accounts": [SOUND], "poll": None},
        {"accounts": [SOUND], "pol": {}},
        {"accounts": [{**SOUND, "api_secret_file": "x"}]},
        {"accounts": [{**SOUND, "api_secret_file": None}]},
        {"accounts": [{**SOUND, "api_secret": None}]},
        {"accounts": [{**SOUND, "colour": "red"}]},
        {"accounts": [{**SOUND, "apps": [{"id": 1, "name": "a", "x": 1}]}]},
        {"accounts": [{**SOUND, "apps": None, "statuses": None, "objectives": None}]},
        {"accounts": {"name": "a"}},
    ],
    ids=str,
)
def test_shapes(document: object) -> None:
    agree(document)


def test_it_is_a_schema_with_everything_an_editor_shows() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    interval = schema["properties"]["poll"]["anyOf"][0]["properties"]["interval"]
    assert interval["default"] == "60s"
    assert interval["description"] == "Time from one poll to the next."
    limit = schema["properties"]["metrics"]["anyOf"][0]["properties"]["task_limit"]
    assert limit["default"] == 50
    key = schema["properties"]["accounts"]["items"]["properties"]["api_key"]
    assert key["examples"] == ["${ITNIO_API_KEY}"]


def test_the_example_is_accepted_and_names_the_schema() -> None:
    root = Path(__file__).parents[2]
    text = (root / "config.example.yaml").read_text()
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text))) == []
    (named,) = re.findall(r"(?m)^# yaml-language-server: \$schema=(.+)$", text)
    assert (root / named).read_text() == schema_text()
