"""The ``--web.*`` flags: where and how the exporter is scraped. Needs no server to be read."""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_ADDRESS: Final = re.compile(r"(?:\[([^\[\]]*)\]|([^\[\]:]*)):([0-9]{1,5})")
_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; ``host`` empty: on every interface, IPv4 and IPv6. Port 0: a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read ``:10911``, ``127.0.0.1:9000``, ``[::1]:9000`` or ``localhost:0``.

    ValueError says what is wrong with any other.
    """
    match = _ADDRESS.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is no listen address; write HOST:PORT, [IPV6]:PORT or :PORT, like :10911"
        )
    bracketed, bare, port = match.groups()
    if int(port) > _HIGHEST_PORT:
        raise ValueError(f"{text!r} has no valid port; the highest is {_HIGHEST_PORT}")
    if bracketed is not None and not _is_ipv6(bracketed):
        raise ValueError(f"{text!r} has no valid IPv6 address in its brackets")
    if bare and (any(letter.isspace() for letter in bare) or "/" in bare):
        raise ValueError(f"{text!r} has no valid host; it is a name or an address, without scheme")
    return Address(bracketed or bare or "", int(port))


def _is_ipv6(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class WebOptions:
    """Where and how the exporter is scraped: the ``--web.*`` flags."""

    addresses: Sequence[Address]
    telemetry_path: str = "/metrics"
    lifecycle: bool = False
    """Whether ``POST /-/reload`` is allowed."""


class WebOptionError(ValueError):
    """A ``--web.*`` flag cannot be used; the message says why."""
