"""What goes wrong in the demo begins and ends with its buttons."""

import pytest

from exporter.demo import SCENARIOS, Incidents, config_for, world_of
from exporter.simulator import ScriptedWorld, serve

SATURDAY = 1_795_795_200  # its midnight in the world's zone, the quietest hour of a week


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


@pytest.mark.parametrize("seed", [1, 2])
async def test_where_nothing_is_wrong_no_objective_is_missed(seed: int) -> None:
    """But for a minute now and then: five minutes are the calls of few tasks."""
    settings = world_of(seed)
    async with await serve(settings) as simulator:
        (account,) = config_for(simulator, settings).accounts
        aims = account.objectives
        assert aims.answer_ratio is not None
        assert aims.failure_ratio is not None
        missed = []
        for now in range(SATURDAY, SATURDAY + 86_400, 300):
            tasks = list(simulator.world.tasks(now, now - 300, now, None))
            calls = sum(task.calls for task in tasks)
            few_answered = sum(task.answered for task in tasks) < aims.answer_ratio * calls
            many_failed = sum(task.fail for task in tasks) > aims.failure_ratio * calls
            missed.append(few_answered or many_failed)
    assert sum(missed) < len(missed) * 0.02
