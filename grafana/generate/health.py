"""Exporter health: whether the figures are right, and what to look at when they are not."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import BigValueTextMode

from grafana.generate.frame import HEALTH, Section, dashboard
from grafana.generate.looks import by_threshold, prop, steps, words
from grafana.generate.palette import BAD, GOOD, WARNING
from grafana.generate.panels import lines, stat, states
from grafana.generate.promql import ACCOUNT, EXPORTER, of_exporters, quantile, total
from grafana.generate.queries import now, over_time

QUANTILES = {0.5: "half", 0.9: "9 of 10", 0.99: "99 of 100"}
SLOW = "1m"
"""The least step for what happens once a poll: a shorter range would hold no poll at all."""

MINUTE = 60
MEMORY = 2
"""Beside 1 and 0 of the store's own metric: there is no store."""


def grown(metric: str, *by: str) -> str:
    """How much a counter of the exporter grew within a step of the panel."""
    return f"sum by ({', '.join(by)}) (increase({metric}{{{ACCOUNT}}}[$__rate_interval]))"


def or_none(expression: str) -> str:
    """Say 0 for polled accounts where a counter is not there before it first counts."""
    return f"{expression}\nor\nsum by (account) (0 * itnio_exporter_polls_total{{{ACCOUNT}}})"


def state() -> list[Builder[models.Panel]]:
    """Build the figures of the top row."""
    return [
        stat(
            1,
            "Last poll",
            "Whether the account's last poll was whole. Why it was not stands on the exporter's "
            "status page, and below under Failures.",
            "none",
            [now(f"min by (account) (itnio_up{{{ACCOUNT}}})", "{{account}}")],
        )
        .decimals(0)
        .color_scheme(by_threshold())
        .thresholds(steps(BAD, (1, GOOD)))
        .mappings([words({1: ("whole", GOOD), 0: ("failed", BAD)})]),
        stat(
            2,
            "Age of the figures",
            "Time since the account's last whole poll. Past poll.stale_after the figures of the "
            "windows are withdrawn.",
            "s",
            [
                now(
                    "time() - max by (account) "
                    f"(itnio_exporter_last_success_timestamp_seconds{{{ACCOUNT}}})",
                    "{{account}}",
                )
            ],
        )
        .decimals(0)
        .min(0)
        .color_scheme(by_threshold())
        .thresholds(steps(GOOD, (3 * MINUTE, WARNING), (10 * MINUTE, BAD))),
        stat(
            3,
            "Clock skew now",
            "The API server's clock minus ours. The API refuses timestamps that are too old.",
            "s",
            [
                now(
                    f"max by (account) (itnio_exporter_clock_skew_seconds{{{ACCOUNT}}})",
                    "{{account}}",
                )
            ],
        )
        .decimals(1)
        .color_scheme(by_threshold())
        .thresholds(steps(BAD, (-30, WARNING), (-10, GOOD), (10, WARNING), (30, BAD))),
        stat(
            4,
            "Tasks from the future",
            "Tasks created later than now: where there are any, the account's timezone is "
            "configured wrongly, or a clock is off.",
            "none",
            [now(f"max by (account) (itnio_exporter_future_tasks{{{ACCOUNT}}})", "{{account}}")],
        )
        .decimals(0)
        .color_scheme(by_threshold())
        .thresholds(steps(GOOD, (1, BAD))),
        stat(
            5,
            "Configuration",
            "Whether the last load of the configuration succeeded. After a failure the exporter "
            "goes on with the old one; its log says what is wrong.",
            "none",
            [now("itnio_exporter_config_last_reload_successful", "{{instance}}")],
        )
        .decimals(0)
        .color_scheme(by_threshold())
        .thresholds(steps(BAD, (1, GOOD)))
        .mappings([words({1: ("loaded", GOOD), 0: ("refused", BAD)})]),
        stat(
            6,
            "Version",
            "The exporter's version and the Python it runs on.",
            "none",
            [now(EXPORTER, "{{version}} on Python {{python_version}}")],
        )
        .decimals(0)
        .text_mode(BigValueTextMode.NAME),
    ]


