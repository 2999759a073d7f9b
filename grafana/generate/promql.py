"""The PromQL that panels share. Every function returns an expression.

A ratio over several scripts is the sum of its numerators by the sum of its denominators: an average
of ratios would give a script with ten calls the weight of one with ten thousand. Where the
denominator is 0 there is no ratio, so that no panel shows NaN.
"""

from typing import Final

ACCOUNT: Final = 'account=~"$account"'
APP: Final = f'{ACCOUNT}, app=~"$app"'
SCRIPT: Final = f'{APP}, script_id=~"$script"'
WINDOW: Final = f'{SCRIPT}, window="$window"'
OWN_APPS: Final = f'{ACCOUNT}, app=~"$app", app!=""'
"""Of the apps that are chosen; what is of a whole account has an empty app."""
WHOLE_ACCOUNT: Final = f'{ACCOUNT}, app=""'

DAY: Final = 'window=~"24h|1d"'
"""The window of a day, in both ways a configuration can write it."""

EXPORTER: Final = "itnio_exporter_build_info"


def total(metric: str, selector: str, *by: str) -> str:
    """Sum a metric by labels."""
    return f"sum by ({', '.join(by)}) ({metric}{{{selector}}})"


def ratio(numerator: str, denominator: str) -> str:
    """Divide two expressions with the same labels, where the second is above 0."""
    return f"{numerator}\n  / ({denominator} > 0)"


def window_ratio(numerator: str, denominator: str, selector: str, *by: str) -> str:
    """Sum of one window gauge by the sum of another."""
    return ratio(
        total(f"itnio_voice_window_{numerator}", selector, *by),
        total(f"itnio_voice_window_{denominator}", selector, *by),
    )


def answer_ratio(selector: str, *by: str) -> str:
    """Answered calls by calls."""
    return window_ratio("answered_calls", "calls", selector, *by)


def failure_ratio(selector: str, *by: str) -> str:
    """Failed calls by calls."""
    return window_ratio("failed_calls", "calls", selector, *by)


def call_duration(selector: str, *by: str) -> str:
    """Billed seconds by answered calls."""
    return window_ratio("billed_seconds", "answered_calls", selector, *by)


def day_spend(selector: str, *by: str) -> str:
    """Spend of a day: of the tasks created in it, or what counters say where no such window is.

    Counters are remembered for a day after their exporter has died; what is withdrawn with the
    windows tells that it has.
    """
    window = total("itnio_voice_window_spend", f"{selector}, {DAY}", *by)
    counted = f"sum by ({', '.join(by)}) (increase(itnio_voice_spend_total{{{selector}}}[1d]))"
    alive = f"itnio_voice_unfinished_tasks{{{selector}}}"
    return f"{window}\nor\n{counted}\n  and on (account) {alive}"


def objective(name: str, selector: str, *by: str) -> str:
    """Select what is aimed at, once, also where two exporters publish it."""
    return f"max by ({', '.join(by)}) (itnio_voice_objective_{name}{{{selector}}})"


def objectives(name: str, *by: str) -> str:
    """Select what is aimed at by the accounts and by the apps that are chosen."""
    return objective(name, f'{ACCOUNT}, app=~"$app|"', *by)


def task_names(expression: str) -> str:
    """Give per-task series the task's name and script; keep those of the chosen scripts."""
    info = f"itnio_voice_task_info{{{SCRIPT}}}"
    once = f"max by (account, app, task_id, task_name, script_id) ({info})"
    names = "group_left (task_name, script_id)"
    return f"{expression}\n  * on (account, app, task_id) {names}\n    {once}"


def of_chosen_tasks(metric: str) -> str:
    """Per-task series of the chosen scripts, with their own labels."""
    return f"{metric}{{{APP}}}\n  and on (account, app, task_id) itnio_voice_task_info{{{SCRIPT}}}"


def quantile(rank: float, histogram: str, *by: str) -> str:
    """Estimate a quantile of a histogram; absent where nothing was observed."""
    labels = ", ".join(("le", *by))
    rate = f"rate({histogram}_bucket{{{ACCOUNT}}}[$__rate_interval])"
    return f"histogram_quantile({rank}, sum by ({labels}) ({rate})) >= 0"


def of_exporters(metric: str) -> str:
    """Series of the targets that are this exporter, whatever the scrape job is called."""
    return f"{metric}\n  and on (job, instance) {EXPORTER}"
