"""Campaigns: task by task, for whoever runs them; what stands still and what goes badly."""

from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from grafana.generate.columns import Column, value, with_columns
from grafana.generate.frame import CAMPAIGNS, OVERVIEW, Section, dashboard
from grafana.generate.looks import by_threshold, fixed, prop, steps
from grafana.generate.palette import BAD, GOOD, STATUSES, WARNING
from grafana.generate.panels import bars, lines, stacked, stat, table
from grafana.generate.promql import (
    APP,
    SCRIPT,
    WINDOW,
    answer_ratio,
    of_chosen_tasks,
    task_names,
    total,
)
from grafana.generate.queries import now, over_time, rows

NEWEST = "Of the newest unfinished tasks; metrics.task_limit in config.yaml says of how many."
TASK = "{{account}} {{app}} {{task_name}} ({{task_id}})"
SHORT = "{{account}} {{app}} {{task_id}}"
"""Beside a bar there is no room for the name, which begins with a date; the table has it."""
HALF_AN_HOUR = 1800
HOUR = 3600
STARTED = "itnio_voice_task_progress_ratio >= 0.1"


def unfinished(number: int, title: str, description: str, status: str) -> Stat:
    """Show how many tasks of a status there are now, by account."""
    selector = f'{SCRIPT}, status="{status}"'
    expression = total("itnio_voice_unfinished_tasks", selector, "account")
    return stat(number, title, description, "none", [now(expression, "{{account}}")]).decimals(0)


def state() -> list[Builder[models.Panel]]:
    """Build the figures of the top row."""
    return [
        unfinished(1, "Calling", "Tasks that are calling now.", "calling"),
        unfinished(
            2, "Waiting", "Tasks that have not been submitted yet, within the lookback.", "waiting"
        ),
        unfinished(3, "Submitting", "Tasks that are being submitted.", "submitting"),
        unfinished(
            4,
            "Suspended",
            "Tasks that were suspended and not resumed, within the lookback.",
            "suspended",
        )
        .color_scheme(by_threshold())
        .thresholds(steps(GOOD, (1, WARNING))),
        stat(
            5,
            "Submissions failed",
            "Tasks created within the chosen window whose submission failed.",
            "none",
            [
                now(
                    total(
                        "itnio_voice_window_tasks",
                        f'{WINDOW}, status="submission_failed"',
                        "account",
                    ),
                    "{{account}}",
                )
            ],
        )
        .decimals(0)
        .color_scheme(by_threshold())
        .thresholds(steps(GOOD, (1, WARNING))),
        stat(
            6,
            "Longest stall",
            "Of the tasks that are calling: the longest time in which none of its calls was made.",
            "s",
            [
                now(
                    f"max by (account) (itnio_voice_oldest_stalled_task_seconds{{{SCRIPT}}})",
                    "{{account}}",
                )
            ],
        )
        .decimals(0)
        .color_scheme(by_threshold())
        .thresholds(steps(GOOD, (HALF_AN_HOUR / 2, WARNING), (HALF_AN_HOUR, BAD))),
    ]


def joined(expression: str, *more: str) -> str:
    """Leave the labels that make a row: all that queries have in common, names too, joins rows."""
    return f"max by ({', '.join(('account', 'app', 'task_id', *more))}) (\n{expression}\n)"


def tasks() -> list[Builder[models.Panel]]:
    """Build the table of unfinished tasks."""
    metrics = {
        "B": ("progress_ratio",),
        "C": ("answer_ratio",),
        "D": ("average_call_duration_seconds",),
        "E": ("failed_calls",),
        "F": ("spend", "currency"),
    }
    info = joined(f"itnio_voice_task_info{{{SCRIPT}}}", "task_name", "script_id", "status")
    queries = [rows(info, "A")]
    queries += [
        rows(joined(of_chosen_tasks(f"itnio_voice_task_{metric}"), *more), ref)
        for ref, (metric, *more) in metrics.items()
    ]
    chosen_app = OVERVIEW.url(account="${__data.fields.Account}", app="${__data.fields.App}")
    chosen_script = OVERVIEW.url(
        account="${__data.fields.Account}",
        app="${__data.fields.App}",
        script="${__data.fields.Script}",
    )
    columns = [
        Column("account", "Account", width=110),
        Column("app", "App", width=120, link=("Overview of the app", chosen_app)),
        Column("task_id", "Task", width=100),
        Column("task_name", "Name", width=360),
        Column("script_id", "Script", width=90, link=("Overview of the script", chosen_script)),
        Column("status", "Status", width=110),
        Column(
            value("B"),
            "Progress",
            "percentunit",
            0,
            width=170,
            more=(
                prop("min", 0),
                prop("max", 1),
                prop("custom.cellOptions", {"type": "gauge", "mode": "basic"}),
            ),
        ),
        Column(value("C"), "Answer ratio", "percentunit", 1, width=110),
        Column(value("D"), "Call duration", "s", 1, width=110),
        Column(value("E"), "Failed calls", "none", 0, width=110),
        Column(value("F"), "Spend", "locale", 4, width=96),
        Column("currency", "Currency", width=80),
    ]
    panel = table(
        7,
        "Unfinished tasks",
        f"{NEWEST} An app or a script leads back to the overview of it.",
        queries,
        sort_by="Task",
    )
    return [with_columns(panel, columns)]


