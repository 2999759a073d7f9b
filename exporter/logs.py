"""Logs: one line an event, logfmt or JSON, the program's own and the libraries' alike.

`ts` (UTC), `level` and `msg` come first, then the event's fields. An exception is one field,
`error`; its traceback is shown only at level debug. Whatever comes from outside is escaped and
bounded, and values registered with `mask` are never shown.
"""

import json
import logging
import math
import re
import sys
import traceback
import urllib.parse
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

import structlog

from exporter.config.secret import MASK, Secret

Format = Literal["logfmt", "json"]

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
FORMATS: Final[tuple[Format, ...]] = ("logfmt", "json")

_LONGEST_VALUE: Final = 4_000
_LONGEST_TRACEBACK: Final = 30_000
_DEEPEST_VALUE: Final = 4
_MOST_CAUSES: Final = 5
# Shorter values occur in ordinary words, and nobody has an API secret of three letters.
_SHORTEST_SECRET: Final = 4
_RESERVED: Final = frozenset({"ts", "level", "msg"})
_BARE: Final = re.compile(r"[A-Za-z0-9_.:/@%+,;<>()\[\]{}*!?&#|~^$-]+")
_ODD_IN_KEY: Final = re.compile(r"[^A-Za-z0-9_.-]")
_SHORT_ESCAPES: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\"}


class _Masker:
    """Hides registered values; what was once a secret stays hidden after a reload."""

    def __init__(self) -> None:
        self._spellings: tuple[str, ...] = ()

    def register(self, value: str) -> None:
        if len(value) < _SHORTEST_SECRET:
            return
        # A secret with a quote or a backslash looks different within a representation or a URL.
        spellings = {
            value,
            repr(value)[1:-1],
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
            urllib.parse.quote(value, safe="", errors="replace"),
            urllib.parse.quote_plus(value, errors="replace"),
        }
        # The longest first, so that no part of it is left when another is contained in it.
        self._spellings = tuple(sorted(spellings.union(self._spellings), key=len, reverse=True))

    def hide(self, text: str) -> str:
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, MASK)
        return text

    def forget(self) -> None:
        self._spellings = ()


_masker: Final = _Masker()


def mask(*secrets: str | Secret) -> None:
    """Never show these values in any line, whatever they are part of.

    The last line of defence: a `Secret` masks itself, but a server may echo a key in its answer.
    """
    for secret in secrets:
        _masker.register(secret.reveal() if isinstance(secret, Secret) else secret)


def configure(level: str = "info", fmt: Format = "logfmt", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's events to the stream (standard error).

    Can be called again; ValueError names the choices where level or format is none of them.
    """
    if level not in LEVELS:
        raise ValueError(f"unknown log level; choose one of {', '.join(LEVELS)}")
    if fmt not in FORMATS:
        raise ValueError(f"unknown log format; choose one of {', '.join(FORMATS)}")
    number = LEVELS[level]
    debugging = number <= logging.DEBUG
    render = _render_json if fmt == "json" else _render_logfmt

    def finish(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
        return render(_fields(event, with_traceback=debugging))

    handler = _LineHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[finish], foreign_pre_chain=[structlog.stdlib.add_logger_name]
        )
    )
    root = logging.getLogger()
    # Only ours is replaced: a test's or an embedder's handlers are their own business.
    for old in [one for one in root.handlers if isinstance(one, _LineHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(number)
    # One line a request is for debugging; Prometheus makes four a minute of them.
    logging.getLogger("aiohttp.access").setLevel(number if debugging else logging.WARNING)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        # Modules get their logger when they are imported, before this is called.
        cache_logger_on_first_use=False,
    )


class _LineHandler(logging.StreamHandler[TextIO]):
    """Writes a line whatever the stream's encoding; a log that cannot be written stops nobody."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 - logging must not raise into its caller
            # Neither message nor arguments: they have not been through the mask.
            line = f"level=error msg={_quoted('unreadable log event')} error={type(error).__name__}"
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        try:
            self.stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self.stream.flush()
        except (OSError, ValueError, LookupError):
            # The reader has gone or the disk is full; there is nowhere left to say so.
            return


def _fields(event: MutableMapping[str, Any], *, with_traceback: bool) -> dict[str, Any]:
    """Return what a line shows, in its order, every leaf masked."""
    record: logging.LogRecord = event.pop("_record")
    ours = event.pop("_from_structlog")
    message = event.pop("event", "")
    exc_info = event.pop("exc_info", None)
    stack = event.pop("stack_info", None) or record.stack_info
    when = datetime.fromtimestamp(record.created, UTC)
    fields: dict[str, Any] = {
        "ts": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "msg": _leaf(message),
    }
    name = event.pop("logger", None)
    if name is not None and not ours:
        fields["logger"] = _leaf(name)
    for key, value in event.items():
        shown = _masker.hide(str(key))
        fields[f"{shown}_" if shown in _RESERVED else shown] = _leaf(value)
    error = _exception(exc_info)
    if error is not None:
        fields["exception" if "error" in fields else "error"] = _leaf(_in_words(error))
        if with_traceback:
            lines = "".join(traceback.format_exception(error)).rstrip("\n")
            fields["traceback"] = _bounded(_masker.hide(lines), _LONGEST_TRACEBACK)
    if stack and with_traceback:
        fields["stack"] = _bounded(_masker.hide(str(stack)), _LONGEST_TRACEBACK)
    return fields


def _exception(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _in_words(error: BaseException) -> str:
    """Return the exception and what caused it, outermost first."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(parts) < _MOST_CAUSES:
        text = _text(cause)
        parts.append(f"{type(cause).__name__}: {text}" if text else type(cause).__name__)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "; caused by ".join(parts)


def _leaf(value: Any, depth: int = 0) -> Any:
    """Return the value as JSON can carry it: masked, bounded, finite."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and math.isfinite(value):
        shown = _masker.hide(_text(value))
        return value if shown == _text(value) else shown
    if depth < _DEEPEST_VALUE:
        if isinstance(value, Mapping):
            return {_masker.hide(_text(key)): _leaf(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [_leaf(item, depth + 1) for item in value]
    return _bounded(_masker.hide(_text(value)), _LONGEST_VALUE)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a broken __str__ must not cost the line
        return f"<unprintable {type(value).__name__}>"


def _bounded(text: str, longest: int) -> str:
    # After masking, so that a cut cannot leave half a secret.
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text) - longest} more)"


def _render_json(fields: Mapping[str, Any]) -> str:
    # In ASCII, so that no control or direction character reaches a terminal.
    return json.dumps(fields, separators=(",", ":"))


def _render_logfmt(fields: Mapping[str, Any]) -> str:
    return " ".join(f"{_ODD_IN_KEY.sub('_', key)}={_logfmt(item)}" for key, item in fields.items())


def _logfmt(value: Any) -> str:
    if isinstance(value, str):
        return value if _BARE.fullmatch(value) else _quoted(value)
    return _logfmt(json.dumps(value, ensure_ascii=False))


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    # Control, format (right-to-left marks), surrogate and unassigned characters do not print.
    if char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"  # noqa: PLR2004
