"""Where the capsules of an arm are, in many states at a time: one state for each SIMD lane.

One joint after the other turns a frame in place and carries the capsules of its link: a loop over joints with
one body, which compiles fast and serves any six-axis arm.
"""

import numpy as np

from kinematics.arrays import Array
from kinematics.elementary import sincos
from kinematics.jit import inlined
from kinematics.lanes import LANES, Block, active, block
from kinematics.scene import Model
from kinematics.vectors import Frame, add, locate, scale, turn

PLACING = block(LANES, q=1, X=12, ends=6, span=6)


@inlined
def lane_frame(X: Array, i: int) -> Frame:
    """Frame of lane i: unit vectors and origin."""
    return (
        (X[0, i], X[1, i], X[2, i]),
        (X[3, i], X[4, i], X[5, i]),
        (X[6, i], X[7, i], X[8, i]),
        (X[9, i], X[10, i], X[11, i]),
    )


@inlined
def turn_joint(X: Array, joint: Array, q: Array, n: int) -> None:
    """Move the frames X (12, lanes) by the joint's fixed frame (12,), then turn them about z by q."""
    for i in range(n):
        x, y, z, p = lane_frame(X, i)
        X[9, i], X[10, i], X[11, i] = locate((x, y, z, p), (joint[9], joint[10], joint[11]))
        u = add(add(scale(joint[0], x), scale(joint[1], y)), scale(joint[2], z))
        v = add(add(scale(joint[3], x), scale(joint[4], y)), scale(joint[5], z))
        X[6, i], X[7, i], X[8, i] = add(add(scale(joint[6], x), scale(joint[7], y)), scale(joint[8], z))
        u, v = turn(u, v, sincos(q[0, i]))
        X[0, i], X[1, i], X[2, i] = u
        X[3, i], X[4, i], X[5, i] = v


@inlined
def carry(lanes: Block, tips: Array, r: float, n: int) -> None:
    """Put a capsule, given by its ends (6,) in its link's frame, into the world, and widen the span by it."""
    for i in range(n):
        frame = lane_frame(lanes.X, i)
        a = locate(frame, (tips[0], tips[1], tips[2]))
        b = locate(frame, (tips[3], tips[4], tips[5]))
        for k in range(3):
            lanes.ends[k, i] = a[k]
            lanes.ends[k + 3, i] = b[k]
            low = (a[k] if a[k] < b[k] else b[k]) - r
            high = (a[k] if a[k] > b[k] else b[k]) + r
            lanes.span[k, i] = low if low < lanes.span[k, i] else lanes.span[k, i]
            lanes.span[k + 3, i] = high if high > lanes.span[k + 3, i] else lanes.span[k + 3, i]


@inlined
def place_lanes(model: Model, arm: int, q: Array, lanes: Block, ends: Array, spans: Array) -> None:
    """Place an arm by its joints q (n, 6), n <= LANES; at zero in the other active lanes.

    Writes the ends (c, 6, LANES) of its capsules and the spans (2 a, 6, LANES) of its two parts: the lower
    and the upper corner of the box around each. Does not allocate.
    """
    n = active(len(q))
    for k in range(12):
        for i in range(n):
            lanes.X[k, i] = model.base[arm, k]
    capsule = model.first[2 * arm]
    for link in range(7):
        if link > 0:
            for i in range(len(q)):
                lanes.q[0, i] = q[i, link - 1]
            for i in range(len(q), n):
                lanes.q[0, i] = 0.0
            turn_joint(lanes.X, model.joints[arm, link - 1], lanes.q, n)
        if link < 2:
            for k in range(3):
                for i in range(n):
                    lanes.span[k, i], lanes.span[k + 3, i] = np.inf, -np.inf
        while capsule < model.first[2 * arm + 2] and model.link[capsule] == link:
            carry(lanes, model.ends[capsule], model.radius[capsule], n)
            copy(ends[capsule], lanes.ends, n)
            capsule += 1
        if link == 0 or link == 6:
            copy(spans[2 * arm + (link > 0)], lanes.span, n)


@inlined
def copy(rows: Array, source: Array, n: int) -> None:
    """Copy n lanes of six rows."""
    for k in range(6):
        for i in range(n):
            rows[k, i] = source[k, i]
