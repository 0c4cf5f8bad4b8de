"""Stops at random moments of a cell at work in simulation: time and way to rest beside what the limits promise.

After every stop the plan is renewed and the cell goes on, so that parts show whether what was interrupted was finished as
it should be. Time and way are those of the joints as they are read from the engine, under torque limits.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.driver import StopCategory
from cells.joint_model import JointModel
from controller.bench.plan_mix import mix_plan
from controller.bench.row import Figure, Options, Row
from controller.choice import Choice
from controller.execution.draft import JointToMake, PlanError
from controller.execution.line import Line
from controller.execution.state import Ended, Event
from controller.motion.plan import MotionPlanner
from controller.motion.unroll import serial_number
from controller.rearranging import Arrangements
from kinematics import Stopping, stopping
from sim.sim_arm import SimArm
from sim.world import SimClock, World

FloatArray = NDArray[np.float64]

_CATEGORIES = (StopCategory.POWER_OFF, StopCategory.STOP_AND_HOLD)
_BETWEEN_S = 2.0  # stops, on average
_REST_RAD_PER_S = 5e-3
_LONGEST_S = 2.0
SERVO_S = 2 / 120  # a stop begins with the next step, and rest is read at the end of one
SERVO_RAD = 1e-3  # what a servo may be off while it brakes
_JOINTS = 4  # of the orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One arm that moved when it was stopped.

    Attributes:
        promised: What the limits say.
        seconds: Time until its joints were read at rest.
        turned: (6,) way of its joints until then [rad].
    """

    promised: Stopping
    seconds: float
    turned: FloatArray

    @property
    def late_s(self) -> float:
        """How much longer it took than promised."""
        return self.seconds - self.promised.duration

    @property
    def far_rad(self) -> float:
        """How much farther a joint turned than promised, the worst one."""
        return float((self.turned - self.promised.turned).max())


@dataclass
class Stops:
    """What came of all stops.

    Attributes:
        moments: How often the cell was stopped.
        stops: Of every arm that moved then.
        faults: Why the cell could not go on.
        collisions: Forbidden contacts.
        dropped: Parts lost.
        badly_seated: Parts seated outside their window.
        finished: Joints that left.
    """

    moments: int = 0
    stops: list[Stop] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    collisions: int = 0
    dropped: int = 0
    badly_seated: int = 0
    finished: int = 0

    @property
    def late_s(self) -> float:
        """The longest by which rest came later than promised."""
        return max((stop.late_s for stop in self.stops), default=0.0)

    @property
    def far_rad(self) -> float:
        """The farthest that a joint went beyond what was promised."""
        return max((stop.far_rad for stop in self.stops), default=0.0)


