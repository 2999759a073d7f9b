"""A token bucket: so many requests at once, and then one each interval."""

from collections.abc import Callable

from exporter.web.access.model import RateLimit


class Bucket:
    """Full at first; `monotonic` is a clock in seconds that is never set back."""

    def __init__(self, limit: RateLimit, monotonic: Callable[[], float]) -> None:
        self.limit = limit
        self._monotonic = monotonic
        self._tokens = float(limit.burst)
        self._filled = monotonic()

    def take(self) -> bool:
        """Whether there was a token; where not, nothing is taken."""
        now = self._monotonic()
        gained = (now - self._filled) / self.limit.interval
        self._tokens = min(float(self.limit.burst), self._tokens + gained)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
