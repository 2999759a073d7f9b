import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request

from exporter.simulator import (
    EXAMPLE_RECORD,
    ManualClock,
    ScriptedWorld,
    Settings,
    SimulatedWorld,
    serve,
)
from exporter.simulator.api_server import ApiServer
from exporter.simulator.control import Control, _require_loopback
from exporter.simulator.truth import gained
from tests.simulator.client import DAY, NOON, Client, running

SETTINGS = Settings(seed=2, tasks_per_day=100)


async def get(client: Client, path: str) -> Any:
    async with client.session.get(client.control + path) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def send(client: Client, method: str, path: str, body: Any = None) -> tuple[int, str]:
    async with client.session.request(method, client.control + path, json=body) as response:
        return response.status, await response.text()


async def test_truth_is_told_as_the_world_knows_it() -> None:
    async with running(SETTINGS) as client:
        world = SimulatedWorld(SETTINGS)
        told = await get(client, "/truth")
        assert told["created_from"] == NOON - DAY
        expected = world.truth(NOON, NOON - DAY, NOON).as_json()
        assert {key: told[key] for key in expected} == expected
        past = await get(
            client, f"/truth?now={NOON - 60}&created_from={NOON - 7200}&created_to={NOON}&app=12"
        )
        expected = world.truth(NOON - 60, NOON - 7200, NOON, 12).as_json()
        assert {key: past[key] for key in expected} == expected
        assert (await get(client, "/truth?peaks=1"))["whole"] == told["whole"]


async def test_truth_since_a_moment_is_what_counters_gain() -> None:
    async with running(SETTINGS) as client:
        told = await get(client, f"/truth?since={NOON - 3600}")
        world = SimulatedWorld(SETTINGS)
        tasks = [world.tasks(now, NOON - DAY, NOON) for now in (NOON - 3600, NOON)]
        assert told["whole"] == gained(*tasks).whole.as_json()


async def test_the_world_can_be_stopped() -> None:
    async with (
        await serve(SETTINGS) as simulator,
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/simulator/clock", json={"speed": 0}) as response,
    ):
        now = (await response.json())["now"]
        assert simulator.api.clock() == now == simulator.api.clock()
    async with running(SETTINGS) as client:
        assert (await send(client, "POST", "/clock", {"speed": 0}))[0] == 409


async def test_truth_of_a_scripted_world() -> None:
    async with running(ScriptedWorld([EXAMPLE_RECORD]), now=1_717_512_600) as client:
        assert (await get(client, "/truth"))["whole"]["calls"] == 10
        assert (await send(client, "POST", "/incidents", {"kind": "silence"}))[0] == 409


async def test_a_wrong_number_is_told() -> None:
    async with running(SETTINGS) as client:
        assert await send(client, "GET", "/truth?now=noon") == (400, "not a number: noon")


async def test_faults_come_and_go() -> None:
    async with running(SETTINGS) as client:
        status, _ = await send(client, "POST", "/faults", {"kind": "api_code", "amount": -18})
        assert status == 201
        assert (await client.ask())["code"] == -18
        (entry,) = (await get(client, "/state"))["faults"]
        assert (entry["number"], entry["hits"], entry["fault"]["kind"]) == (1, 1, "api_code")
        assert (await send(client, "DELETE", "/faults/1"))[0] == 204
        assert (await client.ask())["code"] == 0
        await send(client, "POST", "/faults", {"kind": "api_code"})
        assert (await send(client, "DELETE", "/faults"))[0] == 204
        assert (await client.ask())["code"] == 0


