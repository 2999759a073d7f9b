"""The body of a query, read as strictly as the vendor documents it."""

import json
from dataclasses import dataclass
from typing import Any

from exporter.simulator.account import PARAMETER, ApiRules, RefusedError
from exporter.simulator.wire import TASK_TYPE, parse_label
from exporter.simulator.world import Selection

LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class Query:
    """One page of a selection; pages count from 1."""

    current: int
    size: int
    selection: Selection


def parse_query(body: bytes, content_type: str, rules: ApiRules) -> Query:
    """Read a request, or raise RefusedError with the parameter exception."""
    if content_type != "application/json":
        raise _refused("Content-Type")
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise _refused("body") from None
    params = sent.get("params") if isinstance(sent, dict) else None
    if not isinstance(params, dict):
        raise _refused("params")
    current, size = sent.get("current"), sent.get("size")
    if not _is_int(current) or current < 1:
        raise _refused("current")
    if not _is_int(size) or not 1 <= size <= LARGEST_PAGE:
        raise _refused("size")
    if params.get("taskType") != TASK_TYPE:
        raise _refused("taskType")
    return Query(current, size, _selection(params, rules))


def _selection(params: dict[str, Any], rules: ApiRules) -> Selection:
    begin, end = parse_label(params.get("strTime")), parse_label(params.get("endTime"))
    if begin is None:
        raise _refused("strTime")
    if end is None or end < begin:
        raise _refused("endTime")
    if rules.widest_range is not None and end - begin > rules.widest_range:
        raise _refused("the range is too wide")
    app = params.get("idxAppId")
    if app is not None and not _is_int(app):
        raise _refused("idxAppId")
    text = params.get("searchCondition") or ""
    if not isinstance(text, str):
        raise _refused("searchCondition")
    return Selection(begin, end, app, _statuses(params.get("statusList")), text)


def _statuses(given: object) -> frozenset[int] | None:
    if given is None or given == []:
        return None
    if not isinstance(given, list) or not all(_is_int(status) for status in given):
        raise _refused("statusList")
    return frozenset(given)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _refused(what: str) -> RefusedError:
    return RefusedError(PARAMETER, what)
