"""Mode Maintenance: jogging, single steps, and no more than a part of the speed."""

import numpy as np

from controller.bench.fast_cell import MODELS, FastCell, cell
from controller.execution.fake import FakeClock
from controller.supervision.packml import Command, Mode, State
from controller.supervision.requests import (
    Jog,
    SetFeed,
    SetMode,
    SetSingleStep,
    Step,
)
from tests.controller.supervision.plant import finish


def test_jogging_only_in_maintenance_idle_and_while_somebody_holds(tmp_path):
    plant = FastCell(tmp_path, clock=FakeClock(20_000_000))
    jog = Jog(arm="R3", joint=0, share=0.05)
    assert "jogging in mode PRODUCTION (allowed in: MAINTENANCE)" in plant.ask(jog).reason
    plant.ask(SetMode(mode=Mode.MAINTENANCE))
    assert "allowed in: IDLE" in plant.ask(jog).reason
    plant.give(Command.RESET)
    plant.until(State.IDLE)
    assert "share 0.5 (allowed: -0.1 to 0.1)" in plant.ask(Jog(arm="R3", joint=0, share=0.5)).reason
    before = plant.arms["R3"].read().q.copy()
    assert plant.ask(jog).accepted
    for _ in range(100):
        plant.rounds(1)
        assert plant.ask(jog).accepted
    assert np.abs(plant.arms["R3"].read().qd).max() > 0.0
    heard_ns = plant.clock.now_ns
    while plant.supervisor.jogging.arm:
        plant.rounds(1)
    assert plant.clock.now_ns - heard_ns <= 290_000_000
    after = plant.arms["R3"].read()
    speed = cell().arms[2].arm.limits.velocity[0]
    assert 0.5 < (after.q[0] - before[0]) / (0.05 * speed * 2.0) <= 1.2
    assert (after.q[1:] == before[1:]).all()
    plant.ask(SetMode(mode=Mode.PRODUCTION))
    plant.order()
    assert plant.give(Command.START).accepted
    plant.until(State.EXECUTE)  # from where it was jogged to
    plant.end()


def test_single_step_in_maintenance(plant):
    plant.order()
    assert not plant.ask(SetSingleStep(on=True)).accepted
    plant.ask(SetMode(mode=Mode.MAINTENANCE))
    assert plant.ask(SetSingleStep(on=True)).accepted
    plant.start_up()
    plant.rounds(30)
    assert not plant.shift.joints
    for _ in range(40):
        assert plant.ask(Step()).accepted
        plant.rounds(100)
        assert plant.supervisor.line.idle
    assert plant.shift.joints
    plant.ask(SetSingleStep(on=False))
    finish(plant)


def test_the_feed_slows_the_cell_and_maintenance_caps_it(plant):
    assert "feed 2 (allowed: 0.01 to 1)" in plant.ask(SetFeed(share=2.0)).reason
    plant.order(lines={MODELS[0]: 1})
    plant.ask(SetMode(mode=Mode.MAINTENANCE))
    plant.start_up()
    plant.until(State.COMPLETE)
    assert plant.clock.now_ns > 5 * 200e9
