"""When campaigns are created: by day more than by night, in bursts, any hour on its own.

Each hour (of Unix time) is drawn from the seed, the app and the hour alone, so hours can be
made in any order, or not at all.
"""

import math
from collections.abc import Iterable
from functools import cache
from random import Random

from exporter.simulator.campaign import Campaign, chance, plan, scripts_of
from exporter.simulator.settings import SECONDS_A_DAY, App, Settings, zone
from exporter.simulator.wire import LocalTime

HOUR = 3600
FIRST_ID = 5_000_000
_SATURDAY = 5
_MANY = 30.0  # above this mean a Poisson number is as good as normal


class Arrivals:
    """The campaigns of each hour."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.local_time = LocalTime(zone(settings.timezone))
        self._scripts = {app.id: scripts_of(app, settings) for app in settings.apps}
        self._weights = {
            app: [script.weight for script in scripts] for app, scripts in self._scripts.items()
        }
        self._shares = sum(app.share for app in settings.apps)
        # Ids grow with creation. An hour's ids are a block of their own, so that no hour
        # needs to know how many campaigns the hours before it had.
        self._block: int = 10 ** max(3, math.ceil(math.log10(max(1.0, settings.tasks_per_day))))

    def hour(self, number: int) -> list[Campaign]:
        """Return the campaigns created in hour `number` since 1970, oldest first."""
        settings = self._settings
        first = settings.epoch // HOUR
        if number < first:
            return []
        campaigns = [c for app in settings.apps for c in self._of_app(app, number)]
        campaigns.sort(key=lambda c: (c.created, c.app))
        del campaigns[self._block :]
        base = FIRST_ID + (number - first) * self._block
        for index, campaign in enumerate(campaigns):
            campaign.id = base + index
        return [c for c in campaigns if c.created >= settings.epoch]

    def hour_of(self, task_id: int) -> int:
        """Return the number of the hour whose block of ids holds `task_id`."""
        return (task_id - FIRST_ID) // self._block + self._settings.epoch // HOUR

    def _of_app(self, app: App, hour: int) -> Iterable[Campaign]:
        rng = chance(self._settings.seed, app.id, hour)
        start = hour * HOUR
        for offset in _moments(rng, _poisson(rng, self._mean(app, start, rng))):
            created = start + offset
            script = rng.choices(self._scripts[app.id], self._weights[app.id])[0]
            local = self.local_time.seconds(created)
            yield plan(rng, self._settings, app, script, created=created, local=local)

    def _mean(self, app: App, start: int, rng: Random) -> float:
        """Return the expected number of campaigns in the hour, its burst included."""
        settings = self._settings
        local = self.local_time.seconds(start + HOUR // 2)
        weekday = (local // SECONDS_A_DAY + 3) % 7  # day 0 of Unix time was a Thursday
        hour_of_day = local % SECONDS_A_DAY // HOUR
        a_day = settings.tasks_per_day * app.share / self._shares
        week = settings.weekend_share if weekday >= _SATURDAY else 1.0
        shape = _day_shape(app.peak_hour, settings.day_shape)[hour_of_day]
        burst = 1.0
        if settings.burstiness > 0:
            burst = rng.gammavariate(1 / settings.burstiness, settings.burstiness)
        return a_day * week * shape * burst


@cache
def _day_shape(peak: float, depth: float) -> tuple[float, ...]:
    """Return the share of a day's campaigns in each local hour; they sum to 1."""
    bell = [math.exp(2.5 * (math.cos((h + 0.5 - peak) * math.pi / 12) - 1)) for h in range(24)]
    whole = sum(bell)
    return tuple((1 - depth) / 24 + depth * value / whole for value in bell)


def _poisson(rng: Random, mean: float) -> int:
    """Draw from the Poisson law."""
    if mean > _MANY:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, number = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        number += 1
    return number


def _moments(rng: Random, number: int) -> list[int]:
    """Return seconds within the hour; half of them soon after another: people start several."""
    moments: list[int] = []
    for _ in range(number):
        if moments and rng.random() < 1 / 2:
            near = moments[rng.randrange(len(moments))] + round(rng.expovariate(1 / 20))
            moments.append(min(HOUR - 1, near))
        else:
            moments.append(rng.randrange(HOUR))
    return sorted(moments)
