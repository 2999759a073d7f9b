"""Chunks deflated apart make one gzip member, whichever are put together."""

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from exporter.exposition.gzipped import HEAD, checksum, deflate, ended

CHUNK = st.one_of(
    st.binary(max_size=200), st.integers(0, 100_000).map(lambda size: b"itnio_up 1\n" * size)
)


@given(st.lists(CHUNK, max_size=6), st.binary(max_size=300))
def test_chunks_make_one_member(chunks: list[bytes], tail: bytes) -> None:
    parts = [deflate(each) for each in chunks]
    size = sum(each.size for each in parts)
    packed = HEAD + b"".join(each.data for each in parts) + ended(tail, checksum(parts), size)
    reader = zlib.decompressobj(wbits=31)
    # A wrong checksum or length would be an error here, and a second member would be left over.
    assert reader.decompress(packed) == b"".join(chunks) + tail
    assert reader.eof
    assert reader.unused_data == b""


def test_a_chunk_can_stand_anywhere() -> None:
    one, other = deflate(b"one " * 500), deflate(b"other " * 500)
    for order in ([one, other], [other, one], [one, one, other]):
        size = sum(each.size for each in order)
        packed = HEAD + b"".join(e.data for e in order) + ended(b"", checksum(order), size)
        assert len(gzip.decompress(packed)) == size
