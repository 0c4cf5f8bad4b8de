"""Hold-to-run with an arm whose velocities are never exactly zero, as those of real and simulated arms."""

from dataclasses import replace

import numpy as np
import pytest

from cells.cell import load_cell
from cells.driver import Status
from controller.execution.fake import FakeArm, FakeClock
from controller.supervision.jog import Jogging

TREMBLE = np.full(6, 1e-6)


def test_one_joint_after_another_on_an_arm_that_trembles() -> None:
    arm = load_cell("six_arm").arms[0]
    clock = FakeClock(10_000_000)
    driver = FakeArm(arm.id, arm.arm.limits, clock, lambda: 0.0, chain=arm.arm.chain, start=np.zeros(6))
    clock.watch(driver)
    driver.__enter__()

    def readings():  # type: ignore[no-untyped-def]
        reading = driver.read()
        return {arm.id: replace(reading, qd=reading.qd + TREMBLE)}

    jogging = Jogging({arm.id: arm}, {arm.id: driver}, readings, clock)

    def held(joint: int, share: float, rounds: int = 100) -> float:
        for beat in range(100):
            if beat % 10 == 0:
                jogging.ask(arm.id, joint, share)
            jogging.round()
            clock.advance()
        jogging.ask(arm.id, joint, 0.0)
        for _ in range(rounds):
            jogging.round()
            clock.advance()
        if rounds == 100:
            assert jogging.arm == "", "it has come to its end"
            assert driver.read().status is not Status.RUNNING
        return float(driver.read().q[joint])

    up = held(0, 0.05)
    assert up > 0.1
    assert held(0, -0.05) == pytest.approx(0.0, abs=0.05)
    assert held(3, 0.05, rounds=1) > 0.1
    assert held(4, 0.05) > 0.1, "pressed while the one before still comes to rest"


def test_an_arm_at_the_end_of_its_range_holds_what_it_was_given() -> None:
    """A piece from where the arm is measured would let it sink a little with each."""
    arm = load_cell("six_arm").arms[0]
    clock = FakeClock(10_000_000)
    start = np.append(arm.arm.chain.q_max[0] - 0.03, np.zeros(5))
    driver = FakeArm(arm.id, arm.arm.limits, clock, lambda: 0.0, chain=arm.arm.chain, start=start)
    clock.watch(driver)
    driver.__enter__()
    queued = []
    queue = driver.queue
    driver.queue = lambda piece: queued.append(piece) or queue(piece)  # type: ignore[method-assign, func-returns-value]
    jogging = Jogging({arm.id: arm}, {arm.id: driver}, lambda: {arm.id: driver.read()}, clock)
    for _ in range(500):
        jogging.ask(arm.id, 0, 0.05)
        jogging.round()
        clock.advance()
    assert len(queued) == 1
    assert jogging.arm == arm.id, "and goes on listening"
    assert driver.read().q[0] == pytest.approx(arm.arm.chain.q_max[0] - 0.01)
