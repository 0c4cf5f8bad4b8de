"""How near the arms come to each other, from their measured joints."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cells.tool_shape import hand_capsule
from kinematics import Body, Capsules, Scene, clearance
from sim.engine import inverse
from sim.workpiece import spans

if TYPE_CHECKING:
    from sim.body import Workpiece
    from sim.sim_arm import SimArm

FloatArray = NDArray[np.float64]

_BATCH = 256
_HAND_END_M = 0.015  # the hand's capsule ends this far above the lowest point, see `cells.tool_shape`


class ArmClearance:
    """Smallest distance between any two arms so far.

    An arm is the capsules of its links and one around its hand with what it holds, at its measured joints
    on its true base. Measurements are evaluated many at a time, so that they cost next to nothing in the
    loop. Between two of them arms may have been nearer by a little.
    """

    def __init__(self, arms: Sequence["SimArm"]) -> None:
        self._arms = arms
        self._smallest_m = math.inf
        self._held: list[Workpiece | None] = [None] * len(arms)
        self._bodies = [_body(arm) for arm in arms]
        self._scene = Scene(bodies=tuple(self._bodies))
        self._q = np.array([arm.motors.angles(0) for arm in arms])  # the model's, as the engine reads them
        self._noted = np.empty((_BATCH, len(arms), 6))
        self._noted[0] = self._q
        self._count = 1

    @property
    def smallest_m(self) -> float:
        """Smallest distance of two arms in all measurements [m], infinite for a single arm."""
        self._evaluate()
        return self._smallest_m

    def note(self, time_ns: int, moved: Sequence[int]) -> None:
        """Note the joints of the arms that have moved, by number."""
        for index in moved:
            arm = self._arms[index]
            if arm.gripper.held is not self._held[index]:
                self._evaluate()
                self._held[index] = arm.gripper.held
                self._bodies[index] = _body(arm)
                self._scene = Scene(bodies=tuple(self._bodies))
            self._q[index] = arm.motors.angles(time_ns)
        if moved:
            self._noted[self._count] = self._q
            self._count += 1
            if self._count == _BATCH:
                self._evaluate()

    def _evaluate(self) -> None:
        if self._count == 0:
            return
        read = [arm.motors.as_read(self._noted[: self._count, i]) for i, arm in enumerate(self._arms)]
        # Nothing farther than the smallest distance so far has to be measured exactly.
        found = clearance(self._scene, np.stack(read, axis=1), self._smallest_m)
        self._smallest_m = float(found.min())
        self._count = 0


def _body(arm: "SimArm") -> Body:
    return Body(chain=arm.cell_arm.arm.chain, X_WB=arm.X_WB, capsules=_capsules(arm))


def _capsules(arm: "SimArm") -> Capsules:
    """Links 1 to 6 and the hand; the column at the base stands still."""
    held = arm.gripper.held
    hand = hand_capsule(arm.cell_arm.tool, held.last if held is not None else None)
    end = np.array(hand.b_m)
    if held is not None:
        X_P0 = inverse(held.parts[-1].X_0P)
        found = spans(held.parts, X_P0)
        lowest = arm.cell_arm.tool.length_m + held.last.grip.height_m - min(span.low_m for span in found)
        end[2] = max(end[2], lowest - _HAND_END_M)
    own = arm.cell_arm.arm.capsules
    moving = own.link > 0
    return Capsules(
        link=np.append(own.link[moving], 6),
        a=np.vstack([own.a[moving], hand.a_m]),
        b=np.vstack([own.b[moving], end]),
        radius=np.append(own.radius[moving], hand.radius_m),
    )
