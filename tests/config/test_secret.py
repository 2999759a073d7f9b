import copy
import dataclasses
import json
import pickle

import msgspec
import pytest

from exporter.config import Config, ConfigError, Secret, parse
from tests.config.texts import ACCOUNTS, KEY, SECRET


def test_no_way_of_showing_it_shows_it() -> None:
    secret = Secret("hunter2")
    shown = [
        str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", f"{secret:>20}", "%s" % secret,  # noqa: UP031
        "{}".format(secret), repr([secret]), repr({"k": secret}), ascii(secret),  # noqa: UP032
    ]  # fmt: skip
    assert all("hunter2" not in text and "<secret>" in text for text in shown)
    assert secret.reveal() == "hunter2"


def test_no_encoder_takes_it() -> None:
    secret = Secret("hunter2")
    for encode in (json.dumps, msgspec.json.encode, pickle.dumps):
        with pytest.raises(TypeError) as caught:
            encode(secret)
        assert "hunter2" not in str(caught.value)


def test_it_has_no_dictionary_and_no_hash() -> None:
    with pytest.raises(TypeError):
        vars(Secret("x"))
    with pytest.raises(TypeError):
        hash(Secret("x"))


def test_copies_are_the_same() -> None:
    secret = Secret("x")
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_equality_is_of_the_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("ä") == Secret("ä")
    assert not Secret("")


def test_a_config_never_shows_its_secrets() -> None:
    config = parse(ACCOUNTS, {})
    for shown in (repr(config), str(dataclasses.asdict(config)), f"{config.accounts}"):
        assert KEY not in shown
        assert SECRET not in shown
    assert isinstance(config, Config)
    assert config.accounts[0].api_secret.reveal() == SECRET


def test_a_secret_that_stands_where_a_key_should_is_not_shown() -> None:
    with pytest.raises(ConfigError) as refused:
        parse("accounts:\n  - name: a\n    7bz1lzh9: x\n    bDqJFiq9: y\n", {})
    assert "accounts[0].…: is not a known key" in str(refused.value)
    assert not any(secret in str(refused.value) for secret in ("7bz1lzh9", "bDqJFiq9"))
