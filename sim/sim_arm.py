"""A simulated arm that behaves as a real one through `cells.driver.ArmDriver`.

`sim.follower` keeps its queue and its time, `sim.process` does what its tool does, `sim.motors` moves it.
"""

from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from cells.cell import CellArm
from cells.driver import ArmState, QueueStatus, Segment, Status, StopCategory, share_of_speed
from kinematics import Limits
from sim.arm_urdf import arm_urdf
from sim.engine import ARM, HELD, RESTING
from sim.follower import Follower, Running
from sim.gripper import Gripper
from sim.motors import Motors
from sim.process import ProcessError, begin
from sim.servo import ServoError

if TYPE_CHECKING:
    from sim.world import World

FloatArray = NDArray[np.float64]

START_TOLERANCE_RAD = 1e-3
FOLLOWING_LIMIT_RAD = 0.020
_LIMIT_SLACK = 1e-6


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
        self.engine = world.engine
        self.rng = rng
        X_WB = cell_arm.X_WB.copy()
        X_WB[:3, 3] += error.base_m
        self.X_WB = X_WB  # where the base really stands
        self.R_BW = X_WB[:3, :3].T
        self.body = self.engine.add(arm_urdf(cell_arm, color), X_WB, fixed=True)
        self.engine.group(self.body, -1, ARM, mask=ARM | HELD | RESTING)  # the base stands on its pedestal
        for link in range(8):
            self.engine.group(self.body, link, ARM)
        self.motors = Motors(self.engine, self.body, cell_arm.arm, np.asarray(start, dtype=np.float64))
        self.gripper = Gripper(self.engine, self.body, cell_arm.tool)
        self.follower = Follower(
            start, self.limits, error, rng, self._on_begin, self._begin_process, world.notice
        )
        self.following_max_rad = 0.0
        self._status = Status.DISABLED
        self._stop_status = Status.STOPPED
        self._fault = ""
        self._stopped_in: Running | None = None  # until another process begins

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
        """Connect, without power; a fault is over when the driver that reported it was closed."""
        if self._status is Status.FAULT and self.follower.running is None:
            self._status, self._stop_status, self._fault = Status.DISABLED, Status.STOPPED, ""
            q = self.measured_q()  # not where the path led, which may lie behind an obstacle
            self.follower.stand(q)
            self.motors.hold(q)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close: come to rest."""
        self.stop(StopCategory.STOP_AND_HOLD)

    def read(self) -> ArmState:
        """Latest state; ends of segments are reported exactly once."""
        time_ns = self.world.time_ns
        q, qd = self.motors.read(time_ns)
        results = tuple(self.follower.results)
        self.follower.results.clear()
        return ArmState(
            time_ns=time_ns,
            q=q,
            qd=qd,
            status=self.status,
            fault=self._fault,
            results=results,
            feed=self.follower.rate,
        )

    @property
    def status(self) -> Status:
        """What the arm is doing."""
        if self._status is Status.IDLE and self.follower.busy:
            return Status.RUNNING
        return self._status

    def enable(self) -> None:
        """Power the arm where it stands; a fault stays, and so does a stop until the arm is at rest."""
        if self._status in (Status.DISABLED, Status.STOPPED) and self.follower.running is None:
            self._status = Status.IDLE
            self.follower.restart(self.measured_q(), self.world.time_ns)

    def queue(self, segment: Segment) -> QueueStatus:
        """Append a segment; refused when it does not start where the last one ends or breaks a limit."""
        if self._status is not Status.IDLE or not self._acceptable(segment):
            return QueueStatus.REFUSED
        if self.follower.full:
            return QueueStatus.FULL
        self.follower.append(segment, self.world.time_ns)
        return QueueStatus.ACCEPTED

    def feed(self, share: float) -> None:
        """Follow the path at this share of its planned speed from now on; nothing to an arm that is not enabled.

        A held arm keeps its grip force. Fingers close and open, and an inserting arm yields sideways, whatever the
        feed: they are driven by force. Pressing on, a dwell and a screw running in go at the feed; a screw whose head
        is seated is tightened to its end, because a pause would make its torque wrong.

        Raises:
            ValueError: Outside 0 to 1.
        """
        share = share_of_speed(share)
        if self._status is Status.IDLE:
            self.follower.feed(share)

    def stop(self, category: StopCategory) -> None:
        """Decelerate on the path and flush the queue; category 0 as hard as the limits allow."""
        self.follower.flush()
        if self._status is Status.IDLE:
            self._status = Status.STOPPED
        hold = category is StopCategory.STOP_AND_HOLD
        self._halt(Status.STOPPED if hold else Status.DISABLED, abort=category is StopCategory.POWER_OFF)

    def measured_q(self) -> FloatArray:
        """Joints (6,) as the encoders read them now [rad]."""
        return self.motors.read(self.world.time_ns)[0]

    # --- called by the world -----------------------------------------------------------------------------

    @property
    def awake(self) -> bool:
        """Whether there is anything to command or to look at."""
        return not self.motors.still or self.gripper.held is not None or self.follower.busy

    @property
    def needs_short_step(self) -> bool:
        """Whether a finger moves on a part or a part meets its counterpart."""
        running = self.follower.running
        return self.gripper.moving or (
            running is not None and running.work is not None and running.work.inserting
        )

    @property
    def at_rest(self) -> bool:
        """Whether the last command asked for no motion and nothing will before the next segment."""
        running = self.follower.running
        if running is None:
            return self.motors.still
        giving_way = running.work is not None and running.work.inserting
        return running.line_done and not giving_way and self.motors.still

    def command(self, time_ns: int, dt: float) -> None:
        """Give the motors their setpoints for the step that ends at ``time_ns``."""
        follower = self.follower
        if not follower.busy and self.motors.still:
            return  # it only holds a part
        running = follower.running
        if follower.advance(time_ns, dt):
            self._status = self._stop_status
            if running is not None:
                self.stopped_in(running)
            self.world.notice()
        running = follower.running
        if running is not None and running.work is not None:
            running.work.before(dt)
        if not self.at_rest:
            self.motors.command(follower.q + follower.shift, dt)

    def update(self, time_ns: int, dt: float) -> None:
        """Look at what the step has done to the part in the hand and to the process."""
        running = self.follower.running
        work = running.work if running is not None else None
        if self.gripper.held is not None and self.gripper.slips(work.force_n if work is not None else 0.0):
            self.lose()
        elif work is not None:
            try:
                work.after(self.follower.path_ns(time_ns), dt)
            except ProcessError as error:
                self.fail(str(error))

    def check_following(self, time_ns: int) -> None:
        """Fault when a joint is too far from its setpoint."""
        error = self.motors.following_error(time_ns)
        self.following_max_rad = max(self.following_max_rad, error)
        if error > FOLLOWING_LIMIT_RAD:
            limit = FOLLOWING_LIMIT_RAD * 1e3
            self.fail(f"following error {error * 1e3:.1f} mrad, limit {limit:.0f} mrad")

    # --- called by the process ---------------------------------------------------------------------------

    def finish(self, end_ns: int, measured: dict[str, float]) -> None:
        """The running segment has ended with its process, in the path's time."""
        self.follower.finish(end_ns, measured)

    def lose(self) -> None:
        """The held part falls."""
        lost = self.gripper.lose()
        self.world.watch.moving.discard(lost.body)
        self.world.drop(lost)
        self.fail(f"lost {lost.last.name}")

    def stopped_in(self, running: Running) -> None:
        """It has come to rest in the middle of a segment: its process may be gone on with."""
        self.gripper.stop()
        if running.work is not None:
            running.work.stop()
            self._stopped_in = running

    def fail(self, fault: str) -> None:
        """Latch a fault: stop on the path, refuse everything further."""
        if self._status is not Status.FAULT:
            self._fault, self._status = fault, Status.FAULT
            self.follower.flush()
            self._halt(Status.FAULT, abort=False)
            running = self.follower.running
            if running is not None and running.work is not None:
                running.work.abandon()
                running.work = None
            self.world.notice()

    # --- inside --------------------------------------------------------------------------------------------

    def _on_begin(self, segment: Segment) -> None:
        if segment.finger_m is not None and self.gripper.held is None:
            self.gripper.open_to(segment.finger_m)

    def _begin_process(self, running: Running) -> None:
        stopped, self._stopped_in = self._stopped_in, None
        try:
            running.work = begin(self, running, stopped)
        except ProcessError as error:
            self.fail(str(error))

    def _halt(self, status: Status, *, abort: bool) -> None:
        if self._status is Status.FAULT:
            status = Status.FAULT  # a fault stays, however the arm comes to rest
        self._stop_status = status
        if self.follower.running is None:
            self._status = status
            return
        if self._status is not Status.FAULT:
            self._status = Status.STOPPED
        self.follower.halt(abort=abort)

    def _acceptable(self, segment: Segment) -> bool:
        trajectory = segment.trajectory
        if trajectory is None:
            return True
        chain, limits = self.cell_arm.arm.chain, self.limits
        slack = 1.0 + _LIMIT_SLACK
        return bool(
            (np.abs(trajectory.q[0] - self.follower.end_q) <= START_TOLERANCE_RAD).all()
            and (trajectory.q >= chain.q_min - _LIMIT_SLACK).all()
            and (trajectory.q <= chain.q_max + _LIMIT_SLACK).all()
            and (np.abs(trajectory.qd) <= limits.velocity * slack).all()
            and (np.abs(trajectory.qdd) <= limits.acceleration * slack).all()
        )
