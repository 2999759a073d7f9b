"""The balance beside the polls: published where it is known, never a reason for a poll to fail."""

import asyncio
import itertools
from decimal import Decimal
from typing import Any

import pytest

from exporter.simulator import ApiRules, Fault, FaultKind, ScriptedWorld
from tests.accounts import samples
from tests.poller.following import Run, following
from tests.virtual_time import VirtualTime

PATH = "/sms/getBalance"
NAME = "itnio_account_balance"
ON = "balance: true"


def shown(run: Run) -> dict[str, float]:
    """The balances by kind."""
    return {
        dict(of)["kind"]: value for (name, of), value in samples(run.text()).items() if name == NAME
    }


def asked(run: Run) -> list[float]:
    """When it was asked for, in seconds since the test began."""
    log = run.simulator.api.log.recent
    begin = run.time.now() - run.time.monotonic()
    return [round(each.at - begin) for each in log if each.path == PATH]


def failed(run: Run) -> dict[str, float]:
    return {
        dict(of)["reason"]: value
        for (name, of), value in samples(run.text()).items()
        if name == "itnio_exporter_balance_failures_total" and value
    }


def spoil(run: Run, kind: FaultKind, **fields: Any) -> None:
    run.simulator.faults.add(Fault(kind=kind, path=PATH, **fields))


async def test_it_is_off_unless_asked_for(time: VirtualTime) -> None:
    async with following(time) as run:
        await run.until(130)
        assert asked(run) == []
        assert shown(run) == {}
        assert b"\nitnio_exporter_balance_failures_total{" not in run.text()


async def test_it_is_there_with_the_first_poll_in_the_configured_currency(
    time: VirtualTime,
) -> None:
    world = ScriptedWorld(balance=Decimal("12.345678"))
    async with following(time, world, account=f"{ON}\ncurrency: EUR") as run:
        assert shown(run) == {"balance": 12.345678, "gift": 0, "credit": 0}
        assert run.value(NAME, kind="balance", currency="EUR", account="production") == 12.345678
        assert failed(run) == {}
        balance = run.accounts.snapshots["production"].balance
        assert balance is not None
        assert balance.amounts["balance", "EUR"] == Decimal("12.345678")


async def test_it_follows_what_is_spent_and_paid_in(time: VirtualTime) -> None:
    world = ScriptedWorld(balance=Decimal(10))
    async with following(time, world, account=ON) as run:
        for amount, expected in ((-3, 7), (-9, -2), (100, 98)):
            world.top_up(Decimal(amount), time.now())
            await asyncio.sleep(60)
            assert shown(run)["balance"] == expected
        assert run.sum("itnio_up") == 1


@pytest.mark.parametrize(
    ("interval", "expected"),
    [("10s", [0, 60, 120, 180]), ("60s", [0, 60, 120, 180]), ("90s", [0, 90, 180])],
)
async def test_it_is_asked_for_with_the_polls_but_once_a_minute_at_most(
    time: VirtualTime, interval: str, expected: list[int]
) -> None:
    async with following(time, poll=f"interval: {interval}", account=ON) as run:
        await run.until(189)
        assert asked(run) == expected


FAILURES = [
    ({"kind": FaultKind.API_CODE, "amount": -18}, "system"),
    ({"kind": FaultKind.API_CODE, "amount": -13}, "unknown_code"),
    ({"kind": FaultKind.HTTP_STATUS, "amount": 404}, "http"),
    ({"kind": FaultKind.HTML}, "invalid_response"),
    ({"kind": FaultKind.SET_FIELD, "text": 'balance="much"'}, "invalid_response"),
    ({"kind": FaultKind.NULL_FIGURES, "text": "balance,gift,credit"}, "invalid_response"),
    ({"kind": FaultKind.HANG}, "timeout"),
    ({"kind": FaultKind.RESET}, "connection"),
]


