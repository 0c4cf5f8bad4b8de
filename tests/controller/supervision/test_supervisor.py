"""The cell from order to tray: stops, faults, restarts, orders, on the real line with fast-forward drivers."""

import sqlite3
import threading

import pytest

from cells.driver import QueueStatus
from controller.bench.fast_cell import MODELS, FastCell
from controller.execution.draft import Drafting
from controller.supervision.alarms import Key
from controller.supervision.packml import Command, State
from controller.supervision.picture import Painter
from controller.supervision.requests import (
    AcknowledgeAlarm,
    EmptyTray,
    LoadFeeder,
    WithdrawOrder,
)
from controller.supervision.shift import CELL
from tests.controller.supervision.plant import answered, events, executing, finish, kinds


def test_an_order_is_made_to_its_end(plant):
    plant.order()
    plant.start_up()
    finish(plant)
    assert plant.shift.orders["A"].finished
    assert plant.shift.indices == max(event.place for event in events(plant, "joint_entered")) + 7
    states = [State(event.state).name for event in events(plant, "unit_changed")]
    assert states == ["STOPPED", "RESETTING", "IDLE", "STARTING", "EXECUTE", "COMPLETING", "COMPLETE"]
    cell = plant.shift.times_ns[CELL]
    assert sum(cell.values()) == sum(plant.shift.times_ns["R1"].values()) == plant.clock.now_ns
    assert cell["working"] > 0.99 * plant.clock.now_ns


def test_models_of_an_order_alternate(plant):
    plant.order(lines={MODELS[0]: 3, MODELS[1]: 1})
    plant.start_up()
    finish(plant)
    entered = [event.model for event in events(plant, "joint_entered")]
    assert entered == [MODELS[0], MODELS[1], MODELS[0], MODELS[0]] or entered[1:3].count(MODELS[1]) == 1


def test_an_operation_is_on_the_disk_before_anything_of_it_moves(plant):
    plant.order()
    plant.start_up()
    reader = sqlite3.connect(plant.archive.journal.path)
    queue = type(plant.arms["R1"]).queue
    seen = []

    def watched(arm, segment):
        node = plant.next_node(arm.name)
        if node.begins:
            (written,) = reader.execute(
                "SELECT count(*) FROM event JOIN joint ON joint.id = joint WHERE serial = ? AND body LIKE ?",
                (node.serial, f'["{node.operation}","{arm.name}"%'),
            ).fetchone()
            seen.append(written)
        return queue(arm, segment)

    for arm in plant.arms.values():
        arm.queue = watched.__get__(arm)
    plant.rounds(300)
    assert len(seen) > 10
    assert set(seen) == {1}


@pytest.mark.parametrize("command", [Command.STOP, Command.ABORT])
def test_after_a_stop_nothing_moves_until_start_and_then_on_a_new_plan(plant, command):
    executing(plant)
    number = plant.supervisor.production.plan_number
    plant.give(command)
    plant.until(State.STOPPED if command is Command.STOP else State.ABORTED)
    stood = {name: arm.read().q.copy() for name, arm in plant.arms.items()}
    assert all(arm.due() is None for arm in plant.arms.values())
    plant.rounds(50)
    if command is Command.ABORT:
        assert not plant.give(Command.RESET).accepted
        plant.give(Command.CLEAR)
        plant.until(State.STOPPED)
    assert not plant.give(Command.START).accepted
    plant.give(Command.RESET)
    plant.until(State.IDLE)
    plant.rounds(50)
    assert all((arm.read().q == stood[name]).all() for name, arm in plant.arms.items())
    plant.give(Command.START)
    plant.until(State.EXECUTE)
    assert plant.supervisor.production.plan_number > number
    finish(plant)


def test_a_stop_does_not_wait_for_a_plan_in_the_making(plant, monkeypatch):
    may = threading.Event()
    monkeypatch.setattr(Drafting, "begin", lambda *_: may.wait(30.0))
    plant.order()
    plant.give(Command.RESET)
    plant.until(State.IDLE)
    plant.give(Command.START)
    for _ in range(5):
        plant.supervisor.round()
    assert plant.state is State.STARTING
    assert plant.give(Command.STOP).accepted
    plant.until(State.STOPPED)
    assert not may.is_set()
    may.set()
    monkeypatch.undo()
    plant.start_up()
    finish(plant)


def test_starting_waits_until_there_is_a_plan_for_the_cell(plant):
    plant.order()
    plant.supervisor.acting.unknown = lambda missing: "schedules, 40 %"
    plant.give(Command.RESET)
    plant.until(State.IDLE)
    assert plant.give(Command.START).accepted
    plant.rounds(50)
    assert plant.state is State.STARTING
    plant.supervisor.acting.unknown = lambda missing: ""
    plant.until(State.EXECUTE)


