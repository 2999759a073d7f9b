"""What has not changed is not rendered again, and never shown otherwise than if it had been."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.serving.tracked import TrackedAccount, accounts
from exporter.exposition import kept
from exporter.exposition.body import Body
from exporter.exposition.families import CATALOGUE
from exporter.exposition.kept import Renderer
from exporter.exposition.render import sample_lines
from exporter.snapshot import AccountSnapshot


def plain(renderer: Renderer, *, openmetrics: bool = False) -> bytes:
    renderer.settle()
    return b"".join(renderer.body.plain(openmetrics=openmetrics))


def values(text: bytes) -> dict[bytes, float]:
    """Each series and its value; whether a zero has a point does not matter."""
    series = [line.rpartition(b" ") for line in text.splitlines() if not line.startswith(b"#")]
    assert len({name for name, _, _ in series}) == len(series)
    return {name: float(value) for name, _, value in series}


def variation(snapshot: AccountSnapshot, kind: str, chance: random.Random) -> AccountSnapshot:
    """The same account with something there no more, or in another order, or withdrawn."""
    figures = snapshot.figures
    assert figures is not None
    windows, live = list(figures.windows), list(figures.live)
    if kind == "fewer":
        del windows[chance.randrange(len(windows))], live[chance.randrange(len(live))]
    elif kind == "mixed":
        chance.shuffle(windows)
    elif kind == "withdrawn":
        return replace(snapshot, figures=None)
    elif kind == "uncounted":
        return replace(snapshot, counters=snapshot.counters[1:])
    return replace(snapshot, figures=replace(figures, windows=tuple(windows), live=tuple(live)))


KIND = st.sampled_from(["same", "go on", "fewer", "mixed", "withdrawn", "uncounted", "removed"])


@settings(max_examples=25, deadline=None)
@given(st.lists(KIND, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_what_is_kept_reads_as_if_it_were_new(kinds: list[str], chance: random.Random) -> None:
    (account,) = accounts(2_000)
    renderer = Renderer()
    renderer.update(account.snapshot())
    renderer.settle()
    for kind in kinds:
        snapshot = account.go_on(0.05) if kind == "go on" else account.snapshot()
        snapshot = variation(snapshot, kind, chance)
        renderer.update(snapshot)
        fresh = Renderer()
        if kind == "removed":
            renderer.remove(snapshot.account)
        else:
            fresh.update(snapshot)
        for openmetrics in (False, True):
            ours = plain(renderer, openmetrics=openmetrics)
            assert values(ours) == values(plain(fresh, openmetrics=openmetrics))


@pytest.fixture
def large() -> tuple[Renderer, list[TrackedAccount]]:
    made = accounts(10_000)
    renderer = Renderer()
    for each in made:
        renderer.update(each.snapshot())
    renderer.settle()
    return renderer, made


class Counted:
    """How often a family of a block is rendered, and how many lines come of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = self.lines = 0
        original = sample_lines

        def counting(*arguments: Any) -> bytes:
            text = original(*arguments)
            self.calls += 1
            self.lines += text.count(b"\n")
            return text

        monkeypatch.setattr(kept, "sample_lines", counting)


