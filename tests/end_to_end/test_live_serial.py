"""The supervised cell over emulated serial lines: real bytes, real time, from Reset to a lost link and on."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller import app
from controller.live_cell import running_cell
from controller.supervision.cell_thread import CellThread
from controller.supervision.packml import Command, State
from controller.supervision.requests import ConfirmPlace, GiveCommand, QueueOrder
from controller.supervision.settings import CellSettings
from controller.supervision.view import CellView
from firmware_bridge.emulator import MissingToolError
from firmware_bridge.emulator.build import host_program
from firmware_bridge.emulator.emulated_cell import EmulatedCell
from firmware_bridge.emulator.line_process import Plug, Unplug

pytestmark = [pytest.mark.slow, pytest.mark.pybullet, pytest.mark.timeout(600)]
MODEL = "Pro-PR60-80-80"
PATIENCE_S = 60.0


class Live:
    """A running cell, and the emulated arms behind it."""

    def __init__(self, thread: CellThread, arms: EmulatedCell) -> None:
        self.thread, self.arms = thread, arms

    @property
    def view(self) -> CellView:
        return self.thread.view

    def give(self, command: Command) -> None:
        answer = self.thread.ask(GiveCommand(command=command), "ann", timeout_s=PATIENCE_S)
        assert answer.accepted, answer.reason

    def until(self, what: Callable[[CellView], bool]) -> CellView:
        end_s = time.monotonic() + PATIENCE_S
        while not what(view := self.view):
            assert time.monotonic() < end_s, (view.state, view.cause)
            time.sleep(0.01)
        return view

    def become(self, state: State) -> CellView:
        return self.until(lambda view: view.state is state)

    def at_work(self) -> None:
        """From stopped to arms that move."""
        self.give(Command.RESET)
        self.become(State.IDLE)
        self.give(Command.START)
        self.become(State.EXECUTE)
        self.until(lambda view: self.speed() > 0.1)

    def speed(self) -> float:
        """Of the fastest emulated motor [rad/s]."""
        return max(float(abs(arm.plant.joints()[1]).max()) for arm in self.arms.firmware.values())

    def stays_at_rest(self) -> bool:
        return all(self.speed() < 1e-3 for _ in range(20) if not time.sleep(0.02))


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    try:
        host_program()
    except MissingToolError as missing:
        pytest.skip(str(missing))
    made: list[EmulatedCell] = []

    class Seen(EmulatedCell):
        def __enter__(self) -> "Seen":
            made.append(self)
            return super().__enter__()

    monkeypatch.setattr(app, "EmulatedCell", Seen)
    settings = CellSettings(models=(MODEL,), driver="serial", emulate=True, journal=tmp_path, disk_low_gb=0.0)
    with running_cell(settings, lambda *_: None) as thread:
        yield Live(thread, made[0])


def test_from_reset_to_a_lost_link_and_on(live: Live) -> None:
    assert (live.view.simulated, live.view.driver) == (False, "serial, emulated")
    assert live.view.state is State.STOPPED
    order = QueueOrder(order="A", lines={MODEL: 20})
    assert live.thread.ask(order, "ann").accepted
    live.at_work()
    assert all(arm.link["errors"] == 0 for arm in live.view.arms)

    live.give(Command.HOLD)
    live.become(State.HELD)
    assert live.stays_at_rest()
    live.give(Command.UNHOLD)
    live.until(lambda view: live.speed() > 0.1)

    live.give(Command.STOP)
    live.become(State.STOPPED)
    assert live.stays_at_rest()
    assert not live.thread.ask(GiveCommand(command=Command.START), "ann").accepted
    number = live.view.plan_number
    live.at_work()
    assert live.view.plan_number > number

    live.arms.lines.command("R4", Unplug())
    view = live.become(State.ABORTED)
    lost = next(alarm for alarm in view.alarms if alarm.key.source == "R4")
    assert (lost.key.kind, lost.active) == ("arm_lost", True)
    assert live.stays_at_rest()
    live.arms.lines.command("R4", Plug(host=live.arms.port("R4")))
    time.sleep(0.5)
    live.give(Command.CLEAR)
    live.become(State.STOPPED)
    for question in live.view.questions:
        confirm = ConfirmPlace(serial=question.serial, operation=question.operation, found="not_done")
        assert live.thread.ask(confirm, "ann").accepted
    live.at_work()
    assert not any(alarm.active for alarm in live.view.alarms if alarm.key.kind == "arm_lost")
    live.give(Command.ABORT)
    live.become(State.ABORTED)
    assert live.stays_at_rest()
