"""The status page of a replica: what it polls, what others do, and the database that is away."""

import pytest

from exporter.snapshot import AccountSnapshot, Failure, Shared
from exporter.web.assets import Assets
from exporter.web.pages import Pages
from exporter.web.status import StatusRoute
from tests.web.reading import read
from tests.web.worlds import NOW, InventedSite, polled

AWAY = Failure(
    "unreachable",
    "postgresql://db/<b>itnio</b>: no answer",
    "Look whether the database answers.",
    NOW,
)


def text_of(shared: Shared | None, *accounts: AccountSnapshot) -> str:
    site = InventedSite(accounts, sharing=shared)
    return read(StatusRoute(site, Pages(site, Assets.packaged())).render()).text


def test_it_says_how_many_accounts_others_poll() -> None:
    text = text_of(Shared(1, 29, None), polled())
    assert "All is well" in text
    assert "29 accounts are left to other replicas." in text


def test_who_polls_nothing_is_not_without_accounts() -> None:
    text = text_of(Shared(0, 1, None))
    assert "No account is polled here" in text
    assert "1 account is left to other replicas." in text
    assert "No accounts are configured" in text_of(None)


@pytest.mark.parametrize("accounts", [(), (polled(),)])
def test_without_the_database_it_says_so(accounts: tuple[AccountSnapshot, ...]) -> None:
    text = text_of(Shared(0, 30, AWAY), *accounts)
    assert "The database that the replicas share cannot be used" in text
    assert "no account is polled here: postgresql://db/<b>itnio</b>: no answer" in text
    assert "Look whether the database answers." in text
    assert ("Polling is paused" in text) is (not accounts)
    assert "All is well" not in text
