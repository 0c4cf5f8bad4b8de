"""What a tool does in a segment: gripping, inserting, releasing, driving screws; each is one `Work`.

A work acts before every step of the engine and looks at what the step has done; it ends the segment itself.
"""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from cells.driver import DriveScrews, Dwell, GripPart, InsertPart, Process, ReleasePart
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

    def stop(self) -> None:
        """The arm has come to a stop in the middle of it: what touches may touch until it parts."""

    def resume(self, running: "Running") -> None:
        """Go on after a stop with a segment that ends where the stopped one would have."""

    def abandon(self) -> None:
        """The arm goes on with something else, or never again."""


def begin(arm: "SimArm", running: "Running", stopped: "Running | None" = None) -> Work | None:
    """Begin the process of the running segment; none when the arm lost its part over it.

    Args:
        arm: Whose process.
        running: The segment.
        stopped: What the arm was stopped in: the same process at the same place goes on from there.

    Raises:
        ProcessError: When what the process needs is not there.
    """
    process = running.segment.process
    if stopped is not None and stopped.work is not None:
        if _same(process, stopped.segment.process):
            stopped.work.resume(running)
            return stopped.work
        stopped.work.abandon()
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


def _same(one: Process | None, two: Process | None) -> bool:
    if one is None or two is None or isinstance(one, Dwell) or isinstance(two, Dwell):
        return False
    return type(one) is type(two) and one.station == two.station


def _ends_ns(running: "Running", duration_s: float) -> int:
    """When a process that begins after the motion is over, by its time [ns]."""
    return running.start_ns + round(running.moving_s * 1e9) + round(duration_s * 1e9)


class _Untouching:
    """A work that neither acts on the engine nor leaves anything behind."""

    inserting = False
    force_n = 0.0

    def before(self, dt: float) -> None:
        """Nothing."""

    def stop(self) -> None:
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
        self._allowed = workpiece.body
        self.resume(running)

    def resume(self, running: "Running") -> None:
        """Close, from wherever the fingers are, unless they hold the part already."""
        self._begin_ns = _ends_ns(running, 0.0)
        if self._arm.gripper.held is None:
            self._arm.world.watch.allow(self._arm.body, self._allowed)
            self._arm.gripper.close_on(internal=self._process.internal, force_n=self._process.force_n)

    def after(self, time_ns: int, dt: float) -> None:
        """Take hold as soon as both fingers stand on the part."""
        gripper, process = self._arm.gripper, self._process
        if gripper.held is None:
            if gripper.closed_on(self._workpiece):
                self._arm.world.watch.forbid(self._arm.body, self._allowed)
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

    def stop(self) -> None:
        """Fingers stay where they are on the part."""
        self._arm.world.watch.forbid_once_parted(self._arm.body, self._allowed)

    def abandon(self) -> None:
        """Fingers may not touch the part any more."""
        self._arm.world.watch.forbid(self._arm.body, self._allowed)


class _Insert:
    """Follow the line into the counterpart, giving way; the station holds the part at the end."""

    inserting = True

    def __init__(self, arm: "SimArm", running: "Running", process: InsertPart) -> None:
        if arm.gripper.held is None:
            raise ProcessError(f"nothing in hand to insert into {process.station}")
        self._arm, self._process = arm, process
        self._insertion = Insertion(arm.world, arm.gripper, process)
        self._pair = (arm.gripper.held.body, -1)
        if self._insertion.counterpart is not None:
            self._pair = (arm.gripper.held.body, self._insertion.counterpart.body)
        self.resume(running)

    def resume(self, running: "Running") -> None:
        """Give way from here on: what the part has entered so far stays entered."""
        arm, trajectory = self._arm, running.segment.trajectory
        self._running = running
        if self._insertion.counterpart is not None:
            arm.world.watch.allow(*self._pair)
        q = trajectory.q[-1] if trajectory is not None else arm.follower.q
        # Joints per way (6, 3) the tool gives way in the world.
        self._yielding = np.linalg.inv(jacobian(arm.cell_arm.arm.chain, q))[:, :3] @ arm.R_BW
        self._insertion.yielded = np.zeros(3)
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
        arm.world.watch.forbid(*self._pair)
        arm.world.watch.moving.discard(insertion.part.body)
        arm.follower.keep_shift()
        arm.gripper.hand_over(arm.world.put(self._process.station, insertion.part, measured))
        arm.finish(time_ns, measured)

    @property
    def force_n(self) -> float:
        """What the fit pushes back with."""
        return self._insertion.force_n

    def stop(self) -> None:
        """The part stays in the hand and where it is."""
        self._arm.world.watch.forbid_once_parted(*self._pair)

    def abandon(self) -> None:
        """The part stays in the hand: it may not touch its counterpart any more."""
        self._arm.world.watch.forbid(*self._pair)


class _Release(_Untouching):
    """Open the fingers; they collide with the part again once they are off."""

    def __init__(self, arm: "SimArm", running: "Running", process: ReleasePart) -> None:
        self._arm, self._duration_s = arm, process.duration_s
        self.resume(running)

    def resume(self, running: "Running") -> None:
        """Open, from wherever the fingers are."""
        self._end_ns = _ends_ns(running, self._duration_s)
        self._arm.gripper.let_go()

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
        self.resume(running)
        self._screws = tuple(
            Screw(process.torque_nm, process.duration_s, arm.rng) for _ in range(process.count)
        )

    def resume(self, running: "Running") -> None:
        """Every screw goes on at the angle it has reached."""
        self._end_ns = _ends_ns(running, self._process.duration_s)

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
