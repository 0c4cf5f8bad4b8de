"""Distances of arms, made of capsules, from each other, from themselves and from boxes, in many states.

Distances are exact, and negative by at most the radii where the axes of capsules come nearer than these
(inside a box: minus the radius): enough to tell a collision, not a depth of penetration to push out of.

States are placed in SIMD lanes. Then, pair by pair of an arm's part with a box or another part, the boxes
around them are compared in lanes with the smallest distance so far; only states in which that leaves doubt
look at capsules, beginning with the ones that were nearest when this pair was last looked at.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinematics.arrays import Array, joint_angles
from kinematics.errors import KinematicsError
from kinematics.jit import inlined, kernel
from kinematics.lanes import LANES, Block, active, block, get6
from kinematics.placing import PLACING, place_lanes
from kinematics.proximity import local, segment_box_squared, segments_squared
from kinematics.scene import Body, Ints, Model, Scene, moving_only
from kinematics.vectors import Frame, Joints, Vector

NEAREST = block(LANES, best=1, gap=1)
_NOTHING = -1
_NO_HINTS: Ints = np.empty((0, 2), dtype=np.int64)


def place_capsules(body: Body, q: ArrayLike) -> Array:
    """Capsules of an arm in the world.

    Args:
        body: The arm in its place.
        q: (n, 6) or (6,) joint angles [rad].

    Returns:
        (n, m, 7) rows [ax ay az bx by bz r], or (m, 7) for a single configuration.

    Raises:
        KinematicsError: If q has another shape or holds NaN or infinity.
    """
    angles, single = joint_angles("q", q)
    model, place = _alone(body)
    n = len(angles)
    placed, what = np.empty((n, len(place), 7)), np.empty((n, 3), dtype=np.int64)
    _examine(model, angles[:, None], math.inf, -math.inf, _NO_HINTS, np.empty(n), what, placed)
    placed = placed[:, place]
    return placed[0] if single else placed


@lru_cache(maxsize=256)
def _alone(body: Body) -> tuple[Model, Ints]:
    """A model of the body with nothing to compare, and where it has the body's capsules. Known by identity."""
    alone = Body(chain=body.chain, X_WB=body.X_WB, capsules=body.capsules)
    place = np.argsort(np.argsort(body.capsules.link, kind="stable"))
    model = Scene(bodies=(alone,)).model
    return model._replace(pairs=model.pairs[:0], apart=model.apart[:0]), place


def clearance(scene: Scene, q: ArrayLike, enough: float = math.inf) -> Array:
    """Smallest distance in each of n states between arms, of arms from boxes and from themselves.

    Args:
        scene: The arms and boxes.
        q: (n, a, 6) joint angles of the a arms, or (a, 6) for a single state [rad].
        enough: Distance above which it does not matter how far apart they are [m]; the less, the faster.

    Returns:
        (n,) distances, or () for a single state [m]: at most `enough`, negative in collision; infinite where
        there is nothing to compare.

    Raises:
        KinematicsError: If q has another shape, holds NaN or infinity, or `enough` is NaN.
    """
    angles, single = scene.angles("q", q)
    smallest, _ = _smallest(scene.model, angles, float(enough), -math.inf)
    return smallest[0] if single else smallest


def collides(scene: Scene, q: ArrayLike, clearance: float = 0.0) -> NDArray[np.bool_]:
    """Whether anything is nearer than the clearance, in each of n states: (n,), or () for a single state.

    Args:
        scene: The arms and boxes.
        q: (n, a, 6) joint angles of the a arms, or (a, 6) for a single state [rad].
        clearance: Distance to keep [m]; with zero, what touches exactly does not collide.

    Raises:
        KinematicsError: If q has another shape, holds NaN or infinity, or the clearance is NaN.
    """
    angles, single = scene.angles("q", q)
    smallest, _ = _smallest(scene.model, angles, float(clearance), float(clearance))
    near: NDArray[np.bool_] = smallest < clearance
    return near[0] if single else near


