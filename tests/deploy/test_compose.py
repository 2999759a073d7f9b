"""deploy/compose.yaml: what the specification takes, and what it promises."""

import json
import re
import subprocess
from typing import Any

import click
import compose_spec
import pytest
import yaml

from exporter.cli import main
from tests.project.files import ROOT

FOLDER = ROOT / "deploy"
FILES = ("compose.yaml", "compose/accounts.yaml")


def loaded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return found


def services() -> dict[str, Any]:
    found: dict[str, Any] = loaded("compose.yaml")["services"]
    return found


def specified(content: dict[str, Any]) -> compose_spec.PyCompose:
    return compose_spec.PyCompose.from_json(json.dumps(content))


@pytest.mark.parametrize("name", FILES)
def test_the_specification_takes_it(name: str) -> None:
    assert specified(loaded(name)).service_names() == list(loaded(name)["services"])


def test_the_specification_would_tell() -> None:
    with pytest.raises(ValueError, match="imgae"):
        specified({"services": {"exporter": {"imgae": "itnio-exporter"}}})


@pytest.mark.parametrize("name", services())
def test_every_service_is_pinned_watched_and_confined(name: str) -> None:
    service = services()[name]
    assert re.fullmatch(r"[a-z./-]+:v?\d+\.\d+\.\d+", service["image"])
    # That of the exporter is in its image.
    assert "healthcheck" in service or name == "exporter"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    for port in service["ports"]:
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", services())
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in services()[name]["volumes"]:
        source, _, _ = volume.partition(":")
        if source.startswith("."):
            assert (FOLDER / source).exists(), source
        else:
            assert source in loaded("compose.yaml")["volumes"]


def test_commands_are_known() -> None:
    for name in FILES:
        verb, *arguments = loaded(name)["services"]["exporter"]["command"]
        command = main.get_command(click.Context(main), verb)
        assert command is not None
        command.make_context(verb, arguments)


def test_prometheus_takes_its_configuration() -> None:
    ran = subprocess.run(
        ["promtool", "check", "config", "--syntax-only", FOLDER / "compose/prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    scraped = yaml.safe_load((FOLDER / "compose/prometheus.yml").read_text())["scrape_configs"]
    targets = {
        host for job in scraped for group in job["static_configs"] for host in group["targets"]
    }
    names = {target.partition(":")[0] for target in targets} - {"localhost"}
    assert names <= set(services())
