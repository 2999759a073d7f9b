"""The unit, as systemd itself judges it."""

import subprocess
from pathlib import Path

import click

from exporter.cli import main
from tests.project.files import ROOT, read

UNIT = ROOT / "deploy/systemd/itnio-exporter.service"


def settings() -> dict[str, str]:
    text = UNIT.read_text().replace("\\\n", " ")
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")


def test_it_is_hardened() -> None:
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=19", "--no-pager", UNIT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Overall exposure level" in ran.stdout


def test_systemd_takes_it(tmp_path: Path) -> None:
    command = tmp_path / "itnio-exporter"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    unit = tmp_path / UNIT.name
    unit.write_text(
        UNIT.read_text().replace("/opt/itnio-exporter/bin/itnio-exporter", str(command))
    )
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_a_replica_is_told_its_database_without_a_change_of_the_unit() -> None:
    path = settings()["EnvironmentFile"].removeprefix("-")
    assert settings()["EnvironmentFile"] != path, "most have no such file"
    assert path in read("docs/fleet.md")


def test_the_command_knows_its_arguments() -> None:
    _, name, *arguments = settings()["ExecStart"].split()
    command = main.get_command(click.Context(main), name)
    assert command is not None
    context = command.make_context(name, arguments)
    assert context.params["config_file"] == Path("/etc/itnio-exporter/config.yaml")
