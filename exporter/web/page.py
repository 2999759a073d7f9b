"""What the status page says of each account and of all of them: values ready to be shown. Pure."""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exporter.history import History
from exporter.snapshot import AccountSnapshot, Failure, Health, Shared
from exporter.web import findings
from exporter.web.attention import unfinished_tasks
from exporter.web.balances import BalanceView, balances, of_balance
from exporter.web.causes import Cause, cause
from exporter.web.demonstration import Offer
from exporter.web.filters import Filter, TaskTable, task_table
from exporter.web.findings import Finding
from exporter.web.headlines import WindowView, window_views
from exporter.web.wording import age, counted, listed, visible

MOST_FINDINGS: Final = 12
_NO_HISTORY: Final = History()


class State(enum.Enum):
    """How an account does; the value is what the page says."""

    POLLED = "Polled"
    SWEEPING = "Reading history"
    STARTING = "Waiting for the first poll"
    FAILING = "Failing"


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account's section."""

    anchor: str
    """An id of its own in the page; stays the same while the accounts do."""
    name: str
    state: State
    health: Health
    cause: Cause | None
    """Why the last poll failed, where it did."""
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    balances: tuple[BalanceView, ...]
    figures_at: float | None
    account_windows: tuple[WindowView, ...]
    app_windows: tuple[WindowView, ...]
    unfinished: int | None
    """None where nothing is known of tasks."""

    @property
    def look(self) -> str:
        """What its state looks like: no green tick where something has to be looked at."""
        return "WARNING" if self.state is State.POLLED and self.findings else self.state.name


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The whole page, as of ``now``."""

    now: float
    state: State | None
    """The worst of the accounts' states; None where there are no accounts."""
    verdict: str
    summary: str
    """What is fine, or how far things are, in a sentence."""
    findings: tuple[Finding, ...]
    """What is not fine; no more than can be read."""
    more_findings: int
    accounts: tuple[AccountView, ...]
    tasks: TaskTable
    unknown_tasks: str
    """The accounts whose tasks are not known at present; empty: none."""
    offers: Sequence[Offer] | None
    """The demo's incidents; None anywhere else."""

    @property
    def look(self) -> str:
        """What the verdict looks like: a state's name, ``WARNING`` or ``NONE``."""
        if self.state is None:
            return "NONE"
        # Polling is well, yet all is not.
        return "WARNING" if self.state is State.POLLED and self.findings else self.state.name


def status_page(
    snapshots: Iterable[AccountSnapshot],
    now: float,
    *,
    histories: Mapping[str, History] | None = None,
    asked: Filter | None = None,
    reload_failure: Failure | None = None,
    shared: Shared | None = None,
    offers: Sequence[Offer] | None = None,
) -> StatusPage:
    """Return the page of the accounts, in the given order."""
    all_of_them = tuple(snapshots)
    accounts = tuple(
        _account(snapshot, f"account-{number}", now, (histories or {}).get(snapshot.account))
        for number, snapshot in enumerate(all_of_them, start=1)
    )
    tasks = unfinished_tasks(all_of_them)
    found = [*map(findings.of_reload, (reload_failure,) if reload_failure else ())]
    found += findings.of_sharing(shared) if shared else ()
    found += (finding for account in accounts for finding in account.findings)
    found += findings.of_tasks(tasks)
    # Stable: accounts stay in their order.
    found.sort(key=lambda finding: finding.tone != "failing")
    if shared is None or accounts:
        state, verdict = _verdict(accounts, len(found))
        summary = _summary(accounts, now)
    else:
        state, verdict, summary = _nothing_here(shared)
    if shared is not None and accounts and shared.elsewhere:
        summary += " " + _left_to_others(shared)
    return StatusPage(
        now=now,
        state=state,
        verdict=verdict,
        summary=summary,
        findings=tuple(found[:MOST_FINDINGS]),
        more_findings=max(0, len(found) - MOST_FINDINGS),
        accounts=accounts,
        tasks=task_table(tasks, asked or Filter(), [account.name for account in accounts], now),
        unknown_tasks=listed([each.name for each in accounts if each.unfinished is None]),
        offers=offers,
    )


