"""`itnio-exporter tasks` as it is called: over a real server, into pipes and other programs."""

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.simulator import Fault, FaultKind, Settings
from tests.commands.simulated import GONE, config, simulator

pytestmark = pytest.mark.integration

WORLD = Settings(tasks_per_day=3000, timezone="UTC", day_shape=0)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with simulator(WORLD) as url:
        yield url


@pytest.fixture(scope="module")
def hostile_url() -> Iterator[str]:
    with simulator(WORLD, [Fault(kind=FaultKind.HOSTILE_NAMES)]) as url:
        yield url


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "exporter", "tasks", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=60
    )


def test_json(tmp_path: Path, url: str) -> None:
    done = run(f"--config.file={config(tmp_path, url)}", "--output=json", "--limit=7", "--utc")
    assert (done.returncode, done.stderr) == (0, "")
    records = json.loads(done.stdout)
    assert len(records) == 7
    assert sorted(records, key=lambda each: each["created"], reverse=True) == records
    assert all(each["account"] == "production" for each in records)
    assert all(each["created"].endswith("+00:00") for each in records)


def test_csv_and_filters(tmp_path: Path, url: str) -> None:
    path = config(tmp_path, url)
    done = run(f"--config.file={path}", "--output=csv", "--status=finished", "--search=reminders")
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 50
    assert {row["status"] for row in rows} == {"finished"}
    assert all("reminders" in row["name"] for row in rows)


def test_an_account_that_fails_is_named_and_the_others_are_shown(tmp_path: Path, url: str) -> None:
    done = run(f"--config.file={config(tmp_path, url, accounts=GONE)}", "--limit=3")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 4
    assert done.stderr == (
        "gone: refused connection: nothing listens at 127.0.0.1:9; "
        "Check host and port in base_url, or a firewall.\n"
    )


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_who_reads_may_go(tmp_path: Path, url: str, output: str) -> None:
    path = config(tmp_path, url)
    arguments = command(f"--config.file={path}", f"--output={output}", "--limit=2000")
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    with process.stderr as stderr:
        assert stderr.read() == b""
    assert process.wait(30) in {0, 1}


def read_until(descriptor: int, wanted: bytes) -> bytes:
    seen, give_up = b"", time.monotonic() + 30
    while wanted not in seen:
        ready, _, _ = select.select([descriptor], [], [], give_up - time.monotonic())
        assert ready, seen
        try:
            seen += os.read(descriptor, 65536)
        except OSError:  # the other side is closed
            break
    return seen


def test_watching_refreshes_in_place_and_ends_with_ctrl_c(tmp_path: Path, hostile_url: str) -> None:
    outer, inner = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "20"}
    process = subprocess.Popen(
        command(f"--config.file={config(tmp_path, hostile_url)}", "--watch=1s"),
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environ,
    )
    os.close(inner)
    try:
        first = read_until(outer, b"Ctrl-C ends it")
        second = read_until(outer, b"Ctrl-C ends it")
        process.send_signal(signal.SIGINT)
        rest = read_until(outer, b"\x1b[?1049l")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(outer)
    seen = (first + second + rest).decode()
    assert "\x1b[?1049h" in seen  # the other screen, left again at the end
    assert "Traceback" not in seen
    assert "<script>" in seen
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in seen
    assert "\0" not in seen


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--account=nope"], "no account 'nope', but production"),
        (["--app=nope"], "no account has that app"),
        (["--status=ended"], "'ended' is not one of"),
        (["--since=yesterday"], "is no duration; write it like 30s, 5m or 1h30m"),
        (["--limit=0"], "not in the range"),
        (["--watch", "--output=json"], "--watch shows a table"),
    ],
    ids=str,
)
def test_misuse_is_a_sentence(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = run(f"--config.file={config(tmp_path, 'http://127.0.0.1:9')}", *arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
