"""Configurations to build tests from."""

import textwrap

import pytest

from exporter.config import ConfigError, parse

KEY = "bDqJFiq9"
SECRET = "7bz1lzh9"
ACCOUNT = f"- {{name: a, api_key: {KEY}, api_secret: {SECRET}, timezone: UTC}}\n"
ACCOUNTS = f"accounts:\n{ACCOUNT}"


def poll(keys: str) -> str:
    """Return a whole configuration with these keys under poll, which begin in line 2."""
    return "poll:\n" + textwrap.indent(textwrap.dedent(keys).strip("\n") + "\n", "  ") + ACCOUNTS


def account(keys: str) -> str:
    """Return a configuration of one account with these keys more, which begin in line 5."""
    lines = textwrap.indent(textwrap.dedent(keys).strip("\n") + "\n", "  ")
    head = f"accounts:\n- name: a\n  api_key: {KEY}\n  api_secret: {SECRET}\n"
    return head + lines


def problems(text: str, environ: dict[str, str] | None = None) -> list[str]:
    """Return the lines of the error that this text is."""
    with pytest.raises(ConfigError) as caught:
        parse(text, environ or {})
    assert "\n".join(map(str, caught.value.problems)) == str(caught.value)
    return str(caught.value).splitlines()
