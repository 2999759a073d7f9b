"""How wide a range the API accepts in one query: not documented, so learned from its refusals."""

from collections.abc import Callable, Iterator
from typing import Final

NARROWEST: Final = 3600
"""Seconds: a range this narrow is not too wide for any API; refused, it is refused for itself."""
SPLIT_AGAIN: Final = 600
"""Seconds for which a range is not tried in parts after the narrowest was refused, too."""
RELAX_AFTER: Final = 6 * 3600
"""Seconds after which a wide range is tried again: what the API accepts may have changed."""


class Width:
    """What is known of it. ``monotonic`` is a clock that is never set back."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._widest: int | None = None
        """Seconds; None while no range has been refused as too wide."""
        self._learned_at = 0.0
        self._no_split_before = float("-inf")

    def accepted(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Cut a range into parts that are not wider than the API is known to accept."""
        if self._widest is not None and self._monotonic() - self._learned_at > RELAX_AFTER:
            self._widest = None
        width = end - begin if self._widest is None else self._widest
        for start in range(begin, end + 1, width + 1):
            yield start, min(start + width, end)

    def may_be_too_wide(self, begin: int, end: int) -> bool:
        """Whether a range that was refused as a parameter is worth trying in two halves."""
        if end - begin <= NARROWEST:
            # It is not the width, then: what is refused for itself is asked once a poll.
            self._no_split_before = self._monotonic() + SPLIT_AGAIN
            return False
        return self._monotonic() >= self._no_split_before

    def learn(self, accepted: int) -> None:
        """Take note that so many seconds were accepted where twice as many were not."""
        self._widest = min(self._widest or accepted, accepted)
        self._learned_at = self._monotonic()
