"""One sample as a line: escaped labels, a number; and the lines that announce a family. Pure."""

import re
from decimal import Decimal
from functools import lru_cache
from math import isfinite, isnan
from typing import Final

from exporter.exposition.families.family import Family, Value
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
    if type(value) is int:  # most are
        return repr(value)
    if isinstance(value, Decimal):
        value = float(value)
    if not isinstance(value, float):
        return str(int(value))
    if isfinite(value):
        return repr(value)
    return "NaN" if isnan(value) else "+Inf" if value > 0 else "-Inf"


Prefixes = dict[tuple[str, ...], str]
"""What stands before the value, by label values: kept from one poll to the next."""


def sample_lines(family: Family, snapshot: AccountSnapshot, prefixes: Prefixes) -> bytes:
    """Return the lines of a family's samples; new prefixes are added to those that are known."""
    lines: list[str] = []
    for values, value in family.samples(snapshot):
        prefix = prefixes.get(values)
        if prefix is None:
            prefix = prefixes[values] = _prefix(family, snapshot.account, values)
        lines.append(f"{prefix}{number(value)}\n")
    return "".join(lines).encode()


def _prefix(family: Family, account: str, values: tuple[str, ...]) -> str:
    named = zip(("account", *family.labels), (account, *values), strict=True)
    labels = ",".join([f'{name}="{escaped(text)}"' for name, text in named])
    return f"{family.name}{{{labels}}} "


def family_name(family: Family) -> str:
    """Return what OpenMetrics calls the family: without the suffix of its samples."""
    return family.name.removesuffix("_total" if family.kind == "counter" else f"_{family.kind}")


@lru_cache(maxsize=256)
def header(family: Family, *, openmetrics: bool) -> bytes:
    """Return HELP and TYPE (and UNIT in OpenMetrics, where the name ends in one)."""
    name, kind = family.name, family.kind
    if openmetrics:
        name = family_name(family)
        text = family.help.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    else:
        kind = "gauge" if kind == "info" else kind
        text = family.help.replace("\\", r"\\").replace("\n", r"\n")
    told = f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
    unit = name.rpartition("_")[2]
    if openmetrics and unit in _UNITS:
        told += f"# UNIT {name} {unit}\n"
    return told.encode()
