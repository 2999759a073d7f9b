"""A task at a past moment: never more than it has, never going down, exact in the end."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.backfill.course import Known, as_of, last_change, usual_duration
from exporter.tasks.task import COUNTED, Money, Status, Task

CREATED = 1_700_000_000
counts = st.integers(0, 10**6)
fees = st.builds(
    Money,
    st.decimals(0, 10**4, places=6, allow_nan=False),
    st.sampled_from(["USD", "EUR", "unknown"]),
)


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    calls = draw(counts)
    answered = draw(st.integers(0, calls))
    return Task(
        task_id=1,
        name="a task",
        status=draw(st.sampled_from(Status)),
        script_id="56",
        created=CREATED,
        progress=draw(st.none() | st.floats(0, 1)),
        numbers=draw(st.none() | counts),
        calls=calls,
        answered=answered,
        successful=draw(st.integers(0, calls)),
        failed=draw(st.none() | st.integers(0, calls)),
        billed_seconds=draw(st.none() | counts),
        agent_fee=draw(st.none() | fees),
        call_fee=draw(st.none() | fees),
        sms_fee=draw(st.none() | fees),
        total_fee=draw(st.none() | fees),
    )


known = st.builds(Known, tasks(), st.floats(CREATED, CREATED + 10**6))


def money(task: Task) -> dict[str, Decimal]:
    return {kind.value: fee.amount for kind, fee in task.fees() if fee is not None}


@given(known, st.floats(0, 10**5), st.integers(0, 10**6), st.integers(0, 10**6))
def test_what_has_accrued_never_goes_down_nor_beyond_what_is_known(
    of: Known, duration: float, first: int, second: int
) -> None:
    end = last_change(of, duration)
    earlier, later = sorted((first, second))
    before = as_of(of.task, CREATED + earlier, end)
    after = as_of(of.task, CREATED + later, end)
    for name in COUNTED:
        figures = [getattr(each, name) for each in (before, after, of.task)]
        assert None not in figures or figures == [None] * 3
        assert figures == sorted(figures, key=lambda each: each or 0)
    for kind, amount in money(after).items():
        assert money(before)[kind] <= amount <= money(of.task)[kind]
    assert 0 <= (before.answered or 0) <= (before.calls or 0)
    assert (before.successful or 0) <= (before.calls or 0)


@given(known, st.floats(0, 10**5))
def test_in_the_end_a_task_is_as_it_was_read(of: Known, duration: float) -> None:
    end = last_change(of, duration)
    assert CREATED <= end <= of.read_at
    assert as_of(of.task, end, end) == of.task
    assert as_of(of.task, int(of.read_at), end) == of.task


@given(known, st.floats(1, 10**5), st.integers(0, 10**5))
def test_money_that_adds_up_adds_up_on_the_way(of: Known, duration: float, age: int) -> None:
    usd = [Money(fee.amount, "USD") for _, fee in of.task.fees() if fee is not None]
    if len(usd) < 3:
        return
    whole = msgspec.structs.replace(
        of.task,
        agent_fee=usd[0],
        call_fee=usd[1],
        sms_fee=usd[2],
        total_fee=Money(sum((fee.amount for fee in usd), Decimal(0)), "USD"),
    )
    shown = as_of(whole, CREATED + age, last_change(Known(whole, of.read_at), duration))
    assert shown.total_fee is not None
    assert shown.total_fee.amount == sum(money(shown).values())


def finished(status: Status = Status.FINISHED) -> Task:
    return Task(
        task_id=1,
        name="",
        status=status,
        script_id="56",
        created=CREATED,
        numbers=100,
        calls=100,
        answered=30,
        agent_fee=Money(Decimal("0.3"), "USD"),
    )


def test_a_finished_task_was_calling_while_others_do() -> None:
    of = Known(finished(), CREATED + 10_000)
    half = as_of(of.task, CREATED + 1000, last_change(of, 2000))
    assert (half.status, half.calls, half.answered) == (Status.CALLING, 50, 15)
    assert half.numbers == 100
    assert half.agent_fee == Money(Decimal("0.150000"), "USD")


@pytest.mark.parametrize("status", [Status.SUBMISSION_FAILED, Status.WAITING, Status.SUBMITTING])
def test_who_called_nobody_was_never_calling(status: Status) -> None:
    of = Known(finished(status), CREATED + 10_000)
    assert as_of(of.task, CREATED, last_change(of, 2000)).status is status


def test_a_task_that_is_calling_has_come_to_it_evenly() -> None:
    of = Known(finished(Status.CALLING), CREATED + 10_000)
    assert as_of(of.task, CREATED + 5000, last_change(of, 2000)).calls == 50


def calling(age: float, calls: int) -> Known:
    task = msgspec.structs.replace(finished(Status.CALLING), calls=calls)
    return Known(task, CREATED + age)


def test_long_tasks_are_met_more_often_and_that_is_made_up_for() -> None:
    # Of as many tasks of 1000 s as of 3000 s, a look meets three of these for one of those.
    met = [calling(500, 50), calling(900, 30), calling(1500, 50), calling(2100, 70)] * 2
    assert usual_duration(met) == pytest.approx(2000)


def test_too_few_tells_nothing() -> None:
    assert usual_duration([calling(500, 50)] * 4) is None
    assert usual_duration([calling(500, 0)] * 50) is None
    assert usual_duration([]) is None