def test_the_same_orders_are_made_in_the_same_way_whatever_the_machine_does(tmp_path):
    made = []
    for run in ("one", "two"):
        plant = FastCell(tmp_path / run)
        plant.order()
        plant.start_up()
        plant.until(State.COMPLETE)
        made.append([entry.event for entry in plant.archive.journal.read()])
        plant.end()
    assert made[0] == made[1]


def test_hold_stays_on_the_path_and_goes_on(plant):
    executing(plant)
    assert plant.give(Command.HOLD).accepted
    plant.until(State.HELD)
    stood = {name: arm.read().q.copy() for name, arm in plant.arms.items()}
    plant.rounds(100)
    assert all((arm.read().q == stood[name]).all() for name, arm in plant.arms.items())
    assert plant.supervisor.times.entry("R1").account == "hold"
    assert plant.give(Command.UNHOLD).accepted
    finish(plant)


def test_complete_finishes_what_is_in_work_and_lets_nothing_enter(plant):
    plant.order(lines={MODELS[0]: 8})
    plant.start_up()
    while len(plant.shift.joints) < 2:
        plant.rounds(1)
    in_work = len(plant.shift.joints)
    assert plant.give(Command.COMPLETE).accepted
    plant.until(State.COMPLETE)
    assert (plant.shift.good, len(plant.shift.joints)) == (in_work, 0)
    assert plant.shift.orders["A"].missing == {MODELS[0]: 8 - in_work}
    plant.start_up()
    finish(plant, good=8)


def test_a_fault_aborts_asks_and_goes_on_when_it_is_mended(plant):
    executing(plant)
    begun = {
        (serial, number)
        for serial, joint in plant.shift.joints.items()
        for number, arm in joint.begun.items()
        if arm == "R2"
    }
    plant.fail("R2", "following error 12.0 mrad, limit 10 mrad")
    plant.until(State.ABORTED)
    assert "arm_fault" in kinds(plant)
    # What was to be given in the round of the fault counts as begun: nobody knows.
    by_r2 = {(e.serial, e.operation) for e in events(plant, "operation_begun") if e.resource == "R2"}
    assert begun <= set(plant.shift.questions) <= by_r2
    begun = set(plant.shift.questions)
    assert plant.give(Command.CLEAR).accepted
    plant.until(State.STOPPED)
    if begun:
        answer = plant.give(Command.RESET)
        assert not answer.accepted
        assert "first say what became of operation" in answer.reason
    answered(plant)
    plant.start_up()
    finish(plant)


def test_a_guard_aborts_and_keeps_the_cell_from_being_cleared(plant):
    executing(plant)
    guard = Key("protective_stop", "guard 1")
    plant.conditions[guard] = "open"
    plant.until(State.ABORTED)
    answer = plant.give(Command.CLEAR)
    assert not answer.accepted
    assert "protective_stop of guard 1: open" in answer.reason
    assert not plant.shift.questions
    plant.conditions.clear()
    plant.rounds(1)
    assert plant.give(Command.CLEAR).accepted
    plant.until(State.STOPPED)
    assert plant.ask(AcknowledgeAlarm(key=guard)).accepted
    assert guard not in plant.supervisor.annunciator.alarms.by_key
    plant.start_up()
    finish(plant)


def test_an_empty_feeder_suspends_and_a_filled_one_resumes(plant):
    assert plant.ask(LoadFeeder(feeder="feeder_housing", batch="H-1", count=2)).accepted
    plant.order()
    plant.start_up()
    plant.until(State.SUSPENDED)
    assert "feeder_empty" in kinds(plant)
    assert len(plant.shift.joints) + plant.shift.good >= 2
    plant.rounds(100)
    assert plant.state is State.SUSPENDED
    assert plant.ask(LoadFeeder(feeder="feeder_housing", batch="H-2", count=9)).accepted
    finish(plant)
    batches = [event.batch for event in events(plant, "operation_begun") if event.operation == "10"]
    assert batches == ["H-1", "H-1", "H-2", "H-2"]
    assert any("starved feeder_housing" in times for times in plant.shift.times_ns.values())


def test_a_full_tray_suspends_and_an_empty_one_resumes(tmp_path):
    plant = FastCell(tmp_path, changes={"tray_places": 2})
    plant.order()
    plant.start_up()
    plant.until(State.SUSPENDED)
    assert (plant.shift.tray, "tray_full" in kinds(plant)) == (2, True)
    assert plant.ask(EmptyTray()).accepted
    finish(plant)
    plant.end()


