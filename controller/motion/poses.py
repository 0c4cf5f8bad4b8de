"""Where the joints of an arm have to be for its tool to stand over a station, always in one posture.

Tools point straight down and the parts are round, so the last joint is free to choose: it keeps its angle where it can
and only nests ask for one, because the fingers must stay clear of the trunnion's shaft (tangential to the dial).
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from cells.tool_shape import X_FT
from kinematics import inverse_kinematics, link_frames

FloatArray = NDArray[np.float64]

_TURN = 2 * np.pi
_PARK_RADIUS_M = 0.26
_FROM_LIMIT_RAD = 0.1
_DOWN = np.diag([1.0, -1.0, -1.0, 1.0])  # tool z against the station's z


class UnreachableError(Exception):
    """An arm cannot take a pose; the message names arm, place and reason."""


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
        if not self.chain_limits[0][5] <= q6 <= self.chain_limits[1][5]:
            raise UnreachableError(f"{self.arm.id} at {place}: joint 6 would be at {q6:.2f} rad")
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
        if not len(solutions):
            raise UnreachableError(f"{self.arm.id} at {place}: out of reach or beyond a joint limit")
        distance = np.abs(solutions[:, 1:5] - self._reference[1:5]).sum(axis=1)
        best = int(distance.argmin())
        if distance[best] > np.pi:
            raise UnreachableError(f"{self.arm.id} at {place}: only reached in another posture")
        nearest: FloatArray = solutions[best]
        return nearest

    def _solutions(self, X_WS: FloatArray, height_m: float) -> FloatArray:
        X_ST = _DOWN.copy()
        X_ST[2, 3] = height_m
        solutions = inverse_kinematics(self.arm.arm.chain, self._X_BW @ X_WS @ X_ST @ self._X_TF)
        return np.array(solutions.q[solutions.valid])

    def _posture(self) -> FloatArray:
        """The solution with the highest elbow and the least turned wrist, straight in front of the base."""
        X_WS = self.arm.X_WB.copy()
        X_WS[:3, 3] += 0.5 * self.arm.X_WB[:3, 0]
        X_WS[2, 3] = self.cell.work_height_m
        solutions = self._solutions(X_WS, self.above_m)
        if not len(solutions):
            raise UnreachableError(f"{self.arm.id}: cannot reach half a metre in front of its base")
        elbows = link_frames(self.arm.arm.chain, solutions)[:, 3, 2, 3]
        chain = self.arm.arm.chain
        wrist = np.abs(np.mod(solutions[:, 3] * chain.signs[3] - chain.offsets[3] + np.pi, _TURN) - np.pi)
        posture: FloatArray = solutions[int(np.lexsort((wrist.round(6), -elbows.round(6)))[0])]
        return posture
