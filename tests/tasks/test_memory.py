"""What is remembered of a task stays small: a hundred thousand of them are nothing unusual."""

from benchmarks.polling.memory import bytes_a_task


def test_a_tracked_task_takes_few_bytes() -> None:
    # At 10,000 the tables of dictionaries are a little emptier than at 100,000.
    assert bytes_a_task(10_000) <= 400