def _account(
    snapshot: AccountSnapshot, anchor: str, now: float, history: History | None
) -> AccountView:
    figures = snapshot.figures
    health = snapshot.health
    frames = (history or _NO_HISTORY).frames
    views: tuple[WindowView, ...] = ()
    if figures is not None:
        views = tuple(window_views(figures.windows, snapshot.objectives, frames, now))
    failed = health.failure if health.up is False else None
    explained = cause(failed, health) if failed is not None else None
    name = visible(snapshot.account)
    return AccountView(
        anchor=anchor,
        name=name,
        state=_state(snapshot),
        health=health,
        cause=explained,
        findings=(
            *findings.of_health(name, anchor, health, explained),
            *of_balance(name, anchor, snapshot),
            *findings.of_objectives(name, anchor, views),
        ),
        notes=tuple(_notes(snapshot)),
        balances=tuple(balances(snapshot)),
        figures_at=figures.taken_at if figures else None,
        account_windows=tuple(view for view in views if not view.app),
        app_windows=tuple(view for view in views if view.app),
        unfinished=len(figures.unfinished) if figures else None,
    )


def _state(snapshot: AccountSnapshot) -> State:
    if snapshot.health.up is False:
        return State.FAILING
    if snapshot.health.up is None:
        return State.STARTING
    # A sweep beside known figures is routine; without them it is what one waits for.
    return State.POLLED if snapshot.figures is not None else State.SWEEPING


def _notes(snapshot: AccountSnapshot) -> Iterable[str]:
    health = snapshot.health
    if snapshot.figures is None and health.up is False and health.last_success is not None:
        yield "The figures became stale and were withdrawn; they return with the next good poll."
    elif snapshot.figures is None and health.sweep_progress is not None:
        yield "Figures appear once the whole lookback has been read."
    elif snapshot.figures is not None and health.up is False:
        yield "The figures below are those of the last good poll."
    if health.overflowed_scripts:
        yield (
            f"{counted(health.overflowed_scripts, 'script')} beyond metrics.script_limit "
            "are summed under “other”."
        )


def _verdict(accounts: tuple[AccountView, ...], found: int) -> tuple[State | None, str]:
    if not accounts:
        return None, "No accounts are configured"
    by_state = {
        state: [account.name for account in accounts if account.state is state] for state in State
    }
    failing = by_state[State.FAILING]
    if failing:
        if len(accounts) == 1:
            return State.FAILING, "Polling fails"
        are = "is" if len(failing) == 1 else "are"
        return State.FAILING, f"{len(failing)} of {len(accounts)} accounts {are} failing"
    for state, words in (
        (State.STARTING, "Waiting for the first poll of "),
        (State.SWEEPING, "Reading the history of "),
    ):
        if by_state[state]:
            return state, words + listed(by_state[state])
    if found:
        return State.POLLED, f"{counted(found, 'thing')} need{'s' if found == 1 else ''} attention"
    return State.POLLED, "All is well"


def _nothing_here(shared: Shared) -> tuple[State | None, str, str]:
    """Return state, verdict and summary of a replica that shows no account."""
    if shared.failure is not None:
        return (
            State.FAILING,
            "Polling is paused",
            "Without the database nobody can tell which accounts are this replica's.",
        )
    return None, "No account is polled here", _left_to_others(shared)


def _left_to_others(shared: Shared) -> str:
    are = "is" if shared.elsewhere == 1 else "are"
    return f"{counted(shared.elsewhere, 'account')} {are} left to other replicas."


def _summary(accounts: tuple[AccountView, ...], now: float) -> str:
    states = Counter(account.state for account in accounts)
    if not accounts:
        return "There is nothing to show until the configuration names an account."
    if len(accounts) == 1 and not states[State.POLLED]:
        last = accounts[0].health.last_success
        if last is None:
            return f"There has been no good poll of {accounts[0].name} yet."
        return f"The last good poll of {accounts[0].name} was {age(now - last)}."
    if states[State.POLLED] == len(accounts):
        polled = (
            f"{accounts[0].name} is" if len(accounts) == 1 else f"All {len(accounts)} accounts are"
        )
        return f"{polled} polled."
    return f"{states[State.POLLED]} of {counted(len(accounts), 'account')} polled."
