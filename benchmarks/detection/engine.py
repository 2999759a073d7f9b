"""The real Prometheus, on loopback over samples of the past: it alone evaluates expressions.

Recorded samples are written back level by level, so that a rule finds what it reads. Backfilled
series bear no mark where they end; samples lie exactly on the grid of evaluation, so a look-back
shorter than a step does what those marks do.
"""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.detection.plan import EPOCH, Account
from benchmarks.detection.rules import Recording, RuleBook

STEP: Final = 60
MOST_POINTS: Final = 11_000
"""A range query of Prometheus has at most so many a series."""
_TIMEOUT: Final = 300

Labels = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""
Points = Mapping[Labels, Mapping[int, str]]
"""What an expression gave: by series and moment (Unix seconds)."""

_opener: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def chunks(begin: int, end: int, most: int = MOST_POINTS) -> Iterator[tuple[int, int]]:
    """Yield ranges of evaluation moments, both ends included, of at most `most` points each."""
    while begin <= end:
        last = min(end, begin + (most - 1) * STEP)
        yield begin, last
        begin = last + STEP


class Engine:
    """Prometheus over one folder of blocks."""

    def __init__(self, folder: Path) -> None:
        self._blocks = folder / "blocks"
        self._folder = folder
        self._url = ""
        self._blocks.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus.yml").write_text("global: {}\n")

    def load(self, samples: Path) -> None:
        """Turn OpenMetrics into blocks; what runs sees them when it is started again."""
        command = [
            _found("promtool"),
            *("tsdb", "create-blocks-from", "openmetrics", "--quiet"),
            *("--max-block-duration=744h", str(samples), str(self._blocks)),
        ]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603

    @contextmanager
    def running(self) -> Iterator["Engine"]:
        """Run Prometheus over what has been loaded."""
        port = _free_port()
        command = [
            _found("prometheus"),
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._blocks}",
            "--storage.tsdb.retention.time=50y",
            "--storage.tsdb.min-block-duration=744h",  # equal: nothing is compacted
            "--storage.tsdb.max-block-duration=744h",
            "--query.lookback-delta=59s",
            "--query.max-samples=500000000",
            "--query.timeout=5m",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
        self._url = f"http://127.0.0.1:{port}"
        with (self._folder / "prometheus.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        try:
            self._wait(process)
            yield self
        finally:
            process.terminate()
            process.wait(timeout=60)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up and process.poll() is None:
            try:
                with _opener.open(f"{self._url}/-/ready", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        log = (self._folder / "prometheus.log").read_text(errors="replace")
        raise RuntimeError(f"Prometheus did not become ready: {log[-2000:]}")

    def query(self, expression: str, begin: int, end: int) -> dict[Labels, dict[int, str]]:
        """Evaluate an expression at every step from `begin` to `end`, both included."""
        found: dict[Labels, dict[int, str]] = {}
        for first, last in chunks(begin, end):
            for series in self._ask(expression, first, last):
                labels = tuple(sorted(series["metric"].items()))
                found.setdefault(labels, {}).update(
                    (int(moment), value) for moment, value in series["values"]
                )
        return found

    def _ask(self, expression: str, begin: int, end: int) -> list[dict[str, Any]]:
        fields = {"query": expression, "start": begin, "end": end, "step": STEP}
        request = urllib.request.Request(  # noqa: S310  # our own, on loopback
            f"{self._url}/api/v1/query_range", data=urllib.parse.urlencode(fields).encode()
        )
        try:
            with _opener.open(request, timeout=_TIMEOUT) as reply:
                answer = json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                told = error.read().decode(errors="replace")
            raise RuntimeError(f"{told}\n{expression}") from error
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise RuntimeError(f"{program} is not installed (scripts/install-servers)")
    return path


def record(engine: Engine, book: RuleBook, account: Account, scratch: Path) -> int:
    """Evaluate recording rules level by level and load what they give; return how many samples.

    What is never read at an earlier moment than now is not evaluated before the account is scored.
    """
    written = 0
    remembered = book.remembered()
    for level in book.levels():
        with engine.running(), scratch.open("w") as out:
            for rule in level:
                begin = EPOCH + STEP if rule.name in remembered else account.scored_from
                for line in _lines(rule, engine.query(rule.expression, begin, account.end)):
                    out.write(line)
                    written += 1
            out.write("# EOF\n")
        engine.load(scratch)
    scratch.unlink(missing_ok=True)
    return written


def _lines(rule: Recording, points: Points) -> Iterable[str]:
    for labels, values in points.items():
        inside = ",".join(f'{name}="{value}"' for name, value in labels if name != "__name__")
        name = f"{rule.name}{{{inside}}}"
        for moment, value in values.items():
            yield f"{name} {value} {moment}\n"
