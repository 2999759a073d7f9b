"""What is not as it should be, the worst first, each with what to do about it. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exporter.snapshot import Failure, Health, Shared
from exporter.tasks.task import Status
from exporter.web import causes
from exporter.web.attention import Concern, Unfinished
from exporter.web.causes import Cause
from exporter.web.filters import ATTENTION, Filter
from exporter.web.headlines import Headline, WindowView
from exporter.web.wording import counted, duration, visible

_NOTABLE_SKEW: Final = 10.0
"""Seconds by which the clocks differ, from which on that is worth a word."""
_SUSPENDED_SHARE: Final = 0.25
_FEWEST_SUSPENDED: Final = 2
"""A task may well be suspended on purpose; a quarter of those that should be calling is news."""

_OBJECTIVE_REMEDIES: Final = {
    "Answer ratio": "See by app and by script where it comes from; suspend the worst and ask the "
    "provider whether the caller numbers are blocked.",
    "Average call": "People hang up early: listen to a few calls of the script that was last "
    "changed.",
    "Failure ratio": "Calls do not get through: check the numbers of the newest tasks, then ask "
    "the provider about the route.",
    "Spend": "Look for tasks that nobody meant to start, and suspend them at the provider.",
}

_STALLED_REMEDY: Final = (
    "Look whether the numbers or the account's lines ran out; then suspend and resume them at the "
    "provider."
)
_OVERDUE_REMEDY: Final = (
    "Look whether a start time was set; else ask the provider what holds them up."
)
_SUSPENDED_REMEDY: Final = (
    "Unless somebody meant it: look at the account's balance, then resume them at the provider."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or odd."""

    tone: str
    """``failing`` or ``warning``."""
    where: str
    """The account's name as shown; empty for the exporter as a whole."""
    sentence: str
    remedy: str
    target: str
    """Address of the place in the page that says more; may be empty."""


def of_reload(failure: Failure) -> Finding:
    """Return what a configuration that could not be loaded means."""
    first, *others = failure.message.splitlines() or [""]
    more = f" (and {counted(len(others), 'problem')} more)" if others else ""
    sentence = f"The new configuration is not used: {visible(first, 500)}{more}"
    return Finding("failing", "", sentence, failure.remedy, "config")


def of_sharing(shared: Shared) -> Iterator[Finding]:
    """Give why accounts may be polled by nobody, where replicas share them."""
    failure = shared.failure
    if failure is not None:
        yield Finding(
            "failing",
            "",
            "The database that the replicas share cannot be used, so no account is polled here: "
            + visible(failure.message, 300),
            failure.remedy,
            "",
        )


def of_health(name: str, anchor: str, health: Health, failed: Cause | None) -> Iterator[Finding]:
    """Give what is wrong with how an account is polled."""
    target = f"#{anchor}"
    if failed is not None:
        yield Finding("failing", name, failed.sentence, failed.remedy, target)
    store = health.store_failure
    if store is not None:
        yield Finding(
            "failing",
            name,
            f"The store of the counters cannot be used: {visible(store.message, 300)}",
            store.remedy,
            target,
        )
    skew = health.clock_skew
    told = failed is not None and failed.reason == "clock_skew"
    if skew is not None and abs(skew) >= _NOTABLE_SKEW and not told:
        yield Finding(
            "warning",
            name,
            f"This host's clock is {causes.off(skew)} the API's.",
            "Check this host's time service: once the clocks differ too much, the API refuses "
            "requests.",
            target,
        )
    if health.future_tasks:
        were = "task bears" if health.future_tasks == 1 else "tasks bear"
        yield Finding(
            "warning",
            name,
            f"{health.future_tasks:,} {were} a creation time that is still to come.",
            "The account's configured timezone is probably not the API's; `check --live` finds "
            "the right one.",
            target,
        )


def of_objectives(name: str, anchor: str, views: Iterable[WindowView]) -> Iterator[Finding]:
    """Give every objective that is missed, once for all the windows that miss it."""
    missed: dict[tuple[str, str, str], list[tuple[WindowView, Headline]]] = {}
    for view in views:
        for headline in view.missed:
            aim = headline.verdict.aim if headline.verdict else ""
            missed.setdefault((view.app, headline.label, aim), []).append((view, headline))
    for (app, label, aim), places in missed.items():
        values = ", ".join(
            f"{headline.value} in the last {visible(view.window)}" for view, headline in places
        )
        whose = f"{label} of {visible(app)}" if app else label
        yield Finding(
            "warning",
            name,
            f"{whose} misses its objective, {aim}: {values}.",
            _OBJECTIVE_REMEDIES.get(label, ""),
            f"#{anchor}-apps" if app else f"#{anchor}",
        )


def of_tasks(tasks: Sequence[Unfinished]) -> Iterator[Finding]:
    """Give what tasks of all accounts need, an account at a time."""
    by_account: dict[str, list[Unfinished]] = {}
    for task in tasks:
        by_account.setdefault(task.account, []).append(task)
    for name, own in by_account.items():
        address = Filter(account=name if len(by_account) > 1 else "", status=ATTENTION).address
        for sentence, remedy in _concerns(own):
            yield Finding("warning", name, sentence, remedy, f"?{address}#tasks")


def _concerns(tasks: Sequence[Unfinished]) -> Iterator[tuple[str, str]]:
    stalled = [task.since for task in tasks if task.concern is Concern.STALLED]
    if stalled:
        yield (
            f"{_tasks(stalled)} calling, but made no call for up to {duration(max(stalled))}.",
            _STALLED_REMEDY,
        )
    overdue = [task.since for task in tasks if task.concern is Concern.OVERDUE]
    if overdue:
        yield (
            f"{_tasks(overdue)} waiting to begin, the oldest for {duration(max(overdue))}.",
            _OVERDUE_REMEDY,
        )
    counts = Counter(task.each.task.status for task in tasks)
    suspended = counts[Status.SUSPENDED]
    calling = suspended + counts[Status.CALLING]
    if suspended >= _FEWEST_SUSPENDED and suspended > calling * _SUSPENDED_SHARE:
        yield (
            f"{counted(suspended, 'task')} of {calling:,} that should be calling are suspended.",
            _SUSPENDED_REMEDY,
        )


def _tasks(group: Sequence[float]) -> str:
    return f"{counted(len(group), 'task')} {'is' if len(group) == 1 else 'are'}"
