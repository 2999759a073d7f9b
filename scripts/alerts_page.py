"""docs/alerts.md: every alert of prometheus/rules in one table, and how they are meant."""  # noqa: INP001

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

_ROOT: Final = Path(__file__).parents[1]

_INTRODUCTION: Final = """\
# Alerts

Generated from `prometheus/rules/` and `docs/runbooks/` by `make docs`; `make check` holds it up to
date.

**page**: somebody must look now. **ticket**: within days. *for* is how long it must last before
anybody hears of it, *keep* how long it must be over before it is said to be over.
"""

_END: Final = """\
## Setting thresholds

Nobody needs to edit PromQL: thresholds are the `objectives` of config.yaml.

| objective | with it | without it |
|---|---|---|
| `answer_ratio` | also pages below it | only against the past week |
| `failure_ratio` | pages above it | pages above 50 % |
| `average_call_duration` | also a ticket below it | only against the past week |
| `daily_spend` | budget alerts; a spike is a quarter of it or more | a spike is a quarter of a \
mean day or more |
| `minimum_balance` | a ticket below it | only a page where the balance will be used up |

An app's own objective goes before that of its account. A ratio or duration of the account holds for
each app that has none of its own; its `daily_spend` holds for the sum over all its apps.

## How an answer ratio is judged

The calls of one task resemble each other: they go to one list, at one hour. So a thousand calls of
two tasks tell less than it seems, and an ordinary confidence interval pages far too often. N calls
of C tasks are taken for N / (1 + k·N/C) independent ones. The exporter measures how much tasks
differ (`itnio_voice_window_answer_design_effect`); k is that effect less one, for each call of a
task of mean size, as the median of the past week, so that an incident does not hide itself. Where
there are too few tasks to measure it, k is 0.15. Wilson's 99 % bound is then compared: for a page
the ratio must be *surely* less than half of the week's. One task alone says nothing by this, except
where hardly anybody answers at all.

## What is usual

Accounts differ in what is healthy. Some pause at night and leave tasks in `calling`, some dial with
breaks, some create tasks long before they are due, some spend a day's money in one batch. So the
alerts on standing still, on waiting and on spend are held against the account's own past week
(the group `itnio-habits`), and a new account may be told once or twice what nobody needs to hear.
Breaks at an hour are usual where they were seen a week ago or on two other days, breaks at any hour
where they were seen on two days, waiting where it was as long on three days.

Baselines are of seven days that ended a day ago, of at least 500 calls and 200 answered ones. A new
account has none for about a day, and the alerts that need one keep still until then. Two weeks of
history are read, at most: keep Prometheus' retention at 15 days (its default) or longer.

## Where the links lead

Runbooks at the repository's pages, dashboards at `http://localhost:3000`. One command changes both,
and can be run again: `prometheus/set-urls RUNBOOKS DASHBOARDS`.

## Who is told

`prometheus/alertmanager.yml` groups by account, sends pages and tickets to different people, and
lets a cause silence what comes of it: an exporter that is down, all that it told; refused
credentials, stale data; a page, the ticket of its family.

Polls that fail, stale data, a refused address and accounts that no replica owns have causes that
accounts share, so these are one page for all accounts of a job. Several Prometheus servers may tell
one Alertmanager: an external label `cluster` of each keeps apart what they say.
"""

_GROUPS: Final = {
    "campaigns.yml": "Campaigns",
    "exporter.yml": "The exporter and its way to the API",
    "spend.yml": "Spend",
    "balance.yml": "Balance",
    "fleet.yml": "Replicas that share accounts",
}


def _meaning(alert: str) -> str:
    """Return the first sentence of what a runbook says the alert means."""
    page = (_ROOT / "docs" / "runbooks" / f"{alert}.md").read_text()
    text = page.split("## What it means\n")[1].split("\n## ")[0]
    return re.split(r"(?<=[.]) (?=[A-Z])", " ".join(text.split()))[0].replace("|", "\\|")


def _row(rule: dict[str, Any]) -> str:
    name = rule["alert"]
    cells = (
        f"[{name}](runbooks/{name}.md)",
        rule["labels"]["severity"],
        rule["for"],
        rule["keep_firing_for"],
        _meaning(name),
    )
    return f"| {' | '.join(cells)} |"


def _tables() -> Iterator[str]:
    for file, title in _GROUPS.items():
        groups = yaml.safe_load((_ROOT / "prometheus" / "rules" / file).read_text())["groups"]
        yield f"## {title}\n"
        yield "| alert | severity | for | keep | when |"
        yield "|---|---|---|---|---|"
        for group in groups:
            yield from (_row(rule) for rule in group["rules"] if "alert" in rule)
        yield ""


def alerts_page() -> str:
    """Return docs/alerts.md."""
    return "\n".join([_INTRODUCTION, *_tables(), _END])
