"""The distances of a delayed run once more, with pinocchio and coal instead of our kernels.

For each pair of arms every moment on a grid of 2 ms is either measured or told by one before it: no point of an arm
moves further than the sum over its joints of how far they have turned since, times how far the arm reaches from them.
"""

from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.part import Part
from cells.tool_shape import hand_capsule
from controller.bench.delayed_run import DelayedRun, Piece
from controller.bench.near_moments import STEP_NS
from controller.motion.plan_document import ArmRecord, CapsuleRecord
from controller.motion.plan_records import cell_record
from controller.motion.verify_body import ArmBody, libraries

FloatArray = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK = 5000  # moments whose joints are worked out at once
_FAR_M = 0.3  # beyond that, balls around the capsules tell enough


@dataclass(frozen=True, slots=True, kw_only=True)
class _Posed:
    """An arm at a moment.

    Attributes:
        middle: (m, 3) of its capsules in the world [m].
        ball: (m,) radii of balls around them [m].
        poses: (m, 3, 4) with z along their axes.
        shapes: As coal has them.
    """

    middle: FloatArray
    ball: FloatArray
    poses: FloatArray
    shapes: list[Any] = field(repr=False)


class CoalArms:
    """The arms of a cell by the libraries that the planner does not use.

    Attributes:
        measured: Moments measured.
        told: Moments on the grid, of pairs of arms of which at least one moved.
    """

    def __init__(self, cell: Cell, source: str) -> None:
        self.measured = self.told = 0
        self._tools = {arm.id: arm.tool for arm in cell.arms}
        records = {arm.id: arm for arm in cell_record(cell, source).arms}
        self._bodies = {name: ArmBody(record) for name, record in records.items()}
        self._reach = {name: _reach(record) for name, record in records.items()}
        self._shapes: dict[tuple[float, float], Any] = {}
        _, coal = libraries()
        self._request, self._result = coal.DistanceRequest(), coal.DistanceResult()

    def smallest(self, run: DelayedRun, limit_m: float) -> float:
        """Smallest distance measured between two arms [m]: all that is below the limit is measured."""
        return min(
            (self._pair(run, one, two, limit_m) for one, two in combinations(run.pieces, 2)), default=np.inf
        )

    def _pair(self, run: DelayedRun, one: str, two: str, limit_m: float) -> float:
        courses = run.pieces[one], run.pieces[two]
        starts = [np.array([piece.start_ns for piece in course]) for course in courses]
        seams = np.union1d(*starts)
        ends = np.append(seams[1:], run.end_ns)
        where = [np.searchsorted(start, seams, side="right") - 1 for start in starts]
        smallest = np.inf
        for begin, end, i, j in zip(seams.tolist(), ends.tolist(), *(w.tolist() for w in where), strict=True):
            pieces = courses[0][i], courses[1][j]
            if end == begin:
                continue
            still = pieces[0].rate == pieces[1].rate == 0.0
            times = np.array([begin]) if still else np.arange(-(-begin // STEP_NS) * STEP_NS, end, STEP_NS)
            for block in range(0, len(times), _BLOCK):
                at = times[block : block + _BLOCK]
                smallest = min(smallest, self._stretch((one, two), pieces, at, limit_m))
        return smallest

    def _stretch(
        self, names: tuple[str, str], pieces: tuple[Piece, Piece], times_ns: Ints, limit_m: float
    ) -> float:
        """Moments of which each is measured or told by the one measured before it."""
        q = [piece.joints(times_ns) for piece in pieces]
        moved = np.zeros(len(times_ns))
        for name, places, piece in zip(names, q, pieces, strict=True):
            turned = np.abs(np.diff(places, axis=0))
            moved[1:] += np.cumsum(turned @ (self._reach[name] + self._tip(name, piece.held)))
        smallest, k = np.inf, 0
        while k < len(times_ns):
            distance = self._distance(
                *(
                    self._pose(name, places[k], piece.held)
                    for name, places, piece in zip(names, q, pieces, strict=True)
                )
            )
            self.measured += 1
            smallest = min(smallest, distance)
            k = max(k + 1, int(np.searchsorted(moved, moved[k] + distance - limit_m)))
        self.told += len(times_ns)
        return smallest

    def _tip(self, name: str, held: Part | None) -> float:
        hand = hand_capsule(self._tools[name], held)
        return hand.b_m[2] + hand.radius_m

    def _pose(self, name: str, q: FloatArray, held: Part | None) -> _Posed:
        hand = hand_capsule(self._tools[name], held)
        record = CapsuleRecord(link=6, a_m=hand.a_m, b_m=hand.b_m, radius_m=hand.radius_m)
        body = self._bodies[name]
        a, b = np.moveaxis(body.axes(record, q[None])[0], 1, 0)
        radius, along = body.radii(record), b - a
        length = np.sqrt((along**2).sum(axis=1))
        shapes = [
            self._shape(r, size) for r, size in zip(radius.tolist(), length.round(9).tolist(), strict=True)
        ]
        middle = (a + b) / 2
        return _Posed(middle=middle, ball=length / 2 + radius, poses=_upright(along, middle), shapes=shapes)

    def _shape(self, radius: float, length: float) -> Any:
        _, coal = libraries()
        if (radius, length) not in self._shapes:
            self._shapes[radius, length] = coal.Capsule(radius, length)
        return self._shapes[radius, length]

    def _distance(self, one: _Posed, two: _Posed) -> float:
        """Smallest distance; a lower bound of it where they are far apart [m]."""
        _, coal = libraries()
        between = np.sqrt(((one.middle[:, None] - two.middle[None]) ** 2).sum(axis=2))
        least = between - one.ball[:, None] - two.ball[None]
        if least.min() > _FAR_M:
            return float(least.min())
        best = np.inf
        for pair in np.argsort(least, axis=None).tolist():
            j, k = divmod(pair, least.shape[1])
            if least[j, k] >= best:
                break
            self._result.clear()
            there, here = (
                coal.Transform3s(posed.poses[i, :, :3], posed.poses[i, :, 3])
                for posed, i in ((one, j), (two, k))
            )
            distance = coal.distance(one.shapes[j], there, two.shapes[k], here, self._request, self._result)
            best = min(best, distance)
        return float(best)


def _upright(along: FloatArray, middle: FloatArray) -> FloatArray:
    """Poses (m, 3, 4) at the middles with z along the axes (m, 3)."""
    length = np.sqrt((along**2).sum(axis=1, keepdims=True))
    z = np.where(length > 1e-9, along / np.maximum(length, 1e-9), [0.0, 0.0, 1.0])
    # Any direction across: of the two larger components one is turned about the third axis.
    flat = np.abs(z[:, :1]) < 0.7
    x = np.where(
        flat, np.stack([0 * z[:, 0], z[:, 2], -z[:, 1]], 1), np.stack([-z[:, 2], 0 * z[:, 0], z[:, 0]], 1)
    )
    x /= np.sqrt((x**2).sum(axis=1, keepdims=True))
    y = z[:, [1, 2, 0]] * x[:, [2, 0, 1]] - z[:, [2, 0, 1]] * x[:, [1, 2, 0]]
    return np.stack([x, y, z, middle], axis=2)


def _reach(arm: ArmRecord) -> FloatArray:
    """How far the flange can be from each joint's axis (6,) [m]."""
    length = arm.lengths_m
    steps = [length.a1, length.c2, np.hypot(length.a2, length.b), length.c3, length.c4, 0.0]
    return np.array([np.abs(steps[k:]).sum() for k in range(6)])