class _StoppedCell:
    """A cell in simulation that is stopped at random moments."""

    def __init__(
        self,
        cell: Cell,
        choice: Choice,
        planner: MotionPlanner,
        order: Sequence[JointModel],
        rng: np.random.Generator,
        stack: ExitStack,
    ) -> None:
        start = {arm.id: planner.park(arm.id) for arm in cell.arms}
        self.world = World(cell, int(rng.integers(2**31)), start=start)
        stack.callback(self.world.close)
        clock = SimClock(self.world)
        self.joints = [
            JointToMake(serial=serial_number(k), model=model.name, place=k) for k, model in enumerate(order)
        ]
        self._finished: set[str] = set()
        self._rng = rng
        self.line = Line(
            cell,
            planner,
            Arrangements(planner, order, choice),
            self.world.arms,
            self.world.stations,
            clock,
            self._listen,
        )

    def _listen(self, event: Event) -> None:
        if isinstance(event, Ended) and self.line.graph.nodes[event.node].finishes:
            self._finished.add(self.line.graph.nodes[event.node].serial)

    def run(self, stops: Stops, moments: int) -> None:
        """Until all joints have left or the cell has been stopped so often."""
        self._begin()
        stop_ns = self._next_stop()
        while not self.line.exhausted and stops.moments < moments and not self.line.faults:
            self.line.tick()
            # Every other time while an arm moves, else in whatever goes on.
            if self.world.time_ns >= stop_ns and (stops.moments % 2 or self._moves()):
                stops.moments += 1
                stops.stops += self._stop(_CATEGORIES[int(self._rng.integers(2))])
                try:
                    self._begin()
                except PlanError as error:
                    stops.faults.append(f"no plan: {error}")
                    break
                stop_ns = self._next_stop()
        stops.faults += [f"{name}: {fault}" for name, fault in self.line.faults.items()]
        stops.collisions += len(self.world.collisions)
        stops.dropped += len(self.world.dropped)
        stops.badly_seated += sum(not seating.ok for seating in self.world.seating)
        stops.finished += len(self._finished)

    def _begin(self) -> None:
        for arm in self.world.arms.values():
            arm.enable()
        left = [joint for joint in self.joints if joint.serial not in self._finished]
        self.line.begin(left, self.line.indices)

    def _moves(self) -> bool:
        return any(_promise(arm, abort=True) is not None for arm in self.world.arms.values())

    def _next_stop(self) -> int:
        return self.world.time_ns + round(1e9 * self._rng.exponential(_BETWEEN_S))

    def _stop(self, category: StopCategory) -> list[Stop]:
        """Stop everything; what became of the arms that moved."""
        arms = list(self.world.arms.values())
        promised = [_promise(arm, abort=category is StopCategory.POWER_OFF) for arm in arms]
        began = self.world.time_ns
        turned = np.zeros((len(arms), 6))
        rested = np.zeros(len(arms))
        q = np.array([arm.measured_q() for arm in arms])
        self.line.halt(category)
        while self.world.time_ns - began < _LONGEST_S * 1e9:
            self.world.step()
            now = np.array([arm.measured_q() for arm in arms])
            turned, q = turned + np.abs(now - q), now
            speed = np.array([np.abs(arm.motors.read(self.world.time_ns)[1]).max() for arm in arms])
            rested[speed > _REST_RAD_PER_S] = (self.world.time_ns - began) * 1e-9
            if (speed <= _REST_RAD_PER_S).all() and all(arm.follower.running is None for arm in arms):
                break
        return [
            Stop(promised=promise, seconds=float(rested[k]), turned=turned[k])
            for k, promise in enumerate(promised)
            if promise is not None
        ]


def _promise(arm: SimArm, *, abort: bool) -> Stopping | None:
    """What the limits say of an arm under way on a trajectory now."""
    running, time_ns = arm.follower.running, arm.world.time_ns
    if running is None or running.line_done or running.segment.trajectory is None:
        return None
    own_s = 1e-9 * (arm.follower.path_ns(time_ns) - running.start_ns) - arm.error.lag_s
    move = running.segment.trajectory
    at = min(max(own_s, 0.0), move.duration)
    return stopping(move, arm.limits, at=at, rate=arm.follower.rate, abort=abort)


def stop_and_go_on(cell: Cell, choice: Choice, order: Sequence[JointModel], moments: int, seed: int) -> Stops:
    """Stop a cell at random moments of making an order, again and again."""
    stops, planner = Stops(), MotionPlanner(cell)
    sequence = np.random.SeedSequence(seed)
    while stops.moments < moments:
        with ExitStack() as stack:
            rng = np.random.default_rng(sequence.spawn(1)[0])
            _StoppedCell(cell, choice, planner, order, rng, stack).run(stops, moments)
    return stops


def rows(options: Options) -> Iterator[Row]:
    """The decisions of the plan of the mix, for short orders of its models."""
    mix = mix_plan(options.seed)
    motion = mix.plan.motion
    choice = Choice(
        cycle_s=motion.schedule.cycle_time / 1000,
        schedule=motion.schedule,
        retreats=frozenset(motion.retreats),
        rules=motion.rules,
    )
    began = time.thread_time()
    moments = 5 if options.quick else 500
    stops = stop_and_go_on(mix.cell, choice, motion.order[:_JOINTS], moments, options.seed)
    note = f"{stops.moments} moments, {len(stops.stops)} arms moving; {time.thread_time() - began:.0f} s"
    for name, value, unit, goal in (
        ("arms at rest later than promised", 1000 * stops.late_s, "ms", 1000 * SERVO_S),
        ("joints farther than promised", 1000 * stops.far_rad, "mrad", 1000 * SERVO_RAD),
        ("stops after which it could not go on", len(stops.faults), "", 0),
        ("forbidden contacts", stops.collisions, "", 0),
        ("parts lost or badly seated", stops.dropped + stops.badly_seated, "", 0),
    ):
        yield Figure(
            name=f"stops at random moments in simulation: {name}",
            value=value,
            unit=unit,
            goal=goal,
            must_hold=True,
            note=stops.faults[0] if name.startswith("stops") and stops.faults else note,
        )
