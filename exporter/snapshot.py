"""One account as it is shown: frozen values, published whole by one assignment.

Made by the poller, read by exposition and pages; nothing in it changes once it is made. Times are
Unix seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from exporter.tasks.ledger import Mark, Series
from exporter.tasks.task import UNFINISHED, Kind, Status, Task
from exporter.tasks.tracking import TrackedApp
from exporter.tasks.windows import SUMMED, ZERO, Sums


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """What one script's tasks in one window add up to; None where nothing can be said."""

    window: str
    app: str
    script: str
    tasks: Mapping[Status, int]
    figures: Mapping[str, int | None]
    """Sums by their names in Task."""
    answer_ratio: float | None
    failure_ratio: float | None
    average_call_duration: float | None
    spend: Mapping[tuple[Kind, str], Decimal]
    """By kind of fee and currency."""
    unreconciled: Mapping[str, Decimal]
    """By currency."""


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How much an app's tasks in one window differ from each other."""

    window: str
    app: str
    design_effect: float
    """Of the answer ratio: by how much fewer independent calls would tell as much, 1 or more."""


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """The unfinished tasks of one script, over the whole lookback."""

    app: str
    script: str
    unfinished: Mapping[Status, int]
    oldest: Mapping[Status, int]
    """Creation time of the oldest task of a status, where it has one."""
    stalled_since: float | None
    """Since when the longest stalled of the calling tasks has made no call."""


@dataclass(frozen=True, slots=True)
class UnfinishedTask:
    """A task that has not ended, as the page and the per-task series show it."""

    app: str
    script: str
    task: Task
    progressed_at: float


@dataclass(frozen=True, slots=True)
class AppCounters:
    """The counters of one app, as published."""

    app: str
    totals: Mapping[Series, Mark]


@dataclass(frozen=True, slots=True)
class Objective:
    """What is aimed at, for an app or (``app`` empty) the whole account; None: not set."""

    app: str
    currency: str
    answer_ratio: float | None = None
    failure_ratio: float | None = None
    average_call_duration: float | None = None
    daily_spend: Decimal | None = None
    minimum_balance: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What was left of an account's money when the API was last asked."""

    amounts: Mapping[tuple[str, str], Decimal]
    """By kind (balance, gift, credit) and currency; a kind that the API does not tell is absent."""
    taken_at: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something was not done, such as the last poll not being whole."""

    reason: str
    message: str
    remedy: str
    at: float


@dataclass(frozen=True, slots=True)
class Shared:
    """How many of the accounts are polled here and how many are not, where replicas share them."""

    here: int
    elsewhere: int
    failure: Failure | None
    """Why nobody can tell which are ours, at present."""


@dataclass(frozen=True, slots=True)
class Health:
    """How polling one account goes."""

    up: bool | None = None
    """Whether the last poll was whole; None before the first has ended."""
    last_success: float | None = None
    last_poll: float | None = None
    duration: float | None = None
    """Seconds that the last poll took."""
    requests: int = 0
    """Requests that the last poll made."""
    failure: Failure | None = None
    store_failure: Failure | None = None
    """Why counters are withheld or stand still at present."""
    next_poll: float | None = None
    sweep_progress: float | None = None
    """How much of the running sweep is read, from 0 to 1; None where none is running."""
    tracked_tasks: int = 0
    future_tasks: int = 0
    overflowed_scripts: int = 0
    clock_skew: float | None = None
    """Seconds that the server's Date is ahead of our clock."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of an account's tasks as of one whole poll."""

    windows: tuple[WindowFigures, ...]
    live: tuple[LiveFigures, ...]
    unfinished: tuple[UnfinishedTask, ...]
    """Newest first."""
    taken_at: float
    dispersions: tuple[Dispersion, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """All that is published of one account."""

    account: str
    taken_at: float
    health: Health = field(default_factory=Health)
    figures: Figures | None = None
    """None until the lookback is known once, and after they have become stale."""
    counters: tuple[AppCounters, ...] = ()
    objectives: tuple[Objective, ...] = ()
    balance: Balance | None = None
    """None where it is not asked for, not known yet, or not known for too long."""
    balance_failure: Failure | None = None
    """Why the last look-up of the balance failed; polls go on all the same."""
    task_limit: int = 0
    """How many of the newest unfinished tasks have series of their own."""


@dataclass(frozen=True, slots=True)
class AppFigures:
    """One app's part of the figures."""

    windows: Mapping[str, "ScriptFigures"]
    """By script, in the order in which they are shown."""
    live: Sequence[LiveFigures]
    unfinished: Sequence[UnfinishedTask]
    dispersions: Sequence[Dispersion]


