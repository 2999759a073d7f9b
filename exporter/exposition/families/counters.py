"""What has happened since the state was begun: counters, which never go down."""

from collections.abc import Iterator
from typing import Final

from exporter.exposition.families.family import COMMON, Families, Sample, Section
from exporter.snapshot import AccountSnapshot
from exporter.tasks.ledger import SPEND, TRANSITIONS

FAMILIES: Final = Families()


def _counter(name: str, figure: str, labels: tuple[str, ...], text: str) -> None:
    def of(snapshot: AccountSnapshot) -> Iterator[Sample]:
        for counters in snapshot.counters:
            for series, total in counters.totals.items():
                if series.figure == figure:
                    extra = (series.kind, series.currency)[: len(labels)]
                    yield (counters.app, series.script, *extra), total

    what = f"{text} Since the state was begun; never goes down."
    FAMILIES.add(
        "counter",
        f"itnio_voice_{name}_total",
        (*COMMON, *labels),
        of,
        what,
        section=Section.COUNTERS,
    )


_counter("calls", "calls", (), "Numbers called (growth of callNum).")
_counter("answered_calls", "answered", (), "Calls answered (growth of answeredNum).")
_counter("successful_calls", "successful", (), "Calls that succeeded (growth of success).")
_counter("failed_calls", "failed", (), "Calls that failed (growth of fail).")
_counter("billed_seconds", "billed_seconds", (), "Billed seconds of calls (growth of chargeLen).")
_counter(
    "agent_billed_seconds",
    "agent_billed_seconds",
    (),
    "Billed seconds of the AI Agent product (growth of agentTotalFeetime).",
)
_counter("sms_sent", "sms_sent", (), "Hang-up SMS sent (growth of sendSmsNum).")
_counter(
    "spend",
    SPEND,
    ("kind", "currency"),
    """Fees by kind: agent (agentFee), call (groupCallPayFee), sms (smsPayFee); added up as exact
    decimals.""",
)
_counter("task_transitions", TRANSITIONS, ("status",), "Tasks seen to enter a status.")
