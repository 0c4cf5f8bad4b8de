"""The simulated cell: one stepper commands arms and stations, steps the engine and watches what happens.

Time is a count of ticks of 1/240 s. A step is one tick while a finger moves on a part or a part meets its
counterpart, two ticks otherwise. The same seed gives the same run, bit by bit, on one build of the engine.
"""

import hashlib
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.fixtures import fixtures_of
from cells.joint_bus import ConnectJoint, direct
from sim.body import Seating, Workpiece, joined
from sim.bullet import pybullet
from sim.clearance import ArmClearance
from sim.contact_watch import Collision, ContactWatch
from sim.engine import FIXTURE, TICK_HZ, Engine, inverse, quaternion
from sim.servo import draw_error, no_error
from sim.sim_arm import SimArm
from sim.stations import SimStations

FloatArray = NDArray[np.float64]

ARM_COLORS = (
    (0.93, 0.46, 0.13),
    (0.16, 0.46, 0.78),
    (0.20, 0.62, 0.42),
    (0.76, 0.20, 0.28),
    (0.52, 0.34, 0.70),
    (0.92, 0.72, 0.16),
)
_TRACE_TICKS = 24
_INSPECTION_TICKS = 6
_ALL_JOINTS = tuple(range(8))  # of an arm, with its fingers
_LONG_STEP = 2


@dataclass(slots=True)
class StepTimes:
    """Where the wall time of stepping went.

    Attributes:
        steps: Steps so far.
        engine_s: Inside the engine's step [s].
        calls_s: Inside the engine's other calls: commands, readings, loading of bodies [s].
        total_s: All of it; the rest is our own code [s].
    """

    steps: int = 0
    engine_s: float = 0.0
    calls_s: float = 0.0
    total_s: float = 0.0

    @property
    def own_share(self) -> float:
        """Share of our own code in the time of a step, 0 to 1."""
        return 1.0 - (self.engine_s + self.calls_s) / self.total_s if self.total_s else 0.0


