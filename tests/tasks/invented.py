"""Invented tasks: one with given figures, and strategies for any."""

from decimal import Decimal
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from exporter.tasks.inventory import Inventory, ScriptLabels
from exporter.tasks.task import Money, Status, Task

NOW: Final = 1_700_000_000
ENDED: Final = (Status.FINISHED, Status.SUBMISSION_FAILED, Status.CANCELLED)

quick = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,  # a shared machine must not decide
    suppress_health_check=[HealthCheck.too_slow],
)


def task(
    task_id: int = 1,
    created: int = NOW,
    status: Status = Status.CALLING,
    script: str = "7",
    **figures: Any,
) -> Task:
    return Task(task_id, f"task {task_id}", status, script, created, **figures)


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def inventory_of(*created: int, status: Status = Status.FINISHED) -> Inventory:
    """Return an inventory of tasks numbered from 0, all in one status, read at 0."""
    inventory = Inventory(ScriptLabels(10))
    tasks = {number: task(number, moment, status) for number, moment in enumerate(created)}
    inventory.update(tasks, 0.0, NOW, settle=0)
    return inventory


statuses = st.sampled_from(Status)
scripts = st.sampled_from(["1", "2", "3", "4"])
figures = st.none() | st.integers(0, 9) | st.integers(-2, 2**63)
# 18 decimals beside numbers of any size: more digits than a default context or a float holds.
amounts = st.integers(-(10**18), 10**40).map(lambda units: Decimal(units).scaleb(-18))
fees = st.none() | st.builds(Money, amounts, st.sampled_from(["USD", "EUR", "unknown"]))


# Where the tasks of a strategy lie, and how few there are, so that they meet.
IDS: Final = 6
OLDEST: Final = NOW - 100
NEWEST: Final = NOW + 20


def tasks() -> st.SearchStrategy[Task]:
    """Tasks with anything in them."""
    return st.builds(
        Task,
        task_id=st.integers(1, IDS),
        name=st.just("a name"),
        status=statuses,
        script_id=scripts,
        created=st.integers(OLDEST, NEWEST),
        numbers=figures,
        calls=figures,
        answered=figures,
        successful=figures,
        failed=figures,
        billed_seconds=figures,
        agent_billed_seconds=figures,
        sms_sent=figures,
        agent_fee=fees,
        call_fee=fees,
        sms_fee=fees,
        total_fee=fees,
    )


def by_id(records: list[Task]) -> dict[int, Task]:
    return {record.task_id: record for record in records}
