import io
import json
import logging
import re
import warnings
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from exporter import logs
from exporter.config import Secret

log = structlog.get_logger()


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    access = logging.getLogger("aiohttp.access").level
    yield
    for handler in [one for one in root.handlers if isinstance(one, logs._LineHandler)]:
        root.removeHandler(handler)
    root.setLevel(level)
    logging.getLogger("aiohttp.access").setLevel(access)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    logs._masker.forget()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def logged(stream: io.StringIO) -> str:
    """Return the one line that was logged, without its timestamp."""
    (line,) = stream.getvalue().splitlines()
    return line.partition(" ")[2]


def test_logfmt_begins_with_time_level_and_message(stream: io.StringIO) -> None:
    logs.configure("info", "logfmt", stream)
    log.info("poll done", account="production", tasks=3, ratio=0.5, whole=True, error=None)
    assert re.fullmatch(
        r"ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=info "
        r'msg="poll done" account=production tasks=3 ratio=0.5 whole=true error=null\n',
        stream.getvalue(),
    )


def test_json_has_the_same_fields(stream: io.StringIO) -> None:
    logs.configure("info", "json", stream)
    log.warning("slow", seconds=1.5, labels={"a": [1, "x"]}, odd=float("nan"))
    fields = json.loads(stream.getvalue())
    assert list(fields) == ["ts", "level", "msg", "seconds", "labels", "odd"]
    assert (fields["level"], fields["msg"], fields["odd"]) == ("warning", "slow", "nan")
    assert fields["labels"] == {"a": [1, "x"]}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('say "x"', r'"say \"x\""'),
        ("a\\b", r'"a\\b"'),
        ("a\nb\r\tc", r'"a\nb\r\tc"'),
        ("\x1b[31m\x00", r'"\u001b[31m\u0000"'),
        ("\u202egnp.exe", r'"\u202egnp.exe"'),
        ("\u200f\ufeff\u2028\u00a0", r'"\u200f\ufeff\u2028\u00a0"'),
        ("\ud800", r'"\ud800"'),
        ("\U000e0001", r'"\U000e0001"'),
        ("外呼", '"外呼"'),
        (["a", 1], r'"[\"a\", 1]"'),
        (b"x", "\"b'x'\""),
    ],
)
def test_values_are_escaped(stream: io.StringIO, value: object, shown: str) -> None:
    logs.configure("info", "logfmt", stream)
    log.info("x", value=value)
    assert logged(stream) == f"level=info msg=x value={shown}"


@given(st.text(), st.sampled_from(logs.FORMATS))
def test_any_text_is_one_printable_line(text: str, fmt: logs.Format) -> None:
    stream = io.StringIO()
    logs.configure("info", fmt, stream)
    log.info(text, value=text, level=text)
    line = stream.getvalue()
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    if fmt == "json":
        assert json.loads(line)["value"] == text


def test_long_values_are_cut(stream: io.StringIO) -> None:
    logs.configure("info", "logfmt", stream)
    log.info("x", value="a" * 10_000)
    assert logged(stream).endswith('a… (6000 more)"')


def test_names_that_are_taken_give_way(stream: io.StringIO) -> None:
    logs.configure("info", "logfmt", stream)
    log.info("x", msg="y", ts=1, **{"odd key=": 2})
    assert logged(stream) == "level=info msg=x msg_=y ts_=1 odd_key_=2"


def test_an_exception_is_one_field_on_the_same_line(stream: io.StringIO) -> None:
    logs.configure("info", "logfmt", stream)
    error = ValueError("two\nlines")
    error.__cause__ = KeyError("k")
    log.error("failed", exc_info=error)
    assert logged(stream) == (
        "level=error msg=failed error=\"ValueError: two\\nlines; caused by KeyError: 'k'\""
    )


def test_a_traceback_is_shown_at_debug(stream: io.StringIO) -> None:
    logs.configure("debug", "logfmt", stream)
    try:
        [].pop()
    except IndexError:
        log.exception("failed", error="mine")
    line = logged(stream)
    assert 'error=mine exception="IndexError: pop from empty list" traceback=' in line
    assert r"\n  File \"" in line


