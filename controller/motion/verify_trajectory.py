"""Quintics of stored trajectories, derived once more: states for the limits, intervals for the clearance."""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from kinematics import Trajectory

FloatArray = NDArray[np.float64]

_PER_INTERVAL = 8  # samples between two knots, at which limits are checked
_DERIVATIVES = np.diag(np.arange(1.0, 6.0), 1)  # from coefficients (6,) to those of the derivative
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Dense states of a trajectory, (n, 6); ``noise`` (n, 1) is what rounding may add to an acceleration."""

    t: FloatArray
    q: FloatArray
    qd: FloatArray
    qdd: FloatArray
    noise: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Pieces of a trajectory: around its middle ``q`` each joint moves by at most ``delta``.

    Attributes:
        q: (n, 6) joints in the middle of each piece [rad].
        delta: (n, 6) greatest distance from it within the piece [rad].
        interval: (n,) interval between knots, -1 where the arm stands still.
        middle: (n,) middle of the piece, as a share of the interval.
        half: (n,) half of the piece's length, as a share of the interval.
    """

    q: FloatArray
    delta: FloatArray
    interval: NDArray[np.int64]
    middle: FloatArray
    half: FloatArray


class Quintics:
    """The polynomials between m knots, in u = 0..1: ``coefficients`` (m - 1, 6 powers, 6 joints)."""

    def __init__(self, trajectory: Trajectory) -> None:
        self._trajectory = trajectory
        h = np.diff(trajectory.t)[:, None]
        q, qd, qdd = trajectory.q, trajectory.qd, trajectory.qdd
        c1, c2 = h * qd[:-1], h**2 * qdd[:-1] / 2
        # Three conditions at u = 1 for the three coefficients left.
        rest = np.linalg.solve(
            np.array([[1.0, 1.0, 1.0], [3.0, 4.0, 5.0], [6.0, 12.0, 20.0]]),
            np.stack([q[1:] - q[:-1] - c1 - c2, h * qd[1:] - c1 - 2 * c2, h**2 * qdd[1:] - 2 * c2], axis=1),
        )
        self._h = h
        self.coefficients = np.concatenate([np.stack([q[:-1], c1, c2], axis=1), rest], axis=1)

    def states(self) -> States:
        """States at `_PER_INTERVAL` places between every two knots, and at the knots."""
        motion = self._trajectory
        powers = np.vander(np.linspace(0.0, 1.0, _PER_INTERVAL, endpoint=False), 6, increasing=True)
        first, second = powers @ _DERIVATIVES, powers @ _DERIVATIVES @ _DERIVATIVES
        h = self._h[:, None]

        def at(weights: FloatArray, scale: FloatArray | float, end: FloatArray) -> FloatArray:
            values: FloatArray = np.vstack(
                [(np.einsum("up,mpj->muj", weights, self.coefficients) / scale).reshape(-1, 6), end[-1:]]
            )
            return values

        size = np.abs(motion.q).max() * 1000 * _EPSILON
        noise = np.append(np.repeat(size / self._h**2, _PER_INTERVAL), 0.0)[:, None]
        t = motion.t[:-1, None] + np.linspace(0.0, 1.0, _PER_INTERVAL, endpoint=False) * self._h
        return States(
            t=np.append(t.ravel(), motion.t[-1]),
            q=at(powers, 1.0, motion.q),
            qd=at(first, h, motion.qd),
            qdd=at(second, h**2, motion.qdd),
            noise=noise,
        )

    def cells(self) -> Cells:
        """One piece for every interval between knots; for a single knot one without motion."""
        n = len(self.coefficients)
        if n == 0:
            return resting(self._trajectory.q[0])
        return self._pieces(np.arange(n), np.full(n, 0.5), np.full(n, 0.5))

    def split(self, cells: Cells, parts: NDArray[np.int64]) -> tuple[Cells, NDArray[np.int64]]:
        """Divide pieces (k,) into so many parts; the parts, and for each the piece it comes from."""
        parts = np.where(cells.interval < 0, 1, parts)
        origin = np.repeat(np.arange(len(parts)), parts)
        within = np.arange(len(origin)) - np.repeat(np.cumsum(parts) - parts, parts)
        half = (cells.half / parts)[origin]
        middle = cells.middle[origin] - cells.half[origin] + (2 * within + 1) * half
        if len(self.coefficients) == 0:
            return cells, origin
        return self._pieces(cells.interval[origin], middle, half), origin

    def _pieces(self, interval: NDArray[np.int64], middle: FloatArray, half: FloatArray) -> Cells:
        """Around its middle a polynomial moves by at most the sum of its coefficients' sizes there."""
        own = self.coefficients[interval]
        shifted = [
            sum(comb(j, i) * own[:, j] * middle[:, None] ** (j - i) for j in range(i, 6)) for i in range(6)
        ]
        delta = sum(np.abs(shifted[i]) * half[:, None] ** i for i in range(1, 6))
        return Cells(
            q=np.asarray(shifted[0]), delta=np.asarray(delta), interval=interval, middle=middle, half=half
        )


def resting(q: FloatArray) -> Cells:
    """Standing still at ``q`` (6,)."""
    return Cells(
        q=q[None, :],
        delta=np.zeros((1, 6)),
        interval=np.full(1, -1, dtype=np.int64),
        middle=np.zeros(1),
        half=np.zeros(1),
    )
