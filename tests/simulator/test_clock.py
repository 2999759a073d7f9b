from exporter.simulator import ManualClock, ScaledClock


def test_a_scaled_clock_runs_faster_from_its_origin() -> None:
    real = ManualClock(100.0)
    clock = ScaledClock(real, speed=60, origin=5000.0)
    assert clock() == 5000.0
    real.advance(2)
    assert clock() == 5120.0


def test_a_scaled_clock_can_be_stopped_and_goes_on_from_there() -> None:
    real = ManualClock(100.0)
    clock = ScaledClock(real, origin=5000.0)
    real.advance(10)
    clock.speed = 0
    real.advance(10)
    assert clock() == 5010.0
    clock.speed = 2
    real.advance(10)
    assert clock() == 5030.0


def test_a_scaled_clock_without_origin_begins_now() -> None:
    real = ManualClock(100.0)
    clock = ScaledClock(real)
    real.advance(1.5)
    assert clock() == 101.5
