"""The exporter as a process that can be killed: started cold by its command, or warm by a fork.

A cold start takes most of a second of imports, in which there is little to break. So most starts
fork a process that has the imports behind it, and runs the same command from there.
"""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

_forks: Final = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["exporter.cli"])


class Victim:
    """A running `itnio-exporter run` with these arguments; what it logs is added to `log`."""

    def __init__(self, arguments: Sequence[str], log: Path, *, cold: bool) -> None:
        self._forked: ForkServerProcess | None = None
        self._spawned: subprocess.Popen[bytes] | None = None
        if cold:
            with log.open("ab") as output:
                self._spawned = subprocess.Popen(
                    [sys.executable, "-m", "exporter", "run", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            self.pid = self._spawned.pid
            return
        self._forked = _forks.Process(target=_run, args=(list(arguments), str(log)), daemon=True)
        self._forked.start()
        assert self._forked.pid is not None
        self.pid = self._forked.pid

    @property
    def alive(self) -> bool:
        if self._spawned is not None:
            return self._spawned.poll() is None
        return self._forked is not None and self._forked.is_alive()

    def kill(self) -> None:
        """SIGKILL, and wait until the kernel has taken it away."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        if self._spawned is not None:
            self._spawned.wait(10)
        if self._forked is not None:
            self._forked.join(10)
            self._forked.close()
            self._forked = None
        give_up = time.monotonic() + 10
        while Path(f"/proc/{self.pid}").exists() and time.monotonic() < give_up:
            time.sleep(0.001)  # the fork server has yet to reap it


def _run(arguments: list[str], log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    from exporter.cli import main  # noqa: PLC0415  # imported before the fork

    main(["run", *arguments])
