"""What an account's figures must be, worked out from the simulator's truth and nothing else."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from exporter.simulator import World
from exporter.simulator.truth import Reading, Sums, Truth, gained, sum_up

Scrape = Mapping[str, float]
"""Values by series, written as in the exposition."""

STATUSES = (
    "waiting", "calling", "finished", "submission_failed", "cancelled", "suspended", "submitting",
)  # fmt: skip
UNFINISHED = (0, 1, 5, 6)
FIGURES = {
    "calls": "calls",
    "answered_calls": "answered",
    "successful_calls": "success",
    "failed_calls": "fail",
    "billed_seconds": "billed_seconds",
    "agent_billed_seconds": "agent_seconds",
    "sms_sent": "sms",
}
"""Of both counters and windows: the metric's name, and the truth's."""
_JUDGED = {
    *FIGURES, "tasks", "numbers", "spend",
    "answer_ratio", "failure_ratio", "average_call_duration_seconds",
}  # fmt: skip
"""Of the window gauges: what can be told from sums, without a remainder or a model."""
_LONGEST_ZONE = 27 * 3600


def read(text: bytes) -> dict[str, float]:
    """Return what an exposition in the text format holds."""
    lines = (line for line in text.decode().splitlines() if line and line[0] != "#")
    parts = (line.rpartition(" ") for line in lines)
    return {series: float(value) for series, _, value in parts}


def of(scrape: Scrape, account: str, prefix: str) -> dict[str, float]:
    """Return the series of an account whose names begin so."""
    mine = f'account="{account}"'
    return {
        series: value
        for series, value in scrape.items()
        if series.startswith(prefix) and mine in series
    }


def windows_of(scrape: Scrape, account: str) -> dict[str, float]:
    """Return the window gauges that are held against the truth."""
    prefix = "itnio_voice_window_"
    found = of(scrape, account, prefix)
    return {k: v for k, v in found.items() if k[len(prefix) : k.index("{")] in _JUDGED}


def counters_of(scrape: Scrape, account: str) -> dict[str, float]:
    found = of(scrape, account, "itnio_voice_")
    return {series: value for series, value in found.items() if "_total{" in series}


def by_figure(series: Mapping[str, float]) -> dict[str, float]:
    """Return sums over the scripts."""
    sums: dict[str, float] = {}
    for name, value in series.items():
        before, _, rest = name.partition(',script_id="')
        key = before + rest[rest.index('"') + 1 :]
        sums[key] = sums.get(key, 0) + value
    return sums


@dataclass(slots=True)
class Judge:
    """Knows one account's world, when it was first looked at, and what must be shown of it.

    ``now`` is the world's time; ``understood`` is how the exporter must read a creation time,
    where the zone it was told is not the API's, or is ambiguous.
    """

    account: str
    world: World
    now: Callable[[], float]
    lookback: float
    windows: Mapping[str, float]
    understood: Callable[[float], float] = float
    peaks: bool = False
    begun: float = 0.0
    baseline: list[Reading] = field(default_factory=list)
    seen: dict[int, Reading] = field(default_factory=dict)

    def begin(self) -> None:
        """Take note of what is there when the account is first asked."""
        self.begun = self.now()
        self.baseline = self._tasks(self.begun - self.lookback)
        self.watch()

    def watch(self) -> None:
        """Take note of the highest figures shown so far, where they may go down."""
        if self.peaks:
            for task in self._tasks(self.begun - self.lookback):
                known = self.seen.get(task.id)
                self.seen[task.id] = task if known is None else _highest(known, task)

    def _tasks(self, since: float) -> list[Reading]:
        now = self.now()
        spread = 0 if self.understood is float else _LONGEST_ZONE
        first, last = since - spread, now + spread
        tasks = self.world.tasks(now, first, last)
        return [task for task in tasks if self.understood(task.created) > since]

    def counters(self) -> dict[str, float]:
        """Return every counter that must not be 0, but for transitions."""
        after = self._tasks(self.begun - self.lookback)
        if self.peaks:  # of the deleted, too
            after = list(({task.id: task for task in after} | self.seen).values())
        known = {task.id: task for task in self.baseline}
        moved = [task for task in after if known.get(task.id) != task]
        expected: dict[str, float] = {}
        for script, sums in _by_script(gained(self.baseline, moved)).items():
            labels = f'account="{self.account}",app="",script_id="{script}"'
            for name, figure in FIGURES.items():
                expected[f"itnio_voice_{name}_total{{{labels}}}"] = getattr(sums, figure)
            for (kind, currency), amount in sums.money.items():
                key = f'itnio_voice_spend_total{{{labels},kind="{kind}",currency="{currency}"}}'
                expected[key] = float(amount)
        return without_noughts(expected)

    def windows_at(self, taken_at: float) -> dict[str, float]:
        """Return every window gauge that must not be 0, for figures taken at a moment."""
        expected: dict[str, float] = {}
        for label, seconds in self.windows.items():
            tasks = self._tasks(math.floor(taken_at - seconds))
            for script, sums in _by_script(sum_up(tasks)).items():
                labels = f'account="{self.account}",app="",script_id="{script}",window="{label}"'
                expected |= _window(labels, sums)
        return without_noughts(expected)


def _window(labels: str, sums: Sums) -> dict[str, float]:
    prefix = "itnio_voice_window_"
    found: dict[str, float] = {
        f'{prefix}tasks{{{labels},status="{STATUSES[status]}"}}': count
        for status, count in sums.tasks.items()
    }
    for name, figure in {**FIGURES, "numbers": "numbers"}.items():
        found[f"{prefix}{name}{{{labels}}}"] = getattr(sums, figure)
    for name, above, below in (
        ("answer_ratio", sums.answered, sums.calls),
        ("failure_ratio", sums.fail, sums.calls),
        ("average_call_duration_seconds", sums.billed_seconds, sums.answered),
    ):
        if below:
            found[f"{prefix}{name}{{{labels}}}"] = above / below
    for (kind, currency), amount in sums.money.items():
        key = f'{prefix}spend{{{labels},kind="{kind}",currency="{currency}"}}'
        found[key] = float(amount)
    return found


def without_noughts(series: Mapping[str, float]) -> dict[str, float]:
    """Return what the judge compares: no zeros, and no transitions, of which it knows nothing."""
    return {name: value for name, value in series.items() if value and "_transitions_" not in name}


def _by_script(truth: Truth) -> dict[int, Sums]:
    return {script: sums for (_, script), sums in truth.groups.items()}


def _highest(known: Reading, task: Reading) -> Reading:
    figures = Reading._fields[Reading._fields.index("numbers") : -2]
    return task._replace(
        **{name: max(getattr(known, name), getattr(task, name)) for name in figures}
    )


def reader(api: tzinfo, configured: tzinfo) -> Callable[[float], float]:
    """Return how a creation time is understood: the earlier moment, where there are two."""

    def understood(created: float) -> float:
        local = datetime.fromtimestamp(created, api).replace(tzinfo=configured, fold=0)
        return local.timestamp()

    return understood
