"""The small parts: the header, the bucket, the names in a certificate."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.web.access.credentials import credentials
from exporter.web.access.limit import Bucket
from exporter.web.access.model import RateLimit
from exporter.web.access.tls import names_of


def header(content: bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(content).decode()}"


@given(st.binary(max_size=40).filter(lambda user: b":" not in user), st.binary(max_size=80))
def test_credentials_are_read_back(user: bytes, password: bytes) -> None:
    assert credentials(header(user + b":" + password)) == (user, password)
    assert credentials(header(user + b":" + password, "bAsIc")) == (user, password)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YTo",
        "Basic YTp\u00e9",
        "Bearer YTpi",
        header(b"no colon"),
        "YTpi",
    ],
)
def test_what_are_no_credentials(text: str | None) -> None:
    assert credentials(text) is None


@given(st.text())
def test_no_header_breaks_it(text: str) -> None:
    found = credentials(text)
    assert found is None or all(isinstance(part, bytes) for part in found)


def test_a_bucket_is_full_at_first_and_fills_again() -> None:
    now = 100.0
    bucket = Bucket(RateLimit(0.5, 3), lambda: now)
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    now += 0.5
    assert [bucket.take(), bucket.take()] == [True, False]
    now += 3600
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


@given(st.floats(0.001, 10), st.integers(1, 20), st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_no_more_pass_than_the_rate_allows(interval: float, burst: int, waits: list[float]) -> None:
    now = 0.0
    bucket = Bucket(RateLimit(interval, burst), lambda: now)
    passed = 0
    for wait in waits:
        now += wait
        passed += bucket.take()
    assert passed <= burst + now / interval + 1e-6


def test_names_are_told_by_their_kind() -> None:
    certificate = {
        "subject": ((("commonName", "not.this.one"),),),
        "subjectAltName": (
            ("DNS", "a.example"),
            ("IP Address", "FE80:0:0:0:0:0:0:1"),
            ("IP Address", "10.0.0.1"),
            ("email", "ops@example.org"),
            ("URI", "spiffe://x/y"),
            ("DirName", "d.example"),
        ),
    }
    assert names_of(certificate) == {
        "a.example",
        "fe80::1",
        "10.0.0.1",
        "ops@example.org",
        "spiffe://x/y",
    }
    assert names_of({}) == frozenset()
