"""What tests of the client need beside what every test can use."""

from typing import Any

import pytest

from tests import virtual_time

_LONG = 3.0
"""Virtual seconds: a jump this far may run into the timeout of a request that is under way."""
_SHORT = 0.05
_PATIENCE = 0.05
"""Real seconds."""


@pytest.fixture(autouse=True)
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give loopback its time before a long jump: on a busy machine it may take long itself.

    Here requests race with their timeouts, and time that jumps too early makes them fail. Tests
    that ask for ``exact`` measure when requests come to a server: there shorter jumps wait too.
    """
    selector = virtual_time._JumpingSelector
    jump, usual = selector.select, virtual_time._GRACE
    before = _SHORT if "exact" in request.fixturenames else _LONG

    def select(self: Any, timeout: float | None = None) -> Any:
        grace = _PATIENCE if timeout is not None and timeout > before else usual
        monkeypatch.setattr(virtual_time, "_GRACE", grace)
        return jump(self, timeout)

    monkeypatch.setattr(selector, "select", select)


@pytest.fixture
def exact() -> None:
    """See ``patience``."""
