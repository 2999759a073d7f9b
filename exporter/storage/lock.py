"""One process a store: a lock file that the kernel releases with the process, however it ends."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

from exporter.storage.model import StorageError

LOCK: Final = "state.lock"
UNWRITABLE: Final = ("unwritable", "let the exporter's user write to the folder and its files")


def locked(folder: Path) -> int:
    """Return a descriptor that holds the folder's lock until it is closed."""
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason, remedy = UNWRITABLE
        raise StorageError(reason, f"{path}: {error.strerror}; {remedy}") from error
    try:
        _hold(lock, folder)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _hold(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
        raise StorageError(
            "locked",
            f"{folder} is in use by another itnio-exporter (process {holder}); "
            "stop that one, or give this one another --storage.path",
        ) from error
    except OSError as error:
        raise StorageError(
            "failed",
            f"{folder} cannot be locked: {error.strerror}; give --storage.path on a local disk",
        ) from error
    # On a full disk the number cannot be written; it only helps to find who holds the lock.
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
