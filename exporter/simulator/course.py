"""How a campaign went: its plan and the incidents, turned into legs of constant rates.

A course is computed once; the figures at any moment are then one look-up and a few integer
products. Everything is integers, so that figures never go down by rounding and sums are exact.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from exporter.simulator.campaign import CALL, ENDED, NEVER, Campaign, Status
from exporter.simulator.incidents import FOREVER, MILLION, Effects, Timeline


class Tariff(NamedTuple):
    """Prices in millionths of the currency: a minute, a minute, an SMS."""

    agent: int
    call: int
    sms: int


class Progress(NamedTuple):
    """What has accrued, in fine units, so that nothing is lost where rates change.

    `dialled` is in 1/CALL calls, `answered`, `passed` and `sms` in millionths, lengths in
    milliseconds, `agent_fee`, `call_fee` and `sms_fee` in 1/60 of a millionth of the currency,
    `mismatch` in a millionth of that.
    """

    dialled: int
    passed: int
    answered: int
    length: int
    agent_length: int
    sms: int
    agent_fee: int
    call_fee: int
    sms_fee: int
    mismatch: int


class Rates(NamedTuple):
    """The constant rates of a leg, in the units of Progress, prices in millionths."""

    dial: int
    passing: int
    answer: int
    length: int
    agent_length: int
    sms: int
    prices: Tariff
    mismatch: int


class Leg(NamedTuple):
    """A stretch of a course, from `start` (ms) to the next leg's."""

    start: int
    status: Status
    progress: Progress
    rates: Rates | None = None

    def progress_at(self, when: int) -> Progress:
        """Return what has accrued at `when` (ms), which must not be before `start`."""
        if self.rates is None or when <= self.start:
            return self.progress
        return accrue(self.progress, self.rates, self.rates.dial * (when - self.start))


@dataclass(frozen=True, slots=True)
class Course:
    """All legs of a campaign. `ended` and `settled` are ms: nothing changes any more after."""

    starts: tuple[int, ...]
    legs: tuple[Leg, ...]
    ended: int
    settled: int
    currency: str  # "" for the account's

    def next_change(self, when: int) -> int:
        """Return the moment (ms) after `when` at which the next leg begins; FOREVER if none."""
        index = bisect_right(self.starts, when)
        return self.starts[index] if index < len(self.starts) else FOREVER

    def leg(self, when: int) -> Leg:
        """Return the leg at `when` (ms); the first also before it."""
        if when >= self.ended:
            return self.legs[-1]
        return self.legs[max(0, bisect_right(self.starts, when) - 1)]


