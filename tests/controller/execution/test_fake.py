"""Fake drivers beyond the contract: the clock knows when something ends, whatever the feed."""

import numpy as np
import pytest

from cells.driver import Dwell, Segment
from controller.execution.fake import FakeArm, FakeClock
from kinematics import Limits, rest_to_rest

LIMITS = Limits(velocity=np.full(6, 3.0), acceleration=np.full(6, 15.0), jerk=np.full(6, 150.0))


def fake_arm(delay_s: float = 0.0) -> tuple[FakeArm, FakeClock]:
    clock = FakeClock()
    arm = FakeArm("R1", LIMITS, clock, lambda: delay_s, start=np.zeros(6))
    clock.watch(arm)
    arm.enable()
    return arm, clock


def rest(number: int, seconds: float) -> Segment:
    return Segment(id=number, process=Dwell(duration_s=seconds))


def test_ends_are_due_at_the_feed() -> None:
    arm, clock = fake_arm()
    arm.queue(rest(1, 2.0))
    arm.queue(rest(2, 1.0))
    assert arm.due() == 2_000_000_000
    clock.now_ns = 1_000_000_000
    arm.feed(0.25)
    assert arm.due() == 5_000_000_000
    clock.now_ns = 2_000_000_000
    arm.feed(0.0)
    assert arm.due() is None
    clock.now_ns = 9_000_000_000
    arm.feed(1.0)
    assert arm.due() == 9_750_000_000
    clock.advance()
    (first,) = arm.read().results
    assert (first.start_ns, first.end_ns) == (0, 9_750_000_000)
    assert arm.due() == 10_750_000_000


def test_nothing_of_a_held_arm_is_due_but_what_has_ended() -> None:
    arm, clock = fake_arm()
    arm.queue(rest(1, 1.0))
    arm.queue(rest(2, 1.0))
    clock.now_ns = 1_500_000_000
    arm.feed(0.0)
    assert arm.due() == clock.now_ns
    assert [result.id for result in arm.read().results] == [1]
    assert arm.due() is None
    before = clock.now_ns
    clock.advance()
    assert clock.now_ns > before  # held or not, time passes


def test_lateness_comes_after_the_motion() -> None:
    arm, clock = fake_arm(delay_s=1.5)
    move = rest_to_rest(np.zeros(6), np.ones(6), LIMITS)
    segment = Segment(id=1, trajectory=move)
    assert arm.under_way is None
    arm.queue(segment)
    assert arm.due() == round((move.duration + 1.5) * 1e9)
    arm.feed(0.5)
    for time in range(0, arm.due() or 0, 50_000_000):
        clock.now_ns = time
        assert arm.under_way == (segment, pytest.approx(0.5e-9 * time, abs=1e-9))
        assert arm.read().q == pytest.approx(move.sample([0.5e-9 * time])[0][0], abs=1e-12)
    assert (arm.read().q == 1.0).all()
    assert arm.read().results == ()
