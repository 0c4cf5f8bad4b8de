"""A simulated arm that behaves as a real one through `cells.driver.ArmDriver`.

Segments run in continuous device time: one that follows another starts at the very end of it, not at the
next step. The engine's joint motors follow position with velocity feed-forward under the arm's torque
limits. Setpoints are made in the maker's angles and turned into the model's angles of the URDF last.
"""

import math
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import pybullet
from numpy.typing import NDArray

from cells.cell import CellArm
from cells.driver import (
    ArmState,
    DriveScrews,
    Dwell,
    GripPart,
    InsertPart,
    QueueStatus,
    ReleasePart,
    Segment,
    SegmentResult,
    Status,
    StopCategory,
)
from kinematics import Limits, jacobian, sample_one
from sim.arm_urdf import FLANGE_LINK, arm_urdf
from sim.engine import ARM, HELD, RESTING, Engine
from sim.gripper import Gripper
from sim.insertion import Insertion, JamError
from sim.screwdriving import Screw
from sim.servo import ServoError

if TYPE_CHECKING:
    from sim.world import World

FloatArray = NDArray[np.float64]

QUEUE_LENGTH = 64
START_TOLERANCE_RAD = 1e-3
FOLLOWING_LIMIT_RAD = 0.020
_CHECK_STEPS = 4  # following errors grow over tens of milliseconds
_JOINTS = tuple(range(6))
_POSITION_GAIN = 0.15  # 1.0 would hunt for ever after a joint had run into its torque limit
_GRIP_PATIENCE_S = 0.6
_LATE_NS = 10_000_000  # more than the longest step
_SHORTEST_STOP_S = 0.05
_LIMIT_SLACK = 1e-6
_STILL_RAD_PER_S = 1e-9


@dataclass(slots=True)
class _Running:
    """The segment under way and its process."""

    segment: Segment
    start_ns: int
    moving_s: float
    begun: bool = False
    insertion: Insertion | None = None
    screws: tuple[Screw, ...] = ()


