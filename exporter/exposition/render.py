"""Snapshots rendered to the text formats of Prometheus, once a publication, for many scrapes.

Text 0.0.4 and OpenMetrics 1.0 differ in their headers, not in the lines of these families: the
lines of each account and family are rendered once and serve both.
"""

import re
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Final

from exporter.exposition.families import CATALOGUE, Family, Value
from exporter.snapshot import AccountSnapshot

EOF: Final = b"# EOF\n"
_UNITS: Final = ("seconds", "ratio")
# NUL ends the lexer of some scrapers, and half a character cannot be encoded.
_UNFIT: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")


def _pictured(unfit: re.Match[str]) -> str:
    """Return the picture of a control character: a different one each, as labels must stay."""
    code = ord(unfit[0])
    if code == 0x7F:  # noqa: PLR2004
        return "\N{SYMBOL FOR DELETE}"
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"  # noqa: PLR2004


def escaped(text: str) -> str:
    """Return a label value as it stands between quotes."""
    if not text.isalnum():
        text = _UNFIT.sub(_pictured, text)
        text = text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return text


def number(value: Value) -> str:
    """Return a sample's value; counts keep all their digits."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124  # NaN
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "+Inf" if value > 0 else "-Inf"
        return repr(value)
    return str(int(value))


def lines(family: Family, snapshot: AccountSnapshot) -> bytes:
    """Return the sample lines of one family and account."""
    names = family.labels
    account = f'{family.name}{{account="{escaped(snapshot.account)}"'
    return "".join(
        account
        + "".join([f',{name}="{escaped(text)}"' for name, text in zip(names, values, strict=True)])
        + f"}} {number(value)}\n"
        for values, value in family.samples(snapshot)
    ).encode()


def _family_name(family: Family) -> str:
    """Return what OpenMetrics calls the family: without the suffix of its samples."""
    return family.name.removesuffix("_total" if family.kind == "counter" else f"_{family.kind}")


def header(family: Family, *, openmetrics: bool) -> bytes:
    """Return HELP and TYPE (and UNIT in OpenMetrics, where the name ends in one)."""
    name, kind = family.name, family.kind
    if openmetrics:
        name = _family_name(family)
        text = family.help.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    else:
        kind = "gauge" if kind == "info" else kind
        text = family.help.replace("\\", r"\\").replace("\n", r"\n")
    told = f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
    unit = name.rpartition("_")[2]
    if openmetrics and unit in _UNITS:
        told += f"# UNIT {name} {unit}\n"
    return told.encode()


class Renderer:
    """Keeps each account's lines, and the whole body of either format until one changes."""

    def __init__(self, families: Collection[Family] = ()) -> None:
        self._families = tuple(families or CATALOGUE)
        self._lines: dict[str, tuple[bytes, ...]] = {}
        self._bodies: dict[bool, bytes] = {}

    def update(self, snapshot: AccountSnapshot) -> None:
        """Render an account anew."""
        self._lines[snapshot.account] = tuple(lines(each, snapshot) for each in self._families)
        self._bodies = {}

    def remove(self, account: str) -> None:
        """Forget an account."""
        self._lines.pop(account, None)
        self._bodies = {}

    def body(self, *, openmetrics: bool, names: frozenset[str] = frozenset()) -> bytes:
        """Return all families that have samples, without OpenMetrics' end mark.

        ``names``: only the families called so, by their own name or that of their samples.
        """
        if names:
            return b"".join(self._chunks(openmetrics=openmetrics, names=names))
        if openmetrics not in self._bodies:
            chunks = self._chunks(openmetrics=openmetrics, names=names)
            self._bodies[openmetrics] = b"".join(chunks)
        return self._bodies[openmetrics]

    def _chunks(self, *, openmetrics: bool, names: frozenset[str]) -> Iterable[bytes]:
        for place, family in enumerate(self._families):
            if names and names.isdisjoint((family.name, _family_name(family))):
                continue
            samples = [own[place] for own in self._lines.values() if own[place]]
            if samples:
                yield header(family, openmetrics=openmetrics)
                yield from samples
