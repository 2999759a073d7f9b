"""Accounts with so many series: real tasks in real windows and ledgers, with no API before them."""

import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from exporter.snapshot import (
    AccountSnapshot,
    AppCounters,
    AppFigures,
    Health,
    Objective,
    figures_of,
    together,
)
from exporter.tasks.coverage import Range
from exporter.tasks.task import Money, Status, Task
from exporter.tasks.tracking import TrackedApp

NOW: Final = 1_717_512_600.0
APPS: Final = ("collections", "reminders", "surveys")
SCRIPTS_AN_APP: Final = 95
SERIES_A_SCRIPT: Final = 70
"""What one script has in two windows, counters and live state; near enough to plan by."""
_TASKS_A_SCRIPT: Final = 4
_WINDOWS: Final = {"1h": 3_600.0, "24h": 86_400.0}
_ACTIVE: Final = 10
"""One script in so many has a task that still calls."""
_CENT: Final = Decimal("0.0001")


@dataclass(slots=True)
class TrackedAccount:
    """One account's apps, and what is published of them."""

    name: str
    apps: list[TrackedApp]
    tasks: dict[str, list[Task]]
    """By app."""
    polls: int = 0
    made: dict[str, AppFigures] = field(default_factory=dict)
    """What the last snapshot's figures were put together from."""

    def snapshot(self) -> AccountSnapshot:
        """Return what a poll at this moment publishes."""
        now = NOW + 60 * self.polls
        self.made = {app.name: figures_of(app, self.made.get(app.name)) for app in self.apps}
        return AccountSnapshot(
            account=self.name,
            taken_at=now,
            health=Health(up=True, last_success=now, last_poll=now, duration=0.8, clock_skew=0.1),
            figures=together(self.made.values(), now),
            counters=tuple(AppCounters(each.name, dict(each.ledger.totals)) for each in self.apps),
            objectives=(Objective("", "USD", answer_ratio=0.3, daily_spend=Decimal(500)),),
            task_limit=50,
        )

    def go_on(self, share: float) -> AccountSnapshot:
        """Let a share of the scripts make calls, and return what the next poll publishes."""
        self.polls += 1
        now = NOW + 60 * self.polls
        chance = random.Random(self.polls)  # noqa: S311
        for app in self.apps:
            own = self.tasks[app.name]
            scripts = range(len(own) // _TASKS_A_SCRIPT)
            for script in chance.sample(scripts, max(1, round(share * len(scripts)))):
                place = script * _TASKS_A_SCRIPT + 1
                own[place] = _called(own[place], chance.randrange(5, 50))
                app.take({own[place].task_id: own[place]}, read_at=now, now=now)
        return self.snapshot()


def accounts(series: int) -> list[TrackedAccount]:
    """Return accounts that have about so many series together."""
    scripts = max(1, round(series / SERIES_A_SCRIPT))
    made: list[TrackedAccount] = []
    while scripts > 0:
        account = TrackedAccount(f"account-{len(made) + 1}", [], {})
        for name in APPS:
            number = min(scripts, SCRIPTS_AN_APP)
            scripts -= number
            if number:
                _add_app(account, name, number, first_id=10_000 * (3 * len(made) + 1))
        made.append(account)
    return made


def _add_app(account: TrackedAccount, name: str, scripts: int, first_id: int) -> None:
    app = TrackedApp(name, lookback=86_400, settle=3_600, windows=_WINDOWS, script_limit=100)
    chance = random.Random(f"{account.name} {name}")  # noqa: S311
    tasks = [
        _task(first_id + 4 * script + number, 1_000 + script, number, chance)
        for script in range(scripts)
        for number in range(_TASKS_A_SCRIPT)
    ]
    app.begin(Range(int(NOW) - 90_000, int(NOW) - 89_000), {})
    app.take({each.task_id: each for each in tasks}, read_at=0.0, now=NOW)
    app.advance(NOW)
    account.apps.append(app)
    account.tasks[name] = tasks


def _task(task_id: int, script: int, number: int, chance: random.Random) -> Task:
    # Of four tasks one may still call, and one lies only in the longer window.
    calls = number == 1 and script % _ACTIVE == 0
    status = Status.CALLING if calls else Status.FINISHED
    age = 40_000 if number == 0 else chance.randrange(60, 3_000)
    task = Task(
        task_id=task_id,
        name=f"task {task_id}",
        status=status,
        script_id=str(script),
        created=int(NOW) - age,
        progress=0.4,
        numbers=1_000,
        calls=0,
        answered=0,
        successful=0,
        failed=0,
        billed_seconds=0,
        agent_billed_seconds=0,
        sms_sent=0,
    )
    return _called(task, chance.randrange(100, 900))


def _called(task: Task, calls: int) -> Task:
    """Return a task after so many more calls."""
    made = (task.calls or 0) + calls
    answered = made // 3
    fees = [Money(_CENT * (each * made + each), "USD") for each in (3, 12, 1)]
    return Task(
        task_id=task.task_id,
        name=task.name,
        status=task.status,
        script_id=task.script_id,
        created=task.created,
        progress=task.progress,
        numbers=task.numbers,
        calls=made,
        answered=answered,
        successful=made - made // 10,
        failed=made // 10,
        billed_seconds=answered * 37,
        agent_billed_seconds=answered * 31,
        sms_sent=made // 7,
        agent_fee=fees[0],
        call_fee=fees[1],
        sms_fee=fees[2],
        total_fee=Money(sum((each.amount for each in fees), Decimal(0)), "USD"),
    )
