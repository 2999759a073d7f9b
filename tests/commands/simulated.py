"""A configuration over a simulator that runs in a thread of its own, for commands as users call."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from exporter.simulator import Fault, FaultBoard, Settings, World, serve

GONE = """\
- name: gone
  api_key: another-key
  api_secret: demo-secret
  base_url: http://127.0.0.1:9
  timezone: UTC
"""
"""An account at an address where nobody listens."""


@contextmanager
def simulator(world: World | Settings, faults: Sequence[Fault] = ()) -> Iterator[str]:
    """The URL of a simulator that is served until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    board = FaultBoard(faults=faults)
    served = asyncio.run_coroutine_threadsafe(serve(world, faults=board), loop).result(30)
    try:
        yield served.url
    finally:
        asyncio.run_coroutine_threadsafe(served.close(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def config(folder: Path, url: str, timezone: str = "UTC", accounts: str = "") -> Path:
    """A configuration of the account ``production``, and of others as YAML."""
    path = folder / "config.yaml"
    path.write_text(
        "poll: {requests_per_second: 1000, timeout: 5s}\n"
        "accounts:\n"
        "- name: production\n"
        "  api_key: demo-key\n"
        "  api_secret: demo-secret\n"
        f"  base_url: {url}\n"
        f"  timezone: '{timezone}'\n"
        f"{accounts}"
    )
    return path
