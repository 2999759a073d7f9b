from decimal import Decimal

import pytest

from exporter.web import wording

FOREIGN = "付款 تذكير naïve 👩\N{ZERO WIDTH JOINER}💻"


def spaced(text: str) -> str:
    return text.replace(wording.NARROW, " ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, wording.NOTHING),
        (0.0, "0 s"),
        (0.004, "0 s"),
        (0.42, "0.42 s"),
        (9.5, "9.5 s"),
        (42.4, "42 s"),
        (59.6, "1 m 00 s"),
        (63, "1 m 03 s"),
        (3_599.4, "59 m 59 s"),
        (3_599.6, "1 h 00 m"),
        (7_500, "2 h 05 m"),
        (86_400 * 3 + 4 * 3_600, "3 d 04 h"),
        (-93, "\N{MINUS SIGN}1 m 33 s"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float | None, text: str) -> None:
    assert spaced(wording.duration(seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, wording.NOTHING),
        (60, "1 m 00 s"),
        (59.96, "1 m 00 s"),
        (42.14, "42.1 s"),
        (42, "42 s"),
        (0, "0 s"),
    ],
)
def test_a_call_is_told_to_the_tenth(seconds: float | None, text: str) -> None:
    assert spaced(wording.call_duration(seconds)) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (None, wording.NOTHING),
        (0, "0 %"),
        (0.0001, "<0.1 %"),
        (0.312, "31.2 %"),
        (0.3, "30.0 %"),
        (0.9999, ">99.9 %"),
        (1, "100 %"),
        (1.5, "150.0 %"),
    ],
)
def test_a_ratio_never_rounds_to_none_or_all(ratio: float | None, text: str) -> None:
    assert spaced(wording.percent(ratio)).replace("< ", "<").replace("> ", ">") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0.00"),
        ("0.034827", "0.034827"),
        ("0.125000", "0.125"),
        ("12.3405", "12.34"),
        ("12.3", "12.30"),
        ("1234567.5", "1,234,567.50"),
        ("-3.5", "\N{MINUS SIGN}3.50"),
        ("0E-30", "0.00"),
    ],
)
def test_money_is_full_below_one_and_to_the_cent_above(value: str, text: str) -> None:
    assert wording.amount(Decimal(value)) == text


def test_a_part_of_money_is_as_exact_as_the_whole() -> None:
    assert wording.amount(Decimal("0.034827"), Decimal("27.88")) == "0.03"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        (
            "付款 تذكير naïve 👩\N{ZERO WIDTH JOINER}💻",
            "付款 تذكير naïve 👩\N{ZERO WIDTH JOINER}💻",
        ),
        ("a\nb\x00", "a␊b␀"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", "a�b"),
        ("\x7f\x9b\u2028\ufeff\ud800", "�����"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_foreign_text_is_one_bounded_line_of_characters_that_can_be_seen(
    text: str, shown: str
) -> None:
    assert wording.visible(text) == shown
    wording.visible(text).encode()


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (list("abcdefg"), "a, b, c, d, e and 2 more"),
    ],
)
def test_names_are_listed_as_one_speaks(names: list[str], text: str) -> None:
    assert wording.listed(names) == text


def test_ages_and_waits() -> None:
    assert spaced(wording.age(12.9)) == "12 s ago"
    assert wording.age(-3) == "just now"
    assert spaced(wording.until(48)) == "in 48 s"
    assert wording.until(-5) == "now"


def test_a_moment_beyond_the_calendar_is_still_told() -> None:
    assert wording.moment(1_717_512_576) == "2024-06-04 14:49:36 UTC"
    assert wording.machine_time(1_717_512_576) == "2024-06-04T14:49:36Z"
    assert wording.moment(1e30) == f"{1e30:.0f}"
