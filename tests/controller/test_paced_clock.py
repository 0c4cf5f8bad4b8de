"""Simulated time that keeps step with real time, and lets itself be woken."""

from controller.paced_clock import PacedClock

PERIOD_NS = 25_000_000


class Simulated:
    now_ns = 0

    def advance(self) -> None:
        self.now_ns += PERIOD_NS


class Real:
    """Real time that passes only in sleep, unless that is cut short."""

    now_ns = 5_000_000_000
    cut_short = False

    def sleep(self, seconds: float) -> None:
        self.now_ns += 0 if self.cut_short else round(seconds * 1e9)


def test_it_never_runs_ahead_however_often_it_is_woken() -> None:
    simulated, real = Simulated(), Real()
    clock = PacedClock(simulated, lambda: real.now_ns, real.sleep)
    for _ in range(10):
        clock.advance()
    assert simulated.now_ns == 10 * PERIOD_NS
    assert real.now_ns - 5_000_000_000 == 9 * PERIOD_NS
    real.cut_short = True
    for _ in range(100):
        clock.advance()
    assert simulated.now_ns == 10 * PERIOD_NS
    real.cut_short = False
    clock.advance()
    assert clock.now_ns == 11 * PERIOD_NS


def test_it_catches_up_unless_it_was_late_for_more_than_a_second() -> None:
    simulated, real = Simulated(), Real()
    clock = PacedClock(simulated, lambda: real.now_ns, real.sleep)
    real.now_ns += 500_000_000
    for _ in range(20):
        clock.advance()
    assert real.now_ns == 5_500_000_000
    real.now_ns += 3_000_000_000
    before = real.now_ns
    for _ in range(10):
        clock.advance()
    assert real.now_ns - before >= 9 * PERIOD_NS