def worst() -> list[Builder[models.Panel]]:
    """Build the panels of those that stand out."""
    answered = task_names(
        f"(itnio_voice_task_answer_ratio{{{APP}}} and on (account, app, task_id) {STARTED})"
    )
    failed = task_names(f"itnio_voice_task_failed_calls{{{APP}}}")
    spend = task_names(f"itnio_voice_task_spend{{{APP}}}")
    return [
        bars(
            8,
            "Lowest answer ratios of tasks",
            "The ten unfinished tasks with the lowest share of answered calls; tasks of which less "
            f"than a tenth is called are left out, since few calls say little. {NEWEST}",
            "percentunit",
            [now(f"sort(bottomk(10, {answered}))", SHORT)],
        )
        .decimals(1)
        .min(0)
        .max(1),
        bars(
            9,
            "Most failed calls",
            f"The ten unfinished tasks with the most failed calls. {NEWEST}",
            "short",
            [now(f"sort_desc(topk(10, {failed}))", SHORT)],
        )
        .decimals(0)
        .min(0),
        bars(
            10,
            "Highest spend",
            "The ten unfinished tasks that cost most so far, each in its currency and within it. "
            f"{NEWEST}",
            "locale",
            [now(f"sort_desc(topk by (currency) (10, {spend}))", f"{SHORT} {{{{currency}}}}")],
        )
        .decimals(2)
        .min(0),
    ]


def progress() -> list[Builder[models.Panel]]:
    """Build the panels of how tasks go on, and of those that do not."""
    ages = "max by (account, app, status) "
    transitions = stacked(
        lines(
            14,
            "Tasks entering a status",
            "Changes of status in a minute, as the polls saw them.",
            "cpm",
            [
                over_time(
                    "60 * sum by (status) "
                    f"(rate(itnio_voice_task_transitions_total{{{SCRIPT}}}[$__rate_interval]))",
                    "{{status}}",
                )
            ],
        )
    ).decimals(2)
    for status, color in STATUSES.items():
        transitions = transitions.override_by_name(status, [fixed(color)])
    return [
        lines(
            11,
            "Progress of tasks",
            f"Share of a task's numbers that were called. A level line stands still. {NEWEST}",
            "percentunit",
            [over_time(task_names(f"itnio_voice_task_progress_ratio{{{APP}}}"), TASK)],
        )
        .decimals(0)
        .min(0)
        .max(1)
        .span(12),
        lines(
            12,
            "Stalls",
            "Of the tasks that are calling: the longest time in which none of its calls was made.",
            "s",
            [
                over_time(
                    "max by (account, app, script_id) "
                    f"(itnio_voice_oldest_stalled_task_seconds{{{SCRIPT}}})",
                    "{{account}} {{app}} {{script_id}}",
                )
            ],
        )
        .decimals(1)
        .min(0)
        .span(12),
        lines(
            13,
            "Age of the oldest unfinished task",
            "Time since it was created, by status.",
            "s",
            [
                over_time(
                    f"{ages}(itnio_voice_oldest_unfinished_task_age_seconds{{{SCRIPT}}})",
                    "{{account}} {{app}} {{status}}",
                )
            ],
        )
        .decimals(1)
        .min(0)
        .span(12),
        transitions.span(12),
    ]


def scripts() -> list[Builder[models.Panel]]:
    """Build the panels that compare scripts, and tasks with each other."""
    by = ("account", "app", "script_id")
    return [
        bars(
            15,
            "Lowest answer ratios of scripts",
            "The ten scripts with the lowest share of answered calls, over the tasks created "
            "within the chosen window.",
            "percentunit",
            [
                now(
                    f"sort(bottomk(10, {answer_ratio(WINDOW, *by)}))",
                    "{{account}} {{app}} {{script_id}}",
                )
            ],
        )
        .decimals(1)
        .min(0)
        .max(1)
        .span(12),
        lines(
            16,
            "How much tasks differ",
            "Design effect of an app's answer ratio: 1 where tasks differ no more than chance "
            "makes them; at 20, a thousand calls tell as much as fifty independent ones. What "
            "alerts need to know before a low ratio means something.",
            "none",
            [
                over_time(
                    "max by (account, app) (itnio_voice_window_answer_design_effect"
                    f'{{{APP}, window="$window"}})',
                    "{{account}} {{app}}",
                )
            ],
        )
        .decimals(1)
        .min(0)
        .span(12),
    ]


def build() -> models.Dashboard:
    """Return the dashboard."""
    return dashboard(
        CAMPAIGNS,
        "The unfinished tasks one by one: progress, stalls, answer ratios, spend.",
        "now-6h",
        [
            Section("Right now", state()),
            Section("Tasks", tasks()),
            Section("What stands out", worst()),
            Section("Progress", progress()),
            Section("Scripts", scripts()),
        ],
    )
