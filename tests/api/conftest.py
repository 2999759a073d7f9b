"""What tests of the client need beside what every test can use."""

import pytest

from tests import virtual_time


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give loopback its time: on a busy machine it may take longer than others have to wait for.

    Here most requests race with a timeout, and time that jumps too early makes them fail.
    """
    monkeypatch.setattr(virtual_time, "_GRACE", 0.01)
