"""Accounts that replicas share, at one replica: they come and go, and are shown as long as ours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from exporter.accounts import Accounts
from exporter.running import RunningAccount
from exporter.simulator import ScriptedWorld, Simulator
from tests.accounts import value
from tests.poller.following import CALLING, record
from tests.test_accounts import config, loops, simulated, started
from tests.virtual_time import BEGIN, VirtualTime


class InventedShare:
    """Says what is ours."""

    failure = None

    def __init__(self, *ours: str) -> None:
        self.ours = set(ours)

    def may_show(self, account: str) -> bool:
        return account in self.ours

    def owns(self, account: str) -> bool:
        return account in self.ours

    def start(self) -> None: ...

    def reconsider(self) -> None: ...

    async def leave(self) -> None: ...


@asynccontextmanager
async def sharing(time: VirtualTime) -> AsyncIterator[tuple[Accounts, InventedShare, Simulator]]:
    """Two accounts, both ours and polled, and their API."""
    world = ScriptedWorld([record(1, BEGIN - 60, status=CALLING)])
    async with (
        simulated(time, world) as simulator,
        started(time, config(simulator, "a", "b")) as accounts,
    ):
        share = InventedShare("a", "b")
        accounts._share = share  # type: ignore[assignment]
        yield accounts, share, simulator


async def shown(accounts: Accounts, name: str, account: str) -> float | None:
    text = b"".join(await accounts.scrape(openmetrics=False, compressed=False))
    return value(text, name, account=account)


async def up(accounts: Accounts, account: str) -> float | None:
    return await shown(accounts, "itnio_up", account)


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Awaitable[None]]) -> None:
    """Let something happen while an account is being ended."""
    end = RunningAccount.end

    async def end_slowly(running: RunningAccount) -> None:
        await end(running)
        await happens()

    monkeypatch.setattr(RunningAccount, "end", end_slowly)


async def test_each_account_is_shown_as_long_as_it_is_ours(time: VirtualTime) -> None:
    async with sharing(time) as (accounts, share, _):
        share.ours.remove("a")
        assert await up(accounts, "a") is None
        assert await up(accounts, "b") == 1
        assert list(accounts.snapshots) == ["b"]
        # It is polled until somebody has stopped it, and shows nothing of that.
        await asyncio.sleep(120)
        assert await up(accounts, "a") is None
        assert await up(accounts, "b") == 1


async def test_what_is_given_up_is_shown_no_more_while_it_ends(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sharing(time) as (accounts, _, _simulator):
        seen: list[float | None] = []

        async def scraped() -> None:
            seen.append(await up(accounts, "a"))

        with monkeypatch.context() as patched:
            meanwhile(patched, scraped)
            await accounts.give_up("a")
        assert seen == [None]
        assert await up(accounts, "b") == 1


async def test_what_cannot_be_ended_well_is_shown_no_more_all_the_same(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sharing(time) as (accounts, _, _simulator):

        async def fault() -> None:
            raise RuntimeError("a fault")

        with monkeypatch.context() as patched:
            meanwhile(patched, fault)
            with pytest.raises(RuntimeError, match="a fault"):
                await accounts.give_up("a")
        assert await up(accounts, "a") is None
        assert "a" not in accounts.snapshots
        assert "a" not in loops()


async def test_what_is_lost_during_a_reload_is_polled_no_further(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sharing(time) as (accounts, share, simulator):

        async def lost() -> None:
            share.ours.clear()
            await accounts.rest()

        changed = config(simulator, "a", "b: currency: EUR")
        with monkeypatch.context() as patched:
            meanwhile(patched, lost)
            await accounts.reload(changed)
        assert loops() == {}


async def test_what_is_taken_during_a_reload_is_polled_once(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sharing(time) as (accounts, _, simulator):

        async def lost_and_owned_again() -> None:
            await accounts.rest()
            for name in ("a", "b"):
                await accounts.take(name)

        changed = config(simulator, "a", "b: currency: EUR")
        with monkeypatch.context() as patched:
            meanwhile(patched, lost_and_owned_again)
            await accounts.reload(changed)
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert names.count("poll a") == names.count("poll b") == 1
        await asyncio.sleep(1)
        assert await up(accounts, "b") == 1


async def test_who_leaves_hides_everything_at_once_and_clears_nothing_up(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sharing(time) as (accounts, share, _):
        cleared: list[str] = []
        seen: list[float | None] = []

        async def leave() -> None:
            # Before anything is ended: with a thousand accounts that takes its time.
            seen.extend([await up(accounts, name) for name in ("a", "b")])
            assert await shown(accounts, "itnio_exporter_account_owned", "a") == 0
            await asyncio.gather(*map(accounts.give_up, ("a", "b")))
            seen.extend([await up(accounts, name) for name in ("a", "b")])

        monkeypatch.setattr(share, "leave", leave)
        monkeypatch.setattr(accounts.telemetry, "forget", cleared.append)
        await accounts.stop()
        assert seen == [None] * 4
        # Others wait for it, and the process is about to be gone.
        assert cleared == []
        assert loops() == {}
