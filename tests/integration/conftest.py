"""Fixtures that start real servers, and stop them when the test is over."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import pytest

from tests.integration.servers import Prometheus, Server, exporter, prometheus

StartExporter: TypeAlias = Callable[..., Server]
StartPrometheus: TypeAlias = Callable[[str], Prometheus]


@pytest.fixture
def start_exporter(tmp_path: Path) -> Iterator[StartExporter]:
    """`start_exporter("demo", …)`: the command as a process, answering or not yet."""
    with ExitStack() as stack:

        def start(command: str, *arguments: str) -> Server:
            return stack.enter_context(
                exporter(command, *arguments, log=tmp_path / f"{command}.log")
            )

        yield start


@pytest.fixture
def start_prometheus(tmp_path: Path) -> Iterator[StartPrometheus]:
    """`start_prometheus(url)`: a ready Prometheus that scrapes this URL every second."""
    with ExitStack() as stack:

        def start(url: str) -> Prometheus:
            parts = urlsplit(url)
            return stack.enter_context(prometheus(tmp_path, parts.netloc, metrics_path=parts.path))

        yield start
