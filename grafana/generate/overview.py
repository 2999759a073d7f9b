"""Overview: for a wall and for whoever pays; whether quality is as agreed, and what it costs."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import BigValueColorMode

from grafana.generate.columns import Column, value, with_columns
from grafana.generate.frame import CAMPAIGNS, OVERVIEW, Section, dashboard, firing_alerts
from grafana.generate.looks import by_threshold, fixed, steps, words
from grafana.generate.palette import BAD, GOOD, KINDS, STATUSES, WARNING
from grafana.generate.panels import bars, lines, stacked, stat, states, table
from grafana.generate.promql import (
    ACCOUNT,
    APP,
    OWN_APPS,
    SCRIPT,
    WHOLE_ACCOUNT,
    WINDOW,
    answer_ratio,
    call_duration,
    day_spend,
    failure_ratio,
    objective,
    objectives,
    ratio,
    total,
)
from grafana.generate.queries import AIM, now, over_time, rows

ACCOUNT_WINDOW = f'{ACCOUNT}, window="$window"'
APP_WINDOW = f'{APP}, window="$window"'

WITHIN = "Tasks that were created within the chosen window; sums by sums over all chosen scripts."


def kept(actual: str, comparison: str, aim: str, *on: str) -> str:
    """Compare with what is aimed at: 1 where it is kept, 0 where it is not."""
    return f"(\n{actual}\n)\n{comparison} bool on ({', '.join(on)})\n  {aim}"


def whole_and_apps(
    actual: tuple[str, str], comparison: str, name: str, currency: tuple[str, ...] = ()
) -> str:
    """Whether an objective is kept: of whole accounts by their sums, of apps by theirs."""
    whole, apps = actual
    of_account = objective(name, WHOLE_ACCOUNT, "account", *currency)
    of_apps = objective(name, OWN_APPS, "account", "app", *currency)
    return (
        f"{kept(whole, comparison, of_account, 'account', *currency)}\nor\n"
        f"{kept(apps, comparison, of_apps, 'account', 'app', *currency)}"
    )


def budget_used() -> str:
    """Spend of a day by the daily budget: of whole accounts, and of apps with their own."""
    parts = [
        f"(\n{day_spend(selector, *by)}\n)\n  / on ({', '.join(by)}) "
        f"({objective('daily_spend', aim, *by)} > 0)"
        for selector, aim, by in (
            (ACCOUNT, WHOLE_ACCOUNT, ("account", "currency")),
            (OWN_APPS, OWN_APPS, ("account", "app", "currency")),
        )
    ]
    return "\nor\n".join(parts)


def right_now() -> list[Builder[models.Panel]]:
    """Build the figures of the top row."""
    return [
        stat(
            1,
            "Answer ratio now",
            f"Answered calls by calls. {WITHIN}",
            "percentunit",
            [now(answer_ratio(WINDOW, "account"), "{{account}}")],
        ).decimals(1),
        stat(
            2,
            "Call duration now",
            f"Billed seconds by answered calls (ACD). {WITHIN}",
            "s",
            [now(call_duration(WINDOW, "account"), "{{account}}")],
        ).decimals(1),
        stat(
            3,
            "Failure ratio now",
            f"Failed calls by calls. {WITHIN}",
            "percentunit",
            [now(failure_ratio(WINDOW, "account"), "{{account}}")],
        ).decimals(1),
        stat(
            4,
            "Spend, last 24 h",
            "All fees of the tasks created within 24 hours, in their own currency. Where no window "
            "of 24h is configured: what the counters grew by.",
            "locale",
            [now(day_spend(SCRIPT, "account", "currency"), "{{account}} {{currency}}")],
        ).decimals(2),
        stat(
            5,
            "Budget used",
            "Spend of 24 hours by the daily_spend objective. An account's budget is held against "
            "everything the account spends, whatever apps and scripts are chosen.",
            "percentunit",
            [now(budget_used(), "{{account}} {{app}} {{currency}}")],
        )
        .decimals(0)
        .min(0)
        .color_scheme(by_threshold())
        .thresholds(steps(GOOD, (0.8, WARNING), (1, BAD))),
        stat(
            6,
            "Alerts firing",
            "Alerts of the chosen accounts, and those that are about the exporter as a whole. "
            "0 also where Prometheus has not loaded prometheus/rules.",
            "none",
            [now(f"count({firing_alerts()}) or vector(0)", "alerts")],
        )
        .decimals(0)
        .color_mode(BigValueColorMode.BACKGROUND)
        .color_scheme(by_threshold())
        .thresholds(steps(GOOD, (1, BAD))),
    ]


def quality() -> list[Builder[models.Panel]]:
    """Build the panels of what is agreed, and how it goes."""
    answers = whole_and_apps(
        (answer_ratio(ACCOUNT_WINDOW, "account"), answer_ratio(APP_WINDOW, "account", "app")),
        ">=",
        "answer_ratio",
    )
    durations = whole_and_apps(
        (call_duration(ACCOUNT_WINDOW, "account"), call_duration(APP_WINDOW, "account", "app")),
        ">=",
        "average_call_duration_seconds",
    )
    failures = whole_and_apps(
        (failure_ratio(ACCOUNT_WINDOW, "account"), failure_ratio(APP_WINDOW, "account", "app")),
        "<=",
        "failure_ratio",
    )
    spend = whole_and_apps(
        (
            day_spend(ACCOUNT, "account", "currency"),
            day_spend(OWN_APPS, "account", "app", "currency"),
        ),
        "<=",
        "daily_spend",
        ("currency",),
    )
    return [
        states(
            7,
            "Objectives",
            "Whether each objective of config.yaml is kept: the ratios and the call duration over "
            "the chosen window, the spend over 24 hours. An account's objective is held against "
            "the whole account, whatever apps and scripts are chosen.",
            [
                over_time(answers, "answer ratio {{account}} {{app}}", "A"),
                over_time(durations, "call duration {{account}} {{app}}", "B"),
                over_time(failures, "failure ratio {{account}} {{app}}", "C"),
                over_time(spend, "daily spend {{account}} {{app}} {{currency}}", "D"),
            ],
        )
        .decimals(0)
        .mappings([words({1: ("kept", GOOD), 0: ("missed", BAD)})]),
        lines(
            8,
            "Answer ratio",
            f"Answered calls by calls, and the least that is aimed at (dashed). {WITHIN}",
            "percentunit",
            [
                over_time(answer_ratio(WINDOW, "account", "app"), "{{account}} {{app}}"),
                over_time(
                    objectives("answer_ratio", "account", "app"),
                    "at least, {{account}} {{app}}",
                    AIM,
                ),
            ],
        )
        .decimals(1)
        .min(0)
        .axis_soft_max(0.5),
        lines(
            9,
            "Average call duration",
            "Billed seconds by answered calls (ACD), and the least that is aimed at (dashed). "
            f"{WITHIN}",
            "s",
            [
                over_time(call_duration(WINDOW, "account", "app"), "{{account}} {{app}}"),
                over_time(
                    objectives("average_call_duration_seconds", "account", "app"),
                    "at least, {{account}} {{app}}",
                    AIM,
                ),
            ],
        )
        .decimals(1)
        .min(0),
        lines(
            10,
            "Failure ratio",
            f"Failed calls by calls, and the most that is accepted (dashed). {WITHIN}",
            "percentunit",
            [
                over_time(failure_ratio(WINDOW, "account", "app"), "{{account}} {{app}}"),
                over_time(
                    objectives("failure_ratio", "account", "app"),
                    "at most, {{account}} {{app}}",
                    AIM,
                ),
            ],
        )
        .decimals(1)
        .min(0),
    ]


def cost_of_an_answer() -> str:
    """Divide all fees by answered calls; these have no currency of their own."""
    spend = total("itnio_voice_window_spend", WINDOW, "account", "app", "currency")
    answered = total("itnio_voice_window_answered_calls", WINDOW, "account", "app")
    return f"{spend}\n  / on (account, app) group_left () ({answered} > 0)"


def money() -> list[Builder[models.Panel]]:
    """Build the panels of what it costs."""
    by_kind = stacked(
        lines(
            12,
            "Spend by kind",
            "Fees of the tasks created within the chosen window: of the AI Agent, of the calls, of "
            "hang-up SMS; each in its currency.",
            "locale",
            [
                over_time(
                    total("itnio_voice_window_spend", WINDOW, "account", "kind", "currency"),
                    "{{kind}} {{account}} {{currency}}",
                )
            ],
        )
    ).decimals(2)
    for kind, color in KINDS.items():
        by_kind = by_kind.override_by_regexp(f"^{kind} ", [fixed(color)])
    return [
        lines(
            11,
            "Spend of 24 hours and budget",
            "All fees of the tasks created within 24 hours, of the whole account, and the daily "
            "budget (dashed). The budgets of single apps are dashed, too.",
            "locale",
            [
                over_time(day_spend(ACCOUNT, "account", "currency"), "{{account}} {{currency}}"),
                over_time(
                    objectives("daily_spend", "account", "app", "currency"),
                    "budget, {{account}} {{app}} {{currency}}",
                    AIM,
                ),
            ],
        )
        .decimals(2)
        .min(0)
        .span(12),
        by_kind.span(12),
        lines(
            13,
            "Cost of an answered call",
            f"All fees by answered calls. {WITHIN}",
            "locale",
            [
                over_time(
                    cost_of_an_answer(),
                    "{{account}} {{app}} {{currency}}",
                )
            ],
        )
        .decimals(4)
        .min(0)
        .span(12),
        balance(),
    ]


def balance() -> Builder[models.Panel]:
    """Build the panel of what is left; two exporters of one account tell the same money."""
    own = f'{ACCOUNT}, kind!="credit"'
    once = f"max by (account, kind, currency) (itnio_account_balance{{{own}}})"
    return (
        lines(
            18,
            "Balance",
            "What is left of the account's money, balance and gift together, and the least that is "
            "to be left (dashed). Only accounts with balance: true are asked for it.",
            "locale",
            [
                over_time(f"sum by (account, currency) ({once})", "{{account}} {{currency}}"),
                over_time(
                    objective("minimum_balance", ACCOUNT, "account", "currency"),
                    "at least, {{account}} {{currency}}",
                    AIM,
                ),
            ],
        )
        .decimals(2)
        .span(12)
    )


def volume() -> list[Builder[models.Panel]]:
    """Build the panels of how much there is."""
    by_status = stacked(
        lines(
            15,
            "Tasks by status",
            "Tasks created within the chosen window.",
            "locale",
            [over_time(f"{total('itnio_voice_window_tasks', WINDOW, 'status')}", "{{status}}")],
        )
    ).decimals(0)
    for status, color in STATUSES.items():
        by_status = by_status.override_by_name(status, [fixed(color)])
    return [
        lines(
            14,
            "Calls",
            "Numbers called in a minute, counted as they happen.",
            "cpm",
            [
                over_time(
                    "60 * sum by (account, app) "
                    f"(rate(itnio_voice_calls_total{{{SCRIPT}}}[$__rate_interval]))",
                    "{{account}} {{app}}",
                )
            ],
        )
        .decimals(1)
        .min(0),
        by_status,
        bars(
            16,
            "Calls by app",
            "Numbers called of the tasks created within the chosen window.",
            "locale",
            [
                now(
                    f"sort_desc({total('itnio_voice_window_calls', WINDOW, 'account', 'app')})",
                    "{{account}} {{app}}",
                )
            ],
        )
        .decimals(0)
        .min(0),
    ]


def apps_and_scripts() -> list[Builder[models.Panel]]:
    """Build the table of everything by app and script."""
    by = ("account", "app", "script_id")
    queries = [
        rows(total("itnio_voice_window_tasks", WINDOW, *by), "A"),
        rows(total("itnio_voice_window_calls", WINDOW, *by), "B"),
        rows(answer_ratio(WINDOW, *by), "C"),
        rows(failure_ratio(WINDOW, *by), "D"),
        rows(call_duration(WINDOW, *by), "E"),
        rows(total("itnio_voice_window_spend", WINDOW, *by, "currency"), "F"),
        rows(
            ratio(
                total("itnio_voice_window_calls", WINDOW, *by),
                total("itnio_voice_window_numbers", WINDOW, *by),
            ),
            "G",
        ),
    ]
    tasks = CAMPAIGNS.url(
        account="${__data.fields.Account}",
        app="${__data.fields.App}",
        script="${__data.fields.Script}",
    )
    columns = [
        Column("account", "Account"),
        Column("app", "App"),
        Column("script_id", "Script", link=("Its tasks", tasks)),
        Column(value("A"), "Tasks", "locale", 0),
        Column(value("B"), "Calls", "locale", 0),
        Column(value("G"), "Called", "percentunit", 1),
        Column(value("C"), "Answer ratio", "percentunit", 1),
        Column(value("D"), "Failure ratio", "percentunit", 1),
        Column(value("E"), "Call duration", "s", 1),
        Column(value("F"), "Spend", "locale", 2),
        Column("currency", "Currency"),
    ]
    panel = table(
        17,
        "Apps and scripts",
        "Tasks created within the chosen window, by app and script. Called: calls by phone numbers "
        "in the tasks. A script leads to its unfinished tasks.",
        queries,
        sort_by="Calls",
    )
    return [with_columns(panel, columns)]


def build() -> models.Dashboard:
    """Return the dashboard."""
    return dashboard(
        OVERVIEW,
        "Quality, money and volume of AI-agent voice campaigns, against what was agreed.",
        "now-24h",
        [
            Section("Right now", right_now()),
            Section("Quality", quality()),
            Section("Money", money()),
            Section("Volume", volume()),
            Section("By app and script", apps_and_scripts()),
        ],
    )