async def test_incidents_begin_now_and_can_be_ended() -> None:
    async with running(SETTINGS) as client:
        order = {"kind": "answer_collapse", "seconds": 600, "app": 12}
        assert await send(client, "POST", "/incidents", order) == (201, '{"number": 1}')
        incident = (await get(client, "/state"))["incidents"]["1"]
        assert (incident["begin"], incident["end"], incident["app"]) == (NOON, NOON + 600, 12)
        client.clock.advance(60)
        assert (await send(client, "DELETE", "/incidents/1"))[0] == 204
        assert (await get(client, "/state"))["incidents"]["1"]["end"] == NOON + 60
        assert (await send(client, "DELETE", "/incidents/7"))[0] == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"kind": "nonsense"}),
        ("/faults", {"kind": "slow", "amount": "long"}),
        ("/faults", []),
        ("/faults", {"kind": "set_field"}),
        ("/incidents", {"kind": "nonsense"}),
        ("/incidents", {"kind": "silence", "seconds": -5}),
        ("/incidents", {"kind": "silence", "unknown": 1}),
    ],
)
async def test_wrong_orders_are_refused(path: str, body: Any) -> None:
    async with running(SETTINGS) as client:
        status, text = await send(client, "POST", path, body)
        assert (status, bool(text)) == (400, True)


async def test_a_web_page_cannot_post() -> None:
    async with running(SETTINGS) as client:
        form = {"kind": "slow"}
        async with client.session.post(client.control + "/faults", data=form) as response:
            assert response.status == 415


async def test_requests_are_logged_and_counted() -> None:
    async with running(SETTINGS) as client:
        await client.ask(1, 50, idxAppId=12)
        client.simulator.faults.clear()
        await send(client, "POST", "/faults", {"kind": "http_status", "amount": 503, "times": 1})
        async with client.post() as response:
            assert response.status == 503
        log = await get(client, "/requests?last=2")
        assert log["total"] == 2
        assert log["by_outcome"] == {"0": 1, "http_status": 1}
        assert log["by_key"] == {"demo-key": 2}
        assert [entry["outcome"] for entry in log["recent"]] == ["0", "http_status"]
        assert log["recent"][0]["params"]["idxAppId"] == 12
        assert log["recent"][0]["size"] == 50
        assert (await send(client, "DELETE", "/requests"))[0] == 204
        assert (await get(client, "/requests"))["total"] == 0


@pytest.mark.parametrize("address", ["192.0.2.1", "::2", None])
def test_control_is_for_loopback_only(address: str | None) -> None:
    request = make_mocked_request("GET", "/simulator/state").clone(remote=address or "")
    with pytest.raises(Exception, match="Forbidden"):
        _require_loopback(request)


async def test_control_can_be_left_out() -> None:
    async with running(SETTINGS, control=False) as client:
        assert (await send(client, "GET", "/state"))[0] == 404


def test_the_state_of_the_settings_is_json() -> None:
    control = Control(ApiServer(SimulatedWorld(SETTINGS), ManualClock(NOON)))
    response = control._state(make_mocked_request("GET", "/simulator/state"))
    assert response.status == 200


@pytest.mark.parametrize("scripted", [True, False])
async def test_money_can_be_paid_in_and_taken(scripted: bool) -> None:
    async with running(ScriptedWorld() if scripted else SETTINGS) as client:
        world = client.simulator.world
        before = world.balance(NOON)
        status, told = await send(client, "POST", "/balance", {"amount": "100.50"})
        assert (status, json.loads(told)) == (200, {"balance": str(before + Decimal("100.50"))})
        await send(client, "POST", "/balance", {"amount": -20})
        assert world.balance(NOON) == before + Decimal("80.50")
        wrongs: list[object] = [{"amount": "much"}, {"amount": "NaN"}, {}, []]
        for wrong in wrongs:
            assert (await send(client, "POST", "/balance", wrong))[0] == 400


async def test_a_secret_can_be_renewed() -> None:
    async with running(SETTINGS) as client:
        assert (await client.ask())["code"] == 0
        order = {"api_key": "demo-key", "api_secret": "another"}
        assert (await send(client, "POST", "/credentials", order))[0] == 204
        assert (await client.ask())["code"] == -1
        order["api_secret"] = "demo-secret"
        assert (await send(client, "POST", "/credentials", order))[0] == 204
        assert (await client.ask())["code"] == 0
