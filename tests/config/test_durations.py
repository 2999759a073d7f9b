import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("1d", 86400),
        ("1w", 604800),
        ("1y", 31536000),
        ("1w2d3h4m5s6ms", 788645.006),
        ("90m", 5400),
        ("0s", 0),
        ("0", 0),
    ],
)
def test_parses_what_prometheus_parses(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "5", "s", "1.5h", "-5m", "+5m", "5 m", "30m1h", "1m1m", "1H", "5m ", "5m\n", "101y",
     "9" * 400 + "s", "1h30", "\u0665m"],
)  # fmt: skip
def test_refuses_what_prometheus_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.5, "500ms"), (90, "1m30s"), (5400, "1h30m"), (86400, "1d"), (129600, "36h"),
     (604800, "1w"), (1209600, "2w"), (691200, "8d"), (31536000, "1y")],
)  # fmt: skip
def test_formats_as_prometheus_does(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=100 * 365 * 86_400_000))
def test_what_is_formatted_is_parsed_to_the_same(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert parse_duration(format_duration(seconds)) == seconds


def test_a_negative_duration_is_not_written() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_duration(-1)