def polls() -> list[Builder[models.Panel]]:
    """Build the panels of how polling goes."""
    return [
        states(
            7,
            "Targets and accounts",
            "Whether Prometheus could scrape each exporter it has seen within a day, and whether "
            "each account's polls were whole.",
            [
                over_time(
                    f"up and on (job, instance) last_over_time({EXPORTER}[1d])",
                    "scrape of {{instance}}",
                    "A",
                ),
                over_time(f"min by (account) (itnio_up{{{ACCOUNT}}})", "polls of {{account}}", "B"),
            ],
        )
        .decimals(0)
        .mappings([words({1: ("good", GOOD), 0: ("failed", BAD)})]),
        lines(
            8,
            "Polls",
            "Polls that have ended, whole or not, in a minute.",
            "cpm",
            [
                over_time(
                    "60 * sum by (account) "
                    f"(rate(itnio_exporter_polls_total{{{ACCOUNT}}}[$__rate_interval]))",
                    "{{account}}",
                )
            ],
        )
        .decimals(1)
        .min(0)
        .interval(SLOW),
        lines(
            9,
            "Failures by reason",
            "Polls that were not whole, by the reason of the last request's error, in each step of "
            "the panel. Reasons that never occurred are not listed.",
            "locale",
            [
                over_time(
                    or_none(
                        f"{grown('itnio_exporter_poll_failures_total', 'account', 'reason')} > 0"
                    ),
                    "{{account}} {{reason}}",
                )
            ],
        )
        .decimals(1)
        .min(0)
        .axis_soft_max(1)
        .interval(SLOW),
        lines(
            10,
            "Poll duration",
            "Within what time half, nine of ten and 99 of 100 polls ended. A poll must end within "
            "poll.deadline.",
            "s",
            [
                over_time(
                    quantile(rank, "itnio_exporter_poll_duration_seconds", "account"),
                    f"{words_} {{{{account}}}}",
                    ref,
                )
                for ref, (rank, words_) in zip("ABC", QUANTILES.items(), strict=True)
            ],
        )
        .decimals(2)
        .min(0)
        .interval(SLOW),
    ]


def api() -> list[Builder[models.Panel]]:
    """Build the panels of the API, as the exporter meets it."""
    return [
        lines(
            11,
            "Requests by code",
            "Requests to the API in a second, by the code it answered: 0 is success. http_STATUS, "
            "timeout, connection and invalid where it answered none.",
            "reqps",
            [
                over_time(
                    "sum by (account, code) "
                    f"(rate(itnio_exporter_api_requests_total{{{ACCOUNT}}}[$__rate_interval]))",
                    "{{account}} code {{code}}",
                )
            ],
        )
        .decimals(2)
        .min(0)
        .interval(SLOW),
        lines(
            12,
            "Request duration",
            "Within what time half, nine of ten and 99 of 100 requests were over, answered or not; "
            "without waiting for their turn.",
            "s",
            [
                over_time(
                    quantile(rank, "itnio_exporter_api_request_duration_seconds", "account"),
                    f"{words_} {{{{account}}}}",
                    ref,
                )
                for ref, (rank, words_) in zip("ABC", QUANTILES.items(), strict=True)
            ],
        )
        .decimals(3)
        .min(0)
        .interval(SLOW),
        lines(
            13,
            "Clock skew",
            "The API server's clock (its Date header, whole seconds) minus ours.",
            "s",
            [
                over_time(
                    f"max by (account) (itnio_exporter_clock_skew_seconds{{{ACCOUNT}}})",
                    "{{account}}",
                )
            ],
        )
        .decimals(1)
        .axis_soft_min(-5)
        .axis_soft_max(5),
    ]


def data() -> list[Builder[models.Panel]]:
    """Build the panels of what was read."""
    sweep = (
        f"itnio_exporter_sweep_progress_ratio{{{ACCOUNT}}}\nor\n"
        f"1 + 0 * itnio_exporter_tracked_tasks{{{ACCOUNT}}}"
    )
    return [
        lines(
            14,
            "Tracked tasks",
            "Tasks of the lookback that the exporter knows, and those created later than now.",
            "locale",
            [
                over_time(
                    f"max by (account) (itnio_exporter_tracked_tasks{{{ACCOUNT}}})",
                    "known {{account}}",
                    "A",
                ),
                over_time(
                    f"max by (account) (itnio_exporter_future_tasks{{{ACCOUNT}}})",
                    "from the future {{account}}",
                    "B",
                ),
            ],
        )
        .decimals(0)
        .min(0),
        lines(
            15,
            "Sweep of the lookback",
            "How much of the running sweep is read; 100 % also while none is running.",
            "percentunit",
            [over_time(f"min by (account) (\n{sweep}\n)", "{{account}}")],
        )
        .decimals(0)
        .min(0)
        .max(1),
        lines(
            16,
            "Rejected records",
            "Records of the API that could not be read, by what was wrong with them, in each step "
            "of the panel; counted each time they are read.",
            "locale",
            [
                over_time(
                    or_none(grown("itnio_exporter_rejected_records_total", "account", "reason")),
                    "{{account}} {{reason}}",
                )
            ],
        )
        .decimals(1)
        .min(0)
        .axis_soft_max(1)
        .interval(SLOW),
        lines(
            17,
            "Corrections",
            "Figures that were seen to go down upstream, and tasks that a full sweep found "
            "otherwise than the polls before it, in each step of the panel.",
            "locale",
            [
                over_time(
                    grown("itnio_exporter_corrections_total", "account"),
                    "went down {{account}}",
                    "A",
                ),
                over_time(
                    grown("itnio_exporter_sweep_corrections_total", "account"),
                    "found by a sweep {{account}}",
                    "B",
                ),
            ],
        )
        .decimals(1)
        .min(0)
        .axis_soft_max(1)
        .interval(SLOW),
        lines(
            18,
            "Money that does not add up",
            "Total fees minus the sum of their parts, of the tasks created within the chosen "
            "window. 0 where the provider's figures add up.",
            "locale",
            [
                over_time(
                    total(
                        "itnio_voice_window_spend_unreconciled",
                        f'{ACCOUNT}, app=~"$app", script_id=~"$script", window="$window"',
                        "account",
                        "currency",
                    ),
                    "{{account}} {{currency}}",
                )
            ],
        )
        .decimals(4)
        .axis_soft_min(-1)
        .axis_soft_max(1),
        lines(
            19,
            "Scripts beyond the limit",
            'Scripts that are summed under script_id="other", since metrics.script_limit is '
            "reached; sums stay true.",
            "locale",
            [
                over_time(
                    f"max by (account) (itnio_exporter_overflowed_scripts{{{ACCOUNT}}})",
                    "{{account}}",
                )
            ],
        )
        .decimals(0)
        .min(0)
        .axis_soft_max(1),
    ]