@dataclass(frozen=True, slots=True)
class ScriptFigures:
    """One script's figures in every window, and which revisions of its sums they are of."""

    revisions: tuple[int, ...]
    windows: tuple[WindowFigures, ...]


def figures(apps: Iterable[TrackedApp], now: float) -> Figures:
    """Return the figures of an account's apps as they are at ``now``."""
    return together(map(figures_of, apps), now)


def figures_of(app: TrackedApp, before: AppFigures | None = None) -> AppFigures:
    """Return the figures of one app as they are.

    Of what was returned ``before``, the scripts in which nothing has changed are taken over as
    they are: the very same objects, by which whoever renders them knows them again.
    """
    unfinished = [
        UnfinishedTask(app.name, entry.script, entry.task, entry.progressed_at)
        for entry in app.inventory.unfinished.values()
    ]
    return AppFigures(
        windows=dict(_windows(app, before.windows if before else {})),
        live=list(_live(app, unfinished)),
        unfinished=unfinished,
        dispersions=[
            Dispersion(window.label, app.name, effect)
            for window in app.windows.all
            if (effect := window.design_effect()) is not None
        ],
    )


def together(parts: Iterable[AppFigures], now: float) -> Figures:
    """Return the figures of an account from those of its apps, taken by ``now``."""
    windows: list[WindowFigures] = []
    live: list[LiveFigures] = []
    unfinished: list[UnfinishedTask] = []
    dispersions: list[Dispersion] = []
    for part in parts:
        windows += (each for script in part.windows.values() for each in script.windows)
        live += part.live
        unfinished += part.unfinished
        dispersions += part.dispersions
    unfinished.sort(key=lambda each: (-each.task.created, -each.task.task_id))
    return Figures(tuple(windows), tuple(live), tuple(unfinished), now, tuple(dispersions))


def _windows(
    app: TrackedApp, before: Mapping[str, ScriptFigures]
) -> Iterable[tuple[str, ScriptFigures]]:
    for script in sorted({script for window in app.windows.all for script in window.sums}):
        sums = [window.sums[script] for window in app.windows.all]
        revisions = tuple([each.revision for each in sums])
        known = before.get(script)
        if known is None or known.revisions != revisions:
            known = ScriptFigures(revisions, tuple(_script(app, script, sums)))
        yield script, known


def _script(app: TrackedApp, script: str, sums: Sequence[Sums]) -> Iterable[WindowFigures]:
    spends = [each.fees for each in sums]
    rests = [each.unreconciled for each in sums]
    # A currency that one window knows shows in all of them: at 0, rather than coming and going.
    no_spend = {key: ZERO for each in spends for key in each}
    no_rest = {key: ZERO for each in rests for key in each}
    for window, each, spend, rest in zip(app.windows.all, sums, spends, rests, strict=True):
        yield _window(
            each,
            window=window.label,
            app=app.name,
            script=script,
            spend={**no_spend, **spend},
            unreconciled={**no_rest, **rest},
        )


def _window(
    sums: Sums,
    *,
    window: str,
    app: str,
    script: str,
    spend: Mapping[tuple[Kind, str], Decimal],
    unreconciled: Mapping[str, Decimal],
) -> WindowFigures:
    return WindowFigures(
        window=window,
        app=app,
        script=script,
        tasks=sums.tasks(),
        figures={name: sums.figure(name) for name in SUMMED},
        answer_ratio=sums.answer_ratio(),
        failure_ratio=sums.failure_ratio(),
        average_call_duration=sums.average_call_duration(),
        spend=spend,
        unreconciled=unreconciled,
    )


def _live(app: TrackedApp, unfinished: Iterable[UnfinishedTask]) -> Iterable[LiveFigures]:
    by_script: dict[str, list[UnfinishedTask]] = {
        script: [] for window in app.windows.all for script in window.sums
    }
    for each in unfinished:
        by_script.setdefault(each.script, []).append(each)
    for script, tasks in sorted(by_script.items()):
        created: dict[Status, list[int]] = {status: [] for status in UNFINISHED}
        stalled: list[float] = []
        for each in tasks:
            created.get(each.task.status, []).append(each.task.created)
            if each.task.status is Status.CALLING:
                stalled.append(each.progressed_at)
        yield LiveFigures(
            app=app.name,
            script=script,
            unfinished={status: len(times) for status, times in created.items()},
            oldest={status: min(times) for status, times in created.items() if times},
            stalled_since=min(stalled, default=None),
        )
