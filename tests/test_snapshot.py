"""Figures that have not changed are the very same objects, and never older than they should be."""

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.serving.tracked import NOW, accounts
from exporter.snapshot import figures_of


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.floats(0.0, 1.0), st.integers(1, 90_000)), min_size=1, max_size=6))
def test_what_is_taken_over_is_what_would_be_made_anew(steps: list[float | int]) -> None:
    (account,) = accounts(2_000)
    app = account.apps[0]
    before = figures_of(app)
    moment = NOW
    for step in steps:
        if isinstance(step, int):
            moment += step  # windows slide, and tasks leave them
            app.advance(moment)
        else:
            account.go_on(step)
        before = figures_of(app, before)
        assert before == figures_of(app)


def test_only_scripts_that_changed_are_made_anew() -> None:
    (account,) = accounts(2_000)
    app = account.apps[0]
    before = figures_of(app)
    account.go_on(0.01)  # one script of them
    after = figures_of(app, before)
    anew = [
        script for script in after.windows if after.windows[script] is not before.windows[script]
    ]
    assert len(anew) == 1
    assert after.windows[anew[0]] != before.windows[anew[0]]
    again = figures_of(app, after)
    assert all(again.windows[script] is after.windows[script] for script in again.windows)


def test_a_script_that_comes_back_is_not_taken_for_what_it_was() -> None:
    (account,) = accounts(1_000)
    app = account.apps[0]
    before = figures_of(app)
    app.advance(NOW + 100_000)  # all have left
    assert not figures_of(app, before).windows
    tasks = {each.task_id: each for each in account.tasks[app.name][:1]}
    app.take(tasks, read_at=NOW, now=NOW)
    after = figures_of(app, before)
    assert after == figures_of(app)
    (script,) = after.windows
    assert after.windows[script] is not before.windows[script]
