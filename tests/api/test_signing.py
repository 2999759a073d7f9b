"""Headers of a request, against the vendor's own example."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from exporter.api.signing import headers, sign
from exporter.simulator.signature import sign as judge

EXAMPLE = "05d7a50893e22a5c4bb3216ae3396c7c"


def test_the_vendors_example() -> None:
    assert sign("bDqJFiq9", "7bz1lzh9", "1630468800") == EXAMPLE


def test_headers_carry_what_was_signed_in_whole_seconds() -> None:
    assert headers("bDqJFiq9", "7bz1lzh9", 1630468800.999) == {
        "Content-Type": "application/json;charset=UTF-8",
        "Api-Key": "bDqJFiq9",
        "Timestamp": "1630468800",
        "Sign": EXAMPLE,
    }


@given(st.text(), st.text(), st.integers(0, 2**40))
def test_any_key_secret_and_moment_are_signed_as_the_vendor_says(
    key: str, secret: str, now: int
) -> None:
    sent = headers(key, secret, now)
    assert sent["Sign"] == judge(key, secret, sent["Timestamp"])
    assert sent["Sign"] == hashlib.md5(f"{key}{secret}{now}".encode()).hexdigest()
