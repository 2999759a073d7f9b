"""What is rendered means what the library's own rendering means, whatever the values are."""

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.exposition.kept import Renderer
from exporter.exposition.render import EOF, escaped
from exporter.snapshot import AccountSnapshot
from tests.exposition.snapshots import Reference, family, openmetrics_families

# Everything that can be encoded, but control characters, which are replaced: see below.
PLAIN = st.characters(codec="utf-8", exclude_categories=["Cc"])
TEXT = st.text(st.one_of(PLAIN, st.sampled_from('\n\\"{},= #')), max_size=12)
NUMBER = st.one_of(
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-1e15, max_value=1e15),
)
COUNT = st.one_of(st.integers(0, 10**30), st.decimals(0, 10**15, places=6))


@st.composite
def families(draw: st.DrawFn) -> Any:
    made = []
    for name, kind, labels, values in [
        ("itnio_a", "gauge", ("x",), NUMBER),
        ("itnio_b_seconds", "gauge", ("x", "y"), NUMBER),
        ("itnio_c_ratio", "gauge", (), NUMBER),
        ("itnio_d_total", "counter", ("x",), COUNT),
        ("itnio_e_seconds_total", "counter", ("x", "y"), COUNT),
        ("itnio_f_info", "info", ("x",), st.just(1)),
    ]:
        keys = draw(st.lists(st.tuples(*[TEXT] * len(labels)), max_size=3, unique=True))
        samples = [(key, draw(values)) for key in keys]
        made.append(family(name, kind, labels, samples, draw(TEXT)))
    return made


def body(renderer: Renderer, *, openmetrics: bool = False) -> bytes:
    renderer.settle()
    return b"".join(renderer.body.plain(openmetrics=openmetrics))


def meaning(parsed: Iterable[Any]) -> list[Any]:
    """Names, kinds, help texts, labels and values; a NaN as text, since none equals another."""
    return [
        (
            each.name,
            each.type,
            each.documentation,
            each.unit,
            [
                (s.name, s.labels, "NaN" if math.isnan(s.value) else float(s.value))
                for s in each.samples
            ],
        )
        for each in parsed
    ]


@settings(max_examples=60, deadline=None)
@given(families(), st.lists(TEXT, min_size=1, max_size=2, unique=True))
def test_our_rendering_means_what_the_library_s_means(made: Any, accounts: list[str]) -> None:
    snapshots = [AccountSnapshot(name, 0) for name in accounts]
    renderer = Renderer(made)
    for each in snapshots:
        renderer.update(each)
    registry = Reference(made, snapshots).registry()

    ours = body(renderer).decode()
    theirs = generate_latest(registry).decode()
    assert meaning(parse_text(ours)) == meaning(parse_text(theirs))

    opened = body(renderer, openmetrics=True) + EOF
    reference: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
    assert meaning(openmetrics_families(opened)) == meaning(openmetrics_families(reference))


def rendered(label: str) -> bytes:
    renderer = Renderer([family("itnio_a", "gauge", ("x",), [((label,), 1)])])
    renderer.update(AccountSnapshot("a", 0))
    return body(renderer)


@settings(max_examples=60)
@given(st.text(st.characters(min_codepoint=0, max_codepoint=0x2FF), max_size=20))
def test_no_control_character_but_the_end_of_a_line_is_ever_sent(label: str) -> None:
    text = rendered(label).decode()
    assert len(text.split("\n")) == 4
    assert not {char for char in text if ord(char) < 32 or ord(char) == 127} - {"\n"}


@given(st.lists(st.text('ab\x00\x01\t\r\x7f\\\n"', max_size=4), min_size=2, unique=True))
def test_labels_that_differ_stay_different(labels: list[str]) -> None:
    # Two samples with the same labels would make a scraper drop one, or the whole scrape.
    assert len({escaped(label) for label in labels}) == len(labels)


def test_a_label_that_cannot_be_encoded_ends_no_exposition() -> None:
    assert b"itnio_a" in rendered("half \ud83d of a character")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (True, "1"),
        (2**63 + 1, "9223372036854775809"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (Decimal("0.034827"), "0.034827"),
        (Decimal("1E+3"), "1000.0"),
        (-0.0, "-0.0"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_numbers(value: Any, text: str) -> None:
    renderer = Renderer([family("itnio_a", "gauge", (), [((), value)])])
    renderer.update(AccountSnapshot("a", 0))
    assert body(renderer).splitlines()[-1] == f'itnio_a{{account="a"}} {text}'.encode()


def test_a_family_without_samples_has_no_header() -> None:
    renderer = Renderer([family("itnio_a", "gauge", (), [])])
    renderer.update(AccountSnapshot("a", 0))
    assert body(renderer) == b""
    assert body(renderer, openmetrics=True) == b""


def test_an_account_can_be_removed() -> None:
    renderer = Renderer([family("itnio_a", "gauge", (), [((), 1)])])
    for name in ("a", "b"):
        renderer.update(AccountSnapshot(name, 0))
    assert body(renderer).count(b"# TYPE") == 1
    renderer.remove("a")
    renderer.remove("never there")
    assert b'"a"' not in body(renderer)
    assert b'"b"' in body(renderer, openmetrics=True)
