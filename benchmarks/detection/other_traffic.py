"""Accounts of the other world: odd, but healthy; some of them with incidents.

What is odd about each is in its name. No rule may know these habits: the seeds of the report and
those for tuning differ in all that is drawn, but an account's kind of oddity is the same in both.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from benchmarks.detection.other_world import SUSPENDED, ZONE_OFFSET, Habits, OtherWorld
from benchmarks.detection.plan import DAY, EPOCH, HOUR, WARM_UP, Account, schedule
from exporter.simulator import App

_DAY_AND_NIGHT: Final = (1.0,) * 24
_ALL_WEEK: Final = (1.0,) * 7
_NIGHTLY: Final = (0.0, 0.0, 1.0, *(0.0,) * 21)


def _apps(*ratios: float) -> tuple[App, ...]:
    return tuple(
        App(id=30 + place, name=f"line-{place}", share=3.0 / (place + 1), scripts=2, answer_ratio=r)
        for place, r in enumerate(ratios)
    )


def _regular(seed: int) -> Habits:
    return Habits(
        name="regular", seed=seed, apps=_apps(0.35, 0.22, 0.5), tasks_per_day=300, batch=3.0
    )


def _many_tiny(seed: int) -> Habits:
    return Habits(
        name="many-tiny",
        seed=seed,
        apps=_apps(0.4, 0.3),
        tasks_per_day=1500,
        numbers=25,
        spread=0.6,
        pace=4.0,
        weekdays=_ALL_WEEK,
    )


def _few_huge(seed: int) -> Habits:
    return Habits(
        name="few-huge",
        seed=seed,
        apps=_apps(0.3, 0.25),
        tasks_per_day=8,
        numbers=6000,
        spread=1.2,
        pace=15.0,
        calling_hours=(9.0, 20.0),
    )


def _shown_seldom(seed: int) -> Habits:
    return Habits(
        name="shown-seldom",
        seed=seed,
        apps=_apps(0.28, 0.4),
        tasks_per_day=220,
        shown_every=6,
        mood=0.25,
    )


def _drifting(seed: int) -> Habits:
    return Habits(
        name="drifting",
        seed=seed,
        apps=_apps(0.5, 0.3),
        tasks_per_day=400,
        drift=-0.2,
        calling_hours=(8.5, 21.0),
    )


def _one_a_day(seed: int) -> Habits:
    return Habits(
        name="one-a-day", seed=seed, apps=_apps(0.3), tasks_per_day=1, numbers=1500, spread=0.8
    )


def _nightly(seed: int) -> Habits:
    return Habits(
        name="nightly-batch",
        seed=seed,
        apps=_apps(0.3, 0.3),
        tasks_per_day=40,
        batch=20.0,
        hours=_NIGHTLY,
        weekdays=_ALL_WEEK,
    )


def _weekend(seed: int) -> Habits:
    return Habits(
        name="weekend-only",
        seed=seed,
        apps=_apps(0.45),
        tasks_per_day=150,
        weekdays=(0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.8),
    )


def _low(seed: int) -> Habits:
    return Habits(
        name="three-a-day", seed=seed, apps=_apps(0.35), tasks_per_day=3, weekdays=_ALL_WEEK
    )


def _yen(seed: int) -> Habits:
    return Habits(
        name="yen",
        seed=seed,
        apps=_apps(0.3, 0.35),
        currency="JPY",
        price=3.7,
        tasks_per_day=120,
        spread=1.4,
    )


def _twenty_apps(seed: int) -> Habits:
    return Habits(
        name="twenty-apps",
        seed=seed,
        apps=_apps(*(0.2 + 0.02 * place for place in range(20))),
        tasks_per_day=300,
        numbers=80,
        batch=2.0,
    )


def _paused(seed: int) -> Habits:
    return Habits(
        name="suspended-nights",
        seed=seed,
        apps=_apps(0.33, 0.26),
        tasks_per_day=60,
        numbers=800,
        calling_hours=(9.0, 12.0) if seed % 3 == 0 else (9.0, 18.0),
        pauses_as=SUSPENDED,
    )


def _new(seed: int) -> Habits:
    return Habits(
        name="new-account",
        seed=seed,
        apps=_apps(0.35, 0.3),
        tasks_per_day=150,
        begins_after=WARM_UP + 9 * HOUR,
    )


def _around_the_clock(seed: int) -> Habits:
    return Habits(
        name="around-the-clock",
        seed=seed,
        apps=_apps(0.15, 0.6),
        tasks_per_day=500,
        hours=_DAY_AND_NIGHT,
        weekdays=_ALL_WEEK,
        dispersion=6.0,
    )


def _scheduled(seed: int) -> Habits:
    return Habits(
        name="scheduled",
        seed=seed,
        apps=_apps(0.3, 0.4),
        tasks_per_day=80,
        batch=5.0,
        due_hour=9.5,
    )


def _queueing(seed: int) -> Habits:
    return Habits(
        name="queueing", seed=seed, apps=_apps(0.3), tasks_per_day=60, batch=15.0, lines=4
    )


def _holiday(seed: int) -> Habits:
    """Return the regular one, with a Thursday and Friday off in the second scored week."""
    return replace(_regular(seed), name="holidays", holidays=frozenset({17, 18}))


TROUBLED: Final[tuple[Callable[[int], Habits], ...]] = (
    _regular,
    _many_tiny,
    _shown_seldom,
    _around_the_clock,
    _drifting,
    _few_huge,
)
QUIET: Final[tuple[Callable[[int], Habits], ...]] = (
    _few_huge,
    _one_a_day,
    _nightly,
    _queueing,
    _scheduled,
    _shown_seldom,
    _low,
    _weekend,
    _regular,
    _paused,
    _new,
    _yen,
    _many_tiny,
    _drifting,
    _around_the_clock,
    _twenty_apps,
    _holiday,
)


def other_accounts(first_seed: int, troubled: int, quiet: int, quiet_days: int) -> list[Account]:
    """Return accounts with every kind of incident once, and accounts with none."""
    made = []
    for number in range(troubled):
        seed = first_seed + number
        habits = TROUBLED[number % len(TROUBLED)](seed)
        end = EPOCH + WARM_UP + 7 * DAY
        incidents = schedule(seed, habits.apps)
        account = _account(f"troubled-{habits.name}-{seed}", habits, end, number)
        made.append(replace(account, incidents=incidents))
    for number in range(quiet):
        seed = first_seed + 500 + number
        habits = QUIET[number % len(QUIET)](seed)
        end = EPOCH + WARM_UP + quiet_days * DAY
        made.append(_account(f"quiet-{habits.name}-{seed}", habits, end, number // 2))
    return made


def _account(name: str, habits: Habits, end: int, number: int) -> Account:
    """Return it with a budget that it keeps, an answer ratio that it reaches, both or neither."""
    lowest = min(app.answer_ratio for app in habits.apps)
    return Account(
        name,
        habits,
        (),
        end,
        _budget(habits, end) if number % 2 else None,
        answer_ratio=round(0.6 * lowest, 2) if number % 4 > 1 else None,
    )


def _budget(habits: Habits, end: int) -> Decimal:
    """Return a fifth more than the dearest day costs, as somebody who knows the account would."""
    world = OtherWorld(habits)
    dearest, before = 0, dict[int, int]()
    for evening in range(EPOCH + DAY - ZONE_OFFSET, end + DAY, DAY):
        fees = {
            task.id: task.total_fee for task in world.tasks(evening, evening - 2 * DAY, evening)
        }
        dearest = max(dearest, sum(fee - before.get(task, 0) for task, fee in fees.items()))
        before = fees
    return Decimal(max(1, round(1.2 * dearest / 1e6)))
