"""The demo, as dashboards are held against it."""

import time

from exporter.demo import world_of
from exporter.simulator import Selection, SimulatedWorld

ALL = {"account": ".*", "app": ".*", "script": ".*", "window": "24h"}
DAY = 86_400
SINCE = 60.0
"""How far back ranges are asked, in seconds: more than the tests take to get there."""


CALLING = 1


def awake() -> int:
    """The seed of a world in which campaigns are calling now: in some of them people sleep."""
    soon = time.time() + 120  # what calls then has not ended before
    for seed in range(1, 100):
        world = SimulatedWorld(world_of(seed))
        local = int(soon) + DAY  # a range beyond every zone; nothing exists that is not created yet
        tasks = world.select(soon, Selection(local - 3 * DAY, local))
        well_on = [
            record
            for record in world.records(soon, tasks)
            if record["status"] == CALLING and float(record["rate"]) >= 20
        ]
        if len(well_on) >= 3:
            return seed
    raise AssertionError("every world sleeps")
