"""What a simulated account is like: its apps, its rhythm, its prices, its habits."""

from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One application of the account; campaigns belong to exactly one.

    `share` is its weight among the account's campaigns, `answer_ratio` the mean over its
    campaigns, `peak_hour` the local hour (0 to 24) at which most of them are created.
    """

    id: int
    name: str
    share: float = 1.0
    scripts: int = 4
    answer_ratio: float = 0.35
    peak_hour: float = 13.0


DEFAULT_APPS = (
    App(id=12, name="collections", share=3.0, scripts=5, answer_ratio=0.32, peak_hour=11.0),
    App(id=15, name="reminders", share=2.0, scripts=3, answer_ratio=0.45, peak_hour=15.0),
    App(id=21, name="surveys", share=1.0, scripts=2, answer_ratio=0.27, peak_hour=18.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole account. Durations are seconds, shares 0 to 1, prices per minute or per SMS.

    Two worlds with equal settings (and equal incidents) are the same world: nothing else,
    and least of all the moment of asking, goes into it.
    """

    seed: int = 1
    apps: tuple[App, ...] = DEFAULT_APPS
    tasks_per_day: float = 600.0  # on a working day, over all apps
    epoch: int = 1_704_067_200  # Unix seconds; no task is older (2024-01-01T00:00:00Z)
    timezone: str = "Asia/Shanghai"  # IANA name or offset, of the local times the API shows
    currency: str = "USD"

    day_shape: float = 0.75  # 0: as many campaigns at night as by day; 1: none at night
    weekend_share: float = 0.45  # of a working day's campaigns, on Saturday and Sunday
    burstiness: float = 0.5  # variance of the hourly rate over its squared mean; 0: Poisson
    dispersion: float = 12.0  # alpha + beta of the campaigns' answer rates; less is wilder

    mean_task_duration: float = 2_400.0  # of the calling itself, without waiting before it
    mean_waiting: float = 60.0
    mean_submitting: float = 15.0
    mean_numbers: float = 300.0
    mean_call_length: float = 45.0
    failure_share: float = 0.08  # of the calls
    sms_share: float = 0.1  # hang-up SMS for one answered call

    submission_failure_share: float = 0.01  # of the tasks, as the next four
    cancelled_share: float = 0.03
    suspended_share: float = 0.05
    late_settlement_share: float = 0.1
    correction_share: float = 0.0
    late_settlement_delay: float = 600.0  # at most, after the task's end
    correction_delay: float = 1_800.0  # at most, after settlement

    agent_price: Decimal = Decimal("0.023438")
    call_price: Decimal = Decimal("0.004353")
    sms_price: Decimal = Decimal("0.008")
    balance: Decimal = Decimal(50_000)  # at local midnight, when it is topped up

    def __post_init__(self) -> None:
        if not self.apps:
            raise ValueError("a world needs at least one app")
        if len({app.id for app in self.apps}) != len(self.apps):
            raise ValueError("app ids must differ")
        zone(self.timezone)  # a wrong name is refused here, not at the first query


def zone(name: str) -> tzinfo:
    """Return the zone of an IANA name (`Asia/Shanghai`), `UTC`, or an offset (`+08:00`)."""
    if name[:1] not in {"+", "-"}:
        return ZoneInfo(name)
    hours, _, minutes = name[1:].partition(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes or "0"))
    return timezone(-offset if name[0] == "-" else offset)


def micro(amount: Decimal) -> int:
    """Return an amount of money, or a price, in millionths of its currency."""
    return int(amount * 1_000_000)
