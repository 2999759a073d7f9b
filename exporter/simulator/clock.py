"""Clocks: what time it is, for a world or for the API over it. All give Unix seconds."""

from collections.abc import Callable

Clock = Callable[[], float]


class ScaledClock:
    """Runs `speed` times as fast as `real`, from `origin`; `speed` 1 and no origin is `real`.

    The speed can be changed on the way: 0 stops the clock where it is.
    """

    def __init__(self, real: Clock, speed: float = 1.0, origin: float | None = None) -> None:
        self._real = real
        self._speed = speed
        self._start = real()
        self._origin = self._start if origin is None else origin

    def __call__(self) -> float:
        """Return the time."""
        return self._origin + (self._real() - self._start) * self._speed

    @property
    def speed(self) -> float:
        """Seconds of this clock in one of the real one."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        real = self._real()
        self._origin += (real - self._start) * self._speed
        self._start = real
        self._speed = speed


class ManualClock:
    """Stands still until it is moved, in either direction."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move by so many seconds."""
        self.now += seconds
