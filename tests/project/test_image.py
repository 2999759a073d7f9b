"""The Dockerfile keeps the promises that can be read off it."""

import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import pytest

from exporter import __version__
from exporter.cli import main
from tests.project.files import ROOT, read


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage; what stands before the first FROM is the first entry."""
    text = re.sub(r"(?m)^#.*\n", "", read("Dockerfile")).replace("\\\n", " ")
    found: list[list[tuple[str, str]]] = [[]]
    for line in filter(None, text.splitlines()):
        instruction, _, arguments = line.partition(" ")
        if instruction == "FROM":
            found.append([])
        found[-1].append((instruction, arguments.strip()))
    return found


def final(instruction: str) -> str:
    """The arguments of an instruction that the last stage has once."""
    (arguments,) = [value for name, value in stages()[-1] if name == instruction]
    return arguments


def health_command() -> list[str]:
    command: list[str] = json.loads(final("HEALTHCHECK").partition("CMD ")[2])
    return command


def test_every_base_is_one_tag() -> None:
    ((_, base),) = stages()[0]
    assert re.fullmatch(r"BASE=python:3\.\d+(\.\d+)?-slim-[a-z]+", base)
    assert [stage[0][1].split(" AS ")[0] for stage in stages()[1:]] == ["${BASE}"] * 2


def test_it_is_not_root() -> None:
    user, group = final("USER").split(":")
    assert int(user) > 0
    assert int(group) > 0


def test_no_shell_is_needed_at_run_time() -> None:
    assert "RUN" not in {name for name, _ in stages()[-1]}
    assert json.loads(final("ENTRYPOINT")) == ["/opt/itnio-exporter/bin/itnio-exporter"]
    assert json.loads(final("CMD"))[0] == "run"
    assert "sh" not in health_command()[0]


def test_the_exporter_knows_the_command() -> None:
    name, *arguments = json.loads(final("CMD"))
    command = main.get_command(click.Context(main), name)
    assert command is not None
    context = command.make_context(name, arguments)
    assert context.params["config_file"] == Path("/etc/itnio-exporter/config.yaml")


def test_state_and_port_are_declared() -> None:
    assert final("VOLUME") == "/data"
    assert "--storage.path=/data" in json.loads(final("CMD"))
    assert final("EXPOSE") == "10911"


def test_the_label_tells_the_version() -> None:
    assert final("ARG") == f"VERSION={__version__}"


def test_the_page_on_kubernetes_builds_what_its_chart_pulls() -> None:
    tags = set(re.findall(r"REGISTRY/itnio-exporter:(\S+)", read("docs/kubernetes.md")))
    assert tags == {__version__}


def test_what_is_copied_reaches_the_builder() -> None:
    allowed = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    copied = {
        source
        for stage in stages()
        for name, arguments in stage
        if name == "COPY" and "--from=" not in arguments
        for source in arguments.split()[:-1]
    }
    assert copied == allowed
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_every_installation_is_by_hash_or_offline() -> None:
    installs = [
        step
        for stage in stages()
        for name, arguments in stage
        if name == "RUN"
        for step in arguments.split("&&")
        if re.search(r"\bpip\b.* (install|wheel)\b", step)
    ]
    assert len(installs) == 4
    assert all("--require-hashes" in step or "--no-index" in step for step in installs)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_asks_the_exporter(status: int, code: int) -> None:
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        _, *arguments = health_command()
        checked = subprocess.run(
            [
                sys.executable,
                *(part.replace("10911", str(server.server_port)) for part in arguments),
            ],
            check=False,
            timeout=30,
        )
        server.shutdown()
        thread.join()
    assert (checked.returncode, asked) == (code, ["/-/healthy"])
