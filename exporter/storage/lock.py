"""One process a store: a lock file that the kernel releases with the process, however it ends."""

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
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise StorageError(
            "locked",
            f"{folder} is in use by another itnio-exporter (process {holder}); "
            "stop that one, or give this one another --storage.path",
        ) from error
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock
