"""The web configuration as the rest of the program sees it: frozen, complete."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.config.problems import Problem
from exporter.config.secret import Secret
from exporter.web.access.kinds import ClientAuth


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """How connections are encrypted, and which clients' are taken."""

    certificate: bytes
    """With its chain, in PEM."""
    key: Secret
    """In PEM."""
    client_auth: ClientAuth = ClientAuth.NONE
    client_ca: str | None = None
    """Authorities in PEM; None: those that this host trusts."""
    allowed_names: frozenset[str] = frozenset()
    """Subject alternative names of which a client has one; none: any client that is verified."""
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    maximum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    suites: tuple[str, ...] = ()
    """Of TLS 1.2, by OpenSSL's names; none: OpenSSL's own."""
    server_prefers: bool = True
    curve: str | None = None
    """By OpenSSL's name."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests at once, and then one each `interval` seconds."""

    interval: float
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """The whole file. Without anything in it: plain HTTP for everybody."""

    tls: ssl.SSLContext | None = None
    users: Mapping[bytes, Secret] = field(default_factory=dict)
    """Hashes of passwords by the names of users; none: everybody is let in."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What replaces our own; empty: not sent."""
    rate_limit: RateLimit | None = None
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
