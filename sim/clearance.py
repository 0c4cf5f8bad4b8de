"""How near the arms come to each other, from their measured joints."""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cells.tool_shape import hand_capsule
from kinematics import Capsules, distance, place_capsules
from sim.engine import inverse
from sim.workpiece import spans

if TYPE_CHECKING:
    from sim.body import Workpiece
    from sim.sim_arm import SimArm

FloatArray = NDArray[np.float64]

_HAND_END_M = 0.015  # the hand's capsule ends this far above the lowest point, see `cells.tool_shape`


class ArmClearance:
    """Smallest distance between any two arms so far.

    An arm is the capsules of its links and one around its hand with what it holds, at its measured joints
    on its true base. Between two measurements arms may have been nearer by a little.
    """

    def __init__(self, arms: Sequence["SimArm"]) -> None:
        self.smallest_m = np.inf
        self._arms = arms
        self._held: list[Workpiece | None] = [None] * len(arms)
        self._capsules = [_capsules(arm) for arm in arms]
        rows = max(len(capsules.link) for capsules in self._capsules)
        self._placed = np.empty((len(arms), rows, 7))
        self._pairs = np.array(list(combinations(range(len(arms)), 2)), dtype=np.int64).reshape(-1, 2)
        self.measure(range(len(arms)))

    def measure(self, moved: Sequence[int]) -> None:
        """Measure again for the arms that have moved, by number."""
        for index in moved:
            arm = self._arms[index]
            if arm.gripper.held is not self._held[index]:
                self._held[index] = arm.gripper.held
                self._capsules[index] = _capsules(arm)
            capsules = self._capsules[index]
            placed = place_capsules(arm.cell_arm.arm.chain, arm.X_WB, capsules, arm.measured_q())
            self._placed[index, : len(placed)] = placed
            self._placed[index, len(placed) :] = placed[-1]
        if len(moved):
            chosen = np.isin(self._pairs, moved).any(axis=1)
            first, second = self._pairs[chosen].T
            gaps = distance(self._placed[first], self._placed[second])
            self.smallest_m = min(self.smallest_m, float(gaps.min(initial=np.inf)))


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
