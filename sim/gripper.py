"""A two-finger gripper: fingers that feel, a part held by a constraint, and the friction cone it is lost at.

Friction contacts of the engine creep, so a held part is fixed to the palm once both fingers touch it. The
constraint's true load then decides: a part whose load leaves the friction cone of both fingers slips out
and falls.
"""

import math

from cells.cell import Tool
from cells.tool_shape import FINGER_MAX_M, FINGER_MIN_M, OPENING_M
from sim.arm_urdf import FINGER_FRICTION, FINGER_LINKS, FLANGE_LINK
from sim.body import Workpiece
from sim.bullet import pybullet
from sim.engine import Engine, inverse, pose

_CLOSING_M_PER_S = 0.04
_GENTLE = 0.2  # share of the force until both fingers touch (E)
_MOVING_M_PER_S = 0.15
_HOLDING_N = 400.0  # force of the finger drives while they only keep their place (E)
_STILL_M_PER_S = 1e-3
_STILL_STEPS = 4
RELEASED_M = 0.001  # fingers this far off the part may collide with it again


class Gripper:
    """Fingers and held part of one arm."""

    def __init__(self, engine: Engine, body: int, tool: Tool) -> None:
        self.engine = engine
        self.body = body
        self.tool = tool
        self.held: Workpiece | None = None
        self.beside: Workpiece | None = None  # what the fingers still enclose without holding it
        self.inside: Workpiece | None = None  # what the held part has entered and no longer collides with
        self.moving = False  # a finger closes or opens on a part: the step must be short
        self._constraint = -1
        self._internal = False
        self._firm = False
        self._force_n = 0.0
        self._still_steps = 0
        self._gripped_at_m = 0.0
        start = (FINGER_MIN_M + FINGER_MAX_M) / 2
        for link in FINGER_LINKS:
            pybullet.resetJointState(body, link, start, physicsClientId=engine.client)
        self.open_to(start)

    def open_to(self, radius_m: float) -> None:
        """Move both fingers' middles to a distance from the tool axis."""
        target = min(max(radius_m, FINGER_MIN_M), FINGER_MAX_M)
        self._place((target, target))

    def stop(self) -> None:
        """Fingers that close or open stand still where they are; a held part stays held."""
        if self.moving:
            self.moving = False
            self._place(self.fingers_m())

    def _place(self, targets: tuple[float, float]) -> None:
        for link, target in zip(FINGER_LINKS, targets, strict=True):
            pybullet.setJointMotorControl2(
                self.body,
                link,
                pybullet.POSITION_CONTROL,
                targetPosition=target,
                positionGain=0.2,
                velocityGain=1.0,
                maxVelocity=_MOVING_M_PER_S,
                force=_HOLDING_N,
                physicsClientId=self.engine.client,
            )

    def close_on(self, *, internal: bool, force_n: float) -> None:
        """Close on the part, outwards for an internal grip: gently until both touch, then with force.

        One finger touches first. With its full force it would push the wrist beyond its torque limits.
        """
        self._internal, self._force_n, self._still_steps = internal, force_n, 0
        self.moving, self._firm = True, False
        self._push(_GENTLE * force_n)

    def closed_on(self, workpiece: Workpiece) -> bool:
        """Whether both fingers hold the part with full force and stand still; ask once a step."""
        client = self.engine.client
        for link, state in zip(FINGER_LINKS, self.engine.joints(self.body, FINGER_LINKS), strict=True):
            if abs(state[1]) > _STILL_M_PER_S or not pybullet.getContactPoints(
                self.body, workpiece.body, link, -1, physicsClientId=client
            ):
                self._still_steps = 0
                return False
        self._still_steps += 1
        if not self._firm:
            self._firm, self._still_steps = True, 0
            self._push(self._force_n)
        return self._still_steps >= _STILL_STEPS

    def _push(self, force_n: float) -> None:
        for link in FINGER_LINKS:
            pybullet.setJointMotorControl2(
                self.body,
                link,
                pybullet.VELOCITY_CONTROL,
                targetVelocity=_CLOSING_M_PER_S if self._internal else -_CLOSING_M_PER_S,
                force=force_n,
                physicsClientId=self.engine.client,
            )

    def fingers_m(self) -> tuple[float, float]:
        """Distance of each finger's middle from the tool axis."""
        states = self.engine.joints(self.body, FINGER_LINKS)
        return states[0][0], states[1][0]

    def opening_m(self) -> float:
        """Mean distance of the fingers' middles from the tool axis."""
        return sum(self.fingers_m()) / 2

    def hold(self, workpiece: Workpiece) -> None:
        """Take over a part both fingers touch, where it is."""
        workpiece.hold()
        self.moving = False
        self.held = workpiece
        self._gripped_at_m = self.opening_m()
        self._ignore(workpiece)
        state = pybullet.getLinkState(
            self.body, FLANGE_LINK, computeForwardKinematics=1, physicsClientId=self.engine.client
        )
        X_LC = inverse(pose(state[0], state[1])) @ workpiece.pose_of_mass
        self._constraint = self.engine.fix(self.body, FLANGE_LINK, X_LC[:3, 3], X_LC[:3, :3], workpiece.body)
        self.open_to(self._gripped_at_m)

    def load(self) -> tuple[float, float, float]:
        """Force of the held part on the hand, in the world [N]."""
        return self.engine.load(self._constraint)

    @property
    def slip_n(self) -> float:
        """Load at which a part is lost: both fingers' friction [N]."""
        return 2.0 * FINGER_FRICTION * self._force_n

    def slips(self, extra_z_n: float = 0.0) -> bool:
        """Whether the load on the held part has left the friction cone."""
        x, y, z = self.load()
        return math.sqrt(x * x + y * y + (z + extra_z_n) ** 2) > self.slip_n

    def enter(self, counterpart: Workpiece) -> None:
        """The held part is inside: the law of its fit acts instead of contact."""
        assert self.held is not None
        self.inside = counterpart
        self.engine.pair(self.held.body, -1, counterpart.body, -1, collide=False)

    def leave(self) -> None:
        """The held part meets its counterpart by contact again, where that is still the same body."""
        if self.inside is not None and self.held is not None and self.inside.body >= 0:
            self.engine.pair(self.held.body, -1, self.inside.body, -1, collide=True)
        self.inside = None

    def lose(self) -> Workpiece:
        """Let the held part go where it is: it collides again and falls."""
        assert self.held is not None
        self.leave()
        lost, self.held = self.held, None
        pybullet.removeConstraint(self._constraint, physicsClientId=self.engine.client)
        self._ignore(lost, collide=True)
        return lost

    def hand_over(self, resting: Workpiece) -> None:
        """The station holds the part now, as ``resting``, whose body stands between the fingers."""
        self.held = self.inside = None  # constraint and silenced pairs went with its body
        self.beside = resting
        self._ignore(resting)

    def let_go(self) -> None:
        """Open a little; collisions come back once the fingers are off (`is_off`)."""
        self.moving = True
        self.open_to(self._gripped_at_m + (-OPENING_M if self._internal else OPENING_M))

    def is_off(self) -> bool:
        """Whether the fingers are far enough off the part to collide with it again."""
        return abs(self.opening_m() - self._gripped_at_m) >= RELEASED_M

    def clear(self) -> None:
        """Collide again with what the fingers enclosed."""
        self.moving = False
        if self.beside is not None and self.beside.body >= 0:
            self._ignore(self.beside, collide=True)
        self.beside = None

    def _ignore(self, workpiece: Workpiece, *, collide: bool = False) -> None:
        for link in (FLANGE_LINK, *FINGER_LINKS):
            self.engine.pair(self.body, link, workpiece.body, -1, collide=collide)