def nearest(scene: Scene, q: ArrayLike, arm: int | None = None) -> str:
    """What is nearest to each other in a single state, in words, with the distance.

    Args:
        scene: The arms and boxes.
        q: (a, 6) joint angles of the a arms [rad].
        arm: The only arm to look at; all by default.

    Raises:
        KinematicsError: If q has another shape or holds NaN or infinity.
    """
    angles, _ = scene.angles("q", q)
    model = scene.model if arm is None else moving_only(scene, arm)
    smallest, what = _smallest(model, angles[:1], math.inf, -math.inf)
    pair, one, two = what[0].tolist()
    if pair == _NOTHING:
        return "nothing to compare"
    part, other = model.pairs[pair, :2].tolist()
    names = [_name(scene, part, one), f"box {two}" if other < 0 else _name(scene, other, two)]
    return f"{names[0]} is {smallest[0]:.4f} m from {names[1]}"


def _name(scene: Scene, part: int, capsule: int) -> str:
    """A capsule of the model by the numbers its user knows."""
    arm, order = part // 2, np.argsort(scene.bodies[part // 2].capsules.link, kind="stable")
    return f"capsule {order[capsule - scene.model.first[2 * arm]]} of arm {arm}"


def _smallest(model: Model, q: Array, enough: float, stop: float) -> tuple[Array, Ints]:
    """Smallest distances (n,) below `enough`, and in which pair, of which capsule from what (n, 3)."""
    if math.isnan(enough):
        raise KinematicsError("distance: nan m, expected a number")
    smallest, what = np.empty(len(q)), np.empty((len(q), 3), dtype=np.int64)
    _examine(model, q, enough, stop, model.pairs[:, 2::2].copy(), smallest, what, np.empty((len(q), 0, 7)))
    return smallest, what


@inlined
def larger(a: float, b: float) -> float:
    """The larger of two numbers; unlike the built-in, a single instruction."""
    return a if a > b else b


@inlined
def spans_apart(one: Joints, two: Joints) -> float:
    """A distance that two spans (lower, then upper corner) keep along one of the axes; negative if they meet."""
    x = larger(one[0] - two[3], two[0] - one[3])
    y = larger(one[1] - two[4], two[1] - one[4])
    z = larger(one[2] - two[5], two[2] - one[5])
    return larger(larger(x, y), z)


@inlined
def span_of(tips: Joints, r: float) -> Joints:
    """Span of a capsule with the given ends."""
    ax, ay, az, bx, by, bz = tips
    return (
        (ax if ax < bx else bx) - r,
        (ay if ay < by else by) - r,
        (az if az < bz else bz) - r,
        (ax if ax > bx else bx) + r,
        (ay if ay > by else by) + r,
        (az if az > bz else bz) + r,
    )


@inlined
def row6(row: Array) -> Joints:
    """The first six numbers of a row."""
    return row[0], row[1], row[2], row[3], row[4], row[5]


@inlined
def box_frame(row: Array) -> tuple[Frame, Vector]:
    """Frame and half lengths of a row of `Boxes.rows`."""
    x, y, z = (row[0], row[4], row[8]), (row[1], row[5], row[9]), (row[2], row[6], row[10])
    return (x, y, z, (row[3], row[7], row[11])), (row[12], row[13], row[14])


@inlined
def capsule_to_capsule(one: Joints, two: Joints) -> float:
    """Distance of two axes [m]."""
    a, b, c, d = one[:3], one[3:], two[:3], two[3:]
    return math.sqrt(segments_squared(a, b, c, d))


@inlined
def capsule_to_box(tips: Joints, box: Array) -> float:
    """Distance of an axis from a row of `Boxes.rows` [m]."""
    frame, half = box_frame(box)
    return math.sqrt(segment_box_squared(local(frame, tips[:3]), local(frame, tips[3:]), half))


