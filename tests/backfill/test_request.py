"""Moments, steps and labels as people write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.backfill.request import Request, differing, parse_labels, parse_moment, parse_step

NOW = 1_700_000_000.75


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", 1_700_000_000),
        ("-30d", 1_700_000_000 - 30 * 86_400),
        ("-1h30m", 1_700_000_000 - 5400),
        ("2023-11-14", 1_699_920_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-15T06:13:20+08:00", 1_700_000_000),
        ("2023-11-14T22:13:20.900Z", 1_700_000_000),
    ],
)
def test_a_moment(text: str, moment: int) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no time"),
        ("yesterday", "is no time"),
        ("2023-13-01", "is no time"),
        ("2023-11-14T22:13:20", "no offset from UTC"),
        ("-30", "is no time before now"),
        ("-", "is no time before now"),
        ("30d", "is no time"),
    ],
)
def test_what_is_no_moment_is_told_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_moment(text, NOW)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.integers(-720, 840))  # noqa: DTZ001
def test_any_rfc_3339_time_is_read(moment: datetime, offset: int) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=offset)))
    assert parse_moment(local.isoformat(), NOW) == int(local.timestamp() // 1)


@pytest.mark.parametrize("text", ["0", "500ms", "1s500ms", "5", "soon", "-5m", ""])
def test_what_is_no_step(text: str) -> None:
    with pytest.raises(ValueError, match="write one like 30s, 5m or 1h"):
        parse_step(text)


def test_a_step() -> None:
    assert parse_step("1h30m") == 5400


@given(st.integers(0, 10**9), st.integers(0, 10**5), st.integers(1, 10**4))
def test_moments_lie_within_both_ends(begin: int, length: int, step: int) -> None:
    moments = Request(begin=begin, end=begin + length, step=step).moments
    assert moments[0] == begin
    assert begin + length - step < moments[-1] <= begin + length


def test_labels() -> None:
    given = ["job=itnio", "instance=host:10911", "note=a=b", "empty="]
    labels = parse_labels(given, {"account"})
    assert labels == (("job", "itnio"), ("instance", "host:10911"), ("note", "a=b"))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["job"], "is no label"),
        (["1job=x"], "is no label"),
        (["__name__=x"], "is no label"),
        (["a b=x"], "is no label"),
        (["account=x"], "have already"),
        (["job=x", "job=y"], "given twice"),
    ],
)
def test_what_is_no_label(labels: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_labels(labels, {"account"})


def test_differing_arguments_are_named() -> None:
    assert differing({"--from": "-30d", "a": "1"}, {"--from": "-3d", "a": "1", "b": "2"}) == [
        "--from",
        "b",
    ]
