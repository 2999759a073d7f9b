"""The figures of one task at one moment, in whole units; money in millionths."""

from typing import NamedTuple

from exporter.simulator.campaign import CALL, NEVER, Campaign, Status
from exporter.simulator.course import Course
from exporter.simulator.incidents import MILLION


class Figures(NamedTuple):
    """What the API would show. Fees are millionths of the currency, lengths seconds."""

    status: Status
    calls: int
    success: int
    answered: int
    agent_seconds: int
    billed_seconds: int
    sms: int
    agent_fee: int
    call_fee: int
    sms_fee: int
    total_fee: int

    @property
    def fail(self) -> int:
        """Calls that failed."""
        return self.calls - self.success


def figures_at(
    campaign: Campaign, course: Course, when: int, *, corrections: bool = True
) -> Figures:
    """Return a task's figures at `when` (ms).

    Without `corrections` they are the highest ever shown until then: a correction is the
    only thing that takes anything away.
    """
    leg = course.leg(when)
    progress = leg.progress_at(when)
    agent_fee = progress.agent_fee // 60
    call_fee = progress.call_fee // 60
    sms_fee = progress.sms_fee // 60
    billed = progress.length // 1000
    mismatch = progress.mismatch // (60 * MILLION)
    if when >= course.ended:
        settled = course.ended + max(0, campaign.settles_ms)
        if campaign.settles_ms != NEVER and when >= settled:
            call_fee += -(-call_fee * campaign.settlement // MILLION)
        if corrections and campaign.corrected_ms != NEVER and when >= course.settled:
            call_fee -= call_fee * campaign.correction // MILLION
            billed -= billed * campaign.correction // MILLION
    return Figures(
        leg.status,
        progress.dialled // CALL,
        progress.passed // MILLION,
        progress.answered // MILLION,
        progress.agent_length // 1000,
        billed,
        progress.sms // MILLION,
        agent_fee,
        call_fee,
        sms_fee,
        agent_fee + call_fee + sms_fee + mismatch,
    )
