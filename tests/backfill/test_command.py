"""`itnio-exporter backfill` as it is typed: what it refuses, and what a kill -9 leaves."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from exporter.cli import main
from exporter.simulator import ManualClock, Settings, Simulator, serve
from tests.integration.servers import wait_for

NOW = 1_704_067_200 + 40 * 86_400

MISUSES: list[tuple[Sequence[str], str]] = [
    ([], "Missing option '--from'"),
    (["--from=-1d"], "Missing option '--output'"),
    (["--from=soon", "--output=x"], "--from: 'soon' is no time; write one like"),
    (["--from=-1d", "--to=2024-01-01T00:00:00", "--output=x"], "--to: "),
    (["--from=-1d", "--to=-2d", "--output=x"], "--from must be before --to"),
    (["--from=-1d", "--to=2924-01-01", "--output=x"], "--to lies in the future"),
    (["--from=-1d", "--step=5", "--output=x"], "--step: '5' is no duration"),
    (["--from=-1d", "--step=500ms", "--output=x"], "not a step of whole seconds"),
    (["--from=-1d", "--label=account=x", "--output=x"], "--label: 'account' is a label"),
    (["--from=-1d", "--label=job", "--output=x"], "write one like job=itnio"),
    (["--from=-1d", "--task-duration=long", "--output=x"], "--task-duration: 'long'"),
]


@pytest.mark.parametrize(("arguments", "message"), MISUSES, ids=str)
def test_misuse_is_told_in_a_sentence(arguments: Sequence[str], message: str) -> None:
    result = CliRunner().invoke(main, ["backfill", *arguments])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_help_says_what_each_flag_is_for() -> None:
    result = CliRunner().invoke(main, ["backfill", "-h"])
    assert result.exit_code == 0
    for flag in ("--config.file", "--from", "--to", "--step", "--label", "--task-duration"):
        assert flag in result.output
    assert "\n  backfill " in CliRunner().invoke(main, ["--help"]).output


def command(config: Path, output: Path | str) -> list[str]:
    return [
        *(sys.executable, "-m", "exporter", "backfill", f"--config.file={config}"),
        *("--from=2024-02-03", "--to=2024-02-08", "--step=10m", "--task-duration=40m"),
        *("--label=job=itnio", f"--output={output}"),
    ]


def config(simulator: Simulator, folder: Path, requests_per_second: int = 1000) -> Path:
    key, secret = next(iter(simulator.api.rules.credentials.items()))
    path = folder / "config.yaml"
    path.write_text(
        f"poll: {{requests_per_second: {requests_per_second}}}\n"
        f"accounts: [{{name: a, api_key: {key}, api_secret: {secret},"
        f" base_url: '{simulator.url}', timezone: Asia/Shanghai}}]\n"
    )
    return path


def ran(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.integration
async def test_killed_in_the_middle_it_goes_on(tmp_path: Path) -> None:
    wanted, output = tmp_path / "wanted.om", tmp_path / "out.om"
    part = tmp_path / "out.om.part"
    async with await serve(
        Settings(), clock=ManualClock(NOW), signing_clock=time.time
    ) as simulator:
        done = await asyncio.to_thread(ran, command(config(simulator, tmp_path), wanted))
        assert done.returncode == 0, done.stderr
        assert "progress=100%" in done.stderr

        slowly = config(simulator, tmp_path, requests_per_second=5)
        asked = len(simulator.api.log.recent)
        process = subprocess.Popen(  # noqa: ASYNC220
            command(slowly, output), stderr=subprocess.DEVNULL
        )
        await asyncio.to_thread(
            wait_for, lambda: len(simulator.api.log.recent) > asked + 12, "some requests"
        )
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert part.exists()
        assert not output.exists()

        fast = config(simulator, tmp_path)
        other = [each.replace("--step=10m", "--step=5m") for each in command(fast, output)]
        refused = await asyncio.to_thread(ran, other)
        assert refused.returncode == 2
        assert "begun with another --step" in " ".join(refused.stderr.split())

        done = await asyncio.to_thread(ran, command(fast, output))
        assert done.returncode == 0, done.stderr
        assert "taken up again" in done.stderr
        assert output.read_bytes() == wanted.read_bytes()
        assert not part.exists()

        printed = await asyncio.to_thread(ran, command(fast, "-"))
        assert printed.stdout == wanted.read_text()


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("accounts: [{name: a, api_key: key, api_secret: secret, timezone: UTC}]\n")
    output = tmp_path / "nowhere" / "out.om"
    result = CliRunner().invoke(
        main, ["backfill", f"--config.file={path}", "--from=-1d", f"--output={output}"]
    )
    assert result.exit_code == 1
    assert f"{output}.part: it cannot be written; create its folder" in result.stderr
    assert "Traceback" not in result.output
