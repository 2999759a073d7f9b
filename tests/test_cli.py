"""Commands, flags and exit statuses: 0 fine, 1 a failure at run time, 2 bad usage or config."""

import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner, Result
from prometheus_client.parser import text_string_to_metric_families

from exporter import __version__, logs
from exporter.cli import main

KEY, SECRET = "bDqJFiq9", "7bz1lzh9"
COMMANDS = ("run", "demo", "simulate", "check", "tasks", "schema", "once")


@pytest.fixture(autouse=True)
def _unchanged_logging() -> Iterator[None]:
    """Commands configure logging for their process, which here is that of other tests, too."""
    root, config = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.configure(**config)
    logs._masker.forget()


def invoke(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, arguments, env=env)


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "exporter", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        cwd=cwd,
    )


def config(folder: Path, poll: str = "", account: str = "") -> Path:
    path = folder / "config.yaml"
    path.write_text(
        f"poll: {{{poll}}}\n"
        f"accounts:\n"
        f"- name: production\n"
        f"  api_key: {KEY}\n"
        f"  api_secret: {SECRET}\n"
        f"  timezone: UTC\n" + textwrap.indent(account, "  ")
    )
    return path


@pytest.mark.parametrize("help_flag", ["--help", "-h"])
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help(name: str, help_flag: str) -> None:
    result = invoke(*filter(None, [name, help_flag]))
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {name}".strip())
    command = main.get_command(click.Context(main), name) or main
    for option in command.params:
        assert getattr(option, "help", None), option.name
        assert option.opts[0] in result.output


