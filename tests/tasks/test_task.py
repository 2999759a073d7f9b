from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.tasks.task import (
    CODES,
    COUNTED,
    ENDED,
    EXACT,
    UNFINISHED,
    Kind,
    Money,
    Status,
    Task,
)
from tests.tasks.invented import amounts, quick, task, tasks, usd


def test_codes_and_labels_are_the_contracts() -> None:
    labels = " ".join(Status.of_code(code).value for code in range(7))
    assert labels == "waiting calling finished submission_failed cancelled suspended submitting"
    assert [kind.value for kind in Kind] == ["agent", "call", "sms"]


@given(st.none() | st.integers())
def test_codes_that_are_not_on_the_list_are_unknown(code: int | None) -> None:
    status = Status.of_code(code)
    if code in CODES.values():
        assert status.code == code
    else:
        assert status is Status.UNKNOWN
        assert status.code is None


def test_each_documented_status_has_ended_or_not() -> None:
    assert {*UNFINISHED} | ENDED == {*Status} - {Status.UNKNOWN}
    assert not {*UNFINISHED} & ENDED
    # What is not understood may still change.
    assert not Status.UNKNOWN.ended


def test_counted_figures_are_figures_of_a_task() -> None:
    assert set(COUNTED) <= set(Task.__struct_fields__)


@quick
@given(tasks())
def test_spend_sums_the_parts_that_are_there(record: Task) -> None:
    spend = record.spend()
    parts = [fee for _, fee in record.fees() if fee is not None]
    assert spend.keys() == {fee.currency for fee in parts}
    for currency, total in spend.items():
        expected = sum(Fraction(fee.amount) for fee in parts if fee.currency == currency)
        assert Fraction(total) == expected


def test_spend_of_a_task_without_fees_is_not_0() -> None:
    assert task().spend() == {}
    assert task(agent_fee=usd("0")).spend() == {"USD": Decimal(0)}


@quick
@given(amounts, amounts)
def test_money_is_added_exactly_or_not_at_all(one: Decimal, other: Decimal) -> None:
    assert Fraction(EXACT.add(one, other)) == Fraction(one) + Fraction(other)


def test_an_addition_that_would_round_raises() -> None:
    with pytest.raises(Inexact):
        EXACT.add(Decimal("1e90"), Decimal("1e-18"))


def test_equal_records_are_equal_however_money_is_written() -> None:
    # An API that writes 0.10 for 0.1 has changed nothing.
    assert task(agent_fee=usd("0.10")) == task(agent_fee=usd("0.1"))
    assert task(agent_fee=usd("0.1")) != task(agent_fee=Money(Decimal("0.1"), "EUR"))