def accrue(before: Progress, rates: Rates, dialled: int) -> Progress:
    """Return `before` and what `dialled` more (1/CALL calls) adds at these rates."""
    after = before.dialled + dialled
    calls = after // CALL - before.dialled // CALL
    answered = before.answered + rates.answer * calls
    answers = answered // MILLION - before.answered // MILLION
    length = before.length + rates.length * answers
    agent_length = before.agent_length + rates.agent_length * answers
    sms = before.sms + rates.sms * answers
    prices = rates.prices
    call_fee = prices.call * (length // 1000 - before.length // 1000)
    agent_fee = prices.agent * (agent_length // 1000 - before.agent_length // 1000)
    sms_fee = prices.sms * (sms // MILLION - before.sms // MILLION) * 60
    return Progress(
        after,
        before.passed + rates.passing * calls,
        answered,
        length,
        agent_length,
        sms,
        before.agent_fee + agent_fee,
        before.call_fee + call_fee,
        before.sms_fee + sms_fee,
        before.mismatch + rates.mismatch * (agent_fee + call_fee + sms_fee),
    )


def chart(campaign: Campaign, timeline: Timeline, tariff: Tariff) -> Course:
    """Work out the whole course of a campaign."""
    return _Voyage(campaign, timeline, tariff).course()


class _Voyage:
    """The state while a course is worked out."""

    def __init__(self, campaign: Campaign, timeline: Timeline, tariff: Tariff) -> None:
        self._plan = campaign
        self._timeline = timeline
        self._tariff = tariff
        self._now = campaign.created * 1000
        # Answered and passed share the campaign's phase, so answered <= passed holds always.
        self._progress = Progress(0, campaign.phase, campaign.phase, 0, 0, 0, 0, 0, 0, 0)
        self._legs: list[Leg] = []
        self._pause = campaign.suspend_at

    def course(self) -> Course:
        effects, _ = self._timeline.at(self._now)
        currency = effects.currency if self._plan.luck < effects.foreign else ""
        self._go()
        last = self._legs[-1]
        ended = last.start if last.status in ENDED else FOREVER
        settled = ended
        if ended < FOREVER:
            settled += max(0, self._plan.settles_ms) + max(0, self._plan.corrected_ms)
        starts = tuple(leg.start for leg in self._legs)
        return Course(starts, tuple(self._legs), ended, settled, currency)

    def _go(self) -> None:
        if not self._wait(Status.WAITING, self._plan.waiting_ms):
            return
        if self._plan.cancel_at == 0:
            self._enter(Status.CANCELLED)
            return
        if not self._wait(Status.SUBMITTING, self._plan.submitting_ms):
            return
        effects, _ = self._timeline.at(self._now)
        if self._plan.submission_fails or self._plan.luck < effects.submission_failures:
            self._enter(Status.SUBMISSION_FAILED)
            return
        while self._now < FOREVER and self._call():
            pass

    def _enter(self, status: Status, rates: Rates | None = None) -> None:
        self._legs.append(Leg(self._now, status, self._progress, rates))

    def _wait(self, status: Status, duration: int) -> bool:
        """Stay `duration` ms in a status, longer where it is stuck; False: for ever."""
        self._enter(status)
        while True:
            effects, until = self._timeline.at(self._now)
            if self._plan.luck < effects.stuck_waiting:
                self._now = until
                if until == FOREVER:
                    return False
            elif self._now + duration <= until:
                self._now += duration
                return True
            else:
                duration -= until - self._now
                self._now = until

    def _call(self) -> bool:
        """Make calls until the rates or the status change; False where the task has ended."""
        effects, until = self._timeline.at(self._now)
        if self._plan.luck < effects.suspended:
            self._enter(Status.SUSPENDED)
            self._now = until
            return True
        rates = self._rates(effects)
        self._enter(Status.CALLING, rates)
        goal = self._goal() * CALL
        missing = goal - self._progress.dialled
        arrival = self._now - (-missing // rates.dial) if rates.dial else FOREVER
        if arrival > until:
            self._progress = accrue(self._progress, rates, rates.dial * (until - self._now))
            self._now = until
            return True
        self._progress = accrue(self._progress, rates, missing)
        self._now = arrival
        if goal == self._pause * CALL:
            self._pause = NEVER
            self._enter(Status.SUSPENDED)
            self._now += self._plan.suspended_ms
            return True
        cancelled = goal == self._plan.cancel_at * CALL
        self._enter(Status.CANCELLED if cancelled else Status.FINISHED)
        return False

    def _goal(self) -> int:
        """Return the number of calls at which the status changes next."""
        plan = self._plan
        goal = plan.numbers if plan.cancel_at == NEVER else plan.cancel_at
        return self._pause if NEVER < self._pause < goal else goal

    def _rates(self, effects: Effects) -> Rates:
        plan, prices = self._plan, self._tariff
        if effects.price != MILLION:
            prices = Tariff(*(price * effects.price // MILLION for price in prices))
        passing = plan.passing * effects.passing // MILLION
        answer = plan.answer * effects.answering // MILLION * effects.passing // MILLION
        return Rates(
            dial=0 if plan.luck < effects.stuck_calling else plan.dial_rate,
            passing=passing,
            answer=min(answer, passing),
            length=plan.length_ms * effects.length // MILLION,
            agent_length=plan.agent_ms * effects.length // MILLION,
            sms=plan.sms * effects.sms // MILLION,
            prices=prices,
            mismatch=effects.mismatch,
        )