def test_help_lists_every_command() -> None:
    output = invoke("--help").output
    for name in COMMANDS:
        assert f"\n  {name} " in output


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--config.file", "{config}"]])
def test_what_serves_nothing_imports_no_server(tmp_path: Path, arguments: list[str]) -> None:
    path = str(config(tmp_path))
    program = (
        "import sys; from exporter.cli import main; "
        "main([each.format(config=sys.argv[1]) for each in sys.argv[2:]], standalone_mode=False); "
        "print(sorted({'aiohttp', 'prometheus_client', 'sqlite3'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, path, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines()[-1] == "[]"


def test_check_knows_the_web_configuration_too(tmp_path: Path) -> None:
    path = config(tmp_path)
    web = tmp_path / "web.yml"
    web.write_text("basic_auth_users: {}\n")
    arguments = ("check", "--config.file", str(path), "--web.config.file", str(web))
    result = invoke(*arguments)
    assert result.exit_code == 0
    assert f"{web}: fine; no TLS; users: 0\n" in result.output
    assert "has no user, so everybody is let in" in result.output
    web.write_text("tls_server_config: {cert_file: gone.crt}\n")
    path.write_text("accounts: []\n")
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert [line.partition(": ")[2].partition(": ")[0] for line in result.output.splitlines()] == [
        "accounts",
        "tls_server_config.cert_file",
        "tls_server_config.key_file",
    ]


def test_version() -> None:
    result = invoke("--version")
    assert (result.exit_code, result.output) == (0, f"itnio-exporter, version {__version__}\n")


PROMISED_FLAGS = {
    "--config.file": "config.yaml",
    "--web.listen-address": ":10911",
    "--web.telemetry-path": "/metrics",
    "--web.config.file": "",
    "--web.enable-lifecycle": "",
    "--storage.path": "data",
    "--log.level": "info",
    "--log.format": "logfmt",
}


@pytest.mark.parametrize("flag", PROMISED_FLAGS)
def test_run_has_the_promised_flags_with_their_defaults(flag: str) -> None:
    output = " ".join(invoke("run", "--help").output.split())
    assert flag in output
    if PROMISED_FLAGS[flag]:
        assert f"[default: {PROMISED_FLAGS[flag]}]" in output


MISUSES: list[tuple[Sequence[str], str]] = [
    (["nonsense"], "No such command 'nonsense'"),
    (["run", "config.yaml"], "unexpected extra argument (config.yaml)"),
    (["run", "--config.file"], "requires an argument"),
    (["run", "--config"], "No such option"),
    (["run", "--web.listen-address=10911"], "is no listen address"),
    (["run", "--web.listen-address=:70000"], "has no valid port"),
    (["run", "--web.listen-address="], "is no listen address"),
    (["run", "--web.listen-address=[x]:1"], "no valid IPv6 address"),
    (["run", "--web.listen-address=http://a:1"], "is no listen address"),
    (["run", "--web.enable-lifecycle=yes"], "does not take a value"),
    (["run", "--log.level=loud"], "'loud' is not one of"),
    (["run", "--log.format=xml"], "'xml' is not one of"),
    (["run", "--web.telemetry-path"], "requires an argument"),
    (["run", "--storage.path"], "requires an argument"),
    (["demo", "--seed=x"], "'x' is not a valid integer"),
    (["demo", "--web.listen-address=x"], "is no listen address"),
    (["demo", "--web.telemetry-path=/a{b}"], "is no path"),
    (["simulate", "--speed=0"], "not in the range"),
    (["simulate", "--speed=-1"], "not in the range"),
    (["simulate", "--speed=nan"], "not a finite number"),
    (["simulate", "--tasks-per-day=inf"], "not a finite number"),
    (["simulate", "--tasks-per-day=0"], "not in the range"),
    (["simulate", "--tasks-per-day=x"], "'x' is not a valid float"),
    (["simulate", "--timezone=Asia/Nowhere"], "is no IANA name (Asia/Shanghai) and no UTC offset"),
    (["simulate", "--timezone=+8h"], "is no IANA name (Asia/Shanghai) and no UTC offset"),
    (["simulate", "--timezone=../etc"], "is no IANA name (Asia/Shanghai) and no UTC offset"),
    (["simulate", "--timezone=Asia"], "is no IANA name (Asia/Shanghai) and no UTC offset"),
    (["simulate", "--timezone=+99:00"], "is no IANA name (Asia/Shanghai) and no UTC offset"),
    (["simulate", "--web.listen-address=:1", "--web.listen-address=:2"], "on one address"),
    (["check", "--nonsense"], "No such option"),
    (["check", "--live.wait=5m"], "goes with --live"),
    (["check", "--live", "--live.wait=soon"], "is no duration"),
    (["schema", "config.yaml"], "unexpected extra argument"),
    (["once", "--log.format=xml"], "'xml' is not one of"),
    (["once", "--web.listen-address=:1"], "No such option"),
]


@pytest.mark.parametrize(("arguments", "message"), MISUSES, ids=str)
def test_misuse_is_told_in_a_sentence(arguments: Sequence[str], message: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output


@pytest.mark.parametrize("path", ["metrics", "/a?b", "/-/healthy", "/static/x", ""])
def test_a_telemetry_path_that_cannot_be_served(tmp_path: Path, path: str) -> None:
    file = config(tmp_path)
    result = invoke(
        "run", f"--config.file={file}", "--storage.path=", f"--web.telemetry-path={path}"
    )
    assert result.exit_code == 2, result.output
    assert "--web.telemetry-path" in result.output
    assert isinstance(result.exception, SystemExit)


GRAMMAR = (
    "write whole numbers with ms, s, m, h, d, w or y, large before small, like 30s, 5m or 1h30m"
)
SHORTEN = "shorten it, or lengthen poll.lookback"
CREATE = "create it or correct the path"
ACCOUNT = f"- {{name: a, api_key: {KEY}, api_secret: {SECRET}}}\n"
BAD: list[tuple[str, list[str]]] = [
    (
        f"pol: {{}}\naccounts:\n{ACCOUNT}",
        ["1: pol: is not a known key; did you mean poll?"],
    ),
    (
        f"poll:\n  interval: soon\naccounts:\n{ACCOUNT}",
        [f"2: poll.interval: 'soon' is not a duration; {GRAMMAR}"],
    ),
    (
        f"poll:\n  lookback: 12h\n  windows: [1h, 24h]\naccounts:\n{ACCOUNT}",
        [f"3: poll.windows[1]: '24h' is longer than poll.lookback (12h); {SHORTEN}"],
    ),
    (
        f"accounts:\n{ACCOUNT}{ACCOUNT.replace(KEY, 'another')}",
        ["3: accounts[1].name: is the same account name as in line 2; make them different"],
    ),
    (
        f"accounts:\n- name: a\n  api_key: ${{UNSET_HERE}}\n  api_secret: {SECRET}\n",
        ["3: accounts[0].api_key: "],
    ),
    (
        f"accounts:\n- name: a\n  api_key: {KEY}\n  api_secret_file: nowhere\n",
        [f"4: accounts[0].api_secret_file: points to a file that does not exist; {CREATE}"],
    ),
    ("accounts: [\n", ["2: accounts[0]: is not valid YAML"]),
    ("{]\n", ["1: (file): is not valid YAML"]),
    ("", ["1: (file): is empty; begin with a copy of config.example.yaml"]),
    (
        f"poll:\n  interval: soon\npol: 1\naccounts:\n- {{name: a, api_secret: {SECRET}}}\n",
        ["2: poll.interval: ", "3: pol: ", "5: accounts[0].api_key: "],
    ),
]


@pytest.mark.parametrize(("text", "lines"), BAD, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("name", ["check", "run", "once"])
def test_a_bad_config_is_told_with_file_line_and_key(
    tmp_path: Path, name: str, text: str, lines: list[str]
) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    result = CliRunner().invoke(main, [name, f"--config.file={path}"])
    assert result.exit_code == 2
    assert result.stdout == ""
    told = result.stderr.splitlines()
    assert len(told) == len(lines)
    for line, expected in zip(told, lines, strict=True):
        assert line.startswith(f"{path}:{expected}")
        assert line.rstrip().count("; ") >= 1, "what to do is missing"
    for secret in (KEY, SECRET):
        assert secret not in result.output


def test_a_config_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("check", "run", "once"):
        result = invoke(name)
        assert result.exit_code == 2
        assert result.output == (
            "config.yaml:1: (file): does not exist; create it or correct --config.file\n"
        )


def test_check_says_what_is_configured_and_what_is_odd(tmp_path: Path) -> None:
    path = config(tmp_path, "stale_after: 30s")
    result = CliRunner().invoke(main, ["check", f"--config.file={path}"])
    assert result.exit_code == 0
    assert result.stdout == f"{path}: fine; accounts: production\n"
    assert result.stderr == (
        f"warning: {path}:1: poll.stale_after: is not longer than poll.interval, so window "
        "gauges come and go; make it a few intervals\n"
    )


@pytest.mark.integration
def test_the_module_is_the_command(tmp_path: Path) -> None:
    done = command("check", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("config.yaml:1: (file): does not exist")
    path = config(tmp_path)
    done = command("check", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{path.name}: fine; accounts: production\n")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        yield port


@pytest.mark.parametrize("name", ["run", "demo", "simulate"])
def test_a_port_in_use_is_one_sentence(tmp_path: Path, name: str, taken_port: int) -> None:
    arguments = [name, f"--web.listen-address=127.0.0.1:{taken_port}"]
    if name == "run":
        arguments += [f"--config.file={config(tmp_path)}", "--log.level=error", "--storage.path="]
    result = invoke(*arguments)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert result.output.startswith("itnio-exporter: ")
    assert str(taken_port) in result.output


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_once_fails_where_an_account_fails(tmp_path: Path) -> None:
    path = config(
        tmp_path,
        "interval: 2s, timeout: 1s",
        f"base_url: http://127.0.0.1:{closed_port()}\n",
    )
    result = CliRunner().invoke(main, ["once", f"--config.file={path}", "--log.level=debug"])
    assert result.exit_code == 1
    samples = {
        (sample.name, sample.labels.get("reason")): sample.value
        for family in text_string_to_metric_families(result.stdout)
        for sample in family.samples
    }
    assert samples["itnio_up", None] == 0
    assert samples["itnio_exporter_poll_failures_total", "connection"] == 1
    assert "poll failed" in result.stderr
    assert "reason=connection" in result.stderr
    for secret in (KEY, SECRET):
        assert secret not in result.output
    assert "Traceback" not in result.output


def test_the_first_process_of_a_container_ends_when_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    try:
        main.get_command(click.Context(main), "schema")
        # The kernel ends no first process that has no handler of its own.
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 143
