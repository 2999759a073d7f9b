"""How faults are brought about: each function gives an event for a row's beginning or end."""

import json
from typing import TYPE_CHECKING, Any

from exporter.simulator import Fault, FaultKind
from tests.faults.row import Event, Meanwhile, Row

if TYPE_CHECKING:
    from tests.faults.bench import Bench


async def nothing(_: "Bench") -> None:
    """Leave things as they are."""


def faults(*given: Fault) -> Event:
    """Switch faults of the faulty account's API on."""

    async def begin(bench: "Bench") -> None:
        for each in given:
            bench.faulty.faults.add(each)

    return begin


def api(
    kind: FaultKind, amount: float | None = None, text: str | None = None, **more: Any
) -> Event:
    """Switch one fault of the faulty account's API on."""
    return faults(Fault(kind=kind, amount=amount, text=text, **more))


def answer(body: object) -> Event:
    """Let the API answer every request with this JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return api(FaultKind.JSON_OF_ANOTHER_SHAPE, text=text)


async def clear(bench: "Bench") -> None:
    """Switch all faults of the API off."""
    bench.faulty.faults.clear()


class Group:
    """Makes the rows of one group, most of which are faults of the API that are switched off."""

    def __init__(self, title: str) -> None:
        self.title = title

    def row(self, name: str, fault: str, begins: Event, meanwhile: Meanwhile, **more: Any) -> Row:
        ends = more.pop("ends", clear)
        return Row(
            name=name,
            group=self.title,
            fault=fault,
            begins=begins,
            ends=ends,
            meanwhile=meanwhile,
            **more,
        )
