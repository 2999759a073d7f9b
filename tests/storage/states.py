"""States of an app's ledger: any that can be counted, and how one is put into a store."""

from decimal import Decimal
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from exporter.storage import Changes, State, Store, TotalRow
from exporter.tasks.ledger import Mark, Marks, Series
from exporter.tasks.packed import packed
from exporter.tasks.task import COUNTED, Kind, Money, Status, Task

# As the reader of records lets them through: whole below 10**15, ids that SQLite can hold.
_figures: Final = st.none() | st.integers(0, 10**15)
_amounts: Final = st.one_of(
    st.integers(-(10**33), 10**33).map(lambda units: Decimal(units).scaleb(-18)),
    st.sampled_from([Decimal(0), Decimal("0E-8"), Decimal("1E+14"), Decimal("0.000000")]),
)
_currencies: Final = st.sampled_from(["USD", "EUR", "unknown"])
_texts: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "other",
        "",
        "'; DROP TABLE totals; --",
        "\x00",
        "é\u202e\U0001f4de",
        "7" * 64,
        "%s{}",
        "NULL",
        "007",
    ]
)
_totals: Final = st.one_of(
    st.integers(0, 10**60),
    st.integers(0, 10**60).map(lambda units: Decimal(units).scaleb(-18)),
    st.sampled_from([Decimal("0E-18"), Decimal("1E+30")]),
)
names: Final = _texts


def _money() -> st.SearchStrategy[Money | None]:
    return st.none() | st.builds(Money, _amounts, _currencies)


tasks: Final = st.builds(
    Task,
    task_id=st.integers(0, 2**63 - 1),
    name=_texts,
    status=st.sampled_from(Status),
    script_id=_texts,
    created=st.integers(-(2**40), 2**40),
    progress=st.none() | st.floats(0, 1e7),
    numbers=_figures,
    **dict.fromkeys(COUNTED, _figures),
    agent_fee=_money(),
    call_fee=_money(),
    sms_fee=_money(),
    total_fee=_money(),
)
_keys: Final = st.sampled_from(COUNTED) | st.tuples(st.sampled_from(Kind), _currencies)


@st.composite
def marks(draw: st.DrawFn) -> Marks | None:
    """Marks that lie above a record: counts for figures, amounts for fees."""
    chosen = draw(st.sets(_keys, max_size=4))
    counts: st.SearchStrategy[Mark] = st.integers(1, 10**15)
    above: Marks = {key: draw(counts if isinstance(key, str) else _amounts) for key in chosen}
    return above or None


rows: Final = st.tuples(tasks.map(packed), marks(), st.none() | st.floats(0, 2e9))
series: Final = st.builds(
    Series,
    st.sampled_from([*COUNTED, "spend", "transitions"]),
    _texts,
    st.sampled_from(["", *(kind.value for kind in Kind), *(status.value for status in Status)]),
    st.sampled_from(["", "USD", "unknown"]),
)


@st.composite
def changes(draw: st.DrawFn) -> Changes:
    """Anything that one commit of one app may have to write."""
    kept = draw(st.dictionaries(st.integers(0, 2**63 - 1), rows, max_size=5))
    return Changes(
        account=draw(_texts),
        app=draw(_texts),
        counted_from=draw(st.none() | st.integers(-(2**40), 2**62)),
        selection=draw(_texts),
        scripts=tuple(draw(st.lists(_texts, unique=True, max_size=5))),
        records={task_id: record for task_id, (record, _, _) in kept.items()},
        totals=[
            TotalRow(each, draw(_totals), draw(st.booleans()))
            for each in draw(st.sets(series, max_size=6))
        ],
        above={task_id: above for task_id, (_, above, _) in kept.items() if above},
        progressed={task_id: at for task_id, (_, _, at) in kept.items() if at is not None},
    )


def a_task(task_id: int = 1, **fields: object) -> Task:
    return Task(
        **{
            "task_id": task_id,
            "name": "a",
            "status": Status.CALLING,
            "script_id": "7",
            "created": 1_700_000_000,
            "calls": 3,
            **fields,
        }  # type: ignore[arg-type]
    )


def a_change(
    *task_ids: int, total: Mark = 1, account: str = "a", app: str = "", scripts: int = 1
) -> Changes:
    return Changes(
        account=account,
        app=app,
        counted_from=5,
        selection="all",
        scripts=tuple(map(str, range(scripts))),
        records={task_id: packed(a_task(task_id)) for task_id in task_ids},
        totals=[TotalRow(Series("calls", "0"), total, introduced=True)],
    )


def total(state: State) -> Mark | None:
    """The one total that `a_change` writes."""
    return next((row.total for row in state.totals), None)


def read(folder: Path, account: str = "a", app: str = "") -> State:
    """What a store holds for whoever opens it next."""
    store = Store(folder)
    try:
        return store.load(account, app)
    finally:
        store.close()
