"""An account's balance as the page shows it, and what is wrong with it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from exporter.snapshot import AccountSnapshot
from exporter.tasks.task import EXACT
from exporter.web.findings import Finding
from exporter.web.wording import money, visible

_WORDS: Final = {"balance": "Balance", "gift": "Gift", "credit": "Credit"}
_OWN: Final = frozenset({"balance", "gift"})
"""What is left before the account lives on credit."""


@dataclass(frozen=True, slots=True)
class BalanceView:
    """One kind of money, when it was looked up, in Unix seconds."""

    label: str
    amount: str
    at: float


def balances(snapshot: AccountSnapshot) -> Iterator[BalanceView]:
    """Give every kind of money that is known of an account."""
    known = snapshot.balance
    if known is not None:
        for (kind, currency), amount in known.amounts.items():
            label = _WORDS.get(kind, visible(kind))
            yield BalanceView(label, money(amount, visible(currency)), known.taken_at)


def of_balance(name: str, anchor: str, snapshot: AccountSnapshot) -> Iterator[Finding]:
    """Give what is wrong with an account's balance."""
    failure = snapshot.balance_failure
    if failure is not None:
        yield Finding(
            "warning",
            name,
            f"The balance cannot be looked up: {visible(failure.message, 300)}",
            visible(failure.remedy, 600),
            f"#{anchor}",
        )
    for aim in snapshot.objectives:
        left = _left(snapshot, aim.currency)
        if aim.app or aim.minimum_balance is None or left is None or left >= aim.minimum_balance:
            continue
        shown = visible(aim.currency)
        yield Finding(
            "warning",
            name,
            f"{money(left, shown)} are left, less than the objective of at least "
            f"{money(aim.minimum_balance, shown)}.",
            "Top the account up at the provider: with nothing left, calls stop.",
            f"#{anchor}",
        )


def _left(snapshot: AccountSnapshot, currency: str) -> Decimal | None:
    if snapshot.balance is None:
        return None
    known = [
        amount
        for (kind, of), amount in snapshot.balance.amounts.items()
        if kind in _OWN and of == currency
    ]
    total = Decimal(0)
    for amount in known:
        total = EXACT.add(total, amount)
    return total if known else None
