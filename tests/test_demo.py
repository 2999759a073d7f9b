"""What goes wrong in the demo begins and ends with its buttons."""

import pytest

from exporter.demo import SCENARIOS, Incidents, world_of
from exporter.simulator import ScriptedWorld, serve


async def test_what_is_begun_lasts_until_it_is_ended() -> None:
    async with await serve(world_of(1)) as simulator:
        incidents = Incidents(simulator)
        for scenario in SCENARIOS:
            incidents.begin(scenario.offer.name)
            incidents.begin(scenario.offer.name)
        assert all(offer.since is not None for offer in incidents.offers())
        assert len(simulator.faults.active) == 2
        assert len(incidents._world.incidents) == sum(len(each.incidents) for each in SCENARIOS)
        for scenario in SCENARIOS:
            incidents.end(scenario.offer.name)
            incidents.end(scenario.offer.name)
        now = simulator.api.clock()
        assert simulator.faults.active == []
        assert all(each.end <= now for each in incidents._world.incidents.values())
        assert all(offer.since is None for offer in incidents.offers())


async def test_only_what_is_offered_can_be_begun_or_ended() -> None:
    async with await serve(world_of(1)) as simulator:
        incidents = Incidents(simulator)
        for take in (incidents.begin, incidents.end):
            with pytest.raises(KeyError):
                take("whatever")


async def test_explicit_records_have_no_incidents() -> None:
    async with await serve(ScriptedWorld()) as simulator:
        with pytest.raises(TypeError):
            Incidents(simulator)
