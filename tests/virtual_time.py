"""An event loop whose time is moved, not waited for; wall time moves with it.

A test that asks for the fixture ``time`` runs on it: as soon as nothing is left to do now, the
loop's clock jumps to the next timer. Real sockets on loopback work, since what a peer in the same
loop has written is there at once.
"""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

import pytest

BEGIN = 1_700_000_000.0
"""Wall time, in Unix seconds, at which every test begins: 2023-11-14 22:13:20 UTC."""

# How long threads and the kernel are given, in real seconds, before time goes on without them: a
# jump this far, in virtual seconds, may run into the timeout of a request that is under way, and
# on a busy machine loopback takes its time.
_GRACE = 0.002
_LONG = 3.0
_PATIENCE = 0.02


class _JumpingSelector(selectors.DefaultSelector):
    """Lets no time pass: where nothing is ready, the time that was to be waited is skipped."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            return super().select(None)
        grace = max(_GRACE, _PATIENCE if timeout > _LONG else 0.0)
        ready = super().select(min(timeout, grace))
        if not ready and timeout > 0:
            self.skipped += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The event loop; ``time`` begins at 0 and moves only by jumps."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.skipped

    def call_at(  # type: ignore[override]
        self, when: float, *arguments: Any, **options: Any
    ) -> asyncio.TimerHandle:
        # A limiter sets a timer for what is left by rounding, again and again until it is due;
        # where time stands still meanwhile, it would never be.
        return super().call_at(max(when, self.time() + 1e-6), *arguments, **options)

    def run_in_executor(  # type: ignore[override]
        self, _: Any, func: Any, *arguments: Any
    ) -> asyncio.Future[Any]:
        # A thread would take no virtual time at all, or any: what blocks is done at once.
        future = self.create_future()
        try:
            future.set_result(func(*arguments))
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            future.set_exception(error)
        return future


class VirtualTime:
    """The clocks of a test: ``now`` is Unix time, ``monotonic`` the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.wall_offset = 0.0
        """Seconds by which wall time has been set forward (or back) by the test."""

    def monotonic(self) -> float:
        return self._loop.time()

    def now(self) -> float:
        return BEGIN + self._loop.time() + self.wall_offset


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give tests that use ``time`` the virtual loop, all others the ordinary one."""
    virtual = "time" in getattr(item, "fixturenames", ())
    return {"virtual-time": VirtualLoop} if virtual else {"asyncio": asyncio.new_event_loop}


@pytest.fixture
async def time() -> VirtualTime:
    """Clocks that move with the test's event loop."""
    return VirtualTime(asyncio.get_running_loop())
