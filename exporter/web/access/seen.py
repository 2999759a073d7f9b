"""Which files were read, and whether they are others now."""

from pathlib import Path
from typing import NamedTuple


class Signature(NamedTuple):
    """What differs between two states of a file."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def signature(path: Path) -> Signature | None:
    """Return the state of a file, whatever links lead to it; None where it cannot be seen."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return Signature(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


Seen = dict[Path, Signature | None]
