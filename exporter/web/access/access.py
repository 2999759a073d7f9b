"""What stands before every page, as the web configuration has it now."""

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from exporter.config.problems import ConfigError, Problem
from exporter.config.text_file import shown_path
from exporter.web.access.credentials import credentials
from exporter.web.access.limit import Bucket
from exporter.web.access.load import load
from exporter.web.access.model import WebConfig
from exporter.web.access.passwords import Passwords
from exporter.web.access.seen import Seen, signature
from exporter.web.access.tls import NewestContext

log = structlog.get_logger("access")

LOOK_EVERY: Final = 1.0
"""Seconds after which files are looked at again."""


class Access:
    """Decides who is let in. Without a file: everybody, over plain HTTP.

    ConfigError where the file cannot be used. What reads files (`read`, `has_changed`) is for a
    thread; `take` is for the event loop, and what it is given counts from the next connection, or
    the next request, on.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        passwords: Passwords | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._monotonic = monotonic
        self._passwords = passwords or Passwords()
        self._seen: Seen = {}
        self._bucket: Bucket | None = None
        self.config = WebConfig()
        if path is not None:
            config = load(path, self._seen)
            self._is_encrypted = config.tls is not None
            self.take(config)

    # --- the file ---------------------------------------------------------------------------------

    def read(self) -> WebConfig:
        """Return what the file says now; ConfigError where that cannot be used."""
        if self.path is None:
            return self.config
        seen: Seen = {}
        try:
            config = load(self.path, seen)
        finally:
            # Good or bad, it is not read again before it changes again.
            self._seen = seen
        if (config.tls is not None) != self._is_encrypted:
            verb = "added" if config.tls is not None else "removed"
            raise ConfigError(
                [
                    Problem(
                        shown_path(self.path),
                        1,
                        "tls_server_config",
                        f"cannot be {verb} while the exporter runs; restart it",
                    )
                ]
            )
        return config

    def has_changed(self) -> bool:
        """Whether a file is another one than when it was last read."""
        return any(signature(path) != state for path, state in self._seen.items())

    def take(self, config: WebConfig) -> None:
        """Let this configuration count."""
        self.config = config
        for warning in config.warnings:
            log.warning("web configuration", problem=str(warning))
        if config.rate_limit is None:
            self._bucket = None
        elif self._bucket is None or self._bucket.limit != config.rate_limit:
            self._bucket = Bucket(config.rate_limit, self._monotonic)

    def close(self) -> None:
        """Let go of the thread that checks passwords."""
        self._passwords.close()

    # --- what is asked of it ----------------------------------------------------------------------

    @property
    def tls(self) -> NewestContext | None:
        """What a server is started with; None: plain HTTP."""
        return None if self.config.tls is None else NewestContext.of(self._context)

    def _context(self) -> ssl.SSLContext:
        if self.config.tls is None:  # pragma: no cover  # `read` refuses such a change
            raise RuntimeError("TLS was removed")
        return self.config.tls

    def is_outdated(self, connection: object) -> bool:
        """Whether a TLS connection (an `SSLObject`) was made under an earlier configuration."""
        return isinstance(connection, ssl.SSLObject) and connection.context is not self.config.tls

    def within_limit(self) -> bool:
        """Whether one more request may be answered."""
        return self._bucket is None or self._bucket.take()

    @property
    def wants_password(self) -> bool:
        """Whether there are users."""
        return bool(self.config.users)

    async def knows(self, authorization: str | None, client: str) -> bool:
        """Whether the header `Authorization` has a user with the right password.

        TooManyChecksError where `client`, an address, has to send it again.
        """
        found = credentials(authorization)
        if found is None:
            return False
        user, password = found
        return await self._passwords.accepts(self.config.users, user, password, client)
