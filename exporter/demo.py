"""A simulated account and the exporter over it, in one process: nothing to configure.

What can be made to go wrong in it is known here alone; the exporter proper has no way to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from exporter.app import App
from exporter.config import Config, parse
from exporter.simulator import (
    ApiRules,
    Fault,
    FaultKind,
    Incident,
    IncidentKind,
    Settings,
    SimulatedWorld,
    Simulator,
    serve,
)
from exporter.web.demonstration import Offer
from exporter.web.options import WebOptions

_CONFIG: Final = """
poll: {{interval: 5s, requests_per_second: 50, windows: [5m, 1h, 24h]}}
accounts:
  - name: demo
    api_key: "{key}"
    api_secret: "{secret}"
    base_url: {url}
    timezone: {timezone}
    currency: {currency}
    apps: [{apps}]
    objectives: {{answer_ratio: 0.2, failure_ratio: 0.25, average_call_duration: 20s,
                 daily_spend: 7000, minimum_balance: 10000}}
    balance: true
"""
_FOREVER: Final = 10 * 365 * 86_400.0
"""Seconds; an incident lasts until it is ended."""


def world_of(seed: int) -> Settings:
    """Return an account that is busy at any hour of any day: what goes wrong shows in a minute."""
    return Settings(
        seed=seed,
        tasks_per_day=4_000,
        day_shape=0.1,
        weekend_share=1.0,
        burstiness=0.05,
        dispersion=40.0,
    )


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something to go wrong: in the world, by kind and strength, or in the API over it."""

    offer: Offer
    incidents: tuple[tuple[IncidentKind, float], ...] = ()
    fault: Fault | None = None


SCENARIOS: Final = (
    Scenario(
        Offer(
            "answers",
            "Hardly anybody answers",
            "The answer ratio of the last 5 minutes falls at once, and misses its objective in "
            "one or two minutes.",
        ),
        ((IncidentKind.ANSWER_COLLAPSE, 0.03),),
    ),
    Scenario(
        Offer(
            "failures",
            "Most calls fail",
            "The failure ratio of the last 5 minutes misses its objective in about half a minute.",
        ),
        ((IncidentKind.FAILURES, 0.9),),
    ),
    Scenario(
        Offer(
            "spend",
            "Spend runs away",
            "Every call costs 40 times as much: the spend of the last 5 minutes multiplies, and "
            "the day's objective is missed in a few minutes.",
        ),
        ((IncidentKind.SPEND_RUNAWAY, 40.0),),
    ),
    Scenario(
        Offer(
            "stuck",
            "Tasks get stuck",
            "Half of the tasks are suspended with the next poll; the others stop calling, which "
            "is called stalled after 10 minutes.",
        ),
        ((IncidentKind.SUSPENDED, 0.5), (IncidentKind.STUCK_CALLING, 1.0)),
    ),
    Scenario(
        Offer(
            "api",
            "The API fails",
            "It answers 503. Polling fails with the next poll; figures are withdrawn after 5 "
            "minutes.",
        ),
        fault=Fault(kind=FaultKind.HTTP_STATUS, amount=503),
    ),
    Scenario(
        Offer(
            "refused",
            "The key is refused",
            "It answers with code -1. Polls become rarer while that lasts, so after its end it "
            "takes a while until the next one.",
        ),
        fault=Fault(kind=FaultKind.API_CODE, amount=-1, text="authentication error"),
    ),
)


class Incidents:
    """What goes wrong in a running simulation; the web's ``Demonstration``."""

    def __init__(self, simulator: Simulator, scenarios: Sequence[Scenario] = SCENARIOS) -> None:
        world = simulator.world
        if not isinstance(world, SimulatedWorld):
            raise TypeError("only a drawn world has incidents")
        self._world = world
        self._faults = simulator.faults
        self._clock = simulator.api.clock
        self._scenarios = {scenario.offer.name: scenario for scenario in scenarios}
        self._begun: dict[str, tuple[float, Callable[[], None]]] = {}
        """Of each that lasts: when it began (Unix seconds), and what ends it."""

    def offers(self) -> Sequence[Offer]:
        """Return all incidents; those that last have their beginning."""
        return [
            replace(scenario.offer, since=self._begun[name][0] if name in self._begun else None)
            for name, scenario in self._scenarios.items()
        ]

    def begin(self, name: str) -> None:
        """Let an incident begin; KeyError where there is none of the name."""
        scenario = self._scenarios[name]
        if name not in self._begun:
            self._begun[name] = (self._clock(), self._let_happen(scenario))

    def end(self, name: str) -> None:
        """Let an incident end, if it lasts; KeyError where there is none of the name."""
        scenario = self._scenarios[name]
        if scenario.offer.name in self._begun:
            _, end = self._begun.pop(name)
            end()

    def _let_happen(self, scenario: Scenario) -> Callable[[], None]:
        """Begin a scenario, and return what ends it."""
        now = self._clock()
        numbers = [
            self._world.add_incident(
                Incident(kind=kind, begin=now, end=now + _FOREVER, strength=strength)
            )
            for kind, strength in scenario.incidents
        ]
        fault = None if scenario.fault is None else self._faults.add(scenario.fault)

        def end() -> None:
            for number in numbers:
                self._world.end_incident(number, self._clock())
            if fault is not None:
                self._faults.clear(fault)

        return end


def config_for(simulator: Simulator, settings: Settings) -> Config:
    """Return a configuration that polls a simulated account."""
    key, secret = next(iter(simulator.api.rules.credentials.items()))
    apps = ", ".join(f"{{id: {app.id}, name: {app.name}}}" for app in settings.apps)
    text = _CONFIG.format(
        key=key,
        secret=secret,
        url=simulator.url,
        timezone=settings.timezone,
        currency=settings.currency,
        apps=apps,
    )
    return parse(text, {})


async def run(
    settings: Settings, options: WebOptions, started: Callable[[Sequence[str], str], None]
) -> None:
    """Serve the demo until it is told to stop; ``started`` is told its URLs and the API's."""
    async with await serve(settings, rules=ApiRules()) as simulator:
        config = config_for(simulator, settings)
        app = App(config, lambda: config, options, demonstration=Incidents(simulator))
        await app.run(lambda urls: started(urls, simulator.url))
