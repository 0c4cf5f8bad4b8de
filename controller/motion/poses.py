"""Where the joints of an arm have to be for its tool to stand over a station, always in one posture.

Tools point straight down and the parts are round, so the last joint is free to choose: it keeps its angle where it can
and only nests ask for one, because the fingers must stay clear of the trunnion's shaft (tangential to the dial).
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from cells.tool_shape import X_FT
from controller.motion.nearest_pose import NearestPose, blocker, nearest_pose
from kinematics import inverse_kinematics, link_frames

FloatArray = NDArray[np.float64]

_TURN = 2 * np.pi
_PARK_RADIUS_M = 0.26
_FROM_LIMIT_RAD = 0.1
_DOWN = np.diag([1.0, -1.0, -1.0, 1.0])  # tool z against the station's z


class UnreachableError(Exception):
    """An arm cannot take a pose; the message names arm, place, what blocks and the nearest pose that works.

    Planners try much that cannot be done, so what takes long is found out only when it is asked for.
    """

    def __init__(
        self, what: str, reason: Callable[[], str], nearest: Callable[[], NearestPose | None]
    ) -> None:
        super().__init__(what)
        self._what, self._reason, self._nearest = what, reason, nearest

    @cached_property
    def nearest(self) -> NearestPose | None:
        """The nearest pose that works; None when there is none within reach of the search."""
        return self._nearest()

    def __str__(self) -> str:
        near = f"; {self.nearest}" if self.nearest is not None else ""
        return f"{self._what}: {self._reason()}{near}"


class ArmPoses:
    """Joint angles of one arm over the places of its cell, on one branch of the inverse kinematics.

    The posture (shoulder to the front, elbow up, wrist unturned) is that of a reference pose half way between the arm's
    base and the dial; every other pose takes the solution nearest to it in joints 2 to 5.
    """

    def __init__(self, cell: Cell, arm: CellArm) -> None:
        self.cell = cell
        self.arm = arm
        self._X_BW = np.linalg.inv(arm.X_WB)
        self._X_TF = np.linalg.inv(X_FT(arm.tool))
        self._reference = self._posture()

    @property
    def above_m(self) -> float:
        """Height of the tool centre point over a station's frame while it travels [m]."""
        return self.cell.clearance.lift_m + 0.045

    def at(self, X_WS: FloatArray, height_m: float, q6: float, place: str) -> FloatArray:
        """Joints (6,) [rad] with the tool ``height_m`` above a station's frame and the last joint at ``q6``.

        Raises:
            UnreachableError: When no solution lies inside the limits, or ``q6`` does not.
        """
        q = self._solve(X_WS, height_m, place)
        q[5] = q6
        low, high = self.chain_limits
        if not low[5] <= q6 <= high[5]:
            there = NearestPose(q=np.append(q[:5], np.clip(q6, low[5], high[5])), shift_m=np.zeros(3))
            reason = (
                f"joint 6 would be at {np.degrees(q6):.1f} deg, its limit is {np.degrees(there.q[5]):.1f} deg"
            )
            raise UnreachableError(f"{self.arm.id} at {place}", lambda: reason, lambda: there)
        return q

    @cached_property
    def park(self) -> FloatArray:
        """Joints (6,) where the arm is in nobody's way: drawn in, in front of its own base [rad]."""
        X_WS = self.arm.X_WB.copy()
        X_WS[:3, 3] += _PARK_RADIUS_M * self.arm.X_WB[:3, 0]
        X_WS[2, 3] = self.cell.work_height_m
        low, high = self.chain_limits
        return self.at(X_WS, self.above_m + 0.05, float(low[5] + high[5]) / 2, "its parking place")

    @cached_property
    def aside(self) -> FloatArray:
        """Joints (6,) of an arm out of use: parked, and turned away from the cell as far as joint 1 goes [rad]."""
        low, high = self.chain_limits
        q = self.park.copy()
        q[0] = high[0] - _FROM_LIMIT_RAD if high[0] - q[0] >= q[0] - low[0] else low[0] + _FROM_LIMIT_RAD
        return q

    def nest_q6(self, position: int) -> float:
        """Angle of the last joint that puts the fingers tangential over a nest, the one nearest to mid-range [rad]."""
        q6 = self._solve(self.cell.nest(position), self.above_m, f"P{position}")[5] + np.pi / 2
        middle = (self.chain_limits[0][5] + self.chain_limits[1][5]) / 2
        return float(q6 - np.pi * np.round((q6 - middle) / np.pi))

    @property
    def chain_limits(self) -> tuple[FloatArray, FloatArray]:
        """Joint limits (6,), (6,) [rad]."""
        return self.arm.arm.chain.q_min, self.arm.arm.chain.q_max

    def _solve(self, X_WS: FloatArray, height_m: float, place: str) -> FloatArray:
        solutions = self._solutions(X_WS, height_m)
        distance = np.abs(solutions[:, 1:5] - self._reference[1:5]).sum(axis=1)
        if not len(solutions) or distance.min() > np.pi:
            X_BF = self._flange(X_WS, height_m)
            raise UnreachableError(
                f"{self.arm.id} at {place}",
                lambda: (
                    "only reached in another posture" if len(solutions) else blocker(self.arm.arm.chain, X_BF)
                ),
                lambda: nearest_pose(self._in_posture, X_BF, self.arm.X_WB[:3, :3]),
            )
        nearest: FloatArray = solutions[int(distance.argmin())]
        return nearest

    def _any_posture(self, X_BF: FloatArray) -> FloatArray:
        """Joints (n, 6) for poses (n, 4, 4), NaN where there are none."""
        q = inverse_kinematics(self.arm.arm.chain, X_BF).q
        first: FloatArray = q[np.arange(len(q)), np.isnan(q[..., 0]).argmin(axis=1)]
        return first

    def _in_posture(self, X_BF: FloatArray) -> FloatArray:
        """Joints (n, 6) for poses (n, 4, 4), NaN where there are none in this posture."""
        q = inverse_kinematics(self.arm.arm.chain, X_BF).q
        distance = np.abs(q[..., 1:5] - self._reference[1:5]).sum(axis=-1)
        best = np.where(np.isnan(distance), np.inf, distance).argmin(axis=1)
        rows = np.arange(len(q))
        found: FloatArray = np.where((distance[rows, best] <= np.pi)[:, None], q[rows, best], np.nan)
        return found

    def _flange(self, X_WS: FloatArray, height_m: float) -> FloatArray:
        X_ST = _DOWN.copy()
        X_ST[2, 3] = height_m
        pose: FloatArray = self._X_BW @ X_WS @ X_ST @ self._X_TF
        return pose

    def _solutions(self, X_WS: FloatArray, height_m: float) -> FloatArray:
        solutions = inverse_kinematics(self.arm.arm.chain, self._flange(X_WS, height_m))
        return np.array(solutions.q[solutions.valid])

    def _posture(self) -> FloatArray:
        """The solution with the highest elbow and the least turned wrist, straight in front of the base."""
        X_WS = self.arm.X_WB.copy()
        X_WS[:3, 3] += 0.5 * self.arm.X_WB[:3, 0]
        X_WS[2, 3] = self.cell.work_height_m
        solutions = self._solutions(X_WS, self.above_m)
        if not len(solutions):
            X_BF = self._flange(X_WS, self.above_m)
            raise UnreachableError(
                f"{self.arm.id} half a metre in front of its base",
                lambda: blocker(self.arm.arm.chain, X_BF),
                lambda: nearest_pose(self._any_posture, X_BF, self.arm.X_WB[:3, :3]),
            )
        elbows = link_frames(self.arm.arm.chain, solutions)[:, 3, 2, 3]
        chain = self.arm.arm.chain
        wrist = np.abs(np.mod(solutions[:, 3] * chain.signs[3] - chain.offsets[3] + np.pi, _TURN) - np.pi)
        posture: FloatArray = solutions[int(np.lexsort((wrist.round(6), -elbows.round(6)))[0])]
        return posture
