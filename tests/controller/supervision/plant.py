"""A cell of fast-forward drivers for the tests of its supervision, with a schedule that was found in a moment."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from cells.cell import Cell, load_cell
from cells.joint_model import JointModel, load_joint_model
from controller.choice import Choice
from controller.execution.fake import FakeArm, FakeClock, FakeStations
from controller.execution.line import Line
from controller.motion.plan import MotionPlanner
from controller.scheduling.bound import lower_bound
from controller.scheduling.build import build_mix, slowest
from controller.scheduling.problem import NO_ARM
from controller.scheduling.solve import schedule_of, search
from controller.supervision.archive import Archive
from controller.supervision.deciding import decide
from controller.supervision.packml import Command, State
from controller.supervision.requests import Answer, GiveCommand, QueueOrder, Request
from controller.supervision.settings import CellSettings
from controller.supervision.supervisor import Outside, Supervisor

MODELS = ("Pro-NE30-50-70", "Pro-PR60-80-80", "Pro-PR60-100-90")
_SEED = 1  # a schedule that can be coordinated


@cache
def cell() -> Cell:
    return load_cell("six_arm")


@cache
def models() -> dict[str, JointModel]:
    return {name: load_joint_model(name) for name in MODELS}


@cache
def planner() -> MotionPlanner:
    return MotionPlanner(cell())


@cache
def choice() -> Choice:
    """One schedule, after whose visits all arms draw back: good enough, and found in seconds."""
    mix = build_mix(cell(), list(models().values()))
    problem = mix.problems[0]
    pattern, _ = search(problem, rng=np.random.default_rng(_SEED), iterations=20_000)
    schedule = schedule_of(problem, pattern, lower_bound(problem))
    everywhere = frozenset(
        (cell().arms[item.mode.arm].id, item.operation)
        for item in schedule.operations
        if item.mode.arm != NO_ARM
    )
    trial = [slowest(list(models().values()))] * 10
    plan = planner().plan(schedule, trial, retreats=everywhere)
    return Choice(
        cycle_s=schedule.cycle_time / 1000,
        schedule=schedule,
        retreats=frozenset(plan.retreats),
        critical=(),
        rules=plan.rules,
    )


@dataclass
class Plant:
    """A supervisor with its drivers; time of day is ``utc_offset_ns`` later than a clock that never jumps."""

    directory: Path
    settings: dict[str, object] = field(default_factory=dict)
    conditions: dict[object, str] = field(default_factory=dict)  # what sensors of the cell say
    delay: Callable[[], float] = lambda: 0.0
    utc_offset_ns: int = 1_800_000_000_000_000_000
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.arms = {
            arm.id: FakeArm(
                arm.id,
                arm.arm.limits,
                self.clock,
                self.delay,
                chain=arm.arm.chain,
                start=planner().park(arm.id),
            )
            for arm in cell().arms
        }
        self.stations = FakeStations(self.clock)
        self.clock.watch(*self.arms.values(), self.stations)
        self.settings = {"journal": self.directory, "disk_low_gb": 0.0} | self.settings
        self.supervisor: Supervisor
        self.archive: Archive
        self.begin()

    def begin(self) -> None:
        """The controller begins, on the journal of the one before."""
        settings = CellSettings(**self.settings)
        self.archive = Archive(self.directory)
        outside = Outside(
            cell=cell(),
            models=models(),
            make_line=lambda arms, stations, listener: Line(
                cell(), planner(), choice(), arms, stations, self.clock, listener
            ),
            arms=self.arms,
            stations=self.stations,
            clock=self.clock,
            software="test",
            simulated=True,
            driver="fake",
            surroundings=lambda: dict(self.conditions),
            utc_ns=lambda: self.utc_offset_ns + time.monotonic_ns(),
        )
        self.supervisor = Supervisor(outside, settings, self.archive)

    def end(self) -> None:
        self.archive.__exit__(None, None, None)

    @property
    def state(self) -> State:
        return self.supervisor.unit.state

    @property
    def shift(self):
        return self.supervisor.book.shift

    def ask(self, request: Request) -> Answer:
        return decide(self.supervisor, request, "ann")

    def give(self, command: Command) -> Answer:
        return self.ask(GiveCommand(command=command))

    def order(self, name: str = "A", lines: dict[str, int] | None = None, **facts) -> Answer:
        return self.ask(QueueOrder(order=name, lines=lines or {MODELS[0]: 2, MODELS[1]: 2}, **facts))

    def until(self, *states: State, most: int = 200_000) -> None:
        for _ in range(most):
            if self.state in states:
                return
            if self.state is State.ABORTED:
                break
            self.supervisor.round()
        raise AssertionError(f"{self.state.name}: {self.supervisor.cause}; {self.shift.questions}")

    def rounds(self, count: int) -> None:
        for _ in range(count):
            self.supervisor.round()

    def start(self) -> None:
        """From stopped to executing."""
        assert self.give(Command.RESET).accepted
        self.until(State.IDLE)
        answer = self.give(Command.START)
        assert answer.accepted, answer.reason
        self.until(State.EXECUTE)
