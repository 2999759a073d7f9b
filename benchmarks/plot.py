"""Cost against size as an SVG: both axes logarithmic, each line with its name at its end."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 190, 40, 50
_COLOURS: Final = ("#d1495b", "#30638e", "#00798c", "#edae49", "#6d597a", "#8a8a8a", "#3d5a40")
_APART: Final = 15

Points = Sequence[tuple[float, float]]


def lines_of(curves: Mapping[str, Points], *, title: str, across: str, up: str) -> str:
    """Return a picture of curves by name, whose points are (size, cost), all above 0."""
    sizes = [x for points in curves.values() for x, _ in points]
    costs = [y for points in curves.values() for _, y in points]
    low, high = math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs)))
    first, last = math.log10(min(sizes)), math.log10(max(sizes))

    def x(size: float) -> float:
        share = (math.log10(size) - first) / ((last - first) or 1)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(cost: float) -> float:
        share = (math.log10(cost) - low) / ((high - low) or 1)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
        "<style>text { font: 12px sans-serif }</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-weight="bold">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="{_HEIGHT - 10}" fill="#444">{escape(across)}</text>',
        f'<text x="12" y="{_TOP - 6}" fill="#444">{escape(up)}</text>',
    ]
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" '
            'stroke="#ddd"/>'
            f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
        )
    parts += [
        f'<text x="{x(size):.1f}" y="{_HEIGHT - 32}" text-anchor="middle">{size:,g}</text>'
        for size in sorted(set(sizes))
    ]
    ends = dict(zip(curves, _spread([y(points[-1][1]) for points in curves.values()]), strict=True))
    for (name, points), colour in zip(curves.items(), _COLOURS * 9, strict=False):
        path = " ".join(f"{x(size):.1f},{y(cost):.1f}" for size, cost in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{_WIDTH - _RIGHT + 10}" y="{ends[name] + 4:.1f}" fill="{colour}">'
            f"{escape(name)}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


def _spread(places: Iterable[float]) -> list[float]:
    """Return places that names can be written at without touching each other."""
    given = list(places)
    order = sorted(range(len(given)), key=lambda each: given[each])
    last = -math.inf
    for each in order:
        last = given[each] = max(given[each], last + _APART)
    return given
