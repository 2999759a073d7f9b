"""The API over a world, in a process of its own: each answer takes a given time, none waits.

It does as little as an HTTP server can, so that what is measured is the one who asks. Run as
``python -m benchmarks.polling.server TASKS NOW LATENCY``; it prints its port.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection

from benchmarks.polling.world import World

_FINISHED = 2


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    port: int

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://127.0.0.1:{self.port}"

    def tick(self) -> int:
        """Let the calling tasks go on; return how many they are."""
        return self._say("/tick")

    def requests(self) -> int:
        """Return how many pages have been served so far."""
        return self._say("/requests")

    def _say(self, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", path, b"{}")
            return int(connection.getresponse().read())
        finally:
            connection.close()


@contextlib.contextmanager
def serving(tasks: int, now: int, latency: float) -> Iterator[Served]:
    """Run a server; ``latency`` in seconds."""
    module = "benchmarks.polling.server"
    arguments = [sys.executable, "-m", module, str(tasks), str(now), str(latency)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None  # noqa: S101  # it is piped
            yield Served(int(process.stdout.readline()))
        finally:
            process.terminate()


class _Connection(asyncio.Protocol):
    """One connection: requests one after the other, answered when their time has come."""

    def __init__(self, world: World, latency: float, counter: list[int]) -> None:
        self._world = world
        self._latency = latency
        self._counter = counter
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # TCP
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        if len(body) < length:
            return
        self._received = b""
        due = asyncio.get_running_loop().time() + self._latency
        answer = self._answer(head.split(b" ", 2)[1], body)
        response = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        )
        asyncio.get_running_loop().call_at(due, self._write, response % len(answer) + answer)

    def _answer(self, path: bytes, body: bytes) -> bytes:
        if path == b"/tick":
            return str(self._world.tick()).encode()
        if path == b"/requests":
            return str(self._counter[0]).encode()
        self._counter[0] += 1
        asked = json.loads(body)
        params = asked["params"]
        begin, end = (
            int(datetime.fromisoformat(params[name]).replace(tzinfo=UTC).timestamp())
            for name in ("strTime", "endTime")
        )
        statuses = params.get("statusList", [])
        unfinished = bool(statuses) and _FINISHED not in statuses
        return self._world.page(begin, end, asked["current"], unfinished=unfinished)

    def _write(self, response: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(response)


async def _serve(tasks: int, now: int, latency: float) -> None:
    world = World(tasks, now)
    counter = [0]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(world, latency, counter), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  # whoever started it reads it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
