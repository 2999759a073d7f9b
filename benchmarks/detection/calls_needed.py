"""How few calls are too few, by the very bounds that the rules test.

A collapse is told of once Wilson's upper bound (z = 2.58) lies below half of the baseline. N calls
of m tasks tell as much as N / (1 + c N / m) independent ones, with c how much the calls of a task
resemble each other: never more than m / c, however many calls there are.
"""

import math
from typing import Final

_Z: Final = 2.58
_FARTHEST: Final = 100_000
_BASELINES: Final = (0.27, 0.32, 0.45)
_LEFT: Final = (("to 8 %", None), ("to a fifth", 0.2), ("to a third", 1 / 3), ("by half", 0.5))
_CLUSTERING: Final = (0.05, 0.1)


def upper(ratio: float, calls: float) -> float:
    """Return Wilson's upper bound."""
    z2 = _Z * _Z
    middle = ratio * calls + z2 / 2
    return (middle + _Z * math.sqrt(ratio * (1 - ratio) * calls + z2 / 4)) / (calls + z2)


def independent(ratio: float, bound: float) -> int | None:
    """Return how many independent calls of a ratio lie below a bound by 99 %; None for never."""
    if ratio >= bound:
        return None
    low, high = 1, _FARTHEST
    if upper(ratio, high) >= bound:
        return None
    while low < high:
        middle = (low + high) // 2
        if upper(ratio, middle) < bound:
            high = middle
        else:
            low = middle + 1
    return low


def calls(effective: int, clustering: float, tasks: int) -> int | None:
    """Return how many calls of so many tasks tell as much; None where no number does."""
    left = 1 - clustering * effective / tasks
    return math.ceil(effective / left) if left > 0 else None


def table() -> str:
    """Return the table for docs/detection.md."""
    heads = ["baseline", "answered falls", "below", "independent calls"]
    for clustering in _CLUSTERING:
        heads += [f"fewest tasks (c = {clustering})", "calls of twice as many"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for baseline in _BASELINES:
        for words, factor in _LEFT:
            ratio = 0.08 if factor is None else baseline * factor
            for part, bound in (("0.5 x (page)", 0.5), ("0.7 x (ticket)", 0.7)):
                if (words == "by half") != (bound > 0.5):  # noqa: PLR2004
                    continue
                needed = independent(ratio, bound * baseline)
                cells = [f"{baseline:.2f}", words, part]
                cells.append("never" if needed is None else str(needed))
                for clustering in _CLUSTERING:
                    fewest = math.ceil(clustering * (needed or 0))
                    several = max(2, 2 * fewest)
                    enough = calls(needed, clustering, several) if needed else None
                    cells += [str(max(1, fewest)), f"{enough or '-'}"]
                lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
