"""What a tool does in a segment: gripping, inserting, releasing, driving screws; each is one `Work`.

A work acts before every step of the engine and looks at what the step has done; it ends the segment itself.
"""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from cells.driver import DriveScrews, GripPart, InsertPart, ReleasePart
from kinematics import jacobian
from sim.arm_urdf import FLANGE_LINK
from sim.insertion import Insertion, JamError
from sim.screwdriving import Screw

if TYPE_CHECKING:
    from sim.follower import Running
    from sim.sim_arm import SimArm

_GRIP_PATIENCE_S = 0.6
_LATE_NS = 10_000_000  # more than the longest step


class ProcessError(Exception):
    """A process cannot begin or go on: the arm faults."""


class Work(Protocol):
    """A process under way."""

    @property
    def inserting(self) -> bool:
        """Whether a part meets its counterpart: steps are short, and the arm gives way."""

    @property
    def force_n(self) -> float:
        """Axial force on the held part besides its load on the hand [N]."""

    def before(self, dt: float) -> None:
        """Act on the engine for the next step."""

    def after(self, time_ns: int, dt: float) -> None:
        """Look at the step that ended at ``time_ns`` of the path's time.

        Raises:
            ProcessError: When the arm has to fault.
        """

    def abandon(self) -> None:
        """The arm goes on with something else, or never again."""


def begin(arm: "SimArm", running: "Running") -> Work | None:
    """Begin the process of the running segment; none when the arm lost its part over it.

    Raises:
        ProcessError: When what the process needs is not there.
    """
    process = running.segment.process
    if isinstance(process, GripPart):
        return _Grip(arm, running, process)
    if isinstance(process, InsertPart):
        return _Insert(arm, running, process)
    if isinstance(process, DriveScrews):
        return _Screws(arm, running, process)
    assert isinstance(process, ReleasePart)
    if arm.gripper.held is not None:
        arm.lose()
        return None
    return _Release(arm, running, process)


class _Untouching:
    """A work that neither acts on the engine nor leaves anything behind."""

    inserting = False
    force_n = 0.0

    def before(self, dt: float) -> None:
        """Nothing."""

    def abandon(self) -> None:
        """Nothing."""


class _Grip(_Untouching):
    """Close until both fingers hold the part, then take it over from its station."""

    def __init__(self, arm: "SimArm", running: "Running", process: GripPart) -> None:
        workpiece = arm.world.at.get(process.station)
        if workpiece is None:
            raise ProcessError(f"nothing to grip at {process.station}")
        if arm.gripper.held is not None:
            raise ProcessError("hand is full")
        self._arm, self._process, self._workpiece = arm, process, workpiece
        self._begin_ns = running.start_ns + round(running.moving_s * 1e9)
        self._allowed = workpiece.body
        arm.world.watch.allow(arm.body, workpiece.body)
        arm.gripper.close_on(internal=process.internal, force_n=process.force_n)

    def after(self, time_ns: int, dt: float) -> None:
        """Take hold as soon as both fingers stand on the part."""
        gripper, process = self._arm.gripper, self._process
        if gripper.held is None:
            if gripper.closed_on(self._workpiece):
                self.abandon()
                self._arm.world.take(process.station)
                gripper.hold(self._workpiece)
                self._arm.world.watch.moving.add(self._workpiece.body)
            elif time_ns - self._begin_ns > round((process.duration_s + _GRIP_PATIENCE_S) * 1e9):
                raise ProcessError(f"no grip at {process.station}: a finger found nothing")
        end_ns = self._begin_ns + round(process.duration_s * 1e9)
        if gripper.held is not None and time_ns >= end_ns:
            # Gripped in time, the arm goes on at the very end of the process; otherwise now.
            late = time_ns - end_ns > _LATE_NS
            measured = {"ok": 1.0, "finger_m": gripper.opening_m(), "force_n": process.force_n}
            self._arm.finish(time_ns if late else end_ns, measured)

    def abandon(self) -> None:
        """Fingers may not touch the part any more."""
        self._arm.world.watch.forbid(self._arm.body, self._allowed)


