"""Quintics of stored trajectories, derived once more: states for the limits, intervals for the clearance."""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from kinematics import Trajectory

FloatArray = NDArray[np.float64]

_PER_INTERVAL = 8  # samples between two knots
_DERIVATIVES = np.diag(np.arange(1.0, 6.0), 1)  # from coefficients (6,) to those of the derivative
_EPSILON = float(np.finfo(np.float64).eps)
_RELATIVE = 1e-6  # by which rounding may pass a limit
_ROUNDING = (0.0, 0.0, 1000 * _EPSILON, 3000 * _EPSILON)  # of positions, as it shows in each derivative
_HIDDEN = 0.01  # share of a limit of jerk; where rounding may add more, the jerk of an interval is its mean
_LEAST_HALVINGS, _MOST_HALVINGS = 5, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Dense states of a trajectory: ``t`` (n,), the others (n, 6)."""

    t: FloatArray
    q: FloatArray
    qd: FloatArray
    qdd: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """Where a trajectory passes a limit furthest: the value there, and its share of what is allowed."""

    t: float
    joint: int
    value: float
    share: float


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

        t = motion.t[:-1, None] + np.linspace(0.0, 1.0, _PER_INTERVAL, endpoint=False) * self._h
        return States(
            t=np.append(t.ravel(), motion.t[-1]),
            q=at(powers, 1.0, motion.q),
            qd=at(first, h, motion.qd),
            qdd=at(second, h**2, motion.qdd),
        )

    def excess(self, order: int, limit: FloatArray, middle: FloatArray | None = None) -> Excess | None:
        """Where the derivative of an order (0 to 3) is further than ``limit`` (6,) from ``middle``; None if nowhere.

        At all times, not only at samples: see `_furthest`.
        """
        motion, h = self._trajectory, self._h
        middle = np.zeros(6) if middle is None else middle
        if len(self.coefficients) == 0:  # stands still
            powers = (motion.q, motion.qd, motion.qdd, np.zeros((1, 6)))[order][:, None] - middle
            h = np.zeros((1, 1))
            noise = np.zeros((1, 6))
        else:
            powers = self._derivative(order)
            powers[:, 0] -= middle
            noise = np.broadcast_to(_ROUNDING[order] * np.abs(motion.q).max() / h**order, (len(h), 6)).copy()
        if order == 3 and len(self.coefficients):
            hidden = (noise > _HIDDEN * limit).any(axis=1)
            powers[hidden], noise[hidden] = 0.0, 0.0
            powers[hidden, 0] = (np.diff(motion.qdd, axis=0) / h)[hidden]
        hull = np.einsum("bp,mpj->mjb", _bernstein(powers.shape[1] - 1), powers)
        allowed = (limit + noise) * (1 + _RELATIVE)
        found = _furthest(hull.reshape(-1, hull.shape[2]) / allowed.reshape(-1, 1))
        if found is None:
            return None
        row, u, share = found
        interval, joint = divmod(row, 6)
        return Excess(
            t=float(motion.t[interval] + u * h[interval, 0]),
            joint=joint,
            value=share * float(allowed[interval, joint]) + float(middle[joint]),
            share=abs(share),
        )

    def _derivative(self, order: int) -> FloatArray:
        """Coefficients of a derivative by time, (m - 1, 6 - order powers, 6)."""
        powers = self.coefficients
        for _ in range(order):
            powers = np.arange(1.0, powers.shape[1])[None, :, None] * powers[:, 1:] / self._h[:, None]
        return powers.copy()

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


def _furthest(hull: FloatArray) -> tuple[int, float, float] | None:
    """The row (r, n) of Bernstein coefficients whose polynomial leaves -1..1 furthest, the place in 0..1, the value.

    A polynomial stays within the hull of its coefficients and meets the first and the last (Farin 2002, sec. 5.3).
    Rows for which that does not suffice are halved; what is still in doubt in the end counts as outside.
    """
    left = _halving(hull.shape[1] - 1)
    row, begin, length = np.arange(len(hull)), np.zeros(len(hull)), 1.0
    for halving in range(_MOST_HALVINGS):
        doubtful = ~(np.abs(hull).max(axis=1) <= 1.0)  # what is no number is outside, too
        hull, row, begin = hull[doubtful], row[doubtful], begin[doubtful]
        if len(hull) == 0:
            return None
        if halving >= _LEAST_HALVINGS and not np.abs(hull[:, [0, -1]]).max() <= 1.0:
            break
        hull = np.concatenate([hull @ left.T, hull @ left[::-1, ::-1].T])
        length /= 2
        row, begin = np.tile(row, 2), np.concatenate([begin, begin + length])
    piece, place = np.unravel_index(int(np.abs(hull).argmax()), hull.shape)
    u = float(begin[piece]) + length * float(place) / max(hull.shape[1] - 1, 1)
    return int(row[piece]), u, float(hull[piece, place])


def _bernstein(degree: int) -> FloatArray:
    """From powers of u to Bernstein coefficients on 0..1."""
    rows = [[comb(j, i) / comb(degree, i) for i in range(degree + 1)] for j in range(degree + 1)]
    return np.array(rows, dtype=np.float64)


def _halving(degree: int) -> FloatArray:
    """From Bernstein coefficients on 0..1 to those on the first half (de Casteljau); reversed to those on the second."""
    rows = [[comb(j, i) / 2**j for i in range(degree + 1)] for j in range(degree + 1)]
    return np.array(rows, dtype=np.float64)
