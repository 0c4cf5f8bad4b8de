"""Arms from URDF: six revolute joints in a row become a serial chain, with masses if the file has them."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cells.errors import shown
from cells.urdf_tree import MAX_BYTES, FloatArray, UrdfBody, UrdfJoint, UrdfTree, parse_tree, refusal
from kinematics import Bodies, KinematicsError, SerialChain

_TIPS = ("tool0", "flange", "ee_link")
_ENDLESS = 2.0 * math.pi  # limit given to a joint that turns without end [rad]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UrdfArm:
    """What a URDF says of an arm.

    Attributes:
        name: Of the robot.
        chain: Geometry, joint limits and, if all links that move have them, masses.
        joints: The six joints, from the base on.
        way: All joints between base and flange, fixed ones too.
        base: Link whose frame is the base frame: ``base_link``, or the first one.
        tip: Link whose frame is the flange.
        velocity: (6,) [rad/s], or None where not all joints have it.
        effort: (6,) [N m], or None where not all joints have it.
        mass_kg: Of all links, or None if one that moves has none.
        missing: What the file does not give, in words.
    """

    name: str
    chain: SerialChain
    joints: tuple[UrdfJoint, ...]
    way: tuple[UrdfJoint, ...]
    base: str
    tip: str
    velocity: FloatArray | None
    effort: FloatArray | None
    mass_kg: float | None
    missing: tuple[str, ...]

    def flange(self, q: FloatArray) -> FloatArray:
        """Flange pose (4, 4) for joint angles (6,), joint by joint as the URDF has them: a check on the chain."""
        X, angles = np.eye(4), iter(q.tolist())
        for joint in self.way:
            X = X @ joint.X
            if joint in self.joints:
                X = X @ _rotation(joint.axis, next(angles))
        return X


def load_urdf(path: Path, tip: str | None = None) -> UrdfArm:
    """Read a URDF file; see `parse_urdf`.

    Raises:
        CellError: When the file can't be read, and for the reasons of `parse_urdf`.
    """
    if not path.is_file():
        raise refusal(str(path), "", "", "is not a file that can be read", "a URDF file")
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise refusal(str(path), "", "", f"cannot be read: {error.strerror}") from error
    return parse_urdf(text, str(path), tip)


def parse_urdf(text: bytes, file: str, tip: str | None = None) -> UrdfArm:
    """An arm from the text of a URDF.

    Args:
        text: The document.
        file: Its name for findings.
        tip: Link whose frame is the flange; by default ``tool0``, ``flange`` or ``ee_link``, or the only last one.

    Raises:
        CellError: When the text is no URDF of a serial arm with six revolute joints, and why.
    """
    tree = parse_tree(text, file)
    joints = _six_joints(tree)
    tip = _tip(tree, joints[-1].child, tip)
    way = tree.way(tip)
    before = [way[0].parent, *(joint.child for joint in way[: way.index(joints[0])])]
    start = before.index("base_link") if "base_link" in before else 0
    X_joint, bodies = [], []
    X = np.eye(4)  # from the frame before, whose z is its joint's axis
    for joint in way[start:]:
        X = X @ joint.X
        if joint in joints:
            X_axis = _z_along(joint.axis)
            X_joint.append(X @ X_axis)
            X = X_axis.T
            bodies.append(_joined([(X @ inner, body) for inner, body in _rigid(tree, joint.child)]))
    X_joint.append(X)
    fixed = [body.mass for _, body in _rigid(tree, before[start])]
    known = [body for body in bodies if body is not None]
    missing = [
        f"limits of joint {joint.name}, which turns without end: 360 degrees both ways are taken"
        for joint in joints
        if joint.kind == "continuous"
    ]
    if len(known) < len(bodies):
        missing.append("masses of all links that move")
    try:
        masses = None
        if len(known) == len(bodies):
            masses = Bodies(
                mass=np.array([body.mass for body in known]),
                com=np.array([body.com for body in known]),
                inertia=np.array([body.inertia for body in known]),
            )
        low, high = _limits(tree, joints)
        chain = SerialChain(X_joint=np.array(X_joint), q_min=low, q_max=high, bodies=masses)
    except KinematicsError as error:
        raise refusal(file, "", "", str(error)) from error
    return UrdfArm(
        name=tree.name,
        chain=chain,
        joints=joints,
        way=tuple(way[start:]),
        base=before[start],
        tip=tip,
        velocity=_given(joints, "velocity"),
        effort=_given(joints, "effort"),
        mass_kg=None if masses is None else math.fsum([*fixed, *masses.mass.tolist()]),
        missing=tuple(missing),
    )


def _six_joints(tree: UrdfTree) -> tuple[UrdfJoint, ...]:
    """The joints that move, in order."""
    moving = [joint for joint in tree.joints.values() if joint.kind != "fixed"]
    for joint in moving:
        if joint.kind not in ("revolute", "continuous"):
            raise refusal(
                tree.file,
                f"joint {shown(joint.name)}",
                shown(joint.kind),
                "can't be used",
                "revolute, continuous or fixed joints",
            )
    ways = [tree.way(joint.child) for joint in moving]
    longest = max(ways, key=len, default=[])
    row = tuple(joint for joint in longest if joint in moving)
    aside = [joint.name for joint in moving if joint not in row]
    if aside:
        raise refusal(tree.file, f"joint {shown(aside[0])}", "", "branches off", "one row of joints")
    if len(row) != 6:
        raise refusal(tree.file, "", "", f"has {len(row)} joints that move", "6 revolute joints in a row")
    return row


def _tip(tree: UrdfTree, last: str, wanted: str | None) -> str:
    """The link that is the flange, among those fixed to the last one that moves."""
    fixed = [last]
    for link in fixed:
        fixed += [joint.child for joint in tree.joints.values() if joint.parent == link]
    if wanted is not None:
        if wanted not in fixed:
            raise refusal(tree.file, "tip", shown(wanted), "is not fixed to the last joint", ", ".join(fixed))
        return wanted
    ends = [link for link in fixed if all(joint.parent != link for joint in tree.joints.values())]
    named = [link for link in _TIPS if link in fixed]
    if not named and len(ends) > 1:
        raise refusal(tree.file, "tip", "", "several links may be the flange: name one", ", ".join(fixed))
    return (named or ends)[0]


def _limits(tree: UrdfTree, joints: tuple[UrdfJoint, ...]) -> tuple[FloatArray, FloatArray]:
    pairs = []
    for joint in joints:
        low, high = joint.limit.get("lower", 0.0), joint.limit.get("upper", 0.0)
        if joint.kind == "continuous":
            low, high = -_ENDLESS, _ENDLESS
        if not low < high:
            raise refusal(
                tree.file,
                f"joint {shown(joint.name)}.limit",
                f"{low:g} to {high:g} rad",
                "has no range",
                "lower < upper",
            )
        pairs.append((low, high))
    low_high = np.array(pairs).T
    return low_high[0], low_high[1]


def _given(joints: tuple[UrdfJoint, ...], key: str) -> FloatArray | None:
    values = np.array([joint.limit.get(key, 0.0) for joint in joints])
    return values if (values > 0.0).all() else None


def _rigid(tree: UrdfTree, link: str) -> list[tuple[FloatArray, UrdfBody]]:
    """A link and all that is fixed to it, as far as they have masses, with their poses in its frame."""
    found, open_links = [], [(np.eye(4), link)]
    while open_links:
        X, name = open_links.pop()
        body = tree.bodies[name]
        if body is not None:
            found.append((X, body))
        children = (joint for joint in tree.joints.values() if joint.parent == name and joint.kind == "fixed")
        open_links += [(X @ joint.X, joint.child) for joint in children]
    return found


def _joined(parts: list[tuple[FloatArray, UrdfBody]]) -> UrdfBody | None:
    """One body of several that are fixed to each other (parallel axis theorem); None of none, or without mass."""
    mass = math.fsum(body.mass for _, body in parts)
    if not mass > 0.0:
        return None
    centres = [X[:3, :3] @ body.com + X[:3, 3] for X, body in parts]
    com = (
        np.sum([body.mass * centre for (_, body), centre in zip(parts, centres, strict=True)], axis=0) / mass
    )
    inertia = np.zeros((3, 3))
    for (X, body), centre in zip(parts, centres, strict=True):
        d = centre - com
        inertia += X[:3, :3] @ body.inertia @ X[:3, :3].T + body.mass * (d @ d * np.eye(3) - np.outer(d, d))
    return UrdfBody(mass=mass, com=com, inertia=0.5 * (inertia + inertia.T))


def _z_along(axis: FloatArray) -> FloatArray:
    """The smallest rotation (4, 4) whose z is the unit vector."""
    length = math.hypot(axis[0], axis[1])
    across = np.array([-axis[1], axis[0], 0.0]) / length if length > 0.0 else np.array([1.0, 0.0, 0.0])
    return _rotation(across, math.atan2(length, axis[2]))


def _rotation(axis: FloatArray, angle: float) -> FloatArray:
    """Rotation about a unit vector (Rodrigues' formula), (4, 4)."""
    x, y, z = axis
    K = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    X = np.eye(4)
    X[:3, :3] += math.sin(angle) * K + (1.0 - math.cos(angle)) * (K @ K)
    return X
