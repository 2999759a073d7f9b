"""A simulated account of the voice API: a world of campaigns, the vendor's API over it, faults.

    settings, incidents     what the account is like, and what goes wrong in it
    arrivals, campaign      which campaigns there are, and when
    course, figures         how each one goes, and its figures at any moment
    world, hour, truth      all of it, found quickly and summed exactly
    scripted                explicit records instead of a drawn world
    account, query, wire    the vendor's rules and formats
    api_server, faults      the API, and what goes wrong in it
    control, server         a running simulator, controlled over HTTP

It shares no code with the exporter proper, so that it can judge it.
"""

from exporter.simulator.account import ApiRules, Order
from exporter.simulator.clock import ManualClock, ScaledClock
from exporter.simulator.faults import Fault, FaultBoard, FaultKind
from exporter.simulator.incidents import Incident, IncidentKind
from exporter.simulator.scripted import EXAMPLE_RECORD, ScriptedWorld
from exporter.simulator.server import Simulator, serve
from exporter.simulator.settings import App, Settings
from exporter.simulator.world import Selection, SimulatedWorld, World

__all__ = [
    "EXAMPLE_RECORD",
    "ApiRules",
    "App",
    "Fault",
    "FaultBoard",
    "FaultKind",
    "Incident",
    "IncidentKind",
    "ManualClock",
    "Order",
    "ScaledClock",
    "ScriptedWorld",
    "Selection",
    "Settings",
    "SimulatedWorld",
    "Simulator",
    "World",
    "serve",
]
