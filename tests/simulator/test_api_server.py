import json
import random
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from exporter.simulator import (
    EXAMPLE_RECORD,
    ApiRules,
    Fault,
    FaultBoard,
    FaultKind,
    Order,
    ScriptedWorld,
    Settings,
)
from tests.simulator.client import DAY, NOON, running

BALANCE = "/sms/getBalance"
SETTINGS = Settings(seed=11, tasks_per_day=700)


async def test_the_vendors_example_is_served_to_the_letter() -> None:
    world = ScriptedWorld([EXAMPLE_RECORD])
    async with running(world, now=1_717_512_600) as client:
        async with client.post() as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
            sent = parsedate_to_datetime(response.headers["Date"])
            assert sent.timestamp() == 1_717_512_600
            text = await response.text()
        record = json.dumps(EXAMPLE_RECORD, separators=(",", ":"))
        assert text == (
            f'{{"code":0,"msg":"success","data":{{"records":[{record}],"total":1,"size":100,'
            '"current":1,"searchCount":true,"pages":1}}'
        )


@pytest.mark.parametrize("order", [o for o in Order if o is not Order.RANDOM])
@pytest.mark.parametrize("size", [1, 37, 100])
async def test_truth_equals_the_sum_of_the_pages_in_any_order(order: Order, size: int) -> None:
    settings = Settings(seed=11, tasks_per_day=700 if size > 1 else 60)
    async with running(settings, rules=ApiRules(credentials=KEYS, order=order)) as client:
        pages = (await client.ask(1, size))["data"]["pages"]
        numbers = list(range(1, pages + 1))
        random.Random(1).shuffle(numbers)
        by_page = {n: (await client.ask(n, size))["data"]["records"] for n in numbers}
        records = [record for n in sorted(by_page) for record in by_page[n]]
        times = [r["createdTime"] for r in records]
        assert times == sorted(times, reverse=order is Order.CREATED_DESCENDING)
        world = client.simulator.world
        truth = world.truth(NOON, NOON - DAY, NOON).whole
        assert truth == _summed(records)


KEYS = {"demo-key": "demo-secret"}


def _summed(records: list[dict[str, Any]]) -> object:
    return ScriptedWorld(records).truth(0, 0, 4e9).whole


async def test_random_order_still_fills_pages_with_tasks_of_the_range() -> None:
    rules = ApiRules(order=Order.RANDOM)
    async with running(SETTINGS, rules=rules) as client:
        one, other = [(await client.ask())["data"] for _ in range(2)]
        assert one["total"] == other["total"] > 100
        assert one["records"] != other["records"]


async def test_beyond_the_last_page_is_empty() -> None:
    async with running(SETTINGS) as client:
        data = (await client.ask(1000))["data"]
        assert data["records"] == []
        assert data["total"] > 0
        assert data["current"] == 1000


async def test_filters_by_status_app_and_name() -> None:
    async with running(SETTINGS) as client:
        everything = await client.records()
        unfinished = await client.records(statusList=[0, 1, 5, 6])
        expected = {r["taskId"] for r in everything if r["status"] in {0, 1, 5, 6}}
        assert {r["taskId"] for r in unfinished} == expected != set()
        of_apps = [len(await client.records(idxAppId=app)) for app in (12, 15, 21, 99)]
        assert sum(of_apps) == len(everything)
        assert of_apps[3] == 0
        named = await client.records(searchCondition="Surveys")
        assert named == [r for r in everything if "surveys" in r["taskName"]]
        assert await client.records(statusList=[]) == everything


async def test_new_tasks_come_as_the_clock_moves_and_going_back_undoes_it() -> None:
    async with running(SETTINGS) as client:
        before = await client.records()
        client.clock.advance(3600)
        assert await client.records() != before
        client.clock.advance(-3600)
        assert await client.records() == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Api-Key": "nobody"}, -1),
        ({"Api-Key": None}, -1),
        ({"Sign": "0" * 32}, -1),
        ({"Sign": None}, -1),
        ({"Sign": "ü"}, -1),
        ({"Timestamp": "1"}, -1),  # no longer what was signed
        ({"Content-Type": "text/plain"}, -22),
    ],
)
async def test_wrong_headers_are_refused(change: dict[str, str | None], code: int) -> None:
    async with running(SETTINGS) as client:
        sent = {k: v for k, v in {**client.signed(), **change}.items() if v is not None}
        body = json.dumps(client.question())
        async with client.session.post(
            client.api, data=body, headers=sent, skip_auto_headers=["Content-Type"]
        ) as response:
            answer = await response.json()
        assert (response.status, answer["code"], answer["data"]) == (200, code, None)


