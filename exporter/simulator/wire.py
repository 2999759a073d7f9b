"""The vendor's formats, written: local times, money, percent, durations, the record."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from exporter.simulator.campaign import Campaign
from exporter.simulator.figures import Figures

TASK_TYPE = 3  # AI Agent group call
MILLION = 1_000_000
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
_LATEST = 253_370_764_800  # the year 9999; what is later, or before 1970, has no zone data
_QUARTER = 900  # every zone in use changes its offset at a quarter of an hour


class LocalTime:
    """The API's local times: one zone, one-second resolution, no sign of which fold.

    A local time is kept as seconds: what a clock on the wall shows, read as if it were UTC.
    Two moments can have the same one where clocks are set back.
    """

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._offset = lru_cache(maxsize=100_000)(self._offset_of_quarter)

    def _offset_of_quarter(self, quarter: int) -> int:
        moment = min(max(quarter * _QUARTER, 0), _LATEST)
        offset = datetime.fromtimestamp(moment, self.zone).utcoffset()
        return 0 if offset is None else round(offset.total_seconds())

    def seconds(self, moment: float) -> int:
        """Return the local time of a moment (Unix seconds)."""
        return int(moment // 1) + self._offset(int(moment // _QUARTER))

    def moments(self, local: int) -> tuple[int, int]:
        """Return the earliest and the latest moment that can bear this local time."""
        naive = datetime.fromtimestamp(local, UTC).replace(tzinfo=None)
        both = [naive.replace(tzinfo=self.zone, fold=fold).timestamp() for fold in (0, 1)]
        return int(min(both)), int(max(both))


def label(local: int) -> str:
    """Write a local time: `2024-06-04 14:49:36`."""
    return datetime.fromtimestamp(local, UTC).replace(tzinfo=None).isoformat(" ")


def parse_label(text: object) -> int | None:
    """Read a local time; None where it is not one to the letter."""
    if not isinstance(text, str):
        return None
    try:
        local = int(datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        return None
    return local if label(local) == text else None


def amount(millionths: int) -> str:
    """Write money: six places, or a bare `0`, as the vendor does."""
    if millionths == 0:
        return "0"
    sign = "-" if millionths < 0 else ""
    whole, rest = divmod(abs(millionths), MILLION)
    return f"{sign}{whole}.{rest:06d}"


def name_of(campaign: Campaign) -> str:
    """Return the task's name: when it was named, a little before its creation, and what it is."""
    return f"{label(campaign.local - campaign.phase % 60)}-{campaign.title}"


def record_of(campaign: Campaign, figures: Figures, currency: str) -> dict[str, Any]:
    """Return the record, keys in the vendor's order."""
    calls, answered, billed = figures.calls, figures.answered, figures.billed_seconds
    return {
        "taskId": campaign.id,
        "taskName": name_of(campaign),
        "status": int(figures.status),
        "rate": str(calls * 100 // campaign.numbers),
        "numCnt": campaign.numbers,
        "callNum": calls,
        "success": figures.success,
        "fail": figures.fail,
        "createdTime": label(campaign.local),
        "scriptId": campaign.script,
        "taskType": TASK_TYPE,
        "answeredNum": answered,
        "asr": str(_rounded(answered * 100, calls)),
        "agentTotalFeetime": figures.agent_seconds,
        "agentFee": amount(figures.agent_fee),
        "chargeLen": billed,
        "acd": f"{_rounded(billed, answered)}s",
        "groupCallPayFee": f"{amount(figures.call_fee)}({currency})",
        "smsPayFee": f"{amount(figures.sms_fee)}({currency})",
        "taskSumPayFee": f"{amount(figures.total_fee)}({currency})",
        "sendSmsNum": figures.sms,
    }


def _rounded(part: int, whole: int) -> int:
    """Return part / whole, rounded half up; 0 where there is nothing to divide by."""
    return (2 * part + whole) // (2 * whole) if whole else 0
