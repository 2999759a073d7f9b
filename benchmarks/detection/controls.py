"""What the rules are held against: simpler ones over the same data, and no rules at all."""

from random import Random
from typing import Final

from benchmarks.detection.alerts import Firing
from benchmarks.detection.plan import HOUR, MINUTE, Account
from benchmarks.detection.rules import Alert

_RATIO: Final = "(itnio:app_answered_calls:increase30m / itnio:app_calls:increase30m)"
_ENOUGH: Final = "and itnio:app_calls:increase30m >= 50"
_LABELS: Final = {"severity": "page", "family": "control"}

NAIVE: Final = "naive threshold"
FRACTION: Final = "fraction of baseline"
ALWAYS: Final = "always fire"
NEVER: Final = "never fire"
RANDOM: Final = "random"

ALERTS: Final = (
    Alert(NAIVE, f"{_RATIO} < 0.15 {_ENOUGH}", 300, 900, _LABELS),
    Alert(
        FRACTION,
        f"{_RATIO} < ignoring (instance, pod) group_left ()"
        f" (0.5 * itnio:app_answer_ratio:baseline7d) {_ENOUGH}",
        300,
        900,
        _LABELS,
    ),
)

_MEAN_PAUSE: Final = 6 * HOUR
_RANDOM_LENGTH: Final = 20 * MINUTE


def blind(account: Account) -> dict[str, list[Firing]]:
    """Return the pages of those that look at no data."""
    labels = tuple(sorted({**_LABELS, "account": account.name}.items()))
    chance = Random(f"random {account.name}")  # noqa: S311
    pages: list[Firing] = []
    at = account.scored_from + round(chance.expovariate(1 / _MEAN_PAUSE))
    while at < account.end:
        pages.append(Firing(RANDOM, labels, at, at + _RANDOM_LENGTH, at))
        at += _RANDOM_LENGTH + round(chance.expovariate(1 / _MEAN_PAUSE))
    hourly = range(account.scored_from, account.end, HOUR)
    always = [Firing(ALWAYS, labels, at, at + HOUR - MINUTE, at) for at in hourly]
    return {ALWAYS: always, NEVER: [], RANDOM: pages}
