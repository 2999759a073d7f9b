"""What the process takes: prometheus_client's collectors, whose figures can be had alone.

They are read at every scrape, where naming and describing them anew takes longer than all else.
"""

import gc
import math
import os
import resource
import time
from abc import abstractmethod
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

_PAGE: Final = resource.getpagesize()


class Brief(Collector):
    """A collector whose samples are always the same but for their figures."""

    @abstractmethod
    def figures(self) -> list[float]:
        """Return the figures of what ``collect`` returns, in the same order."""


class Process(ProcessCollector, Brief):
    """``process_*``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry=registry)
        names = {metric.name: metric.samples[0].value for metric in self.collect()}
        self._started = names.get("process_start_time_seconds", 0.0)

    def figures(self) -> list[float]:
        """Return memory, start, processor time and files as they are now; empty without /proc."""
        try:
            virtual, resident = os.pread(_opened("/proc/self/statm"), 256, 0).split()[:2]
            files = _open_files()
        except OSError:
            return []
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return [
            int(virtual) * _PAGE,
            int(resident) * _PAGE,
            self._started,
            time.process_time(),
            files,
            math.inf if most == resource.RLIM_INFINITY else most,
        ]


@cache
def _opened(path: str) -> int:
    """Return a descriptor that stays open: opening takes many times as long as asking."""
    return os.open(path, os.O_RDONLY)


def _open_files() -> int:
    # Since Linux 6.2 the folder's size says how many; before, it is 0, and they have to be listed.
    return os.fstat(_opened("/proc/self/fd")).st_size or len(os.listdir("/proc/self/fd"))  # noqa: PTH208


class Garbage(GCCollector, Brief):
    """``python_gc_*``."""

    def figures(self) -> list[float]:
        """Return what was collected, what could not be, and how often: by generation."""
        stats = gc.get_stats()
        names = ("collected", "uncollectable", "collections")
        return [stat[name] for name in names for stat in stats]
