"""Arms in their places among fixtures: which parts of them are compared, and in which order.

Everything that does not depend on the joints is worked out once: where each joint sits, how far each arm can
reach at most, and so which pairs can never come near. Pairs are compared nearest first, boxes before arms: a
box costs one distance for each capsule, an arm one for each pair of capsules, and the first distances found
rule out most others.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinematics.arrays import Array, finite, frozen, indices
from kinematics.bodies import NO_BOXES, Boxes, Capsules
from kinematics.chain import JOINT_AXES, Chain
from kinematics.elementary import ANGLE_MAX
from kinematics.errors import KinematicsError
from kinematics.forward import link_frames

Ints = NDArray[np.int64]
_BOX = -1  # in place of the other part's number


class Model(NamedTuple):
    """A scene as kernels take it. Frames are rows of twelve: the unit vectors x, y, z, then the origin.

    An arm has two parts: number 2 k is the base of arm k, which stands still, number 2 k + 1 all the rest.
    Joints turn about the z axis of their frame, so that frame k + 1 in frame k is ``joints[k]`` turned by q.
    """

    base: Array  # (a, 12) in the world
    joints: Array  # (a, 6, 12) in the frame before it, at q = 0
    first: Ints  # (2 a + 1,) number of the first capsule of each part; capsules are sorted by arm and link
    link: Ints  # (c,)
    ends: Array  # (c, 6) both ends in the link's frame [m]
    radius: Array  # (c,) [m]
    boxes: Array  # (k, 15), see `Boxes.rows`
    corners: Array  # (k, 6), see `Boxes.corners`
    pairs: Ints  # (p, 6) part, other part or -1; capsules of the one from, to; of the other, or box, from, to
    apart: Array  # (p,) distance that the two of a pair keep in any state [m]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """An arm in its place.

    Attributes:
        chain: The arm.
        X_WB: (4, 4) pose of its base in the world.
        capsules: Its m capsules.
        pairs: (p, 2) numbers of its capsules that could touch each other; none by default. Neighbouring links
            always touch, so leave them out.
    """

    chain: Chain
    X_WB: Array
    capsules: Capsules
    pairs: Ints = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))

    def __post_init__(self) -> None:
        object.__setattr__(self, "X_WB", frozen("body.X_WB", self.X_WB, (4, 4)))
        numbers = indices("body.pairs", self.pairs, (None, 2), len(self.capsules.link))
        object.__setattr__(self, "pairs", numbers)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Arms among fixed boxes.

    Every capsule of an arm is compared with those of all other arms, with the capsules of its own that
    ``pairs`` names and, unless it belongs to the base, which stands still, with every box.

    Attributes:
        bodies: The a arms.
        boxes: The obstacles.
        model: As kernels take it.
    """

    bodies: tuple[Body, ...]
    boxes: Boxes = NO_BOXES
    model: Model = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.bodies:
            raise KinematicsError("scene.bodies: none, expected at least one arm")
        object.__setattr__(self, "bodies", tuple(self.bodies))
        object.__setattr__(self, "model", model_of(self.bodies, self.boxes))

    def angles(self, name: str, value: ArrayLike) -> tuple[Array, bool]:
        """Joint angles [rad] as a batch (n, a, 6), and whether they were a single state (a, 6)."""
        shape = (len(self.bodies), 6)
        single = np.ndim(value) == 2
        q = finite(name, value, shape if single else (None, *shape))
        if q.size and np.abs(q).max() > ANGLE_MAX:
            raise KinematicsError(f"{name}: {np.abs(q).max():g} rad, expected at most {ANGLE_MAX:g} rad")
        return (q[None] if single else q), single


@lru_cache(maxsize=256)
def moving_only(scene: Scene, arm: int) -> Model:
    """The scene's model without the pairs that do not change while only one arm moves. Known by identity."""
    model = scene.model
    mine = (model.pairs[:, :2] == 2 * arm + 1).any(axis=1)
    return model._replace(pairs=model.pairs[mine], apart=model.apart[mine])