@pytest.mark.parametrize(("fault", "reason"), FAILURES, ids=str)
async def test_a_failure_is_never_a_0_and_never_fails_the_poll(
    time: VirtualTime, fault: dict[str, Any], reason: str
) -> None:
    async with following(time, ScriptedWorld(balance=Decimal(5)), account=ON) as run:
        spoil(run, **fault)
        await run.until(200)
        assert shown(run)["balance"] == 5
        assert run.value("itnio_up") == 1
        assert run.failures() == {}
        assert run.value("itnio_exporter_polls_total") == 4
        assert failed(run) == {reason: 3}
        failure = run.accounts.snapshots["production"].balance_failure
        assert failure is not None
        assert (failure.reason, bool(failure.remedy)) == (reason, True)
        # After stale_after it is withdrawn rather than shown for ever.
        await run.until(420)
        assert shown(run) == {}
        assert run.value("itnio_up") == 1
        run.simulator.faults.clear()
        await run.until(500)
        assert shown(run)["balance"] == 5
        assert run.accounts.snapshots["production"].balance_failure is None


async def test_one_that_fails_from_the_start_shows_nothing(time: VirtualTime) -> None:
    async with following(time, account=ON, start=False) as run:
        spoil(run, FaultKind.HTML)
        await run.accounts.start()
        await asyncio.sleep(0.5)
        assert shown(run) == {}
        assert run.value("itnio_up") == 1
        assert run.accounts.awaited() == []


async def test_a_kind_that_is_not_told_is_absent(time: VirtualTime) -> None:
    async with following(time, account=ON) as run:
        spoil(run, FaultKind.SET_FIELD, text="credit=null")
        await run.until(61)
        assert shown(run).keys() == {"balance", "gift"}


async def test_a_slow_answer_holds_up_no_poll(time: VirtualTime) -> None:
    async with following(time, account=ON) as run:
        spoil(run, FaultKind.SLOW, amount=9)
        await run.until(62)
        assert run.accounts.snapshots["production"].health.last_poll == pytest.approx(
            time.now() - 2, abs=0.5
        )
        assert run.value("itnio_exporter_poll_duration_seconds_sum") == pytest.approx(0, abs=0.1)
        await run.until(130)
        assert failed(run) == {}
        assert run.value("itnio_exporter_polls_total") == 3


async def test_an_account_that_is_refused_is_not_asked_for_its_balance(time: VirtualTime) -> None:
    rules = ApiRules(credentials={"demo-key": "demo-secret"})
    async with following(time, account=ON, rules=rules) as run:
        run.simulator.api.rules = ApiRules(credentials={"demo-key": "another"})
        await run.until(400)
        assert asked(run) == [0]
        assert failed(run) == {}
        run.simulator.api.rules = rules
        await run.until(900)
        assert len(asked(run)) > 1


async def test_a_balance_that_alone_is_refused_is_asked_for_ever_more_seldom(
    time: VirtualTime,
) -> None:
    async with following(time, account=ON) as run:
        spoil(run, FaultKind.API_CODE, amount=-1)
        await run.until(1200)
        assert asked(run) == [0, 60, 120, 240, 480, 780, 1080]
        assert run.value("itnio_up") == 1
        assert run.failures() == {}


async def test_once_waits_for_it(time: VirtualTime) -> None:
    async with following(time, account=ON, start=False) as run:
        spoil(run, FaultKind.SLOW, amount=5)
        assert await run.accounts.poll_once()
        assert shown(run)["balance"] == 100


async def test_it_is_kept_over_a_reload_and_leaves_with_its_switch(time: VirtualTime) -> None:
    from dataclasses import replace  # noqa: PLC0415

    async with following(time, account=ON) as run:
        config = run.accounts.config
        (account,) = config.accounts
        spoil(run, FaultKind.HANG)
        changed = replace(config, accounts=(replace(account, search="x"),))
        await run.accounts.reload(changed)
        assert shown(run)["balance"] == 100
        off = replace(config, accounts=(replace(account, balance=False),))
        await run.accounts.reload(off)
        await asyncio.sleep(1)
        assert shown(run) == {}


async def test_the_objective_is_published(time: VirtualTime) -> None:
    account = f"{ON}\nobjectives: {{minimum_balance: 250.5}}"
    async with following(time, account=account) as run:
        name = "itnio_voice_objective_minimum_balance"
        assert run.value(name, app="", currency="USD", account="production") == 250.5


async def test_it_is_within_the_request_rate(time: VirtualTime) -> None:
    async with following(time, account=ON, requests_per_second=0.5) as run:
        await run.until(300)
        at = run.asked_at()
        assert min(b - a for a, b in itertools.pairwise(at)) >= 1.99
