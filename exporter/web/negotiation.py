"""Which form of an answer a client asks for: RFC 9110, sections 12.4 and 12.5. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a token of HTTP's grammar
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_RANGE: Final = re.compile(rf"\s*({_TOKEN}(?:/{_TOKEN})?)\s*((?:;(?:[^,;\"]|{_QUOTED})*)*)(?:,|$)")
_PARAMETER: Final = re.compile(rf";\s*({_TOKEN})\s*=\s*({_TOKEN}|{_QUOTED})\s*(?=;|$)")
_WEIGHT: Final = re.compile(r"(?:0?\.[0-9]+|[01](?:\.[0-9]*)?)")


@dataclass(frozen=True, slots=True)
class _Range:
    name: str
    parameters: Mapping[str, str]
    weight: float


@dataclass(frozen=True, slots=True)
class _Offer:
    """A form that can be had; a range that names another version of it does not mean it."""

    kind: str
    name: str
    version: str


_TEXT_OFFER: Final = _Offer("text", "text/plain", "0.0.4")
_OPENMETRICS_OFFER: Final = _Offer("application", "application/openmetrics-text", "1.0.0")


def wants_openmetrics(accept: Iterable[str]) -> bool:
    """Whether the Accept headers prefer OpenMetrics 1.0 over the text format 0.0.4.

    Text, which everyone understands, is also the answer to those who accept neither, since a
    figure in an unexpected form is worth more to a person than status 406.
    """
    ranges = _ranges(accept)
    open_weight, open_precision = _weight(ranges, _OPENMETRICS_OFFER)
    text_weight, text_precision = _weight(ranges, _TEXT_OFFER)
    if open_weight <= 0:
        return False
    if open_weight != text_weight:
        return open_weight > text_weight
    # Equal: who names OpenMetrics knows it; who only says */* may not.
    return open_precision >= max(text_precision, _NAMED)


def wants_gzip(accept_encoding: Iterable[str]) -> bool:
    """Whether the Accept-Encoding headers allow gzip and do not prefer the plain form."""
    weights = {each.name: each.weight for each in _ranges(accept_encoding)}
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


_NAMED: Final = 3


def _weight(ranges: Iterable[_Range], offer: _Offer) -> tuple[float, int]:
    """Return the weight of the most precise range that an offer is in, and how precise it is."""
    best = (0.0, 0)
    for each in ranges:
        precision = _precision(each, offer)
        if precision > best[1] or (precision == best[1] and precision and each.weight > best[0]):
            best = (each.weight, precision)
    return best


def _precision(candidate: _Range, offer: _Offer) -> int:
    if candidate.name == "*/*":
        return 1
    if candidate.name == f"{offer.kind}/*":
        return 2
    if candidate.name != offer.name:
        return 0
    version = candidate.parameters.get("version")
    if version is None:
        return _NAMED
    # Other parameters (charset, escaping=allow-utf-8) change nothing for the names we have.
    return _NAMED + 1 if version == offer.version else 0


def _ranges(headers: Iterable[str]) -> list[_Range]:
    """Return what the headers list; what cannot be read is left out."""
    ranges: list[_Range] = []
    header = ",".join(headers)
    position = 0
    while position < len(header):
        match = _RANGE.match(header, position)
        if match is None:
            comma = header.find(",", position)
            position = len(header) if comma < 0 else comma + 1
            continue
        position = match.end()
        parameters = {
            name.lower(): value.strip('"').lower()
            for name, value in _PARAMETER.findall(match.group(2))
        }
        weight = parameters.pop("q", "1")
        if _WEIGHT.fullmatch(weight):
            ranges.append(_Range(match.group(1).lower(), parameters, min(1.0, float(weight))))
    return ranges
