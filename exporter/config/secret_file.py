"""The file that holds an API secret."""

import errno
import os
import select
import stat
import time
from pathlib import Path
from typing import Final

from exporter.config.kinds import check_credential
from exporter.config.problems import Refusal
from exporter.config.secret import Secret

LARGEST: Final = 64 * 1024
_PIPE_PATIENCE: Final = 5.0


class SecretFileError(Refusal):
    """The secret file cannot be used; says why and what to do, without its content."""


def read_secret_file(path: Path) -> Secret:
    """Return the secret in a file, without one line break at its end.

    A regular file or a pipe (`<(command)`, /dev/fd/N) will do; a pipe is waited for, but not for
    ever. Raises SecretFileError.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe that nobody writes to would hang.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise SecretFileError(unreadable(error)) from None
    try:
        content = _read(descriptor)
    except OSError as error:
        raise SecretFileError(unreadable(error)) from None
    finally:
        os.close(descriptor)
    if len(content) > LARGEST:
        raise SecretFileError("points to a file larger than 64 KiB; is it the right one?")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretFileError("points to a file that is not UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise SecretFileError("points to an empty file; write the secret into it")
    try:
        return check_credential(text)
    except Refusal as refusal:
        raise SecretFileError(f"points to a file whose content {refusal}") from None


def is_world_readable(path: Path) -> bool:
    """Tell whether any user of this host can read the file."""
    try:
        status = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and bool(status.st_mode & stat.S_IROTH)


def _read(descriptor: int) -> bytes:
    """Return the content, cut off somewhere beyond LARGEST."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise SecretFileError("points to a directory; write the path of a file")
    if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
        raise SecretFileError("points to what is neither a file nor a pipe")
    content = b""
    deadline = time.monotonic() + _PIPE_PATIENCE
    while len(content) <= LARGEST:
        if stat.S_ISFIFO(mode):
            _wait(descriptor, deadline)
        chunk = os.read(descriptor, LARGEST + 1)
        if not chunk:
            break
        content += chunk
    return content


def _wait(descriptor: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise SecretFileError(
            f"points to a pipe that gave nothing within {_PIPE_PATIENCE:g} seconds; "
            "see that something writes the secret to it and closes it"
        )


def unreadable(error: OSError | ValueError) -> str:
    """Return why a file cannot be read, and what to do, as a predicate of the key that names it."""
    match getattr(error, "errno", None):
        case errno.ENOENT | errno.ENOTDIR:
            return "points to a file that does not exist; create it or correct the path"
        case errno.EACCES | errno.EPERM:
            return "points to a file that this user may not read; change its owner or mode"
        case None:
            return "is not a path"
        case number:
            return f"points to a file that cannot be read: {os.strerror(number)}"
