from collections import Counter
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from exporter.tasks import coverage
from exporter.tasks.coverage import Range
from exporter.tasks.inventory import OTHER_SCRIPTS, Change, Inventory, ScriptLabels
from exporter.tasks.packed import packed, unpacked
from exporter.tasks.task import Status, Task
from tests.tasks.invented import ENDED, NOW, by_id, inventory_of, quick, scripts, task, tasks

LIMIT: Final = 2
SETTLE: Final = 60.0
moments = st.integers(NOW - 110, NOW + 30)


def remembered(record: Task) -> Task:
    """A task as it is remembered: once ended, without name and progress."""
    return unpacked(packed(record))


class Reading(RuleBasedStateMachine):
    """Readings in any order of their ages, deletions and departures, against a plain dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.inventory = Inventory(ScriptLabels(LIMIT))
        self.known: dict[int, tuple[Task, float]] = {}
        """Each task and when it was read."""
        self.labels: list[str] = []
        """Scripts with a label of their own, in the order in which they came."""
        self.replayed: dict[int, tuple[Task, str]] = {}
        """What the changes tell that there is."""

    def replay(self, changes: list[Change]) -> None:
        for before, after, script in changes:
            if before is not None:
                assert self.replayed.pop(before.task_id) == (remembered(before), script)
            if after is not None:
                assert after.task_id not in self.replayed
                self.replayed[after.task_id] = remembered(after), script

    def label(self, script: str) -> str:
        if script not in self.labels and len(self.labels) < LIMIT:
            self.labels.append(script)
        return script if script in self.labels else OTHER_SCRIPTS

    @rule(records=st.lists(tasks(), max_size=4).map(by_id), read_at=st.integers(0, 20))
    def read(self, records: dict[int, Task], read_at: int) -> None:
        for task_id, record in records.items():
            if task_id not in self.known or read_at >= self.known[task_id][1]:
                self.known[task_id] = record, read_at
                self.label(record.script_id)
        self.replay(self.inventory.update(records, read_at, NOW, settle=SETTLE))

    @rule(begin=moments, length=st.integers(0, 60), read_at=st.integers(0, 20), data=st.data())
    def read_whole(self, begin: int, length: int, read_at: int, data: st.DataObject) -> None:
        end = begin + length
        inside = {key for key, (each, _) in self.known.items() if begin <= each.created <= end}
        present = data.draw(st.sets(st.sampled_from(sorted(inside))) if inside else st.just(set()))
        gone = self.inventory.absent(begin, end, present, read_at)
        assert set(gone) == {key for key in inside - present if self.known[key][1] < read_at}
        assert len(set(gone)) == len(gone)
        self.replay(self.inventory.remove(gone))
        for task_id in gone:
            del self.known[task_id]

    @rule(moment=moments.map(float) | st.floats(NOW - 110, NOW + 30))
    def leave(self, moment: float) -> None:
        self.replay(self.inventory.remove_before(moment))
        self.known = {key: value for key, value in self.known.items() if value[0].created > moment}

    @rule(task_id=st.integers(1, 6))
    def settle(self, task_id: int) -> None:
        self.inventory.settled(task_id)
        assert task_id not in self.inventory.settling

    @invariant()
    def it_holds_what_was_read_last(self) -> None:
        assert {entry.task.task_id: entry.task for entry in self.inventory} == {
            task_id: remembered(each) for task_id, (each, _) in self.known.items()
        }
        assert len(self.inventory) == len(self.known)
        for task_id, (each, read_at) in self.known.items():
            entry = self.inventory.get(task_id)
            assert entry is not None
            assert task_id in self.inventory
            assert (entry.task, entry.read_at) == (remembered(each), read_at)

    @invariant()
    def changes_tell_all_of_it(self) -> None:
        assert self.replayed == {
            entry.task.task_id: (entry.task, entry.script) for entry in self.inventory
        }

    @invariant()
    def unfinished_are_those_that_have_not_ended(self) -> None:
        expected = {key for key, (each, _) in self.known.items() if each.status not in ENDED}
        assert self.inventory.unfinished.keys() == expected
        for task_id, entry in self.inventory.unfinished.items():
            assert entry is self.inventory.get(task_id)
            assert entry.ended_at is None

    @invariant()
    def settling_are_ended_ones_with_a_time(self) -> None:
        for entry in self.inventory:
            settles = entry.task.task_id in self.inventory.settling
            assert settles == (entry.ended_at is not None)
            assert not settles or entry.task.status in ENDED
        assert all(entry in list(self.inventory) for entry in self.inventory.settling.values())

    @invariant()
    def labels_are_first_come_first_kept(self) -> None:
        assert list(self.inventory.labels.own) == self.labels
        for entry in self.inventory:
            assert entry.script == self.label(entry.task.script_id)

    @invariant()
    def overflow_is_counted(self) -> None:
        scripts = Counter(each.script_id for each, _ in self.known.values())
        for script in self.labels:
            del scripts[script]
        assert self.inventory.overflowing == scripts
        assert all(self.inventory.overflowing.values())

    @invariant()
    def creation_times_are_in_order(self) -> None:
        created = sorted((each.created, key) for key, (each, _) in self.known.items())
        assert self.inventory.newest == (created[-1][0] if created else None)
        for begin in (NOW - 60, NOW - 20, NOW):
            inside = [key for moment, key in created if begin <= moment <= begin + 40]
            found = self.inventory.created_between(begin, begin + 40)
            assert sorted((entry.created, entry.task.task_id) for entry in found) == [
                pair for pair in created if pair[1] in inside
            ]
            assert [entry.created for entry in found] == sorted(entry.created for entry in found)
            assert self.inventory.count_between(begin, begin + 40) == len(inside)


Reading.TestCase.settings = quick
TestReading = Reading.TestCase


@given(st.lists(st.integers(0, 200), max_size=200), st.integers(-1, 201), st.integers(-1, 201))
def test_many_at_once_are_counted_like_few(created: list[int], begin: int, end: int) -> None:
    inventory = inventory_of(*created)
    inside = sorted(moment for moment in created if begin <= moment <= end)
    assert inventory.count_between(begin, end) == len(inside)
    assert [each.task.created for each in inventory.created_between(begin, end)] == inside


@given(st.lists(scripts), st.integers(0, 5))
def test_a_script_keeps_its_label(order: list[str], limit: int) -> None:
    labels = ScriptLabels(limit)
    first = {script: labels.label(script) for script in order}
    assert {script: labels.label(script) for script in order} == first
    own = {script for script, label in first.items() if label == script}
    assert own == set(list(dict.fromkeys(order))[:limit])


def read(inventory: Inventory, record: Task, at: float, now: float = NOW) -> list[Change]:
    return inventory.update({record.task_id: record}, at, now, settle=SETTLE)


def test_a_reading_that_began_earlier_changes_nothing() -> None:
    inventory = Inventory(ScriptLabels(5))
    read(inventory, task(calls=2), at=10)
    assert read(inventory, task(calls=1, status=Status.FINISHED), at=9) == []
    entry = inventory.get(1)
    assert entry is not None
    assert (entry.task.calls, entry.read_at) == (2, 10)
    assert 1 in inventory.unfinished


def test_a_task_that_ends_while_watched_settles_from_then_on() -> None:
    inventory = Inventory(ScriptLabels(5))
    read(inventory, task(created=NOW - 9999), at=10)
    read(inventory, task(created=NOW - 9999, status=Status.FINISHED), at=20)
    # Another record of the ended task does not begin it anew.
    read(inventory, task(created=NOW - 9999, status=Status.FINISHED, calls=3), at=30)
    assert inventory.settling[1].ended_at == 20
    read(inventory, task(created=NOW - 9999, status=Status.CALLING), at=40)
    assert not inventory.settling
    assert 1 in inventory.unfinished
    read(inventory, task(created=NOW - 9999, status=Status.CANCELLED), at=50)
    assert inventory.settling[1].ended_at == 50


def test_of_those_first_seen_ended_only_recent_ones_settle() -> None:
    inventory = Inventory(ScriptLabels(5))
    read(inventory, task(1, created=NOW - 61, status=Status.FINISHED), at=10)
    read(inventory, task(2, created=NOW - 59, status=Status.FINISHED), at=10)
    assert list(inventory.settling) == [2]


def test_an_unknown_status_may_still_change() -> None:
    inventory = Inventory(ScriptLabels(5))
    read(inventory, task(status=Status.UNKNOWN), at=10)
    assert 1 in inventory.unfinished


def test_progress_is_a_change_of_calls_or_status() -> None:
    inventory = Inventory(ScriptLabels(5))
    read(inventory, task(calls=1), at=1, now=NOW)
    entry = inventory.get(1)
    assert entry is not None
    read(inventory, task(calls=1, numbers=5), at=2, now=NOW + 60)
    assert entry.progressed_at == NOW
    read(inventory, task(calls=2, numbers=5), at=3, now=NOW + 120)
    assert entry.progressed_at == NOW + 120
    read(inventory, task(calls=2, numbers=5, status=Status.SUSPENDED), at=4, now=NOW + 180)
    assert entry.progressed_at == NOW + 180


def test_what_leaves_the_lookback_leaves_whatever_its_id() -> None:
    inventory = Inventory(ScriptLabels(5))
    read(inventory, task(2**63 - 1, created=NOW), at=1)
    inventory.remove_before(NOW)
    assert len(inventory) == 0


def test_a_record_that_cannot_be_read_has_had_its_turn_all_the_same() -> None:
    inventory = Inventory(ScriptLabels(10))
    ended = Task(1, "", Status.FINISHED, "7", 1000)
    inventory.update({1: ended}, 0.0, 1000.0, settle=100)
    assert coverage.settling(inventory, 15.0, settle=100, spent=0) == [Range(1000, 1000)]
    inventory.looked_at([1, 2], 15.0)
    assert coverage.settling(inventory, 16.0, settle=100, spent=0) == []
