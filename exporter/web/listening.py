"""Where the server listens: sockets, start and stop."""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any, Final

from aiohttp import web

from exporter.web.connection import Connection
from exporter.web.direct import DIRECT
from exporter.web.options import Address

_BACKLOG: Final = 1024
# aiohttp waits this long twice: for answers under way, then for those it has cancelled.
_PATIENCE: Final = 1.0
_TRIES: Final = 10
_HANDSHAKE: Final = 10.0
"""Seconds that a client has to agree on TLS; as long as Prometheus waits for a whole scrape."""
_FAREWELL: Final = 1.0
"""Seconds for which the end of a TLS connection is waited for."""


class ListenError(OSError):
    """An address cannot be listened on; the message is a sentence that says why."""


class Listening:
    """A server that listens; stop it with ``stop``."""

    def __init__(
        self, runner: web.AppRunner, servers: Sequence[asyncio.Server], urls: tuple[str, ...]
    ) -> None:
        self._runner = runner
        self._servers = servers
        self.urls = urls
        """One for each address, in their order, with the port that was found; no path."""

    async def stop(self) -> None:
        """Accept nothing more, finish what is under way, cut off the rest; within 3 seconds."""
        for server in self._servers:
            server.close()
        await self._runner.cleanup()


async def listen(
    application: web.Application,
    addresses: Iterable[Address],
    *,
    ssl_context: ssl.SSLContext | None = None,
) -> Listening:
    """Serve an application on all the addresses.

    ListenError, and nothing listens, where one of them cannot be had.
    """
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(application, shutdown_timeout=_PATIENCE)
    sockets: list[socket.socket] = []
    servers: list[asyncio.Server] = []
    urls: list[str] = []
    scheme = "http" if ssl_context is None else "https"
    async with contextlib.AsyncExitStack() as undo:
        undo.push_async_callback(runner.cleanup)
        for address in addresses:
            bound = await _bind(address)
            for each in bound:
                undo.callback(each.close)
            sockets += bound
            urls.append(f"{scheme}://{_shown(address, bound[0].getsockname()[1])}")
        await runner.setup()
        web_server = runner.server
        if web_server is None:  # pragma: no cover - setup makes it
            raise RuntimeError("the runner has no server")
        application[DIRECT].before(web_server)

        def connection() -> Connection:
            return Connection(web_server, loop=loop)

        encrypted = ssl_context is not None
        for each in sockets:
            server = await loop.create_server(
                connection,
                sock=each,
                ssl=ssl_context,
                backlog=_BACKLOG,
                ssl_handshake_timeout=_HANDSHAKE if encrypted else None,
                ssl_shutdown_timeout=_FAREWELL if encrypted else None,
            )
            undo.callback(server.close)
            servers.append(server)
        undo.pop_all()
    return Listening(runner, servers, tuple(urls))


def _shown(address: Address, port: int) -> str:
    # What a browser can open; nothing can be reached under the address for "all interfaces".
    everywhere = address.host in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound
    return str(Address("localhost" if everywhere else address.host, port))


async def _bind(address: Address) -> list[socket.socket]:
    """Return bound sockets, all with the same port."""
    for _ in range(_TRIES):
        try:
            return _bind_all(address, await _resolved(address))
        except OSError as error:
            # The port that was free for IPv4 may not be for IPv6; then another is tried.
            if address.port == 0 and error.errno == errno.EADDRINUSE:
                continue
            raise ListenError(f"cannot listen on {address}: {_reason(error)}") from error
    raise ListenError(f"cannot listen on {address}: no port is free for IPv4 and IPv6 alike")


async def _resolved(address: Address) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    if not address.host:
        found = [(socket.AF_INET, ("0.0.0.0", 0)), (socket.AF_INET6, ("::", 0, 0, 0))]  # noqa: S104
        return [each for each in found if each[0] == socket.AF_INET or socket.has_ipv6]
    infos = await asyncio.get_running_loop().getaddrinfo(
        address.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    unique = dict.fromkeys((info[0], info[4]) for info in infos)
    # IPv4 first, as it is the one that is everywhere.
    return sorted(unique, key=lambda each: each[0] != socket.AF_INET)


def _bind_all(
    address: Address, places: Sequence[tuple[socket.AddressFamily, tuple[Any, ...]]]
) -> list[socket.socket]:
    bound: list[socket.socket] = []
    missing: OSError | None = None
    port = address.port
    with contextlib.ExitStack() as undo:
        for family, place in places:
            try:
                each = socket.socket(family, socket.SOCK_STREAM)
            except OSError as error:
                missing = error  # this family is switched off
                continue
            undo.callback(each.close)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # [::] alone means both families, as it does for Go's programs.
                alone = int(address.host != "::")
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, alone)
            try:
                each.bind((place[0], port, *place[2:]))
                # Only now is it known to be free: two may be bound, but not listen, to one port.
                each.listen(_BACKLOG)
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL:
                    raise
                missing = error  # a name may stand for an address that this machine lacks
                continue
            port = each.getsockname()[1]
            bound.append(each)
        if not bound:
            raise missing or OSError(errno.EADDRNOTAVAIL, "nothing to listen on")
        undo.pop_all()
    return bound


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "its host name cannot be resolved; check the spelling"
    reasons = {
        errno.EADDRINUSE: "another program listens there; stop it or choose another address",
        errno.EACCES: "ports below 1024 need a privilege; choose a higher one",
        errno.EADDRNOTAVAIL: "this machine does not have that address",
    }
    return reasons.get(error.errno or 0, error.strerror or str(error))
