"""A world of explicit records: what a test writes down is what the API serves, to the letter."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any

from exporter.simulator.truth import Reading, Truth, sum_up
from exporter.simulator.wire import LocalTime, parse_label
from exporter.simulator.world import Selection

Record = dict[str, Any]

# The vendor's example, to the letter.
EXAMPLE_RECORD: Record = {
    "taskId": 5000602,
    "taskName": "2024-06-04 14:49:17-agent",
    "status": 2,
    "rate": "100",
    "numCnt": 10,
    "callNum": 10,
    "success": 8,
    "fail": 2,
    "createdTime": "2024-06-04 14:49:36",
    "scriptId": 56,
    "taskType": 3,
    "answeredNum": 8,
    "asr": "80",
    "agentTotalFeetime": 320,
    "agentFee": "0.125000",
    "chargeLen": 480,
    "acd": "60s",
    "groupCallPayFee": "0.034827(USD)",
    "smsPayFee": "0(USD)",
    "taskSumPayFee": "0.159827(USD)",
    "sendSmsNum": 0,
}


class ScriptedTask:
    """One record and the app it belongs to, which the record itself does not tell."""

    __slots__ = ("app", "id", "local", "record")

    def __init__(self, record: Record, app: int) -> None:
        self.record = record
        self.app = app
        self.id = int(record.get("taskId", 0) or 0)
        # What has no legible time is in every range, so that odd records can be served too.
        self.local = parse_label(record.get("createdTime"))


class ScriptedWorld:
    """Records that change only when told to; the time asked about plays no part.

    Also tasks "created" after now are served. See World for the shared methods.
    """

    def __init__(
        self,
        records: Iterable[Record] = (),
        *,
        app: int = 0,
        zone: tzinfo = UTC,
        currency: str = "USD",
        balance: Decimal = Decimal(100),
    ) -> None:
        self.local_time = LocalTime(zone)
        self._currency = currency
        self._balance = balance
        self._tasks: dict[int, ScriptedTask] = {}
        self._ordered: list[ScriptedTask] | None = None
        self._answers: dict[Selection, list[ScriptedTask]] = {}
        for record in records:
            self.add(record, app=app)

    def add(self, record: Record, *, app: int = 0) -> None:
        """Add a task, or put another in place of the one with its id. The record is copied."""
        task = ScriptedTask(dict(record), app)
        self._tasks[task.id] = task
        self._changed()

    def update(self, task_id: int, **fields: Any) -> None:
        """Change fields of a task's record; KeyError where there is no such task."""
        task = self._tasks[task_id]
        self._tasks[task_id] = ScriptedTask({**task.record, **fields}, task.app)
        self._changed()

    def delete(self, task_id: int) -> None:
        """Remove a task; KeyError where there is no such task."""
        del self._tasks[task_id]
        self._changed()

    def record(self, task_id: int) -> Record:
        """Return a copy of a task's record."""
        return dict(self._tasks[task_id].record)

    def __len__(self) -> int:
        return len(self._tasks)

    def _changed(self) -> None:
        self._ordered = None
        self._answers.clear()

    def select(self, now: float, wanted: Selection) -> Sequence[ScriptedTask]:  # noqa: ARG002
        """Return matching tasks by createdTime, oldest first."""
        if wanted not in self._answers:
            if len(self._answers) > 16:  # noqa: PLR2004  # queries in use at once, at most
                self._answers.clear()
            self._answers[wanted] = [t for t in self._within(wanted) if _matches(t, wanted)]
        return self._answers[wanted]

    def records(self, now: float, tasks: Sequence[ScriptedTask]) -> list[Record]:  # noqa: ARG002
        """Return copies of the records."""
        return [dict(task.record) for task in tasks]

    def tasks(
        self, now: float, created_from: float, created_to: float, app: int | None = None
    ) -> list[Reading]:
        """Return well-formed tasks created between two moments (Unix seconds)."""
        del now
        readings = (
            self._reading(task)
            for task in self._sorted()
            if task.local is not None and app in {None, task.app}
        )
        return [r for r in readings if created_from <= r.created <= created_to]

    def truth(
        self, now: float, created_from: float, created_to: float, app: int | None = None
    ) -> Truth:
        """Return the exact sums over the same tasks as `tasks`."""
        return sum_up(self.tasks(now, created_from, created_to, app))

    def balance(self, now: float) -> Decimal:  # noqa: ARG002
        """Return the balance given at the start, and what has been paid in since."""
        return self._balance

    def top_up(self, amount: Decimal, at: float) -> None:  # noqa: ARG002
        """Pay in, at once; a negative amount takes away."""
        self._balance += amount

    def _sorted(self) -> list[ScriptedTask]:
        if self._ordered is None:
            self._ordered = sorted(
                self._tasks.values(), key=lambda t: (-1 if t.local is None else t.local, t.id)
            )
        return self._ordered

    def _within(self, wanted: Selection) -> list[ScriptedTask]:
        ordered = self._sorted()
        odd = bisect_left(ordered, 0, key=lambda t: -1 if t.local is None else t.local)
        begin = bisect_left(ordered, wanted.created_from, lo=odd, key=_local)
        end = bisect_right(ordered, wanted.created_to, lo=odd, key=_local)
        return ordered[:odd] + ordered[begin:end]

    def _reading(self, task: ScriptedTask) -> Reading:
        r, local = task.record, task.local or 0
        call_fee, currency = _money(r["groupCallPayFee"], self._currency)
        return Reading(
            id=task.id,
            app=task.app,
            script=int(r["scriptId"]),
            created=self.local_time.moments(local)[0],
            status=int(r["status"]),
            numbers=int(r["numCnt"]),
            calls=int(r["callNum"]),
            answered=int(r["answeredNum"]),
            success=int(r["success"]),
            fail=int(r["fail"]),
            billed_seconds=int(r["chargeLen"]),
            agent_seconds=int(r["agentTotalFeetime"]),
            sms=int(r["sendSmsNum"]),
            agent_fee=_money(r["agentFee"], self._currency)[0],
            call_fee=call_fee,
            sms_fee=_money(r["smsPayFee"], self._currency)[0],
            total_fee=_money(r["taskSumPayFee"], self._currency)[0],
            agent_currency=self._currency,
            currency=currency,
        )


def _local(task: ScriptedTask) -> int:
    return task.local or 0


def _matches(task: ScriptedTask, wanted: Selection) -> bool:
    record = task.record
    return (
        wanted.app in {None, task.app}
        and (wanted.statuses is None or record.get("status") in wanted.statuses)
        and wanted.text.casefold() in str(record.get("taskName", "")).casefold()
    )


def _money(text: str, default: str) -> tuple[int, str]:
    """Read `0.034827(USD)` or `0.125000` into millionths and currency."""
    number, _, rest = text.partition("(")
    return int(Decimal(number).scaleb(6)), rest.rstrip(")") or default