def store() -> list[Builder[models.Panel]]:
    """Build the panels of where counters are kept; an exporter without a store has no metrics."""
    in_memory = f"or on (job, instance) {MEMORY} * {EXPORTER}"
    return [
        stat(
            24,
            "Store",
            "Whether the last use of the store under --storage.path succeeded. After a failure "
            "counters stand still or are withheld; in memory they begin anew at every start.",
            "none",
            [now(f"itnio_exporter_store_up\n{in_memory}", "{{instance}}")],
        )
        .decimals(0)
        .color_scheme(by_threshold())
        .thresholds(steps(BAD, (1, GOOD)))
        .mappings([words({1: ("good", GOOD), 0: ("failed", BAD), MEMORY: ("in memory", WARNING)})])
        .height(9)
        .span(6),
        lines(
            25,
            "Store failures",
            "Uses of the store that failed, by reason, in each step of the panel; 0 also where "
            "counters are kept in memory.",
            "locale",
            [
                over_time(
                    "increase(itnio_exporter_store_failures_total[$__rate_interval]) > 0\n"
                    f"or on (job, instance) 0 * {EXPORTER}",
                    "{{instance}} {{reason}}",
                )
            ],
        )
        .decimals(1)
        .min(0)
        .axis_soft_max(1)
        .interval(SLOW)
        .span(18),
    ]


def process() -> list[Builder[models.Panel]]:
    """Build the panels of the process, and of Prometheus reading it."""
    limits = [prop("custom.lineStyle", {"fill": "dash", "dash": [10, 10]})]
    return [
        lines(
            20,
            "Memory",
            "Resident memory of the process.",
            "bytes",
            [over_time(of_exporters("process_resident_memory_bytes"), "{{instance}}")],
        )
        .decimals(1)
        .min(0)
        .span(6),
        lines(
            21,
            "CPU",
            "Processor time in a second; 100 % is one core.",
            "percentunit",
            [
                over_time(
                    of_exporters("rate(process_cpu_seconds_total[$__rate_interval])"),
                    "{{instance}}",
                )
            ],
        )
        .decimals(1)
        .min(0)
        .span(6),
        lines(
            22,
            "Open files",
            "File descriptors in use, and the most the process may have (dashed).",
            "locale",
            [
                over_time(of_exporters("process_open_fds"), "{{instance}}", "A"),
                over_time(of_exporters("process_max_fds"), "limit {{instance}}", "B"),
            ],
        )
        .decimals(0)
        .min(0)
        .override_by_query("B", limits)
        .span(6),
        lines(
            23,
            "Scrape duration",
            "How long Prometheus takes to read the exporter, without and with what it drops.",
            "s",
            [over_time(of_exporters("scrape_duration_seconds"), "{{instance}}")],
        )
        .decimals(3)
        .min(0)
        .span(6),
    ]


def build() -> models.Dashboard:
    """Return the dashboard."""
    return dashboard(
        HEALTH,
        "Whether the exporter sees everything, and in time; and the API, as it meets it.",
        "now-6h",
        [
            Section("Right now", state()),
            Section("Polls", polls()),
            Section("API", api()),
            Section("Data", data()),
            Section("Store", store()),
            Section("Process", process()),
        ],
        hidden=frozenset({"app", "script"}),
    )
