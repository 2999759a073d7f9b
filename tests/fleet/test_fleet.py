"""The fleet's promises on real processes, in short; `make fleet-test` is the long trial."""

import pytest

from tests.fleet.fake_api import World
from tests.fleet.fleet import Plan
from tests.fleet.trial import trial
from tests.fleet.watch import Watch

pytestmark = pytest.mark.integration


async def test_sums_are_exact_whatever_befalls_the_replicas() -> None:
    plan = Plan(
        accounts=40,
        interval=6,
        lasts=48,
        every=8,
        scrape=1.5,
        # Here they come faster than one replica's loss is made good.
        intervals=4,
        troubles=("stop", "drain", "cut", "silence", "drain in silence", "database"),
    )
    verdict = await trial(plan)
    assert not verdict.faults, "\n".join(verdict.lines())
    assert verdict.calls > 0
    assert verdict.commits > plan.accounts
    assert set(verdict.troubles) == {"kill", *plan.troubles}


OWNED = 'itnio_exporter_account_owned{account="a"} 1\n'


def test_a_counter_that_goes_down_is_seen() -> None:
    watch = Watch()
    watch.take("one", 'itnio_voice_calls_total{account="a"} 7\n', {}, 0, 1)
    floor = dict(watch.highest)
    watch.take("two", 'itnio_voice_calls_total{account="a"} 6\n', floor, 2, 3)
    assert watch.faults == ['two: itnio_voice_calls_total{account="a"} went from 7.0 to 6.0']
    assert watch.sums() == {"a": {"calls": 7}}


def test_two_owners_and_none_are_seen() -> None:
    watch = Watch(judging=True)
    for replica, begun in (("one", 0), ("two", 2), ("one", 4), ("one", 30)):
        watch.take(replica, OWNED, {}, begun, begun + 1)
    assert watch.faults == ["a: owned by one and by two at once"]
    assert watch.sights["a"].longest_unowned == 25


def test_an_owner_is_seen_also_between_scrapes() -> None:
    watch = Watch(judging=True)
    watch.take("one", OWNED, {}, 0, 1)
    watch.look(OWNED.replace(" 1", " 0"), 3, 4)
    watch.look(OWNED, 8, 9)
    watch.take("two", OWNED, {}, 12, 13)
    assert watch.sights["a"].longest_unowned == 7


def test_the_world_stands_still_when_it_is_told_to() -> None:
    world = World(2, begin=1_000.0, frozen=1_200.0)
    sums = world.truth()
    assert sums == world.truth()
    assert sums["0"]["calls"] > sums["0"]["answered_calls"] > 0
    assert sums["0"] != sums["1"]
