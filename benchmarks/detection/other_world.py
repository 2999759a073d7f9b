"""Another world of campaigns, built in a different way than the simulator's.

Rules that were tuned on one generator may know its habits rather than those of traffic. This one
goes forward minute by minute instead of computing a course; its lists are heavy-tailed, campaigns
of an hour share a mood, answer ratios drift over weeks, calling stops at night and thins out at
noon, weekends and holidays are still, and the API shows new figures only every so often.

A task's luck is its own and a day's campaigns are the day's own: an incident changes nothing but
what it hits.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from exporter.simulator import App, Incident, IncidentKind
from exporter.simulator.incidents import STRENGTHS
from exporter.simulator.truth import Reading

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
ZONE_OFFSET: Final = 8 * HOUR
_FORGOTTEN_AFTER: Final = 2 * DAY
_LONGEST_TASK: Final = 1.6
"""Days before a moment at which a world must begin to know all that is going on at that moment."""

WAITING, CALLING, FINISHED, FAILED, CANCELLED, SUSPENDED, SUBMITTING = range(7)
_ENDED: Final = frozenset({FINISHED, FAILED, CANCELLED})
_ON_A_LINE: Final = frozenset({CALLING, SUBMITTING})
_FATED_TO_PAUSE: Final = 0.02
_FATED_TO_BE_CANCELLED: Final = 0.97
_GOES_ON: Final = 0.02  # in a minute, of what somebody has suspended
_LONGEST_LIST: Final = 60_000
_MANY: Final = 60  # from here on the normal law is near enough
_NOTHING: Final[frozenset[IncidentKind]] = frozenset()

BUSINESS: Final = (0, 0, 0, 0, 0, 0, 0, 0, 2, 6, 9, 8, 2, 4, 8, 9, 7, 5, 3, 2, 1, 0, 0, 0)
"""By local hour, how many campaigns are created: with a dip at noon, none at night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What an account is like. Shares are 0 to 1, lengths seconds, hours local."""

    name: str
    seed: int
    apps: tuple[App, ...]
    currency: str = "USD"
    tasks_per_day: float
    """Mean of a working day, over all apps."""
    numbers: float = 200.0
    """Median of a list."""
    spread: float = 1.0
    """Of the logarithm of list sizes: how heavy the tail is."""
    pace: float = 6.0
    """Calls a minute of one task, in the median."""
    dispersion: float = 15.0
    """Alpha + beta of the answer rates of campaigns."""
    mood: float = 0.15
    """Standard deviation of what the campaigns of one app and hour have in common (log)."""
    drift: float = 0.0
    """Change of the answer ratio in a week (log)."""
    hours: tuple[float, ...] = BUSINESS
    weekdays: tuple[float, ...] = (1.0, 1.1, 1.0, 0.9, 0.8, 0.0, 0.0)
    """How much is created from Monday to Sunday, of `tasks_per_day`."""
    holidays: frozenset[int] = frozenset()
    """Days since the epoch on which nothing is created."""
    batch: float = 1.0
    """How many campaigns are uploaded at once, in the mean."""
    calling_hours: tuple[float, float] = (0.0, 24.0)
    """Outside of them tasks pause and stay in `pauses_as`."""
    pauses_as: int = CALLING
    due_hour: float | None = None
    """Where set, a task created waits for this hour; else it is due at once."""
    lines: int = 1_000_000
    """How many tasks call at once; others wait."""
    shown_every: int = 1
    """After how many minutes the API shows a task's new figures."""
    price: float = 0.024
    """Of a minute."""
    begins_after: float = 0.0
    """Seconds after the epoch before which there is nothing."""
    epoch: int = 1_704_067_200


@dataclass(slots=True)
class _Figures:
    calls: int = 0
    answered: int = 0
    failed: int = 0
    seconds: int = 0
    sms: int = 0
    fee: int = 0
    sms_fee: int = 0

    def copy(self) -> "_Figures":
        return _Figures(
            self.calls,
            self.answered,
            self.failed,
            self.seconds,
            self.sms,
            self.fee,
            self.sms_fee,
        )