class SimArm:
    """One arm of a `World`; also the `ArmDriver` that the controller talks to."""

    def __init__(
        self,
        world: "World",
        cell_arm: CellArm,
        error: ServoError,
        start: FloatArray,
        color: tuple[float, float, float],
        rng: np.random.Generator,
    ) -> None:
        self.cell_arm = cell_arm
        self.error = error
        self.world = world
        self._engine: Engine = world.engine
        self._rng = rng
        chain = cell_arm.arm.chain
        self._sign, self._zero = chain.signs, chain.offsets
        self._signs, self._zeros = chain.signs.tolist(), chain.offsets.tolist()
        self._torques = cell_arm.arm.torque_nm.tolist()
        X_WB = cell_arm.X_WB.copy()
        X_WB[:3, 3] += error.base_m
        self._R_BW = X_WB[:3, :3].T
        self.body = self._engine.load(arm_urdf(cell_arm, color), X_WB, fixed=True)
        self._engine.group(self.body, -1, ARM, mask=ARM | HELD | RESTING)  # the base stands on its pedestal
        for link in range(8):
            self._engine.group(self.body, link, ARM)
        self._q = np.array(start, dtype=np.float64)  # last setpoint on the path
        self._shift = np.zeros(6)  # what the servo adds to it: repeatability, yielding
        self._shift_from, self._shift_to = np.zeros(6), np.zeros(6)
        for joint, angle in enumerate(self._model(self._q)):
            pybullet.resetJointState(self.body, joint, angle, physicsClientId=self._engine.client)
        self.gripper = Gripper(self._engine, self.body, cell_arm.tool)
        self._command_m = self._model(self._q)
        self._measured_q, self._measured_qd = self._q.copy(), np.zeros(6)
        self._queue: deque[tuple[Segment, int]] = deque()
        self._running: _Running | None = None
        self._last_q = self._q.copy()  # where the last queued segment ends
        self._free_ns = 0
        self._results: list[SegmentResult] = []
        self._status = Status.DISABLED
        self._fault = ""
        self._rate = 1.0  # of the path's time; below one while stopping
        self._rate_fall = 0.0
        self._stop_status = Status.STOPPED
        self._path_s = 0.0
        self._at_rest = False  # the last command asked for no motion and nothing will until the next segment
        self._line_done = True  # the trajectory of this segment has been followed to its end
        self._scratch_q, self._scratch_qd = np.empty(6), np.empty(6)
        self.following_max_rad = 0.0
        self._steps = 0
        self._yielding = np.zeros((6, 3))  # joints per way the tool gives way in the world
        self._command(1.0 / 240, self._command_m)

    # --- the driver's contract ---------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the arm in its cell."""
        return self.cell_arm.id

    @property
    def limits(self) -> Limits:
        """Joint limits the driver will accept."""
        return self.cell_arm.arm.limits

    def __enter__(self) -> Self:
        """Connect; nothing to do in simulation."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close: come to rest."""
        self.stop(StopCategory.STOP_AND_HOLD)

    def read(self) -> ArmState:
        """Latest state; ends of segments are reported exactly once."""
        self._measure()
        results, self._results = tuple(self._results), []
        return ArmState(
            time_ns=self.world.time_ns,
            q=self._measured_q.copy(),
            qd=self._measured_qd.copy(),
            status=self.status,
            fault=self._fault,
            results=results,
        )

    @property
    def status(self) -> Status:
        """What the arm is doing."""
        if self._status is Status.IDLE and (self._running is not None or self._queue):
            return Status.RUNNING
        return self._status

    def enable(self) -> None:
        """Power the arm where it stands; a fault stays, and so does a stop until the arm is at rest."""
        if self._status in (Status.DISABLED, Status.STOPPED) and self._running is None:
            self._status = Status.IDLE
            self._last_q = self._q.copy()
            self._free_ns = self.world.time_ns
            self._rate, self._rate_fall = 1.0, 0.0

    def queue(self, segment: Segment) -> QueueStatus:
        """Append a segment; refused when it does not start where the last one ends or breaks a limit."""
        if self._status is not Status.IDLE or not self._acceptable(segment):
            return QueueStatus.REFUSED
        if len(self._queue) >= QUEUE_LENGTH:
            return QueueStatus.FULL
        if segment.trajectory is not None:
            self._last_q = segment.trajectory.q[-1]
        self._queue.append((segment, self.world.time_ns))
        return QueueStatus.ACCEPTED

    def stop(self, category: StopCategory) -> None:
        """Decelerate on the path and flush the queue; category 0 brakes at once."""
        self._queue.clear()
        if self._status in (Status.IDLE, Status.STOPPED):
            self._status = Status.STOPPED
        hold = category is StopCategory.STOP_AND_HOLD
        self._halt(Status.STOPPED if hold else Status.DISABLED, at_once=category is StopCategory.POWER_OFF)

    def measured_q(self) -> FloatArray:
        """Joints (6,) as the encoders read them now [rad]."""
        self._measure()
        return self._measured_q.copy()

    # --- called by the world -----------------------------------------------------------------------------

    @property
    def needs_short_step(self) -> bool:
        """Whether a finger moves on a part or a part touches its counterpart."""
        running = self._running
        return self.gripper.moving or (running is not None and running.insertion is not None)

    def command(self, time_ns: int, dt: float) -> None:
        """Give the motors their setpoints for the step that ends at ``time_ns``."""
        self._follow_path(time_ns, dt)
        running = self._running
        if running is not None:
            if running.insertion is not None:
                running.insertion.press()
            elif running.screws:
                self._turn_screws(running, dt)
        if self._at_rest:
            return  # the motors keep their last setpoint
        target = self._model(self._q + self._shift)
        self._command(dt, target)

    def update(self, time_ns: int, dt: float) -> None:
        """Look at what the step has done: processes, slipping, following error."""
        held = self.gripper.held
        running = self._running
        if held is not None:
            press = (
                running.insertion.force_n if running is not None and running.insertion is not None else 0.0
            )
            if self.gripper.slips(press):
                self._lose(time_ns)
                return
        if running is not None and running.begun:
            self._process(running, time_ns, dt)
        self._steps += 1
        if (running is not None or not self._at_rest) and self._steps % _CHECK_STEPS == 0:
            self._check_following()

    def fail(self, fault: str) -> None:
        """Latch a fault: stop on the path, refuse everything further."""
        if self._status is not Status.FAULT:
            self._fault, self._status = fault, Status.FAULT
            self._queue.clear()
            self._halt(Status.FAULT, at_once=False)

    # --- time ----------------------------------------------------------------------------------------------

    def _follow_path(self, time_ns: int, dt: float) -> None:
        """Advance through segments up to a time and set the point on the path."""
        while True:
            running = self._running
            if running is None:
                if not self._queue:
                    return
                segment, queued_ns = self._queue[0]
                start = max(self._free_ns, queued_ns)
                if start >= time_ns:
                    return
                self._queue.popleft()
                running = self._begin(segment, start)
            if self._rate < 1.0 or self._rate_fall > 0.0:
                self._slow_down(running, dt)
                return
            elapsed_s = (time_ns - running.start_ns) * 1e-9
            self._sample(running, elapsed_s - self.error.lag_s)
            process = running.segment.process
            if process is None or isinstance(process, Dwell):
                wait = process.duration_s if isinstance(process, Dwell) else 0.0
                end_ns = running.start_ns + round((running.moving_s + wait) * 1e9)
                if time_ns < end_ns:
                    return
                self._finish(running, end_ns, {})
                continue
            if not running.begun and (isinstance(process, InsertPart) or elapsed_s >= running.moving_s):
                self._begin_process(running)
            return

    def _begin(self, segment: Segment, start_ns: int) -> _Running:
        moving = segment.trajectory.duration if segment.trajectory is not None else 0.0
        self._running = running = _Running(segment=segment, start_ns=start_ns, moving_s=moving)
        self._path_s = 0.0
        self._at_rest = self._line_done = False
        if moving > 0.0:
            self._shift_from = self._shift
            self._shift_to = self.error.repeatability_rad * self._rng.standard_normal(6)
        if segment.finger_m is not None and self.gripper.held is None:
            self.gripper.open_to(segment.finger_m)
        return running

    def _sample(self, running: _Running, path_s: float) -> None:
        """Set the point on the path, and blend in the servo's error of this segment."""
        trajectory = running.segment.trajectory
        if trajectory is None or (self._line_done and running.insertion is None):
            self._line_done = True
            return
        self._path_s = path_s
        self._line_done = path_s >= running.moving_s
        sample_one(
            trajectory.t,
            trajectory.q,
            trajectory.qd,
            trajectory.qdd,
            path_s,
            self._scratch_q,
            self._scratch_qd,
        )
        self._q = self._scratch_q.copy()
        if running.insertion is not None:
            self._shift = self._shift_from + self._yielding @ running.insertion.yielded
        elif running.moving_s > 0.0:
            part = min(1.0, max(0.0, path_s / running.moving_s))
            self._shift = self._shift_from + part * (self._shift_to - self._shift_from)

    def _slow_down(self, running: _Running, dt: float) -> None:
        """Let the path's time run slower until it stands; the motion stays on its path."""
        self._rate = max(0.0, self._rate - self._rate_fall * dt)
        self._sample(running, self._path_s + self._rate * dt)
        if self._rate == 0.0:
            self._running = None
            self._status = self._stop_status

    def _halt(self, status: Status, *, at_once: bool) -> None:
        self._stop_status = status
        running = self._running
        if running is None:
            self._status = status if self._status is not Status.FAULT else Status.FAULT
            return
        if self._status is not Status.FAULT:
            self._status = Status.STOPPED
        self.gripper.moving = False
        trajectory = running.segment.trajectory
        fastest = np.zeros(6) if trajectory is None else np.abs(trajectory.qd).max(axis=0)
        needed = float((fastest / self.limits.acceleration).max())
        self._rate_fall = math.inf if at_once else 1.0 / max(_SHORTEST_STOP_S, needed)

    def _finish(self, running: _Running, end_ns: int, measured: dict[str, float]) -> None:
        self._results.append(
            SegmentResult(id=running.segment.id, start_ns=running.start_ns, end_ns=end_ns, measured=measured)
        )
        self._running = None
        self._free_ns = end_ns

    # --- processes -----------------------------------------------------------------------------------------

    def _begin_process(self, running: _Running) -> None:
        running.begun = True
        process = running.segment.process
        if isinstance(process, GripPart):
            workpiece = self.world.at.get(process.station)
            if workpiece is None or self.gripper.held is not None:
                self.fail(f"nothing to grip at {process.station}" if workpiece is None else "hand is full")
                return
            self.world.allow(self.body, workpiece.body)
            self.gripper.close_on(internal=process.internal, force_n=process.force_n)
        elif isinstance(process, InsertPart):
            if self.gripper.held is None:
                self.fail(f"nothing in hand to insert into {process.station}")
                return
            running.insertion = Insertion(self.world, self.gripper, process)
            if running.insertion.counterpart is not None:
                self.world.allow(self.gripper.held.body, running.insertion.counterpart.body)
            trajectory = running.segment.trajectory
            q = trajectory.q[-1] if trajectory is not None else self._q
            J = jacobian(self.cell_arm.arm.chain, q)
            self._yielding = np.linalg.inv(J)[:, :3] @ self._R_BW
            self._shift_from = self._shift
        elif isinstance(process, ReleasePart):
            if self.gripper.held is not None:
                self._lose(self.world.time_ns)
                return
            self.gripper.let_go()
        elif isinstance(process, DriveScrews):
            running.screws = tuple(
                Screw(process.torque_nm, process.duration_s, self._rng) for _ in range(process.count)
            )

    def _process(self, running: _Running, time_ns: int, dt: float) -> None:
        """Carry a process on after a step; finish it when it is done."""
        process = running.segment.process
        begin_ns = running.start_ns + round(running.moving_s * 1e9)
        assert process is not None
        end_ns = max(time_ns, begin_ns + round(process.duration_s * 1e9))
        if isinstance(process, GripPart):
            self._grip(running, process, time_ns, begin_ns)
        elif isinstance(process, InsertPart):
            self._insert(running, process, time_ns, dt)
        elif isinstance(process, ReleasePart):
            if self.gripper.moving and self.gripper.is_off():
                self.gripper.clear()
            if not self.gripper.moving and time_ns >= end_ns:
                self._finish(running, end_ns, {})
        elif isinstance(process, DriveScrews) and time_ns >= end_ns:
            self._screwed(running, process, end_ns)

    def _grip(self, running: _Running, process: GripPart, time_ns: int, begin_ns: int) -> None:
        gripper = self.gripper
        if gripper.held is None:
            workpiece = self.world.at.get(process.station)
            if workpiece is not None and gripper.closed_on(workpiece):
                self.world.forbid(self.body, workpiece.body)
                self.world.take(process.station)
                gripper.hold(workpiece)
            elif time_ns - begin_ns > round((process.duration_s + _GRIP_PATIENCE_S) * 1e9):
                self.fail(f"no grip at {process.station}: a finger found nothing")
        end_ns = begin_ns + round(process.duration_s * 1e9)
        if gripper.held is not None and time_ns >= end_ns:
            # Gripped in time, the arm goes on at the very end of the process; otherwise now.
            late = time_ns - end_ns > _LATE_NS
            measured = {"ok": 1.0, "finger_m": gripper.opening_m(), "force_n": process.force_n}
            self._finish(running, time_ns if late else end_ns, measured)

    def _insert(self, running: _Running, process: InsertPart, time_ns: int, dt: float) -> None:
        insertion = running.insertion
        assert insertion is not None
        elapsed_s = (time_ns - running.start_ns) * 1e-9
        try:
            seated = insertion.watch(dt, left_s=running.moving_s + self.error.lag_s - elapsed_s)
        except JamError as jam:
            self.fail(str(jam))
            return
        if running.moving_s == 0.0:
            self._shift = self._shift_from + self._yielding @ insertion.yielded
        if seated:
            measured = insertion.measured()
            held = insertion.part
            if insertion.counterpart is not None:
                self.world.forbid(held.body, insertion.counterpart.body)
            self._shift_to = self._shift_from = self._shift
            self.gripper.hand_over(self.world.put(process.station, held, measured))
            self._finish(running, time_ns, measured)

    def _turn_screws(self, running: _Running, dt: float) -> None:
        torque = 0.0
        for screw in running.screws:
            screw.turn(dt)
            torque += screw.torque_nm
        if torque:
            # The tool's z points down: tightening clockwise from above pushes the tool the other way.
            pybullet.applyExternalTorque(
                self.body,
                FLANGE_LINK,
                [0.0, 0.0, torque],
                pybullet.WORLD_FRAME,
                physicsClientId=self._engine.client,
            )

    def _screwed(self, running: _Running, process: DriveScrews, end_ns: int) -> None:
        results = [screw.result for screw in running.screws]
        driven = [result for result in results if result is not None]
        torques = [result.torque_nm for result in driven]
        ok = len(driven) == len(results) and all(result.ok for result in driven)
        workpiece = self.world.at.get(process.station)
        if workpiece is None:
            self.fail(f"nothing to screw at {process.station}")
            return
        workpiece.screw_ratios += [torque / process.torque_nm for torque in torques]
        if not ok:
            workpiece.faults.append(f"screw outside its window at {process.station}")
        measured = {"ok": float(ok)}
        for index, result in enumerate(driven):
            measured[f"torque_{index}_nm"] = result.torque_nm
            measured[f"angle_{index}_rad"] = result.angle_rad
        self._finish(running, end_ns, measured)

    def _lose(self, time_ns: int) -> None:
        lost = self.gripper.lose()
        self.world.drop(lost)
        self.fail(f"lost {lost.last.name}")

    # --- motors --------------------------------------------------------------------------------------------

    def _model(self, q: FloatArray) -> list[float]:
        return [a * s - z for a, s, z in zip(q.tolist(), self._signs, self._zeros, strict=True)]

    def _command(self, dt: float, target: list[float]) -> None:
        """Servo from the last setpoint to the next: position with velocity feed-forward."""
        velocity = [(b - a) / dt for a, b in zip(self._command_m, target, strict=True)]
        pybullet.setJointMotorControlArray(
            self.body,
            _JOINTS,
            pybullet.POSITION_CONTROL,
            targetPositions=self._command_m,
            targetVelocities=velocity,
            positionGains=[_POSITION_GAIN] * 6,
            velocityGains=[1.0] * 6,
            forces=self._torques,
            physicsClientId=self._engine.client,
        )
        self._command_m = target
        inserting = self._running is not None and self._running.insertion is not None
        done = self._running is None or (self._line_done and not inserting)
        self._at_rest = done and max(map(abs, velocity)) < _STILL_RAD_PER_S

    def _check_following(self) -> None:
        self._measure()
        error = float(np.abs((self._measured_q * self._sign - self._zero) - self._command_m).max())
        self.following_max_rad = max(self.following_max_rad, error)
        if error > FOLLOWING_LIMIT_RAD:
            limit = FOLLOWING_LIMIT_RAD * 1e3
            self.fail(f"following error {error * 1e3:.1f} mrad, limit {limit:.0f} mrad")

    def _measure(self) -> None:
        states = pybullet.getJointStates(self.body, _JOINTS, physicsClientId=self._engine.client)
        for joint, state in enumerate(states):
            sign = self._signs[joint]
            self._measured_q[joint] = (state[0] + self._zeros[joint]) * sign
            self._measured_qd[joint] = state[1] * sign

    def _acceptable(self, segment: Segment) -> bool:
        trajectory = segment.trajectory
        if trajectory is None:
            return True
        chain, limits = self.cell_arm.arm.chain, self.limits
        slack = 1.0 + _LIMIT_SLACK
        return bool(
            (np.abs(trajectory.q[0] - self._last_q) <= START_TOLERANCE_RAD).all()
            and (trajectory.q >= chain.q_min - _LIMIT_SLACK).all()
            and (trajectory.q <= chain.q_max + _LIMIT_SLACK).all()
            and (np.abs(trajectory.qd) <= limits.velocity * slack).all()
            and (np.abs(trajectory.qdd) <= limits.acceleration * slack).all()
        )
