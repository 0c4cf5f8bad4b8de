import numpy as np
import pytest

from cells.driver import ArmState, Status
from controller.supervision.watch import Watch, lost_arms, silent_arms

S = 1_000_000_000


class Times:
    def __init__(self):
        self.monotonic = 5 * S
        self.utc = 1_800_000_000 * S
        self.free = 10_000_000_000

    def pass_(self, seconds, jump=0.0):
        self.monotonic += round(seconds * S)
        self.utc += round((seconds + jump) * S)


@pytest.fixture
def times():
    return Times()


@pytest.fixture
def watch(times, tmp_path):
    return Watch(
        tmp_path,
        lambda: times.monotonic,
        lambda: times.utc,
        disk_low_bytes=1_000_000_000,
        free_bytes=lambda path: times.free,
    )


def look(watch, times, seconds=0.02, jump=0.0):
    times.pass_(seconds, jump)
    return watch.look()


def test_all_is_well(watch, times):
    assert look(watch, times) == 0.0
    assert watch.conditions() == {}
    assert watch.health({}, 0, 0) == ()


@pytest.mark.parametrize("jump", [3600.0, -2.0])
def test_a_clock_that_jumps_is_told_once_and_shown_for_a_while(watch, times, jump):
    assert look(watch, times, jump=jump) == pytest.approx(jump)
    assert look(watch, times) == 0.0
    assert watch.health({}, 0, 0) == (f"the clock of the machine jumped by {jump:+.1f} s",)
    for _ in range(700):
        look(watch, times, 0.1)
    assert watch.health({}, 0, 0) == ()


def test_a_clock_that_drifts_is_no_jump(watch, times):
    assert all(look(watch, times, jump=0.01) == 0.0 for _ in range(500))


def test_little_disk_is_an_alarm_until_there_is_more(watch, times):
    times.free = 400_000_000
    look(watch, times, 11.0)
    ((key, detail),) = watch.conditions().items()
    assert (key.kind, key.source) == ("disk_low", "cell")
    assert "0.40 GB free" in detail
    times.free = 2_000_000_000
    for _ in range(60):
        look(watch, times, 0.2)
    assert watch.conditions() == {}


def test_a_slow_round_and_deep_queues_are_reasons(watch, times):
    look(watch, times, 0.9)
    found = watch.health({"R2": 0.7}, 60, 70)
    assert found == (
        "R2 has not been heard of for 0.7 s",
        "a round of the cell's loop took 0.90 s",
        "60 requests wait",
        "70 events wait to be written",
    )


def test_an_arm_is_silent_first_and_lost_later():
    zero = np.zeros(6)
    readings = {
        name: ArmState(time_ns=heard_ns, q=zero, qd=zero, status=Status.IDLE)
        for name, heard_ns in {"R1": 9 * S, "R2": 9 * S - 600_000_000, "R3": 7 * S}.items()
    }
    assert set(silent_arms(readings, 9 * S)) == {"R2", "R3"}
    assert {key.source for key in lost_arms(readings, 9 * S)} == {"R3"}