def model_of(bodies: tuple[Body, ...], boxes: Boxes) -> Model:
    """Bodies and boxes as kernels take them."""
    standing = [int((body.capsules.link == 0).sum()) for body in bodies]
    moving = [int((body.capsules.link > 0).sum()) for body in bodies]
    first = np.append(0, np.cumsum(np.stack([standing, moving], axis=1))).astype(np.int64)
    joints, links, ends, radii, frames = [], [], [], [], []
    for body in bodies:
        X, capsules = _turning(body.chain), body.capsules
        order = np.argsort(capsules.link, kind="stable")
        link = capsules.link[order]
        # From link frames into frames whose z axis is the joint's.
        R = np.linalg.inv(link_frames(body.chain, np.zeros(6))[:, :3, :3]) @ X[:, :3, :3]
        tips = [(end[order][:, None] @ R[link])[:, 0] for end in (capsules.a, capsules.b)]
        joints.append(_rows(np.linalg.inv(X[:-1]) @ X[1:]))
        links.append(link)
        ends.append(np.concatenate(tips, axis=1))
        radii.append(capsules.radius[order])
        frames.append(body.X_WB)
    pairs, apart = _pairs(bodies, boxes, first)
    return Model(
        base=_rows(np.stack(frames)),
        joints=np.stack(joints),
        first=first,
        link=np.concatenate(links),
        ends=np.concatenate(ends),
        radius=np.concatenate(radii),
        boxes=boxes.rows,
        corners=boxes.corners,
        pairs=pairs,
        apart=apart,
    )


def _rows(X: Array) -> Array:
    """Poses (..., 4, 4) as rows (..., 12): x, y, z, origin."""
    return np.ascontiguousarray(np.swapaxes(X[..., :3, :], -1, -2)).reshape(*X.shape[:-2], 12)


def _turning(chain: Chain) -> Array:
    """Frames of the base and the joints at q = 0, (7, 4, 4), turned so that z is the axis about which q turns."""
    X = link_frames(chain, np.zeros(6))
    for k, axis in enumerate(JOINT_AXES * chain.signs[:, None], start=1):
        side = np.eye(3)[int(np.abs(axis).argmin())]
        x = np.cross(side, axis)
        x /= np.linalg.norm(x)
        X[k, :3, :3] = X[k, :3, :3] @ np.column_stack([x, np.cross(axis, x), axis])
    return X


def _balls(body: Body) -> list[tuple[Array, float]]:
    """For each part of a body a ball in the world that holds it at any joint angles: centre (3,), radius [m].

    The centre of what moves is on joint 1's axis, beside joint 2; from there on links count as stretched out.
    """
    X, capsules = link_frames(body.chain, np.zeros(6)), body.capsules
    axis = X[1, :3, :3] @ JOINT_AXES[0]
    beside = X[1, :3, 3] + ((X[2, :3, 3] - X[1, :3, 3]) @ axis) * axis
    along = np.cumsum(np.linalg.norm(np.diff(X[2:, :3, 3], axis=0, prepend=beside[None]), axis=1))
    tips = np.stack([capsules.a, capsules.b])
    base = capsules.link == 0
    foot = tips[:, base].mean(axis=(0, 1)) if base.any() else np.zeros(3)
    reach = np.linalg.norm(tips, axis=2) + np.append([0.0, 0.0], along)[capsules.link]
    reach[:, base] = np.linalg.norm(tips[:, base] - foot, axis=2)
    on_first = capsules.link == 1
    turned = tips[:, on_first] @ X[1, :3, :3].T + X[1, :3, 3]
    reach[:, on_first] = np.linalg.norm(turned - beside, axis=2)
    reach += capsules.radius
    return [
        (body.X_WB[:3, :3] @ centre + body.X_WB[:3, 3], float(reach[:, mask].max(initial=0.0)))
        for centre, mask in ((foot, base), (beside, ~base))
    ]


def _pairs(bodies: tuple[Body, ...], boxes: Boxes, first: Ints) -> tuple[Ints, Array]:
    """What is compared, in order, and the distance it always keeps."""
    balls = [ball for body in bodies for ball in _balls(body)]
    parts = [k for k in range(len(balls)) if first[k] < first[k + 1]]
    with_boxes, with_arms = [], []
    for part in parts:
        centre, radius = balls[part]
        for box, corner in enumerate(boxes.corners if part % 2 else ()):
            apart = float(np.linalg.norm(np.clip(centre, corner[:3], corner[3:]) - centre)) - radius
            with_boxes.append((apart, part, _BOX, first[part], first[part + 1], box, box + 1))
        for other in parts:
            if other // 2 < part // 2:
                apart = float(np.linalg.norm(centre - balls[other][0])) - radius - balls[other][1]
                ranges = first[part], first[part + 1], first[other], first[other + 1]
                with_arms.append((apart, part, other, *ranges))
    for arm, body in enumerate(bodies):
        place = np.argsort(np.argsort(body.capsules.link, kind="stable"))
        for j, k in first[2 * arm] + place[body.pairs]:
            own = [2 * arm + int(capsule >= first[2 * arm + 1]) for capsule in (j, k)]
            with_arms.append((-np.inf, *own, j, j + 1, k, k + 1))
    rows = sorted(with_boxes) + sorted(with_arms)
    pairs = np.array([row[1:] for row in rows], dtype=np.int64).reshape(-1, 6)
    return pairs, np.array([row[0] for row in rows], dtype=np.float64)
