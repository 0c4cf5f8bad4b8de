"""Distance of two moving solids over all their moments, measured by coal.

A solid is a set of pieces of a motion with its shapes in the middle of each piece; within a piece no point
moves further than the piece's margin. Distance less both margins is what two pieces certainly keep. Where
that is not enough the pieces are divided, until they keep enough, or come too near at a moment that can be
named, or their margins no longer matter.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.motion.plan_document import CapsuleRecord, FixtureRecord
from controller.motion.verify_body import ArmBody, Placed, libraries
from controller.motion.verify_trajectory import Cells, Quintics, resting
from kinematics import Trajectory

FloatArray = NDArray[np.float64]
Ints = NDArray[np.int64]

MARGIN_M = 0.005  # of the first pieces: no point moves by more than 10 mm from one sample to the next
TOLERANCE_M = 1e-4  # margins of two pieces that together are smaller count as nothing
_ROUNDING_M = 1e-6
_DIVIDE = 4


class _Rows(NamedTuple):
    """Pairs to measure: piece ``a`` and shape ``j`` of the one, piece ``b`` and shape ``k`` of the other."""

    a: Ints
    j: Ints
    b: Ints
    k: Ints

    def only(self, mask: NDArray[np.bool_]) -> "_Rows":
        return _Rows(*(column[mask] for column in self))


_NONE = _Rows(*(np.empty(0, dtype=np.int64) for _ in range(4)))


@dataclass(eq=False)
class Solid:
    """n pieces of a motion of m shapes.

    Attributes:
        centre: (n, m, 3) middles of the shapes [m].
        along: (n, m, 3) half axes of the capsules, zero for others [m].
        radius: (m,) of the capsules; a sphere round everything else [m].
        margin: (n, m) [m].
        low: (n, m, 3) corners of boxes round the shapes, margins included [m].
        high: (n, m, 3) [m].
        low_all, high_all: (m, 3) the same for each shape over all pieces [m].
        box: The same for everything [m].
        divide: Gives some pieces divided, and where each part comes from; None where nothing moves.
    """

    centre: FloatArray
    along: FloatArray
    radius: FloatArray
    margin: FloatArray
    low: FloatArray
    high: FloatArray
    geometries: list[Any] = field(repr=False)
    divide: Callable[[Ints], tuple["Solid", Ints]] | None = None
    rotations: FloatArray | None = None
    low_all: FloatArray = field(init=False, repr=False)
    high_all: FloatArray = field(init=False, repr=False)
    box: tuple[FloatArray, FloatArray] = field(init=False, repr=False)
    _transforms: dict[tuple[int, int], Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.low_all, self.high_all = self.low.min(axis=0), self.high.max(axis=0)
        self.box = (self.low_all.min(axis=0), self.high_all.max(axis=0))

    def transform(self, piece: int, shape: int) -> Any:
        """Pose of a shape as coal takes it."""
        key = (piece, shape)
        if key not in self._transforms:
            _, coal = libraries()
            if self.rotations is None:
                self.rotations = _upright_to(self.along)
            self._transforms[key] = coal.Transform3s(self.rotations[key], self.centre[key])
        return self._transforms[key]


def moving_solid(body: ArmBody, hand: CapsuleRecord, trajectory: Trajectory) -> Solid:
    """An arm over a whole trajectory."""
    quintics = Quintics(trajectory)
    cells, placed = body.pieces(hand, quintics, MARGIN_M)
    return _arm_solid(body, hand, quintics, cells, placed)


def resting_solid(body: ArmBody, hand: CapsuleRecord, q: FloatArray) -> Solid:
    """An arm at rest at ``q`` (6,)."""
    return _capsules(body.place(hand, resting(q)), None)


def column_solid(body: ArmBody) -> Solid:
    """The base of an arm, which never moves."""
    ends = np.array([ends for ends, _ in body.column_ends()])[None]
    radius = np.array([radius for _, radius in body.column_ends()])
    return _capsules(Placed(ends=ends, radius=radius, margin=np.zeros((1, len(radius)))), None)


def box_solid(fixture: FixtureRecord) -> Solid:
    """A fixture."""
    _, coal = libraries()
    X_WO, half = np.array(fixture.X_WO), np.array(fixture.half_m)
    extent = np.abs(X_WO[:3, :3]) @ half
    centre = X_WO[None, None, :3, 3]
    return Solid(
        centre=centre,
        along=np.zeros((1, 1, 3)),
        radius=np.array([np.linalg.norm(half)]),
        margin=np.zeros((1, 1)),
        low=centre - extent,
        high=centre + extent,
        geometries=[coal.Box(*(2 * half))],
        rotations=X_WO[None, None, :3, :3],
    )


def keep_apart(one: Solid, two: Solid, limit: float) -> tuple[float, bool]:
    """Whether two solids keep a distance at all their moments, but for `TOLERANCE_M`.

    Returns:
        The smallest distance measured [m], infinite where boxes alone tell that they keep it; and whether
        they keep it.
    """
    smallest = np.inf
    rows = _near(one, two, limit)
    while len(rows.a) > 0:
        measured = _measure(one, two, rows)
        smallest = min(smallest, float(measured.min()))
        if smallest < limit - _ROUNDING_M:
            return smallest, False
        margin = one.margin[rows.a, rows.j] + two.margin[rows.b, rows.k]
        doubtful = (measured - margin < limit) & (margin > TOLERANCE_M)
        if not doubtful.any():
            break
        one, two, rows = _divided(one, two, rows.only(doubtful), limit)
    return smallest, True


def _near(one: Solid, two: Solid, limit: float) -> _Rows:
    """Pairs of pieces and shapes that boxes and separating axes do not tell apart."""
    found = []
    if _apart(one.box[0], one.box[1], two.box[0], two.box[1], limit):
        return _NONE
    low_one, high_one, low_two, high_two = one.low_all, one.high_all, two.low_all, two.high_all
    meets = ~_apart(low_one[:, None], high_one[:, None], low_two[None], high_two[None], limit)
    for j, k in np.argwhere(meets):
        a = np.flatnonzero(~_apart(one.low[:, j], one.high[:, j], low_two[k], high_two[k], limit))
        b = np.flatnonzero(~_apart(two.low[:, k], two.high[:, k], low_one[j], high_one[j], limit))
        pairs = np.argwhere(
            ~_apart(one.low[a, j][:, None], one.high[a, j][:, None], two.low[b, k], two.high[b, k], limit)
        )
        found.append(_Rows(a[pairs[:, 0]], np.full(len(pairs), j), b[pairs[:, 1]], np.full(len(pairs), k)))
    if not found:
        return _NONE
    return _unseparated(
        one, two, _Rows(*(np.concatenate(column) for column in zip(*found, strict=True))), limit
    )


def _apart(
    low: FloatArray, high: FloatArray, low_b: FloatArray, high_b: FloatArray, limit: float
) -> NDArray[np.bool_]:
    gap = np.maximum(low - high_b, low_b - high).clip(0.0)
    apart: NDArray[np.bool_] = (gap**2).sum(axis=-1) >= limit**2
    return apart


def _unseparated(one: Solid, two: Solid, rows: _Rows, limit: float) -> _Rows:
    """Without the pairs that the plane between their middles keeps apart."""
    a, j, b, k = rows
    between = two.centre[b, k] - one.centre[a, j]
    length = np.linalg.norm(between, axis=1)
    along = np.abs((one.along[a, j] * between).sum(axis=1)) + np.abs((two.along[b, k] * between).sum(axis=1))
    gap = length - along / np.maximum(length, 1e-12) - one.radius[j] - two.radius[k]
    near = gap - one.margin[a, j] - two.margin[b, k] < limit
    return rows.only(near)


def _measure(one: Solid, two: Solid, rows: _Rows) -> FloatArray:
    """Distances (r,) in the middles of the pieces; negative where shapes overlap [m]."""
    _, coal = libraries()
    request, result = coal.DistanceRequest(), coal.DistanceResult()
    distances = np.empty(len(rows.a))
    for row, (a, j, b, k) in enumerate(zip(*(column.tolist() for column in rows), strict=True)):
        result.clear()
        distances[row] = coal.distance(
            one.geometries[j], one.transform(a, j), two.geometries[k], two.transform(b, k), request, result
        )
    return distances


def _divided(one: Solid, two: Solid, rows: _Rows, limit: float) -> tuple[Solid, Solid, _Rows]:
    """The same pairs with their pieces divided."""
    one, a, origin = _parts_of(one, rows.a)
    j, b, k = rows.j[origin], rows.b[origin], rows.k[origin]
    two, b, origin = _parts_of(two, b)
    return one, two, _unseparated(one, two, _Rows(a[origin], j[origin], b, k[origin]), limit)


def _parts_of(solid: Solid, pieces: Ints) -> tuple[Solid, Ints, Ints]:
    """Divide pieces (r,): the solid of the parts, the parts (s,), and for each its place in ``pieces``."""
    if solid.divide is None:
        return solid, pieces, np.arange(len(pieces))
    distinct, place = np.unique(pieces, return_inverse=True)
    solid, origin = solid.divide(distinct)
    first, last = np.searchsorted(origin, place, "left"), np.searchsorted(origin, place, "right")
    row = np.repeat(np.arange(len(pieces)), last - first)
    within = np.arange(len(row)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    return solid, first[row] + within, row


def _arm_solid(body: ArmBody, hand: CapsuleRecord, quintics: Quintics, cells: Cells, placed: Placed) -> Solid:
    def divide(pieces: Ints) -> tuple[Solid, Ints]:
        some = Cells(
            q=cells.q[pieces],
            delta=cells.delta[pieces],
            interval=cells.interval[pieces],
            middle=cells.middle[pieces],
            half=cells.half[pieces],
        )
        parts, origin = quintics.split(some, np.full(len(pieces), _DIVIDE))
        return _arm_solid(body, hand, quintics, parts, body.place(hand, parts)), origin

    return _capsules(placed, divide)


def _capsules(placed: Placed, divide: Callable[[Ints], tuple[Solid, Ints]] | None) -> Solid:
    _, coal = libraries()
    ends, reach = placed.ends, (placed.radius + placed.margin)[..., None]
    along = (ends[:, :, 1] - ends[:, :, 0]) / 2
    length = 2 * np.linalg.norm(along[0], axis=-1)
    return Solid(
        centre=ends.mean(axis=2),
        along=along,
        radius=placed.radius,
        margin=placed.margin,
        low=ends.min(axis=2) - reach,
        high=ends.max(axis=2) + reach,
        geometries=[
            coal.Capsule(r, size) for r, size in zip(placed.radius.tolist(), length.tolist(), strict=True)
        ],
        divide=divide,
    )


def _upright_to(along: FloatArray) -> FloatArray:
    """Rotations (..., 3, 3) that turn z into the direction of the axes (..., 3)."""
    z = along + np.where(np.abs(along).max(axis=-1, keepdims=True) < 1e-12, [0.0, 0.0, 1.0], 0.0)
    z = z / np.linalg.norm(z, axis=-1, keepdims=True)
    side = np.where(np.abs(z[..., :1]) < 0.7, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    x = np.cross(side, z)
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    return np.stack([x, np.cross(z, x), z], axis=-1)
