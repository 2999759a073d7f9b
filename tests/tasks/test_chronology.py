from bisect import insort

from hypothesis import given
from hypothesis import strategies as st

from exporter.tasks.chronology import Chronology

pairs = st.tuples(st.integers(0, 40), st.integers(0, 2**63 - 1))
edges = st.integers(-1, 41)


@given(
    st.lists(st.lists(pairs, max_size=20), max_size=6),
    edges,
    edges,
    st.integers(0, 30),
    st.data(),
)
def test_it_is_a_sorted_list(
    blocks: list[list[tuple[int, int]]], begin: int, end: int, number: int, data: st.DataObject
) -> None:
    order = Chronology()
    model: list[tuple[int, int]] = []
    for block in blocks:
        unique = {task_id: created for created, task_id in block}
        known = {task_id for _, task_id in model}
        news = [(created, task_id) for task_id, created in unique.items() if task_id not in known]
        order.add(news)
        for pair in news:
            insort(model, pair)
        if model:
            gone = data.draw(st.sampled_from(model))
            model.remove(gone)
            order.remove(*gone)
        moment = data.draw(edges)
        if moment % 2:
            left = [task_id for created, task_id in model if created <= moment]
            assert sorted(order.take_until(moment)) == sorted(left)
            model = [pair for pair in model if pair[0] > moment]
    inside = [pair for pair in model if begin <= pair[0] <= end]
    created = {task_id: moment for moment, task_id in model}
    found = list(order.between(begin, end))
    assert sorted((created[task_id], task_id) for task_id in found) == inside
    assert [created[task_id] for task_id in found] == [moment for moment, _ in inside]
    assert order.count_between(begin, end) == len(inside)
    assert order.newest == (model[-1][0] if model else None)
    since = [moment for moment, _ in model if moment >= begin]
    assert order.moment_after(begin, number) == (since[number] if number < len(since) else None)
