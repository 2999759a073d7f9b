"""The programs that are scraped, each a process of its own, started and stopped."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.serving import subjects

GO: Final = "client_golang"
PUSHGATEWAY: Final = "pushgateway"
_SOURCE: Final = Path(__file__).with_name("go") / "main.go"
_PATIENCE: Final = 120.0
"""Seconds until a program listens that reads a hundred thousand series first."""


@contextmanager
def serving(name: str, series: int, folder: Path, api: str = "") -> Iterator[tuple[int, int]]:
    """Start a program by its name; give its port and its process id.

    ``api`` is where one reads that reads while it serves.
    """
    start: dict[str, Callable[[int, Path], tuple[subprocess.Popen[str], int]]] = {
        GO: _go,
        PUSHGATEWAY: _pushgateway,
    }
    process, port = start[name](series, folder) if name in start else _python(name, series, api)
    try:
        yield port, process.pid
    finally:
        process.kill()
        process.communicate()


def build_go(folder: Path) -> None:
    """Build the Go exporter with what Debian packages, and nothing from anywhere else."""
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": "/usr/share/gocode",
        "GOFLAGS": "",
        "GOCACHE": str(folder / "go-cache"),
    }
    command = ["go", "build", "-o", str(folder / "go-exporter"), str(_SOURCE)]
    subprocess.run(command, check=True, env=environment)  # noqa: S603


def _python(name: str, series: int, api: str) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-m", "benchmarks.serving.subjects", name, str(series)]
    command += [api] if name == subjects.READING else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return process, _told_port(process)


def _go(series: int, folder: Path) -> tuple[subprocess.Popen[str], int]:
    path = folder / f"{series}.jsonl"
    subjects.write_samples(subjects.exposition(series), path)
    command = [str(folder / "go-exporter"), str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return process, _told_port(process)


def _pushgateway(series: int, folder: Path) -> tuple[subprocess.Popen[str], int]:
    del folder
    port = free_port()
    command = ["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{port}"]
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    await_port(port)
    pushed = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics/job/benchmark",
        data=subjects.exposition(series),
        method="PUT",
    )
    with urllib.request.urlopen(pushed, timeout=_PATIENCE) as answer:  # noqa: S310
        answer.read()
    return process, port


def _told_port(process: subprocess.Popen[str]) -> int:
    if process.stdout is None:
        raise RuntimeError("the program's output is not read")
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended before it listened")
    return int(line)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def await_port(port: int, every: float = 0.05) -> None:
    """Return once somebody listens; asked for every so many seconds."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(every)
