"""A group call task as everything inside the house sees it: typed, frozen, free of wire format."""

import enum
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final

import msgspec

UNKNOWN_CURRENCY: Final = "unknown"
UNKNOWN_SCRIPT: Final = "unknown"

# Sums of money are exact: an operation that would have to round raises instead.
EXACT: Final = Context(prec=100, traps=[Inexact, InvalidOperation])


class Status(enum.Enum):
    """Where a task stands; the value is its label. Codes are the vendor's page's."""

    WAITING = "waiting"
    CALLING = "calling"
    FINISHED = "finished"
    SUBMISSION_FAILED = "submission_failed"
    CANCELLED = "cancelled"
    SUSPENDED = "suspended"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"

    @property
    def ended(self) -> bool:
        """Whether a task in this status changes no more by itself (its money may still settle)."""
        return self in ENDED

    @classmethod
    def of_code(cls, code: int | None) -> "Status":
        """Return the status of an API code; UNKNOWN for none and for one not on the list."""
        return _BY_CODE.get(code, cls.UNKNOWN)

    @property
    def code(self) -> int | None:
        """The API's code; None for UNKNOWN."""
        return CODES.get(self)

    # Members are singletons, and Enum's own hash is a Python call on a path walked per record.
    __hash__ = object.__hash__


CODES: Final = {
    Status.WAITING: 0,
    Status.CALLING: 1,
    Status.FINISHED: 2,
    Status.SUBMISSION_FAILED: 3,
    Status.CANCELLED: 4,
    Status.SUSPENDED: 5,
    Status.SUBMITTING: 6,
}
_BY_CODE: Final[dict[int | None, Status]] = {code: status for status, code in CODES.items()}

ENDED: Final = frozenset({Status.FINISHED, Status.SUBMISSION_FAILED, Status.CANCELLED})
UNFINISHED: Final = (Status.WAITING, Status.CALLING, Status.SUSPENDED, Status.SUBMITTING)


class Money(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An exact amount in a currency: three capital letters, or ``unknown``."""

    amount: Decimal
    currency: str


class Kind(enum.Enum):
    """What a fee is for; the value is its label."""

    AGENT = "agent"
    CALL = "call"
    SMS = "sms"

    __hash__ = object.__hash__  # as in Status


class Task(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One record of the API, read.

    A figure that the API left out or sent as null is None, never 0. ``created`` is in whole Unix
    seconds, worked out from the API's zoneless local time by the account's configured zone.
    """

    task_id: int
    name: str
    status: Status
    script_id: str
    created: int
    progress: float | None = None
    numbers: int | None = None
    calls: int | None = None
    answered: int | None = None
    successful: int | None = None
    failed: int | None = None
    billed_seconds: int | None = None
    agent_billed_seconds: int | None = None
    sms_sent: int | None = None
    agent_fee: Money | None = None
    call_fee: Money | None = None
    sms_fee: Money | None = None
    total_fee: Money | None = None

    def fees(self) -> tuple[tuple[Kind, Money | None], ...]:
        """Return the three parts of what the task costs, each with its kind."""
        return (
            (Kind.AGENT, self.agent_fee),
            (Kind.CALL, self.call_fee),
            (Kind.SMS, self.sms_fee),
        )

    def spend(self) -> dict[str, Decimal]:
        """Return the sum of the parts, by currency; empty where the API gives none."""
        sums: dict[str, Decimal] = {}
        for _, fee in self.fees():
            if fee is not None:
                sums[fee.currency] = EXACT.add(sums.get(fee.currency, Decimal(0)), fee.amount)
        return sums


# The figures that only grow while a task runs, by Task's own names: what the counters count.
COUNTED: Final = (
    "calls",
    "answered",
    "successful",
    "failed",
    "billed_seconds",
    "agent_billed_seconds",
    "sms_sent",
)
