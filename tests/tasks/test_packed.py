import msgspec
import pytest
from hypothesis import given

from exporter.tasks.packed import created, packed, unpacked
from exporter.tasks.task import Status, Task
from tests.tasks.invented import ENDED, task, tasks


@given(tasks())
def test_what_is_remembered_is_exact(record: Task) -> None:
    found = unpacked(packed(record))
    expected = msgspec.structs.asdict(record)
    if record.status in ENDED:
        expected |= {"name": "", "progress": None}
    assert msgspec.structs.asdict(found) == expected
    assert packed(found) == packed(record)
    assert created(packed(record)) == record.created


@given(tasks())
def test_amounts_keep_their_places(record: Task) -> None:
    found = unpacked(packed(record))
    for (_, before), (_, after) in zip(record.fees(), found.fees(), strict=True):
        assert str(before) == str(after)


def test_a_task_that_may_still_change_keeps_what_is_shown_of_it() -> None:
    record = task(status=Status.CALLING, progress=0.25)
    assert unpacked(packed(record)) == record


@pytest.mark.parametrize("damaged", [b"", b"\x00", b"\xc1", b"\xdc\x00\x12", packed(task())[:-1]])
def test_other_bytes_are_not_taken_for_a_task(damaged: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        unpacked(damaged)
