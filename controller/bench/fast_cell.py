"""A cell of fast-forward drivers for studies of its supervision, with a schedule that is found in a moment."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, load_cell
from cells.joint_model import JointModel, load_joint_model
from controller.app import fake_drivers, prepare_kernels
from controller.bench.witness import Witness, WitnessedArm, WitnessedStations
from controller.choice import Choice
from controller.execution.fake import FakeArm, FakeClock
from controller.execution.line import Line
from controller.motion.event_graph import Node
from controller.motion.plan import MotionPlanner
from controller.rearranging import Arrangements
from controller.scheduling.bound import lower_bound
from controller.scheduling.build import build_mix, slowest
from controller.scheduling.problem import NO_ARM
from controller.scheduling.solve import schedule_of, search
from controller.supervision.alarms import Key
from controller.supervision.archive import Archive
from controller.supervision.deciding import decide
from controller.supervision.outside import Outside
from controller.supervision.packml import Command, State
from controller.supervision.requests import Answer, ConfirmPlace, GiveCommand, QueueOrder, Request
from controller.supervision.settings import CellSettings
from controller.supervision.shift import Shift
from controller.supervision.supervisor import Supervisor

MODELS = ("Pro-NE30-50-70", "Pro-PR60-80-80", "Pro-PR60-100-90")
FloatArray = NDArray[np.float64]
Found = Literal["done", "not_done", "scrap"]
_SEED = 1  # a schedule that can be coordinated


@cache
def cell() -> Cell:
    """The bundled cell."""
    return load_cell("six_arm")


@cache
def models() -> dict[str, JointModel]:
    """Three models, by name."""
    return {name: load_joint_model(name) for name in MODELS}


@cache
def warm() -> None:
    """Compile every kernel, or load it from the cache; studies of the command line begin with it."""
    prepare_kernels(lambda what, done, of: None)


@cache
def planner() -> MotionPlanner:
    """What plans its motion; visits and volumes are kept."""
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
        rules=plan.rules,
    )


@cache
def arrangements() -> Arrangements:
    """That schedule, and others for when arms are missing, found when they are needed."""
    return Arrangements(planner(), list(models().values()), choice())


@dataclass
class FastCell:
    """A supervisor with its drivers; time of day is ``utc_offset_ns`` later than a clock that never jumps.

    Attributes:
        directory: Of the journal.
        changes: Settings that are not those by default.
        conditions: What sensors of the cell say.
        delay: How much longer than planned a leg takes [s].
        start: Where arms stand [rad]; parked without.
        witness: Writes down what truly happens.
    """

    directory: Path
    changes: dict[str, Any] = field(default_factory=dict)
    conditions: dict[Key, str] = field(default_factory=dict)
    delay: Callable[[], float] = lambda: 0.0
    start: Mapping[str, FloatArray] | None = None
    witness: Witness | None = None
    utc_offset_ns: int = 1_800_000_000_000_000_000
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        start = self.start or {arm.id: planner().park(arm.id) for arm in cell().arms}
        drivers = fake_drivers(cell(), start, self.clock, lambda: self.delay())
        self.arms, self._fakes = dict(drivers.arms), drivers.arms
        self.stations = drivers.stations
        if self.witness is not None:
            self._watched_by(self.witness)
        facts: dict[str, Any] = {"journal": self.directory, "disk_low_gb": 0.0} | self.changes
        self.settings = CellSettings(**facts)
        self.archive = Archive(self.directory, largest_bytes=round(self.settings.journal_largest_gb * 1e9))
        outside = Outside(
            cell=cell(),
            models=models(),
            make_line=lambda listener, permit: Line(
                cell(), planner(), arrangements(), self.arms, self.stations, self.clock, listener, permit
            ),
            arms=self.arms,
            stations=self.stations,
            clock=self.clock,
            software="study",
            simulated=True,
            driver="fake",
            surroundings=lambda: dict(self.conditions),
            utc_ns=lambda: self.utc_offset_ns + time.monotonic_ns(),
        )
        self.supervisor = Supervisor(outside, self.settings, self.archive)

    def _watched_by(self, witness: Witness) -> None:
        for number, (name, arm) in enumerate(self.arms.items()):
            self.arms[name] = WitnessedArm(arm, number, witness, self.next_node)
        self.stations = WitnessedStations(self.stations, witness, self.next_node)

    def next_node(self, resource: str) -> Node:
        """What a resource is given next."""
        line = self.supervisor.line
        chain = self.supervisor.production.course.chains[resource]
        return line.graph.nodes[chain[line.state.progress[resource].given]]

    def end(self) -> None:
        """Let go of the journal, as a power cut would."""
        self.archive.__exit__(None, None, None)

    def fail(self, arm: str, reason: str) -> None:
        """Let an arm fault."""
        self._fake(arm).fail(reason)

    def move_by_hand(self, arm: str, q: FloatArray) -> None:
        """Let somebody move an arm to joints (6,) [rad]."""
        self._fake(arm).move_by_hand(q)

    def _fake(self, arm: str) -> FakeArm:
        driver = self._fakes[arm]
        assert isinstance(driver, FakeArm)
        return driver

    @property
    def state(self) -> State:
        """PackML state."""
        return self.supervisor.unit.state

    @property
    def shift(self) -> Shift:
        """What is in the book."""
        return self.supervisor.book.shift

    def ask(self, request: Request) -> Answer:
        """Ask for something."""
        return decide(self.supervisor, request, "ann")

    def give(self, command: Command) -> Answer:
        """Give a command."""
        return self.ask(GiveCommand(command=command))

    def order(self, name: str = "A", lines: dict[str, int] | None = None, **facts: Any) -> Answer:
        """Queue an order; two joints of each of two models without ``lines``."""
        return self.ask(QueueOrder(order=name, lines=lines or {MODELS[0]: 2, MODELS[1]: 2}, **facts))

    def answer(self, found: Callable[[str, str], Found]) -> None:
        """Answer every question by what ``found`` says of a joint and operation."""
        while self.shift.questions:
            serial, number = self.shift.questions[0]
            answer = self.ask(ConfirmPlace(serial=serial, operation=number, found=found(serial, number)))
            if not answer.accepted:
                raise AssertionError(answer.reason)

    def until(self, *states: State, most: int = 200_000) -> None:
        """Go on until one of these states is reached.

        Raises:
            AssertionError: When it is not, or the cell aborts.
        """
        for _ in range(most):
            if self.state in states:
                return
            if self.state is State.ABORTED:
                break
            self._round()
        raise AssertionError(f"{self.state.name}: {self.supervisor.cause}; {self.shift.questions}")

    def rounds(self, count: int) -> None:
        """So many rounds of the loop, not counting those in which time waits for a plan: always to the same moment."""
        for _ in range(count):
            self._round()

    def _round(self) -> None:
        while self.supervisor.production.planning.keeps_time():
            pass
        self.supervisor.round()

    def start_up(self) -> None:
        """From stopped, complete or aborted to executing.

        Raises:
            AssertionError: When a command is refused.
        """
        if self.state is State.ABORTED:
            self._must(Command.CLEAR, State.STOPPED)
        self._must(Command.RESET, State.IDLE)
        self._must(Command.START, State.EXECUTE)

    def _must(self, command: Command, state: State) -> None:
        answer = self.give(command)
        if not answer.accepted:
            raise AssertionError(answer.reason)
        self.until(state)
