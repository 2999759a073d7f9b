"""What can go wrong in the API over the world: descriptions, and which apply to a request.

What each kind does is in fault_answers (instead of an answer), fault_data (in the answer's
data) and fault_delivery (on the way to the client). A new kind is a row here and a function
in a table there.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from exporter.simulator.campaign import chance


class FaultKind(StrEnum):
    """Kinds of fault; beside each, what `amount` (A) and `text` (T) mean, and defaults."""

    # instead of an answer
    API_CODE = "api_code"  # A: the code (-18); T: the message
    HTTP_STATUS = "http_status"  # A: the status (503); T: the body
    RATE_LIMITED = "rate_limited"  # 429; A: Retry-After in seconds (2); T: it as text instead
    REDIRECT = "redirect"  # A: the status (307); T: Location (the same address: a loop)
    SLOW = "slow"  # A: seconds (3) before the answer, which is then good
    HANG = "hang"  # never answers
    RESET = "reset"  # the connection is reset before the answer
    EMPTY_BODY = "empty_body"
    HTML = "html"  # status 200; T: the page
    NOT_JSON = "not_json"  # T: the body ("ok")
    JSON_OF_ANOTHER_SHAPE = "json_of_another_shape"  # T: the body ("[]")
    HUGE_BODY = "huge_body"  # A: bytes (200,000,000), streamed
    GZIP_BOMB = "gzip_bomb"  # A: bytes when unpacked (1,000,000,000)
    DEEP_JSON = "deep_json"  # A: levels (100,000)

    # in the data; those on single fields also in the balance, where `path` names it
    CODE_AS_TEXT = "code_as_text"
    DATA_NULL = "data_null"
    RECORDS_NULL = "records_null"
    EMPTY_PAGE = "empty_page"  # no records, the total as ever
    DUPLICATES = "duplicates"  # hit records come twice
    LOST_RECORDS = "lost_records"  # hit records are left out of the page
    WRONG_TOTAL = "wrong_total"  # A: added to it (7)
    MISSING_TOTAL = "missing_total"
    TOTAL_AS_TEXT = "total_as_text"
    NUMBERS_AS_TEXT = "numbers_as_text"
    NULL_FIGURES = "null_figures"  # T: which fields, separated by commas (all figures)
    MISSING_FIELDS = "missing_fields"  # T: as above
    EXTRA_FIELDS = "extra_fields"
    SET_FIELD = "set_field"  # T: `field=JSON value`, for whatever has no kind of its own
    NEGATIVE = "negative"  # T: which fields (all numbers)
    ENORMOUS = "enormous"  # T: as above; A: the number (1e30)
    NAN = "nan"  # T: as above
    JOB_ID = "job_id"  # `jobId` in place of `taskId`
    BARE_MONEY = "bare_money"  # no currency
    OTHER_CURRENCY = "other_currency"  # T: the currency (EUR)
    MONEY_AS_NUMBER = "money_as_number"
    BARE_DURATION = "bare_duration"  # `60` for `60s`
    PERCENT_SIGN = "percent_sign"  # `80%` for `80`
    FRACTIONAL_PERCENT = "fractional_percent"  # `80.25`
    UNKNOWN_STATUS = "unknown_status"  # A: the code (9)
    BAD_TIME = "bad_time"  # T: createdTime ("yesterday")
    ISO_TIME = "iso_time"  # `2024-06-04T14:49:36`
    HOSTILE_NAMES = "hostile_names"  # markup, quotes, line breaks, length; T: the name
    RECORD_NOT_OBJECT = "record_not_object"  # T: the record as JSON (null)

    # in what is listed
    APPEARING = "appearing"  # A newest tasks (1) more with each request; all once it is over
    VANISHING = "vanishing"  # A newest tasks (1) fewer with each request; all once it is over

    # on the way
    TRUNCATED = "truncated"  # Content-Length promises all, A (0.5) of it comes, then a reset
    CUT_JSON = "cut_json"  # A (0.5) of the body, well delivered
    WRONG_ENCODING = "wrong_encoding"  # T: the body's encoding (utf-16), headers say UTF-8
    INVALID_BYTES = "invalid_bytes"  # a byte that is no UTF-8, inside
    WRONG_CONTENT_TYPE = "wrong_content_type"  # T: the type (text/plain)
    BAD_GZIP = "bad_gzip"  # Content-Encoding: gzip, the body is not
    OVERSIZED_HEADERS = "oversized_headers"  # A: bytes (65,536)
    DRIPPING = "dripping"  # the body in 16 pieces; A: seconds (1) between them

    # in time
    CLOCK_SKEW = "clock_skew"  # A: seconds the server's clock is ahead (600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong with requests to the API.

    It is limited to `times` requests (None: until cleared), to requests for one `page`, to
    one `api_key`, to one `path`, and to a share of them by `probability`. `share` is the
    share of a page's records that are hit. `amount` and `text` mean what the kind says;
    ValueError where the text is not what the kind needs.
    """

    kind: FaultKind
    amount: float | None = None
    text: str | None = None
    times: int | None = None
    page: int | None = None
    api_key: str | None = None
    path: str | None = None
    probability: float = 1.0
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.kind is FaultKind.RECORD_NOT_OBJECT and self.text is not None:
            json.loads(self.text)
        if self.kind is FaultKind.SET_FIELD:
            name, equals, value = (self.text or "").partition("=")
            if not name or not equals:
                raise ValueError("set_field needs `field=JSON value` as its text")
            json.loads(value)

    def quantity(self, default: float) -> float:
        """Return the amount, or what the kind takes where none was given."""
        return default if self.amount is None else self.amount


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides which faults apply to a request; `page` is None where it is not legible."""

    path: str
    api_key: str
    page: int | None


@dataclass(slots=True)
class ActiveFault:
    """A fault on the board and how many requests it has hit."""

    number: int
    fault: Fault
    hits: int = 0


class FaultBoard:
    """The faults that are switched on, numbered in the order of their coming."""

    def __init__(self, seed: int = 1, faults: Iterable[Fault] = ()) -> None:
        self.rng: Random = chance(seed, "faults")
        self._active: dict[int, ActiveFault] = {}
        self._next = 1
        for fault in faults:
            self.add(fault)

    @property
    def active(self) -> list[ActiveFault]:
        """What is switched on; a fault leaves by itself after its last request."""
        return list(self._active.values())

    def add(self, fault: Fault) -> int:
        """Switch a fault on and return its number."""
        number = self._next
        self._next += 1
        self._active[number] = ActiveFault(number, fault)
        return number

    def clear(self, number: int | None = None) -> None:
        """Switch one fault off (or all); nothing happens where it is off already."""
        if number is None:
            self._active.clear()
        else:
            self._active.pop(number, None)

    def draw(self, asked: Asked) -> list[ActiveFault]:
        """Return the faults that hit this request, and count them as used."""
        drawn = []
        for entry in self.active:
            if not self._hits(entry.fault, asked):
                continue
            entry.hits += 1
            if entry.fault.times is not None and entry.hits >= entry.fault.times:
                self.clear(entry.number)
            drawn.append(entry)
        return drawn

    def _hits(self, fault: Fault, asked: Asked) -> bool:
        if fault.page not in {None, asked.page} or fault.path not in {None, asked.path}:
            return False
        if fault.api_key not in {None, asked.api_key}:
            return False
        return fault.probability >= 1 or self.rng.random() < fault.probability
