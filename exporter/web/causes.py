"""Why an account cannot be polled, as a sentence that a person would say, and what to do. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from exporter.snapshot import Failure, Health
from exporter.web.wording import duration, visible

_LONGEST: Final = 600
_IN_STEP: Final = 2.0
"""Seconds by which clocks may differ without that being why a request is refused."""

_SENTENCES: Final = {
    "authentication": "The API refuses the key or the secret.",
    "ip_restricted": "This host's address is not on the account's allow-list.",
    "clock_skew": "The API says that this host's clock is wrong.",
    "system": "The API reports a fault of its own.",
    "parameter": "The API refuses what it is asked for.",
    "rate_limited": "The API is asked more often than it allows.",
    "http": "The API answers with an HTTP error.",
    "timeout": "The API does not answer in time.",
    "connection": "The API cannot be reached.",
    "invalid_response": "What answers is not the API, or is not as documented.",
    "incomplete": "The API's pages do not add up to a whole.",
    "deadline": "A poll takes longer than it may.",
    "unknown_code": "The API answers with a code that is not documented.",
    "internal": "The exporter itself has a fault.",
}
REASONS: Final = frozenset(_SENTENCES)
_NUMBERS: Final = {
    "http": re.compile(r"HTTP ([0-9]{3})"),
    "unknown_code": re.compile(r"\(code ([^)]{1,20})\)"),
}
"""Where the message has the number that its reason is about."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One failure, explained."""

    sentence: str
    remedy: str
    detail: str
    """What was said, to the letter."""
    reason: str
    at: float


def cause(failure: Failure, health: Health) -> Cause:
    """Explain a failure by its reason, and by what else is known of the account."""
    sentence = _SENTENCES.get(failure.reason, "The last poll failed.")
    numbers = _NUMBERS.get(failure.reason)
    if numbers is not None and (found := numbers.search(failure.message)):
        sentence = f"{sentence.removesuffix('.')}: {visible(found[1])}."
    remedy = visible(failure.remedy, _LONGEST)
    skew = health.clock_skew
    if failure.reason == "clock_skew" and skew is not None:
        if abs(skew) >= _IN_STEP:
            sentence = f"This host's clock is {off(skew)} the API's."
        else:
            sentence = "The API calls a request expired, though its clock and this host's agree."
            remedy = "If it lasts, requests are held up on the way: look at proxies, and tell the "
            remedy += "provider."
    return Cause(
        sentence=sentence,
        remedy=remedy,
        detail=visible(failure.message, _LONGEST),
        reason=visible(failure.reason),
        at=failure.at,
    )


def off(skew: float) -> str:
    """Return ``1 m 33 s behind``, of this host's clock; ``skew`` is how far the API's is ahead."""
    return f"{duration(abs(skew))} {'behind' if skew > 0 else 'ahead of'}"
