"""A wire that can be cut: TCP from here to there, as long as it is let through."""

import asyncio
import contextlib
import enum
from types import TracebackType
from typing import Self


class Wire(enum.Enum):
    """What happens to what is sent."""

    WHOLE = enum.auto()
    CUT = enum.auto()
    """Connections are reset, and new ones refused."""
    SILENT = enum.auto()
    """Everything is taken, and nothing arrives; nobody is told."""


class Proxy:
    """Listens on a port of its own, and forwards to another."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._through = asyncio.Event()
        self._through.set()
        self._wire = Wire.WHOLE
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.become(Wire.CUT)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def become(self, wire: Wire) -> None:
        self._wire = wire
        if wire is Wire.SILENT:
            self._through.clear()
        else:
            self._through.set()
        if wire is Wire.CUT:
            for task in self._tasks:
                task.cancel()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there: asyncio.StreamWriter | None = None
        try:
            await self._through.wait()
            if self._wire is Wire.CUT:
                return
            back, there = await asyncio.open_connection("127.0.0.1", self._target)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, there))
                both.create_task(self._pump(back, writer))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass  # cut, by either side or by us
        finally:
            self._tasks.discard(task)
            for each in (writer, there):
                if each is not None:
                    each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while some := await reader.read(65536):
                await self._through.wait()
                writer.write(some)
                await writer.drain()
        raise ConnectionResetError  # one side is gone, so the other goes as well
