"""What was asked of the API: counters, and the last requests in detail."""

from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

_KEPT = 5_000


@dataclass(slots=True)
class LoggedRequest:
    """One request. `outcome` is the API's code, or `http_503`, `hang`, … where a fault answered.

    `at` is the API's clock; `params` is what the body said, or None where it was not legible.
    """

    number: int
    at: float
    path: str
    api_key: str
    page: int | None
    size: int | None
    params: Any
    faults: list[str]
    outcome: str = "unanswered"


@dataclass(slots=True)
class RequestLog:
    """All requests since the start, or since `clear`."""

    total: int = 0
    by_path: Counter[str] = field(default_factory=Counter)
    by_outcome: Counter[str] = field(default_factory=Counter)
    by_key: Counter[str] = field(default_factory=Counter)
    recent: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def begin(
        self, at: float, path: str, api_key: str, sent: object, faults: list[str]
    ) -> LoggedRequest:
        """Log a request that has come; `sent` is its decoded body, if it had a legible one."""
        body = sent if isinstance(sent, dict) else {}
        self.total += 1
        self.by_path[path] += 1
        self.by_key[api_key] += 1
        page, size = body.get("current"), body.get("size")
        entry = LoggedRequest(self.total, at, path, api_key, page, size, body.get("params"), faults)
        self.recent.append(entry)
        return entry

    def end(self, entry: LoggedRequest, outcome: str) -> None:
        """Log what became of it."""
        entry.outcome = outcome
        self.by_outcome[outcome] += 1

    def clear(self) -> None:
        """Forget all requests."""
        self.total = 0
        for counter in (self.by_path, self.by_outcome, self.by_key):
            counter.clear()
        self.recent.clear()

    def as_json(self, last: int) -> dict[str, Any]:
        """Return the counters and the `last` requests, for JSON."""
        return {
            "total": self.total,
            "by_path": dict(self.by_path),
            "by_outcome": dict(self.by_outcome),
            "by_key": dict(self.by_key),
            "recent": [asdict(entry) for entry in list(self.recent)[-last:]] if last > 0 else [],
        }