@dataclass(slots=True)
class _Task:
    """A campaign under way; `luck` draws what becomes of it, `fate` is drawn once."""

    id: int
    app: App
    script: int
    created: int
    numbers: int
    pace: float
    answers: float
    length: float
    waits: int
    fate: float
    luck: Random
    status: int = WAITING
    now: _Figures = field(default_factory=_Figures)
    shown: _Figures = field(default_factory=_Figures)


class OtherWorld:
    """All campaigns of an account; asked about moments that only go forward."""

    def __init__(
        self, habits: Habits, incidents: Sequence[Incident] = (), since: float | None = None
    ) -> None:
        self._habits = habits
        self._incidents = tuple(incidents)
        self._at = max(habits.epoch, int(since if since is not None else habits.epoch))
        self._at -= self._at % DAY
        self._due: list[_Task] = []
        self._tasks: list[_Task] = []
        self._active: list[_Task] = []
        self._mood: dict[tuple[int, int], float] = {}
        self._calling = 0

    @classmethod
    def around(cls, habits: Habits, moment: float) -> "OtherWorld":
        """Return a world without incidents that knows all that goes on from a moment on."""
        return cls(habits, since=moment - _LONGEST_TASK * DAY)

    def tasks(self, now: float, created_from: float, created_to: float) -> list[Reading]:
        """Return tasks created between two moments (Unix seconds, both included), as of `now`."""
        while self._at + MINUTE <= now:
            self._minute(self._at)
            self._at += MINUTE
        first = bisect_left(self._tasks, math.ceil(created_from), key=_created)
        last = bisect_right(self._tasks, math.floor(min(created_to, now)), key=_created)
        return [self._reading(task) for task in self._tasks[first:last]]

    # --- what happens in a minute ---------------------------------------------------------------

    def _minute(self, at: int) -> None:
        if at % DAY == 0:
            # A day's campaigns are made at UTC's midnight, which is local morning.
            self._due = sorted(self._campaigns(at // DAY), key=_created)
            kept_from = bisect_left(self._tasks, at - _FORGOTTEN_AFTER, key=_created)
            del self._tasks[:kept_from]
            self._mood.clear()
        while self._due and self._due[0].created < at + MINUTE:
            task = self._due.pop(0)
            for copy in self._born(task):
                self._tasks.append(copy)
                self._active.append(copy)
        self._calling = sum(task.status in _ON_A_LINE for task in self._active)
        for task in self._active:
            self._live(task, at)
        self._active = [task for task in self._active if task.status not in _ENDED]

    def _born(self, task: _Task) -> list[_Task]:
        """Return what is created of a planned task: nothing in a silence, copies in a runaway."""
        kinds = self._hit_by(task.app.id, task.created)
        if IncidentKind.SILENCE in kinds:
            return []
        copies = [task]
        if IncidentKind.SPEND_RUNAWAY in kinds and self._habits.seed % 2:
            # Something submits the same campaigns again and again.
            for number in range(1, 8):
                twin = Random(f"{self._habits.seed} twin {task.id} {number}")  # noqa: S311
                copies.append(
                    _Task(
                        task.id + number,
                        task.app,
                        task.script,
                        task.created,
                        task.numbers,
                        task.pace,
                        task.answers,
                        task.length,
                        task.waits,
                        twin.random(),
                        twin,
                    )
                )
        return copies

    def _live(self, task: _Task, at: int) -> None:
        kinds = self._hit_by(task.app.id, at)
        if task.status in {WAITING, SUBMITTING}:
            if IncidentKind.STUCK_WAITING not in kinds:
                self._wait(task, kinds)
            return
        if task.status == SUSPENDED and task.fate < _FATED_TO_PAUSE:
            if task.luck.random() < _GOES_ON:
                task.status, task.fate = CALLING, 0.5  # once is enough
            return
        open_, close = self._habits.calling_hours
        hour = (at + ZONE_OFFSET) % DAY / HOUR
        if IncidentKind.SUSPENDED in kinds and task.fate < STRENGTHS[IncidentKind.SUSPENDED][0]:
            task.status = SUSPENDED
        elif not open_ <= hour < close:
            task.status = self._habits.pauses_as
        else:
            task.status = CALLING
            if not kinds & {IncidentKind.STUCK_CALLING, IncidentKind.SILENCE}:
                self._call(task, at, kinds)
        if (at // MINUTE + task.id) % self._habits.shown_every == 0 or task.status in _ENDED:
            task.shown = task.now.copy()

    def _wait(self, task: _Task, kinds: frozenset[IncidentKind]) -> None:
        if task.waits > 0:
            task.waits -= 1
        elif task.status == WAITING:
            if self._calling < self._habits.lines:
                task.status = SUBMITTING
                self._calling += 1
        elif task.luck.random() < (0.7 if IncidentKind.SUBMISSION_FAILURES in kinds else 0.008):
            task.status = FAILED
        else:
            task.status = CALLING

    def _call(self, task: _Task, at: int, kinds: frozenset[IncidentKind]) -> None:
        luck, figures = task.luck, task.now
        mean = task.pace * (luck.expovariate(1.0) * 0.5 + 0.5)
        calls = min(task.numbers - figures.calls, _rounded(mean, luck))
        failing = 0.06
        if IncidentKind.FAILURES in kinds:
            failing = 0.77
        failed = _binomial(luck, calls, failing)
        answers = task.answers * self._mood_of(task.app.id, at // HOUR)
        answers *= 0.2 if IncidentKind.ANSWER_COLLAPSE in kinds else 1.0
        answers *= 0.5 if IncidentKind.ANSWER_HALVING in kinds else 1.0
        answered = _binomial(luck, calls - failed, min(0.95, answers))
        length = task.length
        length *= 0.15 if IncidentKind.SHORT_CALLS in kinds else 1.0
        length *= 4.0 if IncidentKind.LONG_CALLS in kinds else 1.0
        seconds = 0
        if answered:
            shape = 1.2 * answered  # of so many lengths, each of them about exponential
            seconds = max(answered, round(luck.gammavariate(shape, length / 1.2)))
        sms = _binomial(luck, answered, 0.08)
        sms *= 10 if IncidentKind.SMS_SURGE in kinds else 1
        price = self._habits.price
        if IncidentKind.SPEND_RUNAWAY in kinds and not self._habits.seed % 2:
            price *= 8
        figures.calls += calls
        figures.answered += answered
        figures.failed += failed
        figures.seconds += seconds
        figures.sms += sms
        figures.fee += round(seconds / 60 * price * 1e6)
        figures.sms_fee += round(sms * price / 3 * 1e6)
        if figures.calls >= task.numbers:
            task.status = FINISHED
        elif task.fate > _FATED_TO_BE_CANCELLED and figures.calls > task.numbers * 0.4:
            task.status = CANCELLED
        elif task.fate < _FATED_TO_PAUSE and figures.calls > task.numbers * 0.3:
            task.status = SUSPENDED

    def _hit_by(self, app: int, at: int) -> frozenset[IncidentKind]:
        if not self._incidents:
            return _NOTHING
        return frozenset(
            each.kind
            for each in self._incidents
            if each.begin <= at < each.end and each.app in {None, app}
        )

    def _mood_of(self, app: int, hour: int) -> float:
        found = self._mood.get((app, hour))
        if found is None:
            habits = self._habits
            drawn = Random(f"{habits.seed} mood {app} {hour}").gauss(0.0, habits.mood)  # noqa: S311
            weeks = (hour * HOUR - habits.epoch) / (7 * DAY)
            found = math.exp(drawn + habits.drift * weeks)
            self._mood[app, hour] = found
        return found

    # --- what is planned for a day --------------------------------------------------------------

    def _campaigns(self, day: int) -> list[_Task]:
        habits = self._habits
        number = day - habits.epoch // DAY
        chance = Random(f"{habits.seed} day {number}")  # noqa: S311
        found: list[_Task] = []
        weights = [app.share for app in habits.apps]
        # UTC's day of the simulation is local 08:00 to 08:00: the early hours are the next day's.
        for hour in range(24):
            local = (hour + ZONE_OFFSET // HOUR) % 24
            date = number + (hour + ZONE_OFFSET // HOUR) // 24
            if date in habits.holidays:
                continue
            rate = habits.tasks_per_day * habits.weekdays[date % 7]
            rate *= habits.hours[local] / sum(habits.hours)
            batches = _poisson(chance, rate / habits.batch * chance.lognormvariate(-0.045, 0.3))
            for _ in range(batches):
                at = day * DAY + hour * HOUR + chance.randrange(HOUR)
                app = chance.choices(habits.apps, weights)[0]
                size = 1 + (_poisson(chance, habits.batch - 1) if habits.batch > 1 else 0)
                for _ in range(size):
                    created = at + chance.randrange(45)
                    task = self._campaign(chance, number * 1_000_000 + len(found) * 8, app, created)
                    found.append(task)
        begin = habits.epoch + habits.begins_after
        return [task for task in found if task.created >= begin]

    def _campaign(self, chance: Random, number: int, app: App, created: int) -> _Task:
        habits = self._habits
        luck = Random(f"{habits.seed} task {number}")  # noqa: S311
        ratio, wild = app.answer_ratio, habits.dispersion
        numbers = min(
            60_000, max(3, round(chance.lognormvariate(0.0, habits.spread) * habits.numbers))
        )
        return _Task(
            number,
            app,
            50 + app.id * 10 + chance.randrange(app.scripts),
            created,
            numbers,
            max(habits.pace, numbers / 600) * chance.lognormvariate(0.0, 0.4),
            luck.betavariate(ratio * wild, (1 - ratio) * wild),
            40.0 * luck.lognormvariate(0.0, 0.25),
            self._minutes_until_due(created) + min(20, int(luck.expovariate(0.5))),
            luck.random(),
            luck,
        )

    def _minutes_until_due(self, created: int) -> int:
        due = self._habits.due_hour
        if due is None:
            return 0
        return round((due * HOUR - (created + ZONE_OFFSET)) % DAY / MINUTE)

    def _reading(self, task: _Task) -> Reading:
        shown, currency = task.shown, self._habits.currency
        agent = shown.fee * 4 // 5
        return Reading(
            task.id,
            task.app.id,
            task.script,
            float(task.created),
            task.status,
            task.numbers,
            shown.calls,
            shown.answered,
            shown.calls - shown.failed,
            shown.failed,
            shown.seconds,
            shown.seconds,
            shown.sms,
            agent,
            shown.fee - agent,
            shown.sms_fee,
            shown.fee + shown.sms_fee,
            currency,
            currency,
        )


def _created(task: _Task) -> int:
    return task.created


def _rounded(mean: float, luck: Random) -> int:
    whole = int(mean)
    return whole + (luck.random() < mean - whole)


def _binomial(luck: Random, tries: int, share: float) -> int:
    if tries > _MANY:
        drawn = luck.gauss(tries * share, math.sqrt(tries * share * (1 - share)))
        return min(tries, max(0, round(drawn)))
    return sum(luck.random() < share for _ in range(tries))


def _poisson(chance: Random, mean: float) -> int:
    if mean > _MANY:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    threshold, product, count = math.exp(-mean), chance.random(), 0
    while product > threshold:
        product *= chance.random()
        count += 1
    return count