def test_only_what_changed_is_rendered_and_deflated_anew(
    large: tuple[Renderer, list[TrackedAccount]], monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer, made = large
    series = values(plain(renderer))
    before = {id(each): each for each in renderer.body.chunks()}
    counted = Counted(monkeypatch)
    for each in made:
        renderer.update(each.go_on(0.01))
    changed = len(values(plain(renderer)).items() - series.items())
    assert 0.005 < changed / len(series) < 0.03
    # Whole blocks are rendered, and a few lines of each account at every poll.
    assert counted.lines < 4 * changed
    assert counted.lines < len(series) / 10
    anew = [each for each in renderer.body.chunks() if id(each) not in before]
    assert sum(each.size for each in anew) < renderer.body.size / 2


def test_nothing_is_rendered_where_nothing_changed(
    large: tuple[Renderer, list[TrackedAccount]], monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer, made = large
    before = list(renderer.body.chunks())
    counted = Counted(monkeypatch)
    for each in made:
        renderer.update(each.snapshot())
    renderer.settle()
    assert counted.calls == 0
    assert list(map(id, renderer.body.chunks())) == list(map(id, before))


def test_no_step_renders_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (account,) = accounts(15_000)
    renderer = Renderer()
    renderer.update(account.snapshot())
    counted = Counted(monkeypatch)
    steps = []
    while not renderer.is_settled():
        before = counted.lines
        renderer.step()
        steps.append(counted.lines - before)
    assert sum(steps) > 10_000
    assert max(steps) <= 160


def test_the_body_is_the_one_before_until_all_of_an_account_is_rendered() -> None:
    (account,) = accounts(2_000)
    renderer = Renderer()
    renderer.update(account.snapshot())
    renderer.settle()
    before = renderer.body
    renderer.update(account.go_on(0.5))
    while not renderer.is_settled():
        assert renderer.body is before
        renderer.step()
    assert renderer.body is not before


def test_what_is_published_while_others_are_rendered_is_shown_too() -> None:
    first, second = accounts(25_000)[:2]
    renderer = Renderer()
    renderer.update(first.snapshot())
    renderer.step()
    renderer.update(second.snapshot())
    renderer.update(first.go_on(0.1))
    renderer.step()
    renderer.remove(second.name)
    fresh = Renderer()
    fresh.update(first.snapshot())
    assert values(plain(renderer)) == values(plain(fresh))


def test_prefixes_of_series_that_are_gone_are_not_kept_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "_FEW", 20)
    (account,) = accounts(1_000)
    snapshot = account.snapshot()
    assert snapshot.figures is not None
    renderer = Renderer()
    for number in range(50):
        windows = [
            replace(each, script=f"{each.script}-{number}") for each in snapshot.figures.windows
        ]
        renderer.update(
            replace(snapshot, figures=replace(snapshot.figures, windows=tuple(windows)))
        )
        renderer.settle()
    lines = renderer._accounts[account.name]
    held = [len(known) for own in lines._sections.values() for _, known in own._families]
    shown = max(
        text.count(b"\n") for chunk in renderer.body.chunks() for text in [b"".join(chunk.texts)]
    )
    assert max(held) <= 20 + 4 * shown


def test_an_account_that_cannot_be_rendered_stays_as_it_was_and_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = accounts(20_000)[:2]
    renderer = Renderer()
    renderer.update(first.snapshot())
    before = values(plain(renderer))
    good = sample_lines

    def broken(family: Any, snapshot: AccountSnapshot, prefixes: Any) -> bytes:
        if snapshot.account == first.name:
            raise RuntimeError("a fault of ours")
        return good(family, snapshot, prefixes)

    monkeypatch.setattr(kept, "sample_lines", broken)
    renderer.update(first.go_on(1))
    renderer.update(second.snapshot())
    shown = values(plain(renderer))
    assert before.items() <= shown.items()
    assert len(shown) > len(before)


def test_every_family_of_many_series_says_which_section_it_is_of() -> None:
    for family in CATALOGUE:
        many = {"script_id", "task_id"} & set(family.labels)
        assert (family.section.value == "account") == (not many), family.name


def test_the_whole_is_put_together_once_however_many_accounts_have_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together: list[int] = []
    original = Renderer._whole

    def noted(self: Renderer) -> Body:
        together.append(len(self._accounts))
        return original(self)

    monkeypatch.setattr(Renderer, "_whole", noted)
    renderer = Renderer()
    (made,) = accounts(100)
    for number in range(40):
        renderer.update(replace(made.snapshot(), account=f"account {number}"))
    renderer.settle()
    assert together == []
    assert renderer.body is renderer.body
    for number in range(1, 40):
        renderer.remove(f"account {number}")
    assert b"account 1" not in plain(renderer)
    assert together == [40, 1]