@pytest.mark.parametrize(("late", "code"), [(300, 0), (301, -16), (-300, 0), (-301, -16)])
async def test_a_timestamp_expires(late: float, code: int) -> None:
    async with running(SETTINGS) as client:
        sent = client.signed()
        client.clock.advance(late)
        body = json.dumps(client.question())
        async with client.session.post(client.api, data=body, headers=sent) as response:
            assert (await response.json())["code"] == code


@pytest.mark.parametrize(
    "wrong",
    [
        {"current": 0},
        {"current": "1"},
        {"current": None},
        {"current": True},
        {"size": 0},
        {"size": 101},
        {"params": None},
        {"taskType": 2},
        {"taskType": "3"},
        {"strTime": None},
        {"strTime": "2024-06-04"},
        {"endTime": "2001-01-01 00:00:00"},
        {"strTime": "2001-01-01 00:00:00"},  # wider than the rules allow
        {"statusList": 2},
        {"statusList": ["2"]},
        {"idxAppId": "12"},
        {"searchCondition": 5},
    ],
)
async def test_wrong_parameters_are_refused(wrong: dict[str, Any]) -> None:
    async with running(SETTINGS, rules=ApiRules(widest_range=7 * DAY)) as client:
        question = client.question()
        for key, value in wrong.items():
            (question if key in question else question["params"])[key] = value
        body = json.dumps(question)
        async with client.session.post(client.api, data=body, headers=client.signed()) as response:
            answer = await response.json()
        assert (answer["code"], answer["data"]) == (-22, None)


@pytest.mark.parametrize("body", ["", "[]", "null", "{", "\xff"])
async def test_a_body_that_is_no_query_is_refused(body: str) -> None:
    async with running(SETTINGS) as client:
        sent = client.signed()
        data = body.encode("latin-1")
        async with client.session.post(client.api, data=data, headers=sent) as response:
            assert (await response.json())["code"] == -22


async def test_other_addresses_are_refused() -> None:
    rules = ApiRules(allowed_addresses=frozenset({"192.0.2.1"}))
    async with running(SETTINGS, rules=rules) as client:
        assert (await client.ask())["code"] == -2


async def test_several_accounts_have_their_own_secrets() -> None:
    rules = ApiRules(credentials={"demo-key": "demo-secret", "other": "another"})
    async with running(SETTINGS, rules=rules) as client:
        assert (await client.ask())["code"] == 0
        client.simulator.api.log.clear()
        assert client.simulator.api.log.as_json(10)["total"] == 0


async def test_the_signing_clock_can_differ_from_the_worlds() -> None:
    async with running(SETTINGS, signing_clock=lambda: 1000.0) as client:
        assert (await client.ask())["code"] == -16


async def test_the_balance() -> None:
    async with running(SETTINGS) as client:
        url = client.simulator.url + "/sms/getBalance"
        async with client.session.get(url, headers=client.signed()) as response:
            answer = await response.json()
        assert list(answer) == ["status", "reason", "balance", "gift", "credit"]
        assert answer["status"] == "0"
        assert 0 < float(answer["balance"]) < 50_000
        async with client.session.get(url) as response:
            assert (await response.json())["status"] == "-1"


async def test_other_paths_and_methods_are_not_served() -> None:
    async with running(SETTINGS) as client:
        async with client.session.get(client.api) as response:
            assert response.status == 405
        async with client.session.post(client.simulator.url + "/nowhere") as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        (Fault(kind=FaultKind.API_CODE, amount=-13, path=BALANCE), {"status": "-13"}),
        (Fault(kind=FaultKind.API_CODE, amount=-18), {"status": "-18"}),
        (Fault(kind=FaultKind.SET_FIELD, text="status=0", path=BALANCE), {"status": 0}),
        (Fault(kind=FaultKind.SET_FIELD, text="gift=null", path=BALANCE), {"gift": None}),
        (Fault(kind=FaultKind.NULL_FIGURES, text="credit", path=BALANCE), {"credit": None}),
        (Fault(kind=FaultKind.SET_FIELD, text="status=5"), {"status": "0"}),
    ],
)
async def test_faults_of_the_balance(fault: Fault, changed: dict[str, Any]) -> None:
    async with running(SETTINGS, faults=FaultBoard(faults=[fault])) as client:
        url = client.simulator.url + BALANCE
        async with client.session.get(url, headers=client.signed()) as response:
            answer = await response.json()
        assert {name: answer[name] for name in changed} == changed
        assert "code" not in answer
        assert (await client.ask())["code"] == (-18 if fault.amount == -18 else 0)