class World:
    """A cell in the physics engine.

    Args:
        cell: The cell.
        seed: Of every random draw: servo errors, repeatability, screws, presses, the joints under test.
        start: Joints (6,) of each arm by name at the beginning [rad]; zeros where it is not named.
        ideal: Leave out the servo errors (calibration, repeatability, lag).
        gui: Show the engine's own window.
        make_arm: What an arm is made of; by default it follows its own queue.
        connect_joint: Puts a bus between the end-of-line test and the joint on the nest.
    """

    def __init__(
        self,
        cell: Cell,
        seed: int = 0,
        *,
        start: Mapping[str, FloatArray] | None = None,
        ideal: bool = False,
        gui: bool = False,
        make_arm: Callable[..., SimArm] = SimArm,
        connect_joint: ConnectJoint = direct,
    ) -> None:
        self.cell = cell
        self.engine = Engine(gui=gui)
        self.at: dict[str, Workpiece] = {}  # by station
        self.finished: list[Workpiece] = []
        self.dropped: list[Workpiece] = []
        self.seating: list[Seating] = []
        self.times = StepTimes()
        self.fixtures = {fixture.name: fixture for fixture in fixtures_of(cell)}
        self._names: dict[int, str] = {}
        self._ticks = 0
        self._next_trace = self._next_inspection = 0
        self._trace = hashlib.sha256()
        self.news = False  # since it was last put back: a segment or a cycle has ended, or an arm has stopped
        self.watch = ContactWatch(self.engine, self._name)
        self._build_fixtures()
        generator = np.random.default_rng(seed)
        station_rng, *arm_rngs = generator.spawn(1 + len(cell.arms))
        self.stations = SimStations(self, station_rng, connect_joint)
        self.arms: dict[str, SimArm] = {}
        for index, (cell_arm, rng) in enumerate(zip(cell.arms, arm_rngs, strict=True)):
            error = no_error() if ideal else draw_error(rng)
            q = np.zeros(6) if start is None else start.get(cell_arm.id, np.zeros(6))
            arm = make_arm(self, cell_arm, error, q, ARM_COLORS[index % len(ARM_COLORS)], rng)
            self.arms[cell_arm.id] = arm
            self._names[arm.body] = cell_arm.id
        self._names[self.stations.dial.body] = "dial"
        self._arms = tuple(self.arms.values())
        self.watch.moving.update(arm.body for arm in self._arms)
        self._clearance = ArmClearance(self._arms)

    def __enter__(self) -> Self:
        """The world itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the engine."""
        self.close()

    def close(self) -> None:
        """Leave the engine."""
        self.engine.close()

    # --- time ----------------------------------------------------------------------------------------------

    @property
    def time_ns(self) -> int:
        """Simulated time since the start [ns]."""
        return self._ticks * 1_000_000_000 // TICK_HZ

    def step(self) -> None:
        """Let one step pass."""
        began, calls = perf_counter(), self.engine.calls_s
        awake = [arm for arm in self._arms if arm.awake]
        ticks = 1 if any(arm.needs_short_step for arm in awake) else _LONG_STEP
        self.engine.use_step(ticks)
        dt = ticks / TICK_HZ
        now = (self._ticks + ticks) * 1_000_000_000 // TICK_HZ
        for arm in awake:
            arm.command(now, dt)
        self.stations.command(now, dt)
        before = perf_counter()
        self.engine.step()
        self.times.engine_s += perf_counter() - before
        self._ticks += ticks
        for arm in awake:
            arm.update(now, dt)
        self.watch.look(now)
        if self._ticks >= self._next_inspection:
            self._next_inspection = self._ticks + _INSPECTION_TICKS
            self._inspect()
        if self._ticks >= self._next_trace:
            self._next_trace = self._ticks + _TRACE_TICKS
            self._record()
        self.times.steps += 1
        self.times.calls_s += self.engine.calls_s - calls
        self.times.total_s += perf_counter() - began

    # --- places --------------------------------------------------------------------------------------------

    def is_nest(self, station: str) -> bool:
        """Whether a name is that of a dial position, P0 and so on."""
        return station[:1] == "P" and station[1:].isdigit() and int(station[1:]) < self.cell.dial.positions

    def seat(self, station: str) -> FloatArray:
        """Frame (4, 4) in the world where the part frame of a seated part should be."""
        return self.cell.nest(int(station[1:])) if self.is_nest(station) else self.cell.stations[station].X_WS

    def take(self, station: str) -> Workpiece:
        """A gripper takes the workpiece of a station over."""
        return self.at.pop(station)

    def put(self, station: str, part: Workpiece, measured: Mapping[str, float]) -> Workpiece:
        """A station takes a seated workpiece over: it joins what is there, at its measured pose."""
        X_SP = inverse(self.seat(station)) @ part.pose_of_last
        base = self.at.get(station)
        position = X_SP[:3, 3]
        for placed in part.parts:
            seating = Seating(
                time_s=self.time_ns * 1e-9,
                serial=base.serial if base is not None else part.serial,
                part=placed.part.name,
                station=station,
                position_error_m=float(np.sqrt(position @ position)),
                tilt_rad=float(np.arccos(min(1.0, X_SP[2, 2]))),
                offset_m=measured["offset_m"],
                ok=measured["ok"] == 1.0,
            )
            self.seating.append(seating)
            part.seatings.append(seating)
        if measured["ok"] != 1.0:
            part.faults.append(f"{part.last.name} seated outside its window at {station}")
        if base is None:
            part.rest(part.pose)
            self.at[station] = part
            return part
        whole = joined(base, part)
        X_W0 = base.pose
        base.vanish()
        part.vanish()
        whole.rest(X_W0)
        self.at[station] = whole
        return whole

    def drop(self, workpiece: Workpiece) -> None:
        """Note a workpiece that fell out of a gripper."""
        self.dropped.append(workpiece)

    def workpieces(self) -> list[Workpiece]:
        """Everything that lies, is held or has fallen in this world."""
        held = (arm.gripper.held for arm in self.arms.values())
        return [*self.at.values(), *(part for part in held if part is not None), *self.dropped]

    # --- watching ------------------------------------------------------------------------------------------

    @property
    def collisions(self) -> list[Collision]:
        """Every forbidden contact so far, one entry from first touch to parting."""
        return self.watch.collisions

    @property
    def min_clearance_m(self) -> float:
        """Smallest distance between two arms so far, from measured joints every 25 ms; see `ArmClearance`."""
        return self._clearance.smallest_m

    @property
    def following_max_rad(self) -> float:
        """Largest following error of any arm's joint so far."""
        return max(arm.following_max_rad for arm in self.arms.values())

    def trace_sha256(self) -> str:
        """Hash over time, joints and workpiece poses of the run so far."""
        return self._trace.hexdigest()

    def notice(self) -> None:
        """Something happened that a controller wants to know before its next period."""
        self.news = True

    def _inspect(self) -> None:
        """Check what needs no check in every step: following errors and the room between arms."""
        now = self.time_ns
        moving = [index for index, arm in enumerate(self._arms) if arm.follower.running or not arm.at_rest]
        for index in moving:
            self._arms[index].check_following(now)
        self._clearance.note(now, moving)

    def _name(self, body: int) -> str:
        if body in self._names:
            return self._names[body]
        for station, workpiece in self.at.items():
            if workpiece.body == body:
                return f"{workpiece.last.name} at {station}"
        for arm in self.arms.values():
            if arm.gripper.held is not None and arm.gripper.held.body == body:
                return f"{arm.gripper.held.last.name} in {arm.name}"
        for workpiece in self.dropped:
            if workpiece.body == body:
                return f"dropped {workpiece.last.name}"
        return f"body {body}"

    def _record(self) -> None:
        trace = self._trace
        trace.update(self._ticks.to_bytes(8, "little"))
        for arm in self._arms:
            trace.update(array("d", [s[0] for s in self.engine.joints(arm.body, _ALL_JOINTS)]))
            if arm.gripper.held is not None:
                trace.update(arm.gripper.held.pose.tobytes())
        for station in sorted(self.at):
            trace.update(self.at[station].pose.tobytes())

    def _build_fixtures(self) -> None:
        """All fixed boxes but those of the dial, which turn with it."""
        client = self.engine.client
        for name, box in self.fixtures.items():
            if name.startswith(("dial.", "nest")):
                continue
            shape = pybullet.createCollisionShape(
                pybullet.GEOM_BOX, halfExtents=list(box.half_m), physicsClientId=client
            )
            body = pybullet.createMultiBody(
                baseMass=0.0,
                baseCollisionShapeIndex=shape,
                basePosition=box.X_WO[:3, 3].tolist(),
                baseOrientation=quaternion(box.X_WO),
                physicsClientId=client,
            )
            self.engine.group(body, -1, FIXTURE)
            self._names[body] = name


class SimClock:
    """Time of a `World` as the engine of a run sees it.

    Args:
        world: The world it advances.
        period_s: Longest time that passes at once; ends of segments are noticed in the step they occur in.
    """

    def __init__(self, world: World, period_s: float = 0.025) -> None:
        self._world = world
        self._period_ns = round(period_s * 1e9)

    @property
    def now_ns(self) -> int:
        """Simulated time [ns]."""
        return self._world.time_ns

    def advance(self) -> None:
        """Let the world go on until something ends or stops, at most for one control period."""
        world = self._world
        end_ns = world.time_ns + self._period_ns
        world.news = False
        while not world.news and world.time_ns < end_ns:
            world.step()
