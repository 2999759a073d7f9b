"""`check --live` as it is called: a line for each finding, and an exit status."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from exporter.simulator import Fault, FaultKind
from tests.commands.simulated import GONE, config, simulator
from tests.inspection.accounts import evenly

pytestmark = pytest.mark.integration


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "exporter", "check", f"--config.file={path}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def lines_of(done: subprocess.CompletedProcess[str], account: str) -> dict[str, str]:
    """What is said of an account, by topic."""
    found = {}
    for line in done.stdout.splitlines():
        name, _, rest = line.partition(": ")
        level, _, text = rest.partition(": ")
        if name == account:
            topic, _, words = text.partition(": ")
            found[topic] = f"{level}: {words}"
    return found


def test_a_good_account_and_one_that_cannot_be_reached(tmp_path: Path) -> None:
    with simulator(evenly(time.time(), offset=0)) as url:
        good = run(config(tmp_path, url), "--live")
        both = run(config(tmp_path, url, accounts=GONE), "--live")
    assert (good.returncode, good.stderr) == (0, "")
    found = lines_of(good, "production")
    assert found["zone"].startswith("ok: timezone: UTC fits")
    assert found["tasks"].startswith("ok: 288 in the lookback of 1d, 0 of them unfinished")
    assert "the first sweep takes 3" in found["requests"]
    assert both.returncode == 1
    assert lines_of(both, "production")["zone"].startswith("ok: timezone: UTC fits")
    assert lines_of(both, "gone")["connection"].startswith("wrong: refused connection: ")


def test_a_hostile_message_of_the_api_is_harmless(tmp_path: Path) -> None:
    message = "\x1b[2J[red]no[/red]\r\n\N{RIGHT-TO-LEFT OVERRIDE}demo-secret"
    fault = Fault(kind=FaultKind.API_CODE, amount=-2, text=message)
    with simulator(evenly(time.time(), offset=0), [fault]) as url:
        done = run(config(tmp_path, url), "--live")
    assert done.returncode == 1
    assert all(line.isprintable() for line in done.stdout.splitlines())
    assert "[red]no[/red]" in done.stdout
    assert "demo-secret" not in done.stdout + done.stderr


def test_without_live_nobody_is_asked(tmp_path: Path) -> None:
    done = run(config(tmp_path, "http://127.0.0.1:9"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(": fine; accounts: production\n")