def test_the_standard_library_goes_the_same_way(stream: io.StringIO) -> None:
    logs.configure("info", "logfmt", stream)
    logging.getLogger("asyncio").debug("unseen")
    logging.getLogger("aiohttp.access").info("unseen")
    logging.getLogger("aiohttp.server").error("bad %s", "request", exc_info=OSError("gone"))
    assert logged(stream) == (
        'level=error msg="bad request" logger=aiohttp.server error="OSError: gone"'
    )


def test_warnings_go_the_same_way(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logs.configure("info", "logfmt", stream)
        warnings.warn("careful", stacklevel=1)
        assert "level=warning" in logged(stream)
        assert "careful" in logged(stream)
        logging.captureWarnings(capture=False)


def test_the_level_holds_for_all(stream: io.StringIO) -> None:
    logs.configure("error", "logfmt", stream)
    log.warning("unseen")
    logging.getLogger("x").warning("unseen")
    assert stream.getvalue() == ""


def test_configuring_again_replaces(stream: io.StringIO) -> None:
    first = io.StringIO()
    logs.configure("info", "logfmt", first)
    logs.configure("debug", "json", stream)
    log.debug("x")
    assert first.getvalue() == ""
    assert json.loads(stream.getvalue())["level"] == "debug"


def test_choices_are_named() -> None:
    with pytest.raises(ValueError, match="choose one of debug, info"):
        logs.configure("loud")
    with pytest.raises(ValueError, match="choose one of logfmt, json"):
        logs.configure("info", "xml")  # type: ignore[arg-type]


HIDDEN = ["hunter2-Ä", 'qu"o\\te', "a+b/c=="]


def answer(text: str) -> None:
    raise RuntimeError(f"server said {text}", {text: [text]})


class Account:
    def __init__(self, key: str) -> None:
        self.key = key

    def __repr__(self) -> str:
        return f"Account(key={self.key!r})"


@pytest.mark.parametrize("fmt", logs.FORMATS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_masked_value_is_shown_nowhere(
    stream: io.StringIO, fmt: logs.Format, hidden: str
) -> None:
    logs.configure("debug", fmt, stream)
    logs.mask(Secret(hidden), "another")
    try:
        answer(hidden)
    except RuntimeError:
        log.exception("sent %s", hidden, key=hidden, deep={"a": [{hidden: hidden}]}, **{hidden: 1})
        logging.getLogger("x").exception("with %s %r", hidden, {"k": hidden})
    log.info("x", account=Account(hidden), text="x" * 3_996 + hidden, stack_info=True)
    log.info("x", secret=Secret(hidden), parts=(hidden, {hidden}), body=json.dumps([hidden]))
    shown = stream.getvalue()
    assert "<secret>" in shown
    for spelling in (hidden, json.dumps(hidden)[1:-1], hidden[:5]):
        assert spelling not in shown


def test_numbers_are_masked_and_short_words_are_not(stream: io.StringIO) -> None:
    logs.configure("info", "logfmt", stream)
    logs.mask("12345678", "in", "")
    log.info("point", number=12345678)
    assert logged(stream) == "level=info msg=point number=<secret>"


def test_one_secret_within_another_leaves_nothing(stream: io.StringIO) -> None:
    logs.configure("info", "logfmt", stream)
    logs.mask("abcdef")
    logs.mask("abcdefghij")
    log.info("abcdefghij")
    assert logged(stream) == "level=info msg=<secret>"


def test_an_event_that_cannot_be_formatted_is_told_without_its_content(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest's own handlers would raise what ours must survive.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.configure("info", "logfmt", stream)
    logging.getLogger("x").error("%d", "geheim")
    assert stream.getvalue() == 'level=error msg="unreadable log event" error=TypeError\n'


def test_a_broken_str_costs_only_its_value(stream: io.StringIO) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    logs.configure("info", "logfmt", stream)
    log.info("x", value=Broken())
    assert logged(stream) == 'level=info msg=x value="<unprintable Broken>"'


def test_a_stream_that_cannot_take_it_stops_nobody() -> None:
    raw = io.BytesIO()
    ascii_only = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    logs.configure("info", "logfmt", ascii_only)
    log.info("外")
    assert raw.getvalue().endswith(b'msg="\\u5916"\n')
    ascii_only.close()
    log.info("nobody reads this")
