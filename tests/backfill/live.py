"""What an exporter that polls live would have published, to hold a backfill against."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporter.backfill.lines import FAMILIES
from exporter.backfill.work import Outside
from exporter.config import Config
from exporter.simulator import App, Settings, SimulatedWorld, Simulator
from exporter.snapshot import AccountSnapshot
from tests.accounts import config_for, polled
from tests.virtual_time import BEGIN, VirtualTime

STEP = 600
DAY = 86_400
PEAK_HOUR = 10.25
"""UTC; half a day from it, where tests begin, nobody calls."""
APPS = (
    App(id=12, name="collections", share=3.0, scripts=2, answer_ratio=0.32, peak_hour=PEAK_HOUR),
    App(id=15, name="reminders", share=2.0, scripts=1, answer_ratio=0.45, peak_hour=PEAK_HOUR),
)
APPS_CONFIG = "apps: [{id: 12, name: collections}, {id: 15, name: reminders}]"

Series = tuple[str, frozenset[tuple[str, str]]]
Points = dict[Series, dict[int, float]]
"""The samples of each series by Unix time."""


def world(*, tasks_per_day: float = 150, seed: int = 1) -> SimulatedWorld:
    """A few days in which everybody sleeps at night, so that there are settled windows."""
    return SimulatedWorld(
        Settings(
            seed=seed,
            apps=APPS,
            tasks_per_day=tasks_per_day,
            epoch=int(BEGIN) - 2 * DAY,
            timezone="UTC",
            day_shape=1.0,
            burstiness=0.0,
            weekend_share=1.0,
        )
    )


def config(simulator: Simulator) -> Config:
    return config_for(simulator, f"interval: {STEP}s\nwindows: [1h, 6h, 24h]", APPS_CONFIG)


def outside(time: VirtualTime) -> Outside:
    return Outside(now=time.now, monotonic=time.monotonic, sleep=asyncio.sleep)


@dataclass
class Recording:
    """What was published at each poll."""

    points: Points = field(default_factory=dict)
    moments: list[int] = field(default_factory=list)

    def take(self, snapshot: AccountSnapshot, moment: int) -> None:
        assert snapshot.figures is not None
        assert int(snapshot.figures.taken_at) == moment
        self.moments.append(moment)
        for family in FAMILIES:
            for values, value in family.samples(snapshot):
                labels = dict(zip(family.labels, values, strict=True))
                series = (family.name, frozenset({"account": snapshot.account, **labels}.items()))
                self.points.setdefault(series, {})[moment] = float(value)


async def record(config: Config, time: VirtualTime, until: float) -> Recording:
    """Poll live each step from now on, until so many seconds since the test began."""
    recording = Recording()
    first = time.monotonic()
    assert first == int(first)
    async with polled(config, time) as accounts:
        await accounts.start()
        moment = first
        while moment <= until:
            await asyncio.sleep(moment + 60 - time.monotonic())
            await accounts.exposition.scrape(openmetrics=True, compressed=False)
            recording.take(accounts.snapshots["production"], int(BEGIN + moment))
            moment += STEP
    return recording


def read_points(path: Path, without: Mapping[str, str] | None = None) -> Points:
    """The samples of an OpenMetrics file, as strictly read as the format is meant."""
    extra = set((without or {}).items())
    points: Points = {}
    families = text_string_to_metric_families(path.read_text())  # type: ignore[no-untyped-call]
    for family in families:
        for sample in family.samples:
            labels = set(sample.labels.items())
            assert extra <= labels
            times = points.setdefault((sample.name, frozenset(labels - extra)), {})
            assert sample.timestamp is not None
            moment = int(float(sample.timestamp))
            assert not times or moment > max(times)
            times[moment] = sample.value
    return points


def chosen(points: Points, wanted: Callable[[str, dict[str, str]], bool]) -> Points:
    return {series: times for series, times in points.items() if wanted(series[0], dict(series[1]))}


class Silent:
    """Hears how far a backfill is, and says nothing."""

    def reading(self, account: str, done: float) -> None:
        assert 0 < done <= 1, account

    def replaying(self, account: str, done: float) -> None:
        assert 0 < done <= 1, account

    def writing(self, done: float) -> None:
        assert 0 < done <= 1


def mean_difference(live: Points, made: Points, name: str, window: str) -> float:
    """How far a gauge is from what was published live: the mean over all its samples, of 1."""
    differences = [
        abs(made[series].get(moment, 0) - value) / value
        for series, points in live.items()
        if series[0] == name and dict(series[1])["window"] == window
        for moment, value in points.items()
        if value
    ]
    return sum(differences) / len(differences)


def hourly_difference(live: Points, made: Points, name: str) -> float:
    """How far a counter's increases of an hour are from live ones: the mean, of the mean."""
    apart = whole = 0.0
    for series, points in live.items():
        if series[0] != name or series not in made:
            continue
        for moment, value in points.items():
            earlier, made_earlier = points.get(moment - 3600), made[series].get(moment - 3600)
            if earlier is not None and made_earlier is not None:
                whole += value - earlier
                apart += abs(value - earlier - (made[series][moment] - made_earlier))
    return apart / whole
