"""How requests leave this host for the API: straight or by a proxy, and from which address."""

import asyncio
import ipaddress
import socket
import urllib.request
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PATIENCE: Final = 5.0
"""Seconds for a bare connection."""
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Way:
    """Where requests go. ``proxy`` is HOST:PORT of the proxy that the environment names."""

    host: str
    port: int
    proxy: str | None = None

    @property
    def next_hop(self) -> tuple[str, int]:
        """Host and port that a connection is made to."""
        if self.proxy is None:
            return self.host, self.port
        host, _, port = self.proxy.rpartition(":")
        return host, int(port)


def way_to(base_url: str) -> Way:
    """Return the way that the client takes, by the same variables of the environment."""
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy is None or urllib.request.proxy_bypass(host):
        return Way(host, port)
    # Without the user and password that may stand in it.
    named = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    try:
        return Way(host, port, f"{named.hostname}:{named.port or _PORTS['http']}")
    except ValueError:
        return Way(host, port)


async def connects(way: Way) -> bool:
    """Tell whether a connection can be made at all, without saying anything over it."""
    host, port = way.next_hop
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def outgoing_address(way: Way) -> str | None:
    """Return this host's own address on the way; None where that cannot be known."""
    host, port = way.next_hop
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_PATIENCE):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        # Connecting a datagram socket chooses the source address and sends nothing.
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except (OSError, TimeoutError, IndexError):
        return None


def is_public(address: str) -> bool:
    """Tell whether an address is one that others on the internet see."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
