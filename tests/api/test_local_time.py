"""Local times without a zone, against zoneinfo itself; DST days most of all."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.api.local_time import bounds, parse, written

# Both hemispheres, half hours, a change at midnight, one of half an hour, a skipped day, none.
NAMES = (
    "UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Beirut",
    "Australia/Lord_Howe", "America/Asuncion", "Pacific/Apia", "Asia/Kathmandu", "Africa/Cairo",
    "Asia/Tehran", "Antarctica/Troll", "America/St_Johns", "Asia/Gaza",
)  # fmt: skip
ZONES: list[tzinfo] = [ZoneInfo(name) for name in NAMES]
ZONES.append(timezone(timedelta(hours=5, minutes=45)))
FIRST, LAST = 1_262_304_000, 1_893_456_000  # 2010 to 2030
LABEL = "%Y-%m-%d %H:%M:%S"


def changes(zone: tzinfo) -> list[int]:
    """Return the moments, to the second, at which a zone's offset changes."""

    def offset(moment: int) -> timedelta | None:
        return datetime.fromtimestamp(moment, zone).utcoffset()

    found = []
    for low, high in pairwise(range(FIRST, LAST, 7 * 86400)):
        if offset(low) == offset(high):
            continue
        before, after = low, high
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (before, middle) if offset(middle) != offset(low) else (middle, after)
        found.append(after)
    return found


CHANGES = {zone: changes(zone) for zone in ZONES}
zones = st.sampled_from(ZONES)


@st.composite
def zone_and_moment(draw: st.DrawFn) -> tuple[tzinfo, int]:
    """Draw a zone and a moment in it, half of them within a day of a change."""
    zone = draw(zones)
    if draw(st.booleans()) and CHANGES[zone]:
        change: int = draw(st.sampled_from(CHANGES[zone]))
        return zone, change + draw(st.integers(-90_000, 90_000))
    return zone, draw(st.integers(FIRST, LAST))


def label(moment: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(moment, zone).strftime(LABEL)


@given(zone_and_moment())
def test_a_label_means_what_the_zone_says_and_the_earlier_of_two_moments(
    drawn: tuple[tzinfo, int],
) -> None:
    zone, moment = drawn
    text = label(moment, zone)
    meant = parse(text, zone)
    assert meant <= moment
    assert label(meant, zone) == text
    assert meant == int(datetime.strptime(text, LABEL).replace(tzinfo=zone).timestamp())


@given(zones, st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001
def test_every_local_time_can_be_read_also_one_that_is_skipped(
    zone: tzinfo, local: datetime
) -> None:
    expected = int(local.replace(microsecond=0, tzinfo=zone).timestamp())
    assert parse(local.strftime(LABEL), zone) == expected
    assert parse(local.strftime("%Y-%m-%dT%H:%M:%S"), zone) == expected
    assert parse(f"{local.strftime(LABEL)}.7", zone) == expected


def test_the_earlier_of_an_ambiguous_hour() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert parse("2024-10-27 02:30:00", berlin) == 1_729_989_000  # 00:30 UTC, not 01:30


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "1717512576", "2024-06-04", "2024-06-04 14",
        "2024-06-04 14:60:00", "2024-06-04 14:49:60", "2024-06-31 14:49:36", "2024-02-30 14:49:36",
        "2024-06-04 14:49:36Z", "2024-06-04T14:49:36+08:00",
        "2024-06-04 14:49:36 PM", "04/06/2024 14:49:36", "2024-06-04 1a:49:36",
        "2024-06-04 ١٤:49:36", "0000-01-01 00:00:00", "9999-99-99 00:00:00",
        "x" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_local_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the library's own text is as good as ours
        parse(text, UTC)


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("text", ["9999-12-31 23:59:59", "0001-01-01 00:00:00"])
def test_the_ends_of_the_calendar_are_read_or_refused(zone: tzinfo, text: str) -> None:
    with contextlib.suppress(ValueError, OverflowError):
        parse(text, zone)


@given(st.text(max_size=30) | st.from_regex(r"[0-9T: .+Z-]{10,26}", fullmatch=True), zones)
def test_any_text_is_a_time_or_a_value_error(text: str, zone: tzinfo) -> None:
    with contextlib.suppress(ValueError, OverflowError):
        assert isinstance(parse(text, zone), int)


@given(zone_and_moment())
def test_written_is_what_the_zones_clock_shows(drawn: tuple[tzinfo, int]) -> None:
    zone, moment = drawn
    assert written(moment, zone) == label(moment, zone)


@given(
    zone_and_moment(),
    st.integers(0, 3 * 86400) | st.integers(0, 4000),
    st.lists(st.floats(0, 1), max_size=20),
)
def test_bounds_hold_every_label_of_every_moment(
    drawn: tuple[tzinfo, int], length: int, shares: list[float]
) -> None:
    zone, begin = drawn
    end = begin + length
    first, last = bounds(begin, end, zone)
    inside = [begin, end, *(begin + int(length * share) for share in shares)]
    for change in CHANGES[zone]:
        inside += (m for m in (change - 1, change, change + 3599) if begin <= m <= end)
    for moment in inside:
        assert first <= label(moment, zone) <= last


@given(zone_and_moment(), st.integers(0, 86400))
def test_bounds_hold_what_is_read_back_into_the_range(
    drawn: tuple[tzinfo, int], length: int
) -> None:
    """A label that counts as created within a range is in that range's bounds as well."""
    zone, moment = drawn
    meant = parse(label(moment, zone), zone)
    first, last = bounds(meant, meant + length, zone)
    assert first <= label(moment, zone) <= last


@given(zone_and_moment(), st.integers(0, 86400))
def test_bounds_are_exact_where_no_offset_changes(drawn: tuple[tzinfo, int], length: int) -> None:
    zone, begin = drawn
    end = begin + length
    if any(begin < change <= end for change in CHANGES[zone]):
        return
    assert bounds(begin, end, zone) == (label(begin, zone), label(end, zone))
