"""What the status page says of each account and of all of them: values ready to be shown. Pure."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from exporter.snapshot import AccountSnapshot, Failure, Health
from exporter.web.attention import TaskRow, stalled_count, task_rows
from exporter.web.headlines import WindowView, window_views
from exporter.web.wording import counted, duration, listed, visible

MOST_ROWS: Final = 200
"""Unfinished tasks shown of one account."""
_FEWEST_ROWS: Final = 20
_ROWS_OF_ALL: Final = 1_000
_MOST_FAILURES: Final = 3
_LONGEST_REASON: Final = 300
_NOTABLE_SKEW: Final = 10.0
"""Seconds by which the clocks differ, from which on that is worth a word."""


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
    failure: Failure | None
    warnings: tuple[str, ...]
    """What is odd although polling works."""
    notes: tuple[str, ...]
    figures_at: float | None
    account_windows: tuple[WindowView, ...]
    app_windows: tuple[WindowView, ...]
    tasks: tuple[TaskRow, ...]
    more_tasks: int
    unfinished: int | None
    """None where nothing is known of tasks."""
    stalled: int
    with_apps: bool

    @property
    def missed(self) -> int:
        """How many objectives are missed, in windows and apps together."""
        return sum(view.missed for view in (*self.account_windows, *self.app_windows))


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The whole page, as of ``now``."""

    now: float
    state: State | None
    """The worst of the accounts' states; None where there are no accounts."""
    verdict: str
    remarks: tuple[str, ...]
    """Further sentences: what else to look at."""
    accounts: tuple[AccountView, ...]

    @property
    def look(self) -> str:
        """What the verdict looks like: a state's name, ``WARNING`` or ``NONE``."""
        if self.state is None:
            return "NONE"
        # Polling is well, yet all is not: no green tick above what has to be looked at.
        return "WARNING" if self.state is State.POLLED and self.remarks else self.state.name


def status_page(snapshots: Iterable[AccountSnapshot], now: float) -> StatusPage:
    """Return the page of the accounts, in the given order."""
    all_of_them = tuple(snapshots)
    most = min(MOST_ROWS, max(_FEWEST_ROWS, _ROWS_OF_ALL // max(1, len(all_of_them))))
    accounts = tuple(
        _account(snapshot, f"account-{number}", now, most)
        for number, snapshot in enumerate(all_of_them, start=1)
    )
    state, verdict = _verdict(accounts)
    return StatusPage(now, state, verdict, tuple(_remarks(accounts)), accounts)


def _account(snapshot: AccountSnapshot, anchor: str, now: float, most: int) -> AccountView:
    figures = snapshot.figures
    health = snapshot.health
    views = tuple(window_views(figures.windows, snapshot.objectives)) if figures else ()
    unfinished = figures.unfinished if figures else ()
    taken_at = figures.taken_at if figures else now
    rows = task_rows(unfinished, now=now, taken_at=taken_at, most=most)
    return AccountView(
        anchor=anchor,
        name=visible(snapshot.account),
        state=_state(snapshot),
        health=health,
        failure=health.failure if health.up is False else None,
        warnings=tuple(_warnings(health)),
        notes=tuple(_notes(snapshot)),
        figures_at=figures.taken_at if figures else None,
        account_windows=tuple(view for view in views if not view.app),
        app_windows=tuple(view for view in views if view.app),
        tasks=tuple(rows),
        more_tasks=len(unfinished) - len(rows),
        unfinished=len(unfinished) if figures else None,
        stalled=stalled_count(unfinished, taken_at),
        with_apps=any(row.app for row in rows),
    )


def _state(snapshot: AccountSnapshot) -> State:
    if snapshot.health.up is False:
        return State.FAILING
    if snapshot.health.up is None:
        return State.STARTING
    # A sweep beside known figures is routine; without them it is what one waits for.
    return State.POLLED if snapshot.figures is not None else State.SWEEPING


def _warnings(health: Health) -> Iterable[str]:
    if health.store_failure is not None:
        yield (f"{health.store_failure.remedy} What is wrong: {health.store_failure.message}.")
    skew = health.clock_skew
    if skew is not None and abs(skew) >= _NOTABLE_SKEW:
        side = "behind" if skew > 0 else "ahead of"
        yield (
            f"This host's clock is {duration(abs(skew))} {side} the API's. "
            "The API refuses requests once that is too much; check this host's time service."
        )
    if health.future_tasks:
        were = "task bears" if health.future_tasks == 1 else "tasks bear"
        yield (
            f"{health.future_tasks:,} {were} a creation time that is still to come. "
            "The account's configured timezone is probably not the API's."
        )


def _notes(snapshot: AccountSnapshot) -> Iterable[str]:
    health = snapshot.health
    if snapshot.figures is None and health.up is False and health.last_success is not None:
        yield "The figures became stale and were withdrawn; they return with the next good poll."
    elif snapshot.figures is None and health.sweep_progress is not None:
        yield "Figures appear once the whole lookback has been read."
    if health.overflowed_scripts:
        yield (
            f"{counted(health.overflowed_scripts, 'script')} beyond metrics.script_limit "
            "are summed under “other”."
        )


def _verdict(accounts: tuple[AccountView, ...]) -> tuple[State | None, str]:
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
    return State.POLLED, "All accounts are polled"


def _remarks(accounts: tuple[AccountView, ...]) -> Iterable[str]:
    failing = [account for account in accounts if account.state is State.FAILING]
    for account in failing[:_MOST_FAILURES]:
        reason = visible(account.failure.message, _LONGEST_REASON) if account.failure else "failing"
        yield f"{account.name}: {reason}"
    if len(failing) > _MOST_FAILURES:
        others = [account.name for account in failing[_MOST_FAILURES:]]
        yield f"Failing too: {listed(others)}."
    missed = sum(account.missed for account in accounts)
    if missed:
        yield f"{counted(missed, 'objective')} {'is' if missed == 1 else 'are'} missed."
    stalled = sum(account.stalled for account in accounts)
    if stalled:
        yield f"{counted(stalled, 'task')} {'has' if stalled == 1 else 'have'} stalled."
    warned = [account.name for account in accounts if account.warnings]
    if warned:
        yield f"Something is odd with {listed(warned)}."
