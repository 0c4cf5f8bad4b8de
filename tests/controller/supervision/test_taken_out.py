"""Arms that the cell goes on without, and joints that somebody took out of it."""

from controller.bench.fast_cell import MODELS, FastCell
from controller.supervision.alarms import Key
from controller.supervision.packml import Command, State
from controller.supervision.requests import (
    ConfirmPlace,
    PutBack,
    ScrapJoint,
    TakeOut,
)
from controller.supervision.shift import CELL
from tests.controller.supervision.plant import answered, events, executing, finish, kinds


def test_scrap_is_made_again(tmp_path):
    plant = FastCell(tmp_path)
    executing(plant, 300)
    plant.end()
    again = FastCell(tmp_path)
    serial, operation = again.shift.questions[0]
    assert again.ask(ConfirmPlace(serial=serial, operation=operation, found="scrap")).accepted
    answered(again, "done")
    again.start_up()
    again.until(State.COMPLETE)
    assert (again.shift.good, again.shift.rejected) == (4, 1)
    again.end()


def test_a_joint_is_taken_out_without_a_question_and_made_again(plant):
    executing(plant, 300)
    assert "allowed in: ABORTED, STOPPED, IDLE" in plant.ask(ScrapJoint(serial="J0000001")).reason
    assert plant.give(Command.STOP).accepted
    plant.until(State.STOPPED)
    assert not plant.shift.questions
    serial = next(iter(plant.shift.joints))
    assert f"allowed: {', '.join(plant.shift.joints)}" in plant.ask(ScrapJoint(serial="J9")).reason
    assert plant.ask(ScrapJoint(serial=serial)).accepted
    assert (events(plant, "confirmed")[-1].found, plant.shift.tray) == ("scrap", 0)
    assert serial not in plant.shift.joints
    plant.start_up()
    plant.until(State.COMPLETE)
    assert (plant.shift.good, plant.shift.rejected) == (4, 1)


def test_an_arm_is_taken_out_and_the_others_go_on(plant):
    assert plant.ask(TakeOut(arm="R5")).accepted
    assert "arm 'R5' (allowed: R1, R2, R3, R4, R6)" in plant.ask(TakeOut(arm="R5")).reason
    assert not plant.ask(TakeOut(arm="R3")).accepted  # nobody else reaches the bench
    plant.order(lines={MODELS[0]: 2})
    plant.start_up()
    assert "in state EXECUTE (allowed in: ABORTED, STOPPED, IDLE)" in plant.ask(PutBack(arm="R5")).reason
    plant.until(State.COMPLETE)
    assert (plant.shift.good, plant.shift.rejected) == (2, 0)
    assert all(event.resource != "R5" for event in events(plant, "operation_begun"))
    assert plant.supervisor.times.entry("R5").account == "fault"
    assert plant.give(Command.RESET).accepted
    plant.until(State.IDLE)
    assert plant.ask(PutBack(arm="R5")).accepted


def test_a_lost_arm_that_is_in_the_way_is_named(plant):
    executing(plant)
    plant.fail("R1", "lost: no answer for 0.5 s")
    plant.until(State.ABORTED)
    assert "arm_lost" in kinds(plant)
    assert plant.ask(TakeOut(arm="R1")).accepted
    answered(plant)
    assert plant.give(Command.CLEAR).accepted
    plant.until(State.STOPPED)
    assert plant.give(Command.RESET).accepted
    plant.until(State.IDLE)
    assert plant.give(Command.START).accepted
    plant.until(State.EXECUTE, State.STOPPED)
    if plant.state is State.STOPPED:
        assert "R1" in plant.supervisor.cause or "cannot be finished" in plant.supervisor.cause
        assert Key("no_plan", CELL) in plant.supervisor.annunciator.alarms.by_key
    else:
        finish(plant)