@inlined
def look_closer(
    model: Model, ends: Array, i: int, pair: Ints, hint: Ints, best: float
) -> tuple[float, int, int]:
    """The smallest distance below best of a pair's capsules in lane i, and between which of them.

    It begins with those of the hint, and leaves there those found. Numbers are -1 if there is nothing below.
    """
    found, whom = -1, -1
    from_one, to_one, from_two, to_two = pair[2], pair[3], pair[4], pair[5]
    first_one, first_two = hint[0], hint[1]
    for j in range(first_one, first_one + to_one - from_one):
        j = j if j < to_one else j - (to_one - from_one)
        one, r = get6(ends[j], i), model.radius[j]
        span = span_of(one, r)
        for k in range(first_two, first_two + to_two - from_two):
            k = k if k < to_two else k - (to_two - from_two)
            if pair[1] < 0:
                if spans_apart(span, row6(model.corners[k])) > best:
                    continue
                gap = capsule_to_box(one, model.boxes[k]) - r
            else:
                two = get6(ends[k], i)
                if spans_apart(span, span_of(two, model.radius[k])) > best:
                    continue
                gap = capsule_to_capsule(one, two) - r - model.radius[k]
            if gap < best:
                best, found, whom = gap, j, k
                hint[0], hint[1] = j, k
    return best, found, whom


@inlined
def limit_to(lanes: Block, n: int, distance: float) -> None:
    """Only distances below this one matter in n lanes, and none in the other active lanes."""
    for i in range(n):
        lanes.best[0, i] = distance
    for i in range(n, active(n)):
        lanes.best[0, i] = -math.inf


@inlined
def lower(
    model: Model, n: int, ends: Array, spans: Array, stop: float, hints: Ints, lanes: Block, what: Ints
) -> None:
    """Lower the best distances of n lanes, begun by `limit_to`, to those of all pairs; lanes below `stop` may rest.

    Writes into what (n, 3) in which pair and between which capsules, or of which one from which box.
    """
    count = active(n)
    for p in range(len(model.pairs)):
        part, other, apart = model.pairs[p, 0], model.pairs[p, 1], model.apart[p]
        near = 0
        for i in range(count):
            near += lanes.best[0, i] >= apart
        if near == 0:
            continue
        if other < 0:
            corners = row6(model.corners[model.pairs[p, 4]])
            for i in range(count):
                lanes.gap[0, i] = spans_apart(get6(spans[part], i), corners)
        else:
            for i in range(count):
                lanes.gap[0, i] = spans_apart(get6(spans[part], i), get6(spans[other], i))
        near = 0
        for i in range(count):
            near += lanes.gap[0, i] <= lanes.best[0, i]
        if near == 0:
            continue
        for i in range(n):
            best = lanes.best[0, i]
            if lanes.gap[0, i] <= best and best >= stop:
                best, one, two = look_closer(model, ends, i, model.pairs[p], hints[p], best)
                if one >= 0:
                    lanes.best[0, i] = best
                    what[i, 0], what[i, 1], what[i, 2] = p, one, two


@kernel
def _examine(
    model: Model,
    q: Array,
    enough: float,
    stop: float,
    hints: Ints,
    smallest: Array,
    what: Ints,
    placed: Array,
) -> None:
    """Distances below `enough` in the states q (n, a, 6), into smallest (n,); what (n, 3) as `lower` writes it.

    Capsules are written into placed (n, c, 7) if that has any.
    """
    placing, nearest = np.empty(1, PLACING), np.empty(1, NEAREST)
    ends, spans = np.empty((len(model.link), 6, LANES)), np.empty((len(model.first) - 1, 6, LANES))
    for start in range(0, len(q), LANES):
        # A record does not keep its array alive: that has to be used as long as the record is.
        lanes, n = nearest[0], min(LANES, len(q) - start)
        for arm in range(len(model.base)):
            place_lanes(model, arm, q[start : start + n, arm], placing[0], ends, spans)
        limit_to(lanes, n, enough)
        for i in range(n):
            what[start + i, 0] = _NOTHING
        lower(model, n, ends, spans, stop, hints, lanes, what[start : start + n])
        for i in range(n):
            smallest[start + i] = lanes.best[0, i]
            for capsule in range(placed.shape[1]):
                row = placed[start + i, capsule]
                for k in range(6):
                    row[k] = ends[capsule, k, i]
                row[6] = model.radius[capsule]
