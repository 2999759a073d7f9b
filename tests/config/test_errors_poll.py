"""What is said about wrong values under poll, to the letter."""

import pytest

from tests.config.texts import poll, problems

UNIT = "write a duration like 30s, 5m or 1h30m"
GRAMMAR = (
    "write whole numbers with ms, s, m, h, d, w or y, large before small, like 30s, 5m or 1h30m"
)
RATE = "write a number above 0 up to 1000"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("interval: 60", f"2: poll.interval: '60' has no unit; {UNIT}"),
        (
            "interval: 12:30",
            (
                "2: poll.interval: '12:30' is no duration with its colon; "
                "write it like 12m30s or 1h30m"
            ),
        ),
        ("interval: 0s", "2: poll.interval: '0s' is too short; write a duration of at least 1ms"),
        ("interval: 0", "2: poll.interval: '0' is too short; write a duration of at least 1ms"),
        ("interval: -5s", f"2: poll.interval: '-5s' is negative; {UNIT}"),
        (
            "interval: yes",
            (
                "2: poll.interval: 'yes' is a yes/no value, not a duration; "
                "write it like 30s, 5m or 1h30m"
            ),
        ),
        ("interval: 1.5h", f"2: poll.interval: '1.5h' is not a duration; {GRAMMAR}"),
        ("interval: soon", f"2: poll.interval: 'soon' is not a duration; {GRAMMAR}"),
        ("interval: .nan", f"2: poll.interval: '.nan' is not a duration; {GRAMMAR}"),
        ("interval: ''", f"2: poll.interval: is not a duration; {GRAMMAR}"),
        (
            "interval: 200y",
            ("2: poll.interval: '200y' is longer than 100 years; write a shorter duration"),
        ),
        ("interval: [60s]", "2: poll.interval: is a list, not a duration"),
        ("interval: {a: b}", "2: poll.interval: is a mapping, not a duration"),
        (
            "lookback: 500ms",
            ("2: poll.lookback: '500ms' is too short; write a duration of at least 1s"),
        ),
        (
            "concurrency: 2.5",
            ("2: poll.concurrency: '2.5' is not a whole number from 1 to 100; write one"),
        ),
        (
            "concurrency: true",
            ("2: poll.concurrency: 'true' is a yes/no value; write a whole number from 1 to 100"),
        ),
        (
            "concurrency: 0",
            ("2: poll.concurrency: '0' is out of range; write a whole number from 1 to 100"),
        ),
        (
            "concurrency: 0x10",
            ("2: poll.concurrency: '0x10' is not a whole number from 1 to 100; write one"),
        ),
        (
            "concurrency: .inf",
            (
                "2: poll.concurrency: '.inf' is not a finite number; "
                "write a whole number from 1 to 100"
            ),
        ),
        (
            "requests_per_second: nan",
            "2: poll.requests_per_second: 'nan' is not a finite number; " + RATE,
        ),
        (
            "requests_per_second: -.Inf",
            "2: poll.requests_per_second: '-.Inf' is not a finite number; " + RATE,
        ),
        ("requests_per_second: -1", "2: poll.requests_per_second: '-1' is out of range; " + RATE),
        ("requests_per_second: 0.0", "2: poll.requests_per_second: '0.0' is out of range; " + RATE),
        (
            "requests_per_second: 1e400",
            "2: poll.requests_per_second: '1e400' is out of range; " + RATE,
        ),
        (
            "requests_per_second: 0,5",
            "2: poll.requests_per_second: '0,5' has a decimal comma; " + RATE + ", with a point",
        ),
        (
            "windows: 1h",
            (
                "2: poll.windows: is a single value, not a list; "
                "write [..] or lines that begin with '- '"
            ),
        ),
        ("windows: []", "2: poll.windows: is an empty list; write a window or leave the key out"),
        (
            "windows: [1h, 60m]",
            ("2: poll.windows[1]: '60m' is the same window as poll.windows[0]; keep one"),
        ),
        (
            "windows: [1h, 1500ms]",
            ("2: poll.windows[1]: '1500ms' is not in whole seconds; leave the milliseconds out"),
        ),
        (
            "windows:\n- 1h\n- 2d",
            (
                "4: poll.windows[1]: '2d' is longer than poll.lookback (24h); "
                "shorten it, or lengthen poll.lookback"
            ),
        ),
        ("windows: [~]", f"2: poll.windows[0]: '~' is not a duration; {GRAMMAR}"),
        (
            "deadline: 2m",
            (
                "2: poll.deadline: is longer than poll.interval (which is by default 1m); "
                "make it at most that, or poll.interval longer"
            ),
        ),
        (
            "interval: 30s\ndeadline: 31s",
            (
                "3: poll.deadline: is longer than poll.interval (30s); "
                "make it at most that, or poll.interval longer"
            ),
        ),
        (
            "timeout: 51s",
            (
                "2: poll.timeout: is longer than poll.deadline (which is by default 50s); "
                "make it at most that, or poll.deadline longer"
            ),
        ),
        ("intervall: 60s", "2: poll.intervall: is not a known key; did you mean interval?"),
        ("Stale-After: 60s", "2: poll.Stale-After: is not a known key; did you mean stale_after?"),
        ("timezone: UTC", "2: poll.timezone: is not a known key; it belongs under accounts"),
        ("settle: 1h\nsettle: 2h", "3: poll.settle: is given twice, first in line 2; keep one"),
        (
            "interval: ${NOPE}",
            (
                "2: poll.interval: ${NOPE} is not set in the environment; "
                "set it, or write ${VAR:-default}"
            ),
        ),
        ("interval: ${X}", f"2: poll.interval: the value of ${{X}} is not a duration; {GRAMMAR}"),
    ],
)
def test_poll(keys: str, message: str) -> None:
    assert problems(poll(keys), {"X": "x"}) == [f"config.yaml:{message}"]
