"""What an HTTP answer says beside its page: its length, its date, when to come back."""

from datetime import UTC
from email.utils import parsedate_to_datetime

import aiohttp

from exporter.api import errors


async def read_body(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """Return a body, decompressed; InvalidResponseError beyond ``largest`` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(2**18):
        body += chunk
        if len(body) > largest:
            response.close()
            raise errors.InvalidResponseError(f"the answer is larger than {largest // 2**20} MiB")
    return bytes(body)


def moment(date: str) -> float | None:
    """Return the Unix time of an HTTP date; None where it is none."""
    try:
        found = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


def retry_after(value: str | None, now: float, *, longest: float) -> float | None:
    """Return seconds, at most ``longest``, from a Retry-After header in either of its forms."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        due = moment(value)
        if due is None:
            return None
        seconds = due - now
    return min(max(seconds, 0.0), longest) if seconds == seconds else None  # noqa: PLR0124
