"""What is said about the file as a whole, and files that cannot be read."""

from pathlib import Path

import pytest

from exporter.config import ConfigError, load
from tests.config.texts import ACCOUNT, ACCOUNTS, KEY, problems


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: (file): is empty; begin with a copy of config.example.yaml"),
        ("# only a comment\n", "1: (file): is empty; begin with a copy of config.example.yaml"),
        ("---\n...\n", "1: (file): is empty; begin with a copy of config.example.yaml"),
        ("- a\n", "1: (file): is a list, not a mapping of keys and values"),
        ("a\n", "1: (file): is a single value, not a mapping of keys and values"),
        ("poll: {}\n", "1: accounts: is missing; write at least one"),
        ("\naccounts:\n", "2: accounts: is empty; write at least one"),
        ("\naccounts: []\n", "2: accounts: is an empty list; write at least one account"),
        (
            "accounts: {name: a}\n",
            ("1: accounts: is a mapping, not a list; write [..] or lines that begin with '- '"),
        ),
        ("accounts:\n-\n", "2: accounts[0]: is nothing, not a mapping of keys and values"),
        ("accounts:\n- [a]\n", "2: accounts[0]: is a list, not a mapping of keys and values"),
        (
            f"account:\n{ACCOUNT}{ACCOUNTS}",
            ("1: account: is not a known key; did you mean accounts?"),
        ),
        (f"poll: 60s\n{ACCOUNTS}", "1: poll: is a single value, not a mapping of keys and values"),
        (
            f"metrics: {{script_limit: 0}}\n{ACCOUNTS}",
            ("1: metrics.script_limit: '0' is out of range; write a whole number from 1 to 10000"),
        ),
        (
            f"accounts:\n{ACCOUNT}\n{ACCOUNT.replace(KEY, 'other')}",
            ("4: accounts[1].name: is the same account name as in line 2; make them different"),
        ),
        (
            "accounts:\n- {name: a, api_key: abcd}\n",
            (
                "2: accounts[0].api_secret: is missing; write "
                "api_secret: ${ITNIO_API_SECRET}, or api_secret_file: and a path"
            ),
        ),
        (
            "accounts:\n- {name: a, api_secret: abcd}\n",
            ("2: accounts[0].api_key: is missing; write api_key: ${ITNIO_API_KEY}"),
        ),
        (
            "accounts:\n- {name: '', api_key: abcd, api_secret: abcd}\n",
            ("2: accounts[0].name: is empty; write a text"),
        ),
        (
            f"accounts:\n- {{name: {'a' * 65}, api_key: abcd, api_secret: abcd}}\n",
            ("2: accounts[0].name: has 65 characters; write at most 64"),
        ),
    ],
)
def test_file(text: str, message: str) -> None:
    assert problems(text) == [f"config.yaml:{message}"]


def test_every_problem_is_told_at_once_in_the_order_of_lines() -> None:
    text = (
        "pol: {}\naccounts:\n- name: a\n  api_key: 'a b'\n- api_secret: ${NOPE}\n  name: a\n"
        "  currency: euro\n  currency: EUR\npoll:\n  interval: x\n  windows: [1h, 1h, 3d]\n"
    )
    lines = [line.split(": ")[:2] for line in problems(text)]
    assert lines == [
        ["config.yaml:1", "pol"],
        ["config.yaml:3", "accounts[0].api_secret"],
        ["config.yaml:4", "accounts[0].api_key"],
        ["config.yaml:5", "accounts[1].api_key"],
        ["config.yaml:5", "accounts[1].api_secret"],
        ["config.yaml:6", "accounts[1].name"],
        ["config.yaml:7", "accounts[1].currency"],
        ["config.yaml:8", "accounts[1].currency"],
        ["config.yaml:10", "poll.interval"],
        ["config.yaml:11", "poll.windows[1]"],
        ["config.yaml:11", "poll.windows[2]"],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ":1: (file): is empty; begin with a copy of config.example.yaml"),
        (b"a: b\nc: \xff\n", ":2: (file): is not UTF-8 text; save it as UTF-8"),
        ("a: b\n".encode("utf-16"), ":1: (file): is not UTF-8 text; save it as UTF-8"),
        (b"#" * (1 << 20) + b"\n", ":1: (file): is larger than 1 MiB; is it the right file?"),
        (
            b"a: \x00\n",
            (
                ":1: (file): is not valid YAML at column 4: there is a control character "
                "that YAML does not allow; remove it"
            ),
        ),
    ],
)
def test_a_file_that_is_no_text(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "my config.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert str(caught.value) == f"{path}{message}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no.yaml:1: \(file\): does not exist; create it"):
        load(tmp_path / "no.yaml", {})
    with pytest.raises(ConfigError, match=r":1: \(file\): is a directory; write"):
        load(tmp_path, {})
    with pytest.raises(ConfigError, match=r":1: \(file\): cannot be read: "):
        load(tmp_path / ("x" * 300), {})
    with pytest.raises(ConfigError, match=r"a\\nb:1: \(file\): does not exist"):
        load(tmp_path / "a\nb", {})
    with pytest.raises(ConfigError, match=r"cannot be read: not a path"):
        load(Path("a\0b"), {})


def test_a_file_this_user_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    # Root, who may run this, reads every file.
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match=r":1: \(file\): may not be read by this user; change"):
        load(tmp_path / "config.yaml", {})
