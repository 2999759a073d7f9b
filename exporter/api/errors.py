"""What can go wrong when the API is asked: one small tree; each error carries its reason label.

The message says what happened; ``remedy`` says what the person who reads it can do. Neither ever
holds a key, a secret or a signature. Messages of the API are untrusted text: kept short here, and
escaped wherever they are shown.
"""

from typing import ClassVar, Final

_LONGEST_MESSAGE: Final = 200


class ApiError(Exception):
    """Any failure to get an answer that can be used."""

    reason: ClassVar[str] = "internal"
    remedy: ClassVar[str] = "This is a fault of the exporter: please report it with its log."
    passing: ClassVar[bool] = False
    """Whether the same request can succeed shortly without anybody doing anything."""
    refusal: ClassVar[bool] = False
    """Whether the account itself is refused, so that asking again soon may get it locked."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the server asked to wait, where it did."""
        self.code: int | str | None = None
        """The API's own code, where it answered one."""


class AuthenticationError(ApiError):
    """Code -1."""

    reason = "authentication"
    remedy = "Check api_key and api_secret of this account; `check --live` tries them."
    refusal = True


class IPRestrictedError(ApiError):
    """Code -2."""

    reason = "ip_restricted"
    remedy = "Put this host's public address on the account's allow-list at the provider."
    refusal = True


class ClockSkewError(ApiError):
    """Code -16."""

    reason = "clock_skew"
    remedy = "Set this host's clock right (NTP); itnio_exporter_clock_skew_seconds says how far."


class SystemFaultError(ApiError):
    """Code -18."""

    reason = "system"
    remedy = "The provider's system is failing; if it lasts, tell the provider."
    passing = True


class ParameterError(ApiError):
    """Code -22."""

    reason = "parameter"
    remedy = "Check the account's apps, statuses and search; the provider refuses the query."


class RateLimitedError(ApiError):
    """HTTP 429."""

    reason = "rate_limited"
    remedy = "Lower poll.requests_per_second, or ask the provider for a higher limit."
    passing = True


class HTTPStatusError(ApiError):
    """Any other HTTP status than 200; one that a client causes (4xx) does not pass by itself."""

    reason = "http"
    remedy = "Check base_url; with a 5xx status the provider's side is failing."

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ServerStatusError(HTTPStatusError):
    """HTTP 5xx."""

    remedy = "The provider's side is failing; if it lasts, tell the provider."
    passing = True


class RefusedStatusError(HTTPStatusError):
    """HTTP 401 or 403 with no code of the API's own: whoever stands before it refuses us."""

    remedy = "Check api_key, api_secret and base_url; a gateway or proxy may refuse this host."
    refusal = True


class RequestTimeoutError(ApiError):
    """No answer within poll.timeout."""

    reason = "timeout"
    remedy = "Check the network path to base_url; raise poll.timeout if the API is just slow."
    passing = True


class ConnectionFailedError(ApiError):
    """Not reached, refused, reset, or the name or certificate did not hold."""

    reason = "connection"
    remedy = "Check base_url, DNS, proxy and firewall between this host and the API."
    passing = True


class InvalidResponseError(ApiError):
    """An answer that is not what the vendor's page describes."""

    reason = "invalid_response"
    remedy = "Check that base_url is the API itself, not a proxy's or login page."


class IncompleteError(ApiError):
    """Pages that do not add up to one whole range, also after reading them again."""

    reason = "incomplete"
    remedy = "If it lasts, the provider's paging is inconsistent: narrow the lookback or tell them."


class DeadlineError(ApiError):
    """A whole poll took longer than poll.deadline although each request was answered."""

    reason = "deadline"
    remedy = "Raise poll.deadline, poll.concurrency or poll.requests_per_second."


class UnknownCodeError(ApiError):
    """A code that the vendor's page does not list."""

    reason = "unknown_code"
    remedy = "The provider answers with a code that is not documented: ask them what it means."


REASONS: Final = tuple(
    dict.fromkeys(
        error.reason
        for error in (
            AuthenticationError, IPRestrictedError, ClockSkewError, SystemFaultError,
            ParameterError, RateLimitedError, HTTPStatusError, RequestTimeoutError,
            ConnectionFailedError, InvalidResponseError, IncompleteError, DeadlineError,
            UnknownCodeError, ApiError,
        )
    )
)  # fmt: skip
"""Every value of the ``reason`` label."""

_BY_CODE: Final[dict[int, tuple[type[ApiError], str]]] = {
    -1: (AuthenticationError, "the API refuses the credentials"),
    -2: (IPRestrictedError, "the API refuses this host's address"),
    -16: (ClockSkewError, "the API says the request's timestamp has expired"),
    -18: (SystemFaultError, "the API reports an exception in its own system"),
    -22: (ParameterError, "the API refuses the parameters of the query"),
}

KNOWN_CODES: Final = frozenset(_BY_CODE)


def of_code(code: int | str, message: object) -> ApiError:
    """Return the error for a code of the API other than 0, with the API's own message quoted."""
    kind, meaning = _BY_CODE.get(
        code if isinstance(code, int) else 0, (UnknownCodeError, "the API answers an unlisted code")
    )
    said = f": {shortened(message)}" if message else ""
    error = kind(f"{meaning} (code {shortened(code)}){said}")
    error.code = code
    return error


def shortened(text: object) -> str:
    """Return untrusted text on one line, quoted by repr and of bounded length."""
    if isinstance(text, int):
        return str(text)[:_LONGEST_MESSAGE]
    try:
        plain = str(text)
    except RecursionError:
        plain = "nested too deeply"
    shown = plain[:_LONGEST_MESSAGE] + ("…" if len(plain) > _LONGEST_MESSAGE else "")
    return repr(shown)
