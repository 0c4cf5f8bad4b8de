"""Distances of arms, made of capsules, from each other, from themselves and from boxes, in many states.

A placed capsule is a row ``[ax ay az bx by bz r]``: two end points in the world and a radius [m]. Distances
are exact, and negative by at most the radii where the capsules' axes come nearer than these (inside a box:
minus the radius): enough to tell a collision, not a depth of penetration to push out of.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinematics.arrays import Array, finite, frozen, indices, joint_angles
from kinematics.chain import Arm, Chain
from kinematics.errors import KinematicsError
from kinematics.forward import frames
from kinematics.jit import inlined, kernel
from kinematics.lanes import LANES, block, get3, get6, get_frame, load, put_frame
from kinematics.proximity import excess_of, local, segment_box_squared, segments_squared
from kinematics.vectors import Frame, Vector, add, dot, locate, scale, subtract

_PLACING = block(LANES, q=6, X=84)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Capsules:
    """The body of an arm, and of what it holds.

    Attributes:
        link: (m,) number of the link frame each capsule moves with, 0 (base) to 6 (flange).
        a: (m, 3) one end of its axis in that frame [m].
        b: (m, 3) the other end [m]; the same point for a sphere.
        radius: (m,) > 0 [m].
    """

    link: NDArray[np.int64]
    a: Array
    b: Array
    radius: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "link", indices("capsules.link", self.link, (None,), 7))
        for name, shape in (
            ("a", (len(self.link), 3)),
            ("b", (len(self.link), 3)),
            ("radius", (len(self.link),)),
        ):
            object.__setattr__(self, name, frozen(f"capsules.{name}", getattr(self, name), shape))
        for k in np.flatnonzero(self.radius <= 0.0):
            raise KinematicsError(f"capsules.radius[{k}]: {self.radius[k]:g} m, expected more than 0")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boxes:
    """Fixed obstacles.

    Attributes:
        X_WO: (k, 4, 4) poses of the boxes' centres in the world.
        half: (k, 3) > 0 half of their lengths along their own axes [m].
    """

    X_WO: Array
    half: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "X_WO", frozen("boxes.X_WO", self.X_WO, (None, 4, 4)))
        object.__setattr__(self, "half", frozen("boxes.half", self.half, (len(self.X_WO), 3)))
        if (self.half <= 0.0).any():
            raise KinematicsError(f"boxes.half: {self.half.min():g} m, expected more than 0")

    @property
    def rows(self) -> Array:
        """As kernels take them: (k, 15), the first twelve elements of the pose and the half lengths."""
        return np.concatenate([self.X_WO[:, :3].reshape(-1, 12), self.half], axis=1)


def place_capsules(chain: Chain, X_WB: ArrayLike, capsules: Capsules, q: ArrayLike) -> Array:
    """Capsules of an arm in the world.

    Args:
        chain: The arm.
        X_WB: (4, 4) pose of its base in the world.
        capsules: Its m capsules.
        q: (n, 6) or (6,) joint angles [rad].

    Returns:
        (n, m, 7) rows [ax ay az bx by bz r], or (m, 7) for a single configuration.

    Raises:
        KinematicsError: If an input has another shape or holds NaN or infinity.
    """
    angles, single = joint_angles("q", q)
    base = finite("X_WB", X_WB, (4, 4))
    placed = np.empty((len(angles), len(capsules.link), 7))
    _place(
        chain.arm, base.reshape(16, 1), capsules.link, capsules.a, capsules.b, capsules.radius, angles, placed
    )
    return placed[0] if single else placed


def distance(A: ArrayLike, B: ArrayLike) -> Array:
    """Smallest distance of two bodies in each of n states.

    Args:
        A: (n, m, 7) placed capsules.
        B: (n, k, 7) placed capsules; n is 1 for a body at rest.

    Returns:
        (n,) distances [m], negative in collision; infinite if a body has no capsules.

    Raises:
        KinematicsError: If the shapes do not match or a value is NaN or infinite.
    """
    first, second = finite("A", A, (None, None, 7)), finite("B", B, (None, None, 7))
    if len(second) not in (1, len(first)):
        raise KinematicsError(f"B: {len(second)} states, expected 1 or {len(first)} as in A")
    smallest = np.full(len(first), np.inf)
    _distance(first, second, smallest)
    return smallest


def self_distance(A: ArrayLike, pairs: ArrayLike) -> Array:
    """Smallest distance between given pairs of capsules of one body in each of n states.

    Args:
        A: (n, m, 7) placed capsules.
        pairs: (p, 2) numbers of capsules that could touch; neighbouring links always do, so leave them out.

    Returns:
        (n,) distances [m], infinite without pairs.

    Raises:
        KinematicsError: If a shape does not match, a value is NaN or infinite, or there is no such capsule.
    """
    body = finite("A", A, (None, None, 7))
    numbers = indices("pairs", pairs, (None, 2), body.shape[1])
    smallest = np.full(len(body), np.inf)
    _self_distance(body, numbers, smallest)
    return smallest


def box_distance(A: ArrayLike, boxes: Boxes) -> Array:
    """Smallest distance of a body from any box in each of n states.

    Args:
        A: (n, m, 7) placed capsules.
        boxes: The boxes.

    Returns:
        (n,) distances [m], negative in collision; infinite without boxes.

    Raises:
        KinematicsError: If A has another shape or holds NaN or infinity.
    """
    body = finite("A", A, (None, None, 7))
    smallest = np.full(len(body), np.inf)
    _box_distance(body, boxes.rows, smallest)
    return smallest


@inlined
def ends(row: Array) -> tuple[Vector, Vector]:
    """End points of a placed capsule."""
    return (row[0], row[1], row[2]), (row[3], row[4], row[5])


@inlined
def square(x: float) -> float:
    """Square of x, zero below zero."""
    return x * x if x > 0.0 else 0.0


@inlined
def nearer(one: Array, two: Array, best: float) -> float:
    """The distance of two placed capsules [m] if it is less than the best so far, otherwise that."""
    a, b = ends(one)
    c, d = ends(two)
    thick = one[6] + two[6]
    squared = segments_squared(a, b, c, d)
    return math.sqrt(squared) - thick if squared < square(best + thick) else best


@inlined
def ball(row: Array) -> tuple[Vector, float]:
    """Centre and radius of the ball around a placed capsule [m]."""
    a, b = ends(row)
    u = subtract(b, a)
    return scale(0.5, add(a, b)), 0.5 * math.sqrt(dot(u, u)) + row[6]


@inlined
def box_frame(box: Array) -> tuple[Frame, Vector]:
    """Frame and half lengths of a row of boxes."""
    x, y, z = (box[0], box[4], box[8]), (box[1], box[5], box[9]), (box[2], box[6], box[10])
    return (x, y, z, (box[3], box[7], box[11])), (box[12], box[13], box[14])


@inlined
def nearer_box(capsule: Array, box: Array, best: float) -> float:
    """The distance of a placed capsule from a box [m] if it is less than the best so far, otherwise that."""
    frame, half = box_frame(box)
    end_a, end_b = ends(capsule)
    a, b = local(frame, end_a), local(frame, end_b)
    squared = segment_box_squared(a, b, half)
    return math.sqrt(squared) - capsule[6] if squared < square(best + capsule[6]) else best


@kernel
def _place(
    arm: Arm, X_WB: Array, link: NDArray[np.int64], a: Array, b: Array, radius: Array, q: Array, placed: Array
) -> None:
    """Capsules in the world, into placed (n, m, 7): link frames in lanes, then capsule by capsule."""
    base = get_frame(X_WB, 0)
    lanes = np.zeros(1, _PLACING)[0]
    for start in range(0, len(q), LANES):
        load(lanes.q, q[start : start + LANES])
        for i in range(LANES):
            frame1, frame2, frame3, frame4, frame5, frame6 = frames(arm, get6(lanes.q, i))
            put_frame(lanes.X, 0, i, ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)))
            put_frame(lanes.X, 12, i, frame1)
            put_frame(lanes.X, 24, i, frame2)
            put_frame(lanes.X, 36, i, frame3)
            put_frame(lanes.X, 48, i, frame4)
            put_frame(lanes.X, 60, i, frame5)
            put_frame(lanes.X, 72, i, frame6)
        for i in range(min(LANES, len(q) - start)):
            for k in range(len(link)):
                frame = get_frame(lanes.X[12 * link[k] : 12 * link[k] + 12], i)
                end_a = locate(base, locate(frame, get3(a.T, k)))
                end_b = locate(base, locate(frame, get3(b.T, k)))
                for axis in range(3):
                    placed[start + i, k, axis] = end_a[axis]
                    placed[start + i, k, 3 + axis] = end_b[axis]
                placed[start + i, k, 6] = radius[k]


@kernel
def _distance(A: Array, B: Array, smallest: Array) -> None:
    """Lower smallest (n,) to the distance of bodies A (n, m, 7) and B (n or 1, k, 7).

    Capsules whose balls are further apart than the best distance so far are left out.
    """
    balls = np.empty((B.shape[1], 4))
    for i in range(len(A)):
        other = B[i if len(B) > 1 else 0]
        for k in range(len(other)):
            centre, reach = ball(other[k])
            balls[k, 0], balls[k, 1], balls[k, 2], balls[k, 3] = centre[0], centre[1], centre[2], reach
        best = smallest[i]
        for j in range(A.shape[1]):
            centre, reach = ball(A[i, j])
            for k in range(len(other)):
                gap = subtract(get3(balls.T, k), centre)
                if dot(gap, gap) <= square(best + reach + balls[k, 3]):
                    best = nearer(A[i, j], other[k], best)
        smallest[i] = best


@kernel
def _self_distance(A: Array, pairs: NDArray[np.int64], smallest: Array) -> None:
    """Lower smallest (n,) to the distance of the pairs of capsules of A (n, m, 7). Does not allocate."""
    for i in range(len(A)):
        for p in range(len(pairs)):
            smallest[i] = nearer(A[i, pairs[p, 0]], A[i, pairs[p, 1]], smallest[i])


@kernel
def _box_distance(A: Array, boxes: Array, smallest: Array) -> None:
    """Lower smallest (n,) to the distance of body A (n, m, 7) from boxes (k, 15). Does not allocate.

    Boxes further from a capsule's ball than the best distance so far are left out.
    """
    for i in range(len(A)):
        best = smallest[i]
        for j in range(A.shape[1]):
            centre, reach = ball(A[i, j])
            for k in range(len(boxes)):
                frame, half = box_frame(boxes[k])
                gap = excess_of(local(frame, centre), half)
                if dot(gap, gap) <= square(best + reach):
                    best = nearer_box(A[i, j], boxes[k], best)
        smallest[i] = best
