"""What is counted of one account's polls and requests, on prometheus_client."""

from typing import Final

from prometheus_client import Counter, Histogram

_POLL_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 120, 300)
_REQUEST_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)


class AccountMetrics:
    """The metrics that each account has for itself; they are told with those of all others."""

    def __init__(self) -> None:
        self.polls = Counter(
            "itnio_exporter_polls",
            "Polls of the account that have ended, whole or not.",
            ("account",),
            registry=None,
        )
        self.poll_failures = Counter(
            "itnio_exporter_poll_failures",
            "Polls of the account that were not whole, by the reason of the last request's error; "
            "deadline only where no request had failed.",
            ("account", "reason"),
            registry=None,
        )
        self.poll_duration = Histogram(
            "itnio_exporter_poll_duration_seconds",
            "How long polls of the account took.",
            ("account",),
            buckets=_POLL_SECONDS,
            registry=None,
        )
        self.api_requests = Counter(
            "itnio_exporter_api_requests",
            "Requests to the API by the code it answered, or http_STATUS, timeout, connection or "
            "invalid where it answered none.",
            ("account", "code"),
            registry=None,
        )
        self.api_request_duration = Histogram(
            "itnio_exporter_api_request_duration_seconds",
            "How long requests to the API took, answered or not, without waiting for their turn.",
            ("account",),
            buckets=_REQUEST_SECONDS,
            registry=None,
        )
        self.rejected_records = Counter(
            "itnio_exporter_rejected_records",
            "Records of the API that could not be read, by what was wrong with them; counted each "
            "time they are read.",
            ("account", "reason"),
            registry=None,
        )
        self.corrections = Counter(
            "itnio_exporter_corrections",
            "Figures of tasks that were seen to go down upstream.",
            ("account",),
            registry=None,
        )
        self.sweep_corrections = Counter(
            "itnio_exporter_sweep_corrections",
            "Tasks that a full sweep found otherwise than the polls before it had left them.",
            ("account",),
            registry=None,
        )
        self.balance_failures = Counter(
            "itnio_exporter_balance_failures",
            "Look-ups of the account's balance that failed, by the reason of the error; only where "
            "balance is on.",
            ("account", "reason"),
            registry=None,
        )
        self.all = (
            self.polls,
            self.poll_failures,
            self.poll_duration,
            self.api_requests,
            self.api_request_duration,
            self.rejected_records,
            self.corrections,
            self.sweep_corrections,
            self.balance_failures,
        )
