"""What the API requires of a request before it answers: who asks, from where, signed when."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exporter.simulator.signature import sign

QUERY_PATH = "/voice/group/call/query"
BALANCE_PATH = "/sms/getBalance"

SUCCESS = 0
AUTHENTICATION = -1
IP_RESTRICTED = -2
TIMESTAMP_EXPIRED = -16
SYSTEM = -18
PARAMETER = -22

MESSAGES = {
    SUCCESS: "success",
    AUTHENTICATION: "authentication error",
    IP_RESTRICTED: "restricted IP access",
    TIMESTAMP_EXPIRED: "timestamp expired",
    SYSTEM: "system exception",
    PARAMETER: "parameter exception",
}


class Order(StrEnum):
    """The order of the records, which the vendor does not document."""

    CREATED_DESCENDING = "created_descending"
    CREATED_ASCENDING = "created_ascending"
    TASK_ID = "task_id"
    RANDOM = "random"  # another one for each request


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRules:
    """What the vendor leaves open, decided. Times are seconds; None means no limit."""

    credentials: Mapping[str, str] = field(default_factory=lambda: {"demo-key": "demo-secret"})
    order: Order = Order.CREATED_DESCENDING
    timestamp_tolerance: float = 300.0
    widest_range: float | None = None
    allowed_addresses: frozenset[str] | None = None


class RefusedError(Exception):
    """The API answers with a code and no data."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(f"{MESSAGES.get(code, 'error')}{': ' if detail else ''}{detail}")
        self.code = code


def admit(rules: ApiRules, headers: Mapping[str, str], address: str | None, now: float) -> None:
    """Let a request pass, or raise RefusedError; `now` is the server's time."""
    if rules.allowed_addresses is not None and address not in rules.allowed_addresses:
        raise RefusedError(IP_RESTRICTED)
    api_key = headers.get("Api-Key", "")
    timestamp = headers.get("Timestamp", "")
    secret = rules.credentials.get(api_key)
    if secret is None:
        raise RefusedError(AUTHENTICATION)
    expected = sign(api_key, secret, timestamp)
    given = headers.get("Sign", "")
    if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
        raise RefusedError(AUTHENTICATION)
    if not timestamp.isascii() or not timestamp.isdigit():
        raise RefusedError(TIMESTAMP_EXPIRED, "not Unix seconds")
    if abs(int(timestamp) - now) > rules.timestamp_tolerance:
        raise RefusedError(TIMESTAMP_EXPIRED)
