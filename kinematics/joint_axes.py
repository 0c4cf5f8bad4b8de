"""Lines in space: the joint axes of a serial chain, where they meet, and angles about them."""

import numpy as np

from kinematics.arrays import Array
from kinematics.serial_chain import SerialChain


def axis_lines(chain: SerialChain) -> tuple[list[Array], list[Array], Array]:
    """Directions and points of the six joint axes for q = 0, and the flange X_BF (4, 4), all in the base frame."""
    X = [chain.X_joint[0]]
    for X_joint in chain.X_joint[1:]:
        X.append(X[-1] @ X_joint)
    return [pose[:3, 2] for pose in X[:6]], [pose[:3, 3] for pose in X[:6]], X[6]


def meeting(p: Array, a: Array, q: Array, b: Array) -> tuple[Array, float]:
    """The point of line p + s a nearest to line q + t b, and their distance; for unit vectors at right angles."""
    s, t = a @ (q - p), b @ (p - q)
    return p + s * a, float(np.linalg.norm(p + s * a - q - t * b))


def turn_about(axis: Array, start: Array, end: Array) -> float:
    """Angle about an axis that turns one vector into another, both at right angles to it [rad]."""
    return float(np.arctan2(np.cross(start, end) @ axis, start @ end))
