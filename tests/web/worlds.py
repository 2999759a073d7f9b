"""Invented snapshots, and a site over them, for pages and routes to be tried on."""

import gzip
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from exporter.config import Config, parse
from exporter.history import History
from exporter.snapshot import (
    AccountSnapshot,
    Failure,
    Figures,
    Health,
    Objective,
    Shared,
    UnfinishedTask,
    WindowFigures,
)
from exporter.tasks.task import Kind, Money, Status, Task
from exporter.web.demonstration import Demonstration

LEAST = "accounts: [{name: production, api_key: the-key, api_secret: the-secret}]"
NOW = 1_717_512_600.0


@dataclass
class InventedSite:
    """A site whose every answer is set by the test."""

    accounts: Sequence[AccountSnapshot] = ()
    telemetry_path: str = "/metrics"
    version: str = "1.2.3"
    reload: Callable[[], Awaitable[None]] | None = None
    is_ready: bool = True
    demonstration: Demonstration | None = None
    past: Mapping[str, History] = field(default_factory=dict)
    problem: Failure | None = None
    configuration: Config = field(default_factory=lambda: parse(LEAST, {}))
    sharing: Shared | None = None
    time: float = NOW
    exposition: bytes = b"itnio_up 1\n"
    scraped: list[tuple[bool, bool, frozenset[str]]] = field(default_factory=list)
    refused: int = 0

    def now(self) -> float:
        return self.time

    def snapshots(self) -> Mapping[str, AccountSnapshot]:
        return {each.account: each for each in self.accounts}

    def histories(self) -> Mapping[str, History]:
        return self.past

    def config(self) -> Config:
        return self.configuration

    def reload_failure(self) -> Failure | None:
        return self.problem

    def shared(self) -> Shared | None:
        return self.sharing

    def ready(self) -> bool:
        return self.is_ready

    async def scrape(
        self, openmetrics: bool, compressed: bool, names: frozenset[str]
    ) -> Sequence[bytes]:
        self.scraped.append((openmetrics, compressed, names))
        return [gzip.compress(self.exposition) if compressed else self.exposition]

    def scrape_refused(self) -> None:
        self.refused += 1


def window(
    label: str = "1h",
    app: str = "",
    script: str = "56",
    *,
    calls: int | None = 100,
    answered: int | None = 80,
    failed: int | None = 20,
    billed: int | None = 4800,
    fee: str = "1.5",
    currency: str = "USD",
) -> WindowFigures:
    """One script's figures; ratios as the windows would reckon them."""
    return WindowFigures(
        window=label,
        app=app,
        script=script,
        tasks={Status.FINISHED: 1, Status.CALLING: 2},
        figures={
            "numbers": calls,
            "calls": calls,
            "answered": answered,
            "successful": answered,
            "failed": failed,
            "billed_seconds": billed,
            "agent_billed_seconds": billed,
            "sms_sent": 0,
        },
        answer_ratio=None if answered is None or not calls else answered / calls,
        failure_ratio=None if failed is None or not calls else failed / calls,
        average_call_duration=None if billed is None or not answered else billed / answered,
        spend={
            (Kind.AGENT, currency): Decimal(fee),
            (Kind.CALL, currency): Decimal("0.034827"),
            (Kind.SMS, currency): Decimal(0),
        },
        unreconciled={currency: Decimal(0)},
    )


def unfinished(
    task_id: int = 5_000_602,
    name: str = "2024-06-04 14:49:17-agent",
    *,
    app: str = "",
    status: Status = Status.CALLING,
    age: float = 600.0,
    silent_for: float = 5.0,
    progress: float | None = 0.42,
) -> UnfinishedTask:
    """A task in the middle of its calls."""
    return UnfinishedTask(
        app=app,
        script="56",
        task=Task(
            task_id=task_id,
            name=name,
            status=status,
            script_id="56",
            created=int(NOW - age),
            progress=progress,
            numbers=1_000,
            calls=420,
            answered=140,
            failed=30,
            billed_seconds=5_900,
            total_fee=Money(Decimal("12.340500"), "USD"),
        ),
        progressed_at=NOW - silent_for,
    )


def polled(
    name: str = "production",
    windows: Sequence[WindowFigures] | None = None,
    tasks: Sequence[UnfinishedTask] = (),
    objectives: Sequence[Objective] = (),
    **health: float | Failure | None,
) -> AccountSnapshot:
    """An account whose last poll was whole, twelve seconds ago."""
    figures = (window("1h"), window("24h")) if windows is None else tuple(windows)
    return AccountSnapshot(
        account=name,
        taken_at=NOW - 12,
        health=Health(
            **{
                "up": True,
                "last_success": NOW - 12,
                "last_poll": NOW - 12,
                "duration": 0.83,
                "requests": 3,
                "next_poll": NOW + 48,
                "tracked_tasks": 1_234,
                "clock_skew": 0.2,
                **health,
            }  # type: ignore[arg-type]
        ),
        figures=Figures(figures, (), tuple(tasks), NOW - 12),
        objectives=tuple(objectives),
        task_limit=50,
    )


def failing(name: str = "sandbox", reason: str = "authentication") -> AccountSnapshot:
    """An account whose polls fail, its figures withdrawn."""
    return AccountSnapshot(
        account=name,
        taken_at=NOW - 30,
        health=Health(
            up=False,
            last_success=NOW - 7_500,
            last_poll=NOW - 30,
            duration=0.21,
            requests=1,
            next_poll=NOW + 270,
            tracked_tasks=412,
            clock_skew=-93.0,
            failure=Failure(
                reason=reason,
                message="The API does not accept the key or the signature (code -1).",
                remedy="Check api_key and api_secret of this account.",
                at=NOW - 30,
            ),
        ),
    )


def starting(name: str = "new") -> AccountSnapshot:
    """An account that has not been polled yet."""
    return AccountSnapshot(account=name, taken_at=NOW)