class _Insert:
    """Follow the line into the counterpart, giving way; the station holds the part at the end."""

    inserting = True

    def __init__(self, arm: "SimArm", running: "Running", process: InsertPart) -> None:
        if arm.gripper.held is None:
            raise ProcessError(f"nothing in hand to insert into {process.station}")
        self._arm, self._running, self._process = arm, running, process
        self._insertion = Insertion(arm.world, arm.gripper, process)
        self._pair = (arm.gripper.held.body, -1)
        if self._insertion.counterpart is not None:
            self._pair = (arm.gripper.held.body, self._insertion.counterpart.body)
            arm.world.watch.allow(*self._pair)
        trajectory = running.segment.trajectory
        q = trajectory.q[-1] if trajectory is not None else arm.follower.q
        # Joints per way (6, 3) the tool gives way in the world.
        self._yielding = np.linalg.inv(jacobian(arm.cell_arm.arm.chain, q))[:, :3] @ arm.R_BW
        arm.follower.keep_shift()

    def before(self, dt: float) -> None:
        """The fit's force on the tool."""
        self._insertion.press()

    def after(self, time_ns: int, dt: float) -> None:
        """Give way, or hand the seated part over."""
        insertion, arm = self._insertion, self._arm
        elapsed_s = (time_ns - self._running.start_ns) * 1e-9
        try:
            seated = insertion.watch(
                dt, left_s=self._running.moving_s + arm.error.lag_s - elapsed_s, feed=arm.follower.rate
            )
        except JamError as jam:
            raise ProcessError(str(jam)) from jam
        if not seated:
            arm.follower.give_way(self._yielding @ insertion.yielded)
            return
        measured = insertion.measured()
        self.abandon()
        arm.world.watch.moving.discard(insertion.part.body)
        arm.follower.keep_shift()
        arm.gripper.hand_over(arm.world.put(self._process.station, insertion.part, measured))
        arm.finish(time_ns, measured)

    @property
    def force_n(self) -> float:
        """What the fit pushes back with."""
        return self._insertion.force_n

    def abandon(self) -> None:
        """The part stays in the hand: it may not touch its counterpart any more."""
        self._arm.world.watch.forbid(*self._pair)


class _Release(_Untouching):
    """Open the fingers; they collide with the part again once they are off."""

    def __init__(self, arm: "SimArm", running: "Running", process: ReleasePart) -> None:
        self._arm = arm
        self._end_ns = running.start_ns + round(running.moving_s * 1e9) + round(process.duration_s * 1e9)
        arm.gripper.let_go()

    def after(self, time_ns: int, dt: float) -> None:
        """Wait until the fingers are off and the time is over."""
        gripper = self._arm.gripper
        if gripper.moving and gripper.is_off():
            gripper.clear()
        if not gripper.moving and time_ns >= self._end_ns:
            self._arm.finish(max(time_ns, self._end_ns), {})


class _Screws(_Untouching):
    """Drive all screws at once; the arm takes their torque."""

    def __init__(self, arm: "SimArm", running: "Running", process: DriveScrews) -> None:
        self._arm, self._process = arm, process
        self._end_ns = running.start_ns + round(running.moving_s * 1e9) + round(process.duration_s * 1e9)
        self._screws = tuple(
            Screw(process.torque_nm, process.duration_s, arm.rng) for _ in range(process.count)
        )

    def before(self, dt: float) -> None:
        """Turn the spindles and put their torque on the tool."""
        torque = 0.0
        for screw in self._screws:
            screw.turn(dt if screw.seated else dt * self._arm.follower.rate)
            torque += screw.torque_nm
        if torque:
            # The tool's z points down: tightening clockwise from above pushes the tool the other way.
            self._arm.engine.twist(self._arm.body, FLANGE_LINK, torque)

    def after(self, time_ns: int, dt: float) -> None:
        """Judge the screws when the time is over."""
        if time_ns < self._end_ns:
            return
        process = self._process
        workpiece = self._arm.world.at.get(process.station)
        if workpiece is None:
            raise ProcessError(f"nothing to screw at {process.station}")
        driven = [screw.result for screw in self._screws if screw.result is not None]
        ok = len(driven) == len(self._screws) and all(result.ok for result in driven)
        workpiece.screw_ratios += [result.torque_nm / process.torque_nm for result in driven]
        if not ok:
            workpiece.faults.append(f"screw outside its window at {process.station}")
        measured = {"ok": float(ok)}
        for index, result in enumerate(driven):
            measured[f"torque_{index}_nm"] = result.torque_nm
            measured[f"angle_{index}_rad"] = result.angle_rad
        self._arm.finish(max(time_ns, self._end_ns), measured)
