import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.simulator import ApiRules, Selection, Settings, SimulatedWorld
from exporter.simulator.account import RefusedError
from exporter.simulator.query import Query, parse_query
from tests.simulator.client import NOON

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PARAMS: dict[str, Any] = {
    "strTime": "2024-06-04 00:00:00",
    "endTime": "2024-06-05 00:00:00",
    "taskType": 3,
}


def read(current: Any = 1, size: Any = 100, **params: Any) -> Query:
    body = {"current": current, "size": size, "params": {**PARAMS, **params}}
    return parse_query(json.dumps(body).encode(), "application/json", ApiRules())


def test_a_query_is_read() -> None:
    query = read(2, 50, statusList=[1, 5], idxAppId=12, searchCondition="x")
    day = 1_717_459_200
    wanted = Selection(day, day + 86_400, 12, frozenset({1, 5}), "x")
    assert query == Query(2, 50, wanted)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ["current", "size", "strTime", "endTime", "statusList", "idxAppId", "searchCondition"],
            JSON,
        ),
    )
)
def test_whatever_is_sent_is_read_or_refused(sent: dict[str, Any]) -> None:
    with suppress(RefusedError):
        assert 1 <= read(**sent).size <= 100


@given(st.binary())
def test_whatever_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError):
        parse_query(body, "application/json", ApiRules())


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "-12:00", "+14:00"])
def test_the_ends_of_time_can_be_asked_for(zone: str) -> None:
    world = SimulatedWorld(Settings(timezone=zone, tasks_per_day=20, epoch=NOON - 86_400))
    whole = read(strTime="0001-01-01 00:00:00", endTime="9999-12-31 23:59:59").selection
    assert len(world.select(NOON, whole)) == len(world.tasks(NOON, 0, NOON)) > 0
    never = read(strTime="9999-12-31 23:59:58", endTime="9999-12-31 23:59:59").selection
    assert world.select(NOON, never) == []
