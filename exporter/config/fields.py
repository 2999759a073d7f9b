"""The table of every key: from it the loader works, and documentation and schema are made.

A default is written as it would be in YAML, and goes the same way as what a user writes.
"""

from dataclasses import dataclass
from typing import Final

from exporter.config.kinds import (
    LONGEST_LABEL,
    Kind,
    credential,
    currency,
    duration,
    money,
    number,
    path,
    status,
    switch,
    text,
    whole,
    window,
)
from exporter.config.urls import SCHEMA as URL_SCHEMA
from exporter.config.urls import read_base_url
from exporter.config.zones import SCHEMA as ZONE_SCHEMA
from exporter.config.zones import read_zone


@dataclass(frozen=True, slots=True)
class Many:
    """A list of `of`, with at least so many items; a default has its own number of them."""

    of: "Kind | Section"
    fewest: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """One key. `example`, as in YAML, is shown in documentation and where the key is missing."""

    name: str
    kind: "Kind | Many | Section"
    help: str
    default: str | tuple[str, ...] | None = None
    required: bool = False
    unit: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with known keys; of `either` exactly one is given."""

    help: str
    fields: tuple[Field, ...]
    either: tuple[str, ...] = ()


POLL: Final = Section(
    "How the API is asked; the same for every account.",
    (
        Field(
            "interval",
            duration(),
            "Time from one poll to the next.",
            "60s",
            unit="duration",
            example="30s",
        ),
        Field(
            "timeout",
            duration(),
            "Longest time for one request; at most the deadline, to which the default adapts.",
            "10s",
            unit="duration",
            example="5s",
        ),
        Field(
            "deadline",
            duration(),
            "Longest time for one whole poll; at most the interval. The default is never more "
            "than five sixths of the interval.",
            "50s",
            unit="duration",
            example="25s",
        ),
        Field(
            "concurrency",
            whole(minimum=1, maximum=100),
            "Requests in flight at once, for one account.",
            "4",
            unit="requests",
            example="8",
        ),
        Field(
            "requests_per_second",
            number(maximum=1000),
            "Most requests in one second, for one account.",
            "5",
            unit="requests per second",
            example="2.5",
        ),
        Field(
            "lookback",
            duration(minimum=1),
            "What recent means: tasks created within it are watched.",
            "24h",
            unit="duration",
            example="7d",
        ),
        Field(
            "windows",
            Many(window(), fewest=1),
            "Sliding windows; gauges are published once for each, labelled as written here. None "
            "is longer than lookback; default windows that would be are left out.",
            ("1h", "24h"),
            unit="durations",
            example="[1h, 7d]",
        ),
        Field(
            "settle",
            duration(minimum=0),
            "For so long after a task has ended it is read again a few times, since its money "
            "may settle late; 0s: never.",
            "1h",
            unit="duration",
            example="0s",
        ),
        Field(
            "full_sweep",
            duration(),
            "How often everything within lookback is read again.",
            "1h",
            unit="duration",
            example="6h",
        ),
        Field(
            "stale_after",
            duration(),
            "After so long without a good poll, window gauges are withdrawn. The default is at "
            "least three intervals.",
            "5m",
            unit="duration",
            example="10m",
        ),
    ),
)

METRICS: Final = Section(
    "How many series may come of it.",
    (
        Field(
            "script_limit",
            whole(minimum=1, maximum=10_000),
            "Scripts (AI Agent templates) told apart for one app; those beyond it are summed "
            'under script_id="other", so that sums stay true.',
            "100",
            unit="scripts",
            example="250",
        ),
        Field(
            "task_limit",
            whole(minimum=0, maximum=10_000),
            "Newest unfinished tasks of an account that get series of their own; 0: none.",
            "50",
            unit="tasks",
            example="0",
        ),
    ),
)

OBJECTIVES: Final = Section(
    "What you want to hold. Published as metrics, which the alert rules read; each is optional.",
    (
        Field(
            "answer_ratio",
            number(maximum=1),
            "Least share of calls that are answered, such as 0.3 for 30 %.",
            unit="ratio",
            example="0.3",
        ),
        Field(
            "failure_ratio",
            number(maximum=1, zero=True),
            "Largest share of calls that fail.",
            unit="ratio",
            example="0.2",
        ),
        Field(
            "average_call_duration",
            duration(),
            "Least average duration of an answered call.",
            unit="duration",
            example="20s",
        ),
        Field(
            "daily_spend",
            money(),
            "Most money in 24 hours, in the account's currency.",
            unit="currency",
            example="500",
        ),
    ),
)

ACCOUNT_OBJECTIVES: Final = Section(
    OBJECTIVES.help,
    (
        *OBJECTIVES.fields,
        Field(
            "minimum_balance",
            money(),
            "Least money that is to be left: balance and gift, without credit, in the account's "
            "currency; needs balance.",
            unit="currency",
            example="100",
        ),
    ),
)

APP: Final = Section(
    "An AI Agent app that is asked for on its own.",
    (
        Field(
            "id",
            whole(minimum=1, maximum=10**18 - 1),
            "The app's id at the API (idxAppId); unique within the account.",
            required=True,
            example="12",
        ),
        Field(
            "name",
            text(longest=LONGEST_LABEL),
            "Label value for the app; unique within the account.",
            required=True,
            example="collections",
        ),
        Field("objectives", OBJECTIVES, "Objectives for this app alone."),
    ),
)

ACCOUNT: Final = Section(
    "One account of the API.",
    (
        Field(
            "name",
            text(longest=LONGEST_LABEL),
            "Label value for the account; unique.",
            required=True,
            example="production",
        ),
        Field(
            "api_key",
            credential(),
            "The API key.",
            required=True,
            example="${ITNIO_API_KEY}",
        ),
        Field(
            "api_secret",
            credential(),
            "The API secret; either this or api_secret_file.",
            example="${ITNIO_API_SECRET}",
        ),
        Field(
            "api_secret_file",
            path(),
            "File that holds the API secret, relative to this file's folder. It is read again "
            "when it changes.",
            example="/run/secrets/itnio",
        ),
        Field(
            "base_url",
            Kind("a URL", read_base_url, URL_SCHEMA, hidden=True),
            "Where the API is.",
            "https://api.itniotech.com",
            example="https://proxy.example/itnio",
        ),
        Field(
            "timezone",
            Kind("a time zone", read_zone, ZONE_SCHEMA),
            "Zone of the API's local times: an IANA name or a UTC offset such as +08:00. The "
            "vendor does not document it; `check --live` finds it.",
            "Asia/Shanghai",
            example="+08:00",
        ),
        Field(
            "currency",
            currency(),
            "Currency of agentFee, which the API gives without one.",
            "USD",
            example="EUR",
        ),
        Field(
            "apps",
            Many(APP),
            "Apps to ask for, one query each and each with its label; none: one query for all.",
            (),
        ),
        Field("objectives", ACCOUNT_OBJECTIVES, "Objectives for the account as a whole."),
        Field(
            "balance",
            switch(),
            "Whether to ask for the account's balance too, at most once a minute, at another "
            "endpoint of the API (/sms/getBalance).",
            "false",
            example="true",
        ),
        Field(
            "search",
            text(longest=256, empty=True),
            "Only tasks whose name, voice file name or text-to-speech contains this "
            "(searchCondition); empty: all.",
            "",
            example="reminder",
        ),
        Field(
            "statuses",
            Many(status()),
            "Only tasks with one of these statuses, by name or code (statusList); none: all.",
            (),
            example="[waiting, calling]",
        ),
    ),
    either=("api_secret", "api_secret_file"),
)

ROOT: Final = Section(
    "Configuration of itnio-exporter.",
    (
        Field("poll", POLL, POLL.help),
        Field("metrics", METRICS, METRICS.help),
        Field("accounts", Many(ACCOUNT, fewest=1), "The accounts that are watched.", required=True),
    ),
)
