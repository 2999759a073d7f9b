"""Deflated chunks that can be put together, in any choice, to one gzip member (RFC 1951, 1952).

Each chunk is deflated on its own, ends on a byte's boundary and refers to nothing before it, so a
chunk that has not changed is never deflated again.
"""

import struct
import zlib
from collections.abc import Iterable
from typing import Final, NamedTuple

HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no name, no time, no matter on which system."""
LEVEL: Final = 1
_RAW: Final = -15
_MOST_STORED: Final = 0xFFFF
_NO_MORE: Final = b"\x03\x00"
"""A last block with nothing in it."""


class Deflated(NamedTuple):
    """Some bytes, deflated, and what the checksum of a whole needs to know of them."""

    data: bytes
    crc: int
    size: int
    """Bytes before they were deflated."""
    blank: int
    """The checksum of as many zero bytes."""


def deflate(data: bytes) -> Deflated:
    """Return bytes deflated so that anything deflated by this can stand before and after."""
    engine = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW)
    packed = engine.compress(data) + engine.flush(zlib.Z_FULL_FLUSH)
    return Deflated(packed, zlib.crc32(data), len(data), zlib.crc32(bytes(len(data))))


def checksum(chunks: Iterable[Deflated], crc: int = 0) -> int:
    """Return the CRC-32 of all that the chunks hold, one after the other, without their bytes.

    ``crc`` is that of what stands before them.

    A CRC is linear: one carried on over zeros, and that of bytes which begins with nothing, differ
    from the one carried on over these bytes only by what the zeros alone would have given.
    """
    for each in chunks:
        crc = zlib.crc32(bytes(each.size), crc) ^ each.blank ^ each.crc
    return crc


def ended(tail: bytes, crc: int, size: int) -> bytes:
    """Return the end of a member: its last bytes, checksum and length.

    ``crc`` and ``size`` are those of all that stands before. The bytes are only stored: there are
    few of them, they are others every time, and no client is asked to wait for an engine.
    """
    packed = [
        struct.pack("<BHH", 0, len(part), len(part) ^ 0xFFFF) + part
        for first in range(0, len(tail), _MOST_STORED)
        for part in [tail[first : first + _MOST_STORED]]
    ]
    end = struct.pack("<LL", zlib.crc32(tail, crc), (size + len(tail)) & 0xFFFFFFFF)
    return b"".join((*packed, _NO_MORE, end))
