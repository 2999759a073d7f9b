"""How a request that failed is told: in words, without secrets, and under a label of its code."""

import re
from collections.abc import Iterable
from typing import Final

import aiohttp

from exporter.api import errors

_SHORTEST_SECRET: Final = 4
_HIDDEN: Final = "<secret>"
_CODE: Final = re.compile(r"[\w.+-]{1,32}", re.ASCII)
"""What may be the label of a code: it comes from outside."""
_SIGNATURE: Final = re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{4,31}(?=…)")


def hide(error: errors.ApiError, secrets: Iterable[str]) -> None:
    """Take out of an error's text what a server or proxy echoed of our credentials.

    A signature is hex md5, so all of that form goes. A text that was cut may end in part of one.
    """
    text = _SIGNATURE.sub(_HIDDEN, str(error))
    for secret in secrets:
        shown = repr(secret)[1:-1]  # what comes from outside is quoted by repr
        for length in range(len(shown), _SHORTEST_SECRET - 1, -1):
            part = shown[:length]
            text = text.replace(part if part == shown else f"{part}…", _HIDDEN)
    error.args = (text,)


def label(error: errors.ApiError) -> str:
    """Return the ``code`` label of a request that ended in an error."""
    match error:
        case errors.HTTPStatusError():
            return f"http_{error.status}"
        case errors.RateLimitedError():
            return "http_429"
        case errors.RequestTimeoutError():
            return "timeout"
        case errors.ConnectionFailedError():
            return "connection"
        case errors.InvalidResponseError():
            return "invalid"
    code = "invalid" if error.code is None else str(error.code)
    return code if _CODE.fullmatch(code) else "other"


def cause(error: BaseException) -> str:
    """Return a library's error as text for a person: never empty, never with our headers."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return f"TLS to {error.host}:{error.port} failed: {error.os_error}"
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} cannot be resolved"
        case aiohttp.ClientConnectorError():
            return f"cannot connect to {error.host}:{error.port}: {error.os_error.strerror}"
        case aiohttp.ServerDisconnectedError():
            return "the server closed the connection without an answer"
        case aiohttp.ClientResponseError():
            return errors.shortened(error.message)
    return (
        f"{type(error).__name__} {errors.shortened(error)}" if str(error) else type(error).__name__
    )
