"""What signs an account's requests: a secret from a file is followed as the file changes.

Nobody has to reload for a secret that rotates. The file is looked at before each poll, off the
event loop, and read where it is another than before: rewritten in place, put in place of the old
one, or reached by another symbolic link, as Kubernetes does it.
"""

import asyncio
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from exporter import logs
from exporter.api.client import Credentials
from exporter.config import Account, Secret, SecretFileError, read_secret_file
from exporter.config.secret import MASK

_PATIENCE: Final = 2.0
"""Seconds for which a poll waits for the file system; a mount that hangs must not end polling."""
_REMEMBERED: Final = 3
"""Secrets that are hidden from what the API says: answers may still name the last one."""

log = structlog.get_logger("credentials")

_Signature = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    signature: _Signature
    secret: Secret


class AccountCredentials:
    """An account's key and secret as they are now; calling it gives what signs a request."""

    def __init__(self, account: Account) -> None:
        self.renewals = 0
        """How many times the secret has become another one."""
        self._account = account.name
        self._api_key = account.api_key
        self._path = account.api_secret_file
        self._secrets = [account.api_secret]
        self._signature: _Signature | None = None
        self._trouble = ""
        self._looking: asyncio.Task[_Read | None] | None = None

    def __call__(self) -> Credentials:
        """Return what signs a request now."""
        return Credentials(self._api_key.reveal(), self.secret.reveal())

    @property
    def secret(self) -> Secret:
        """The secret that is in use."""
        return self._secrets[-1]

    async def refresh(self) -> None:
        """Take over what the file holds now; what cannot be read changes nothing."""
        if self._path is None:
            return
        if self._looking is None:
            work = asyncio.to_thread(_look, self._path, self._signature)
            self._looking = asyncio.create_task(work)
        await asyncio.wait({self._looking}, timeout=_PATIENCE)
        if not self._looking.done():
            return  # what it finds is used at a later poll
        looked, self._looking = self._looking, None
        try:
            read = looked.result()
        except SecretFileError as error:
            self._failed(str(error))
            return
        if self._trouble:
            self._trouble = ""
            log.info("the secret file can be read again", account=self._account)
        if read is not None:
            self._signature = read.signature
            self._take(read.secret)

    def hide(self, text: str) -> str:
        """Return a text of the API without the credentials that it may repeat."""
        for secret in (self._api_key, *self._secrets):
            text = text.replace(secret.reveal(), MASK)
        return text

    def _take(self, secret: Secret) -> None:
        if secret == self.secret:
            return
        logs.mask(secret)
        self._secrets = [*self._secrets, secret][-_REMEMBERED:]
        self.renewals += 1
        log.info(
            "the secret has changed in its file and is used from now on",
            account=self._account,
            file=str(self._path),
        )

    def _failed(self, trouble: str) -> None:
        """Tell once what is wrong: a file that is being replaced is away for a moment."""
        self._signature = None
        if trouble == self._trouble:
            return
        self._trouble = trouble
        log.warning(
            "the secret file cannot be used; the last good secret is used on",
            account=self._account,
            file=str(self._path),
            error=f"api_secret_file {trouble}",
        )


def _look(path: Path, known: _Signature | None) -> _Read | None:
    """Read the file where it is another than the known one; SecretFileError where it cannot be."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        status = None
    if status is None:
        # Reading says in words what is wrong; where it works after all, the next look is exact.
        return _Read((), read_secret_file(path))
    if stat.S_ISFIFO(status.st_mode):
        return None  # what a pipe gave once it does not give again
    signature = (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
    return None if signature == known else _Read(signature, read_secret_file(path))
