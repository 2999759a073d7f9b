from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import Secret, parse
from exporter.config.effective import effective_config
from exporter.config.secret import MASK

LEAST = """
accounts:
  - {name: production, api_key: the-key, api_secret: the-secret}
"""

WHOLE = """
poll: {interval: 90s, requests_per_second: 2.5, windows: [60m, 1d], settle: 0s, lookback: 36h}
metrics: {task_limit: 0}
accounts:
  - name: "a$$b"
    api_key: the-key
    api_secret: the-secret
    base_url: http://127.0.0.1:9/prefix
    timezone: "+08:00"
    currency: CNY
    search: "${nothing:-yes}"
    statuses: [calling, 5]
    objectives: {answer_ratio: 0.35, average_call_duration: 1m30s, daily_spend: 499.95}
    apps: [{id: 12, name: collections, objectives: {failure_ratio: 0}}]
  - {name: second, api_key: other-key, api_secret: other-secret, timezone: UTC}
"""


def test_defaults_are_filled_in_and_secrets_masked() -> None:
    shown = yaml.safe_load(effective_config(parse(LEAST, {})))
    assert shown["poll"] == {
        "interval": "1m",
        "timeout": "10s",
        "deadline": "50s",
        "concurrency": 4,
        "requests_per_second": 5,
        "lookback": "1d",
        "windows": ["1h", "24h"],
        "settle": "1h",
        "full_sweep": "1h",
        "stale_after": "5m",
    }
    assert shown["metrics"] == {"script_limit": 100, "task_limit": 50}
    (account,) = shown["accounts"]
    assert (account["api_key"], account["api_secret"]) == (MASK, MASK)
    assert account["base_url"] == "https://api.itniotech.com"
    assert account["timezone"] == "Asia/Shanghai"


def test_what_is_shown_is_a_configuration_that_does_the_same() -> None:
    for text in (LEAST, WHOLE):
        again = parse(effective_config(parse(text, {})).replace(MASK, "the-key", 1), {})
        before = parse(text, {})
        assert again.poll == before.poll
        assert again.metrics == before.metrics
        for one, other in zip(again.accounts, before.accounts, strict=True):
            for name in (
                "name", "base_url", "timezone", "timezone_name", "currency", "apps", "objectives",
                "search", "statuses",
            ):  # fmt: skip
                assert getattr(one, name) == getattr(other, name), name


def test_a_secret_from_a_file_is_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-the-file")
    text = "accounts: [{name: a, api_key: the-key, api_secret_file: secret, timezone: UTC}]"
    (account,) = yaml.safe_load(effective_config(parse(text, {}, file=tmp_path / "config.yaml")))[
        "accounts"
    ]
    assert account["api_secret_file"] == str(tmp_path / "secret")
    assert "api_secret" not in account


@given(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=4))
def test_no_secret_is_ever_shown(secret: str) -> None:
    unlike = f"~{secret}~"
    config = parse(WHOLE, {})
    for account in config.accounts:
        object.__setattr__(account, "api_key", Secret(unlike))
        object.__setattr__(account, "api_secret", Secret(unlike))
    assert unlike not in effective_config(config)