def test_orders_go_by_priority_and_change_behind_what_is_planned(plant):
    plant.order("later", {MODELS[0]: 6})
    plant.start_up()
    plant.order("first", {MODELS[1]: 2}, priority=1)
    planned = plant.supervisor.settings.lookahead_joints
    plant.until(State.COMPLETE)
    entered = [event.order for event in events(plant, "joint_entered")]
    assert entered == ["later"] * planned + ["first"] * 2 + ["later"] * (6 - planned)


def test_a_withdrawn_order_ends_behind_what_is_planned(plant):
    plant.order(lines={MODELS[0]: 50})
    plant.start_up()
    assert plant.ask(WithdrawOrder(order="A")).accepted
    plant.until(State.COMPLETE)
    assert plant.shift.good == plant.supervisor.settings.lookahead_joints
    assert not plant.ask(WithdrawOrder(order="A")).accepted


def test_a_restart_knows_all_but_what_was_under_way(tmp_path):
    plant = FastCell(tmp_path)
    executing(plant, 400)
    before = plant.shift
    under_way = {(serial, number) for serial, joint in before.joints.items() for number in joint.begun}
    plant.end()
    again = FastCell(tmp_path)
    assert set(again.shift.questions) == under_way
    assert {s: j.done for s, j in again.shift.joints.items()} == {s: j.done for s, j in before.joints.items()}
    answer = again.give(Command.RESET)
    assert not answer.accepted
    answered(again, "done")
    again.start_up()
    finish(again)
    assert events(again, "restarted")
    again.end()


def test_the_cycle_clock_counts_running_and_stands_while_the_cell_does(plant):
    painter = Painter(plant.supervisor)
    assert painter.picture().since_last_s == 0.0
    executing(plant, 300)
    ran = painter.picture().since_last_s
    assert ran > 10.0
    assert plant.give(Command.STOP).accepted
    plant.until(State.STOPPED)
    stood = painter.picture().since_last_s
    plant.clock.now_ns += 3_600_000_000_000
    plant.rounds(3)
    assert painter.picture().since_last_s == pytest.approx(stood, abs=1e-6)
    plant.start_up()
    while not plant.supervisor.production.left:
        plant.rounds(1)
    assert painter.picture().since_last_s == pytest.approx(0.0, abs=1.0)


def test_what_keeps_a_command_back_is_in_the_picture(plant):
    painter = Painter(plant.supervisor)
    assert plant.give(Command.RESET).accepted
    plant.until(State.IDLE)
    assert painter.picture().obstacles == {Command.START: "there is nothing to make, queue an order first"}
    assert plant.order().accepted
    assert painter.picture().obstacles == {}


def test_a_full_disk_holds_the_cell_and_unhold_works_when_it_is_mended(plant):
    executing(plant)
    db = plant.archive.journal._db
    db.execute(f"PRAGMA max_page_count = {plant.archive.journal.size_bytes // 4096}")
    plant.until(State.HELD)
    assert "journal_failed" in kinds(plant)
    written = len(list(plant.archive.journal.read()))
    plant.rounds(300)
    assert len(list(plant.archive.journal.read())) == written
    answer = plant.give(Command.UNHOLD)
    assert not answer.accepted
    assert "the journal cannot be written" in answer.reason
    assert not plant.order("B").accepted
    db.execute("PRAGMA max_page_count = 1000000")
    plant.rounds(2)
    assert "journal_failed" not in kinds(plant)
    assert plant.give(Command.UNHOLD).accepted
    finish(plant)


def test_there_is_nothing_to_start_without_an_order(plant):
    plant.give(Command.RESET)
    plant.until(State.IDLE)
    assert "there is nothing to make" in plant.give(Command.START).reason


def test_a_fault_of_the_program_itself_stops_everything(plant, monkeypatch):
    executing(plant)
    monkeypatch.setattr(plant.supervisor.production, "extend", lambda: 1 / 0)
    plant.until(State.ABORTED)
    assert "controller_failed" in kinds(plant)
    monkeypatch.undo()
    plant.give(Command.CLEAR)
    plant.until(State.STOPPED)
    plant.start_up()
    finish(plant)


def test_a_driver_that_refuses_a_leg_aborts_instead_of_waiting_for_ever(plant, monkeypatch):
    executing(plant)
    monkeypatch.setattr(type(plant.arms["R4"]), "queue", lambda arm, segment: QueueStatus.REFUSED)
    plant.until(State.ABORTED)
    assert "refused" in plant.supervisor.cause
    monkeypatch.undo()
    answered(plant)
    plant.start_up()
    finish(plant)
