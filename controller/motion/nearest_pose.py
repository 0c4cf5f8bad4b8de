"""Why an arm cannot take a pose, and the nearest one that it can take, with the tool turned the same way."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinematics import Chain, IkSolutions, Singularity, inverse_kinematics

FloatArray = NDArray[np.float64]

_DIRECTIONS = 200
_RADII_M = 0.001 * 1.25 ** np.arange(34)  # from 1 mm to 1.6 m
_HALVINGS = 12
_WIDE = 4 * np.pi  # joint limits under which only reach decides
_FLAGS = {Singularity.WRIST: "wrist", Singularity.ELBOW: "elbow", Singularity.SHOULDER: "shoulder"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearestPose:
    """A pose that works: joints (6,) [rad], and how far the tool is from where it was asked to be (3,) [m]."""

    q: FloatArray
    shift_m: FloatArray

    def __str__(self) -> str:
        x, y, z = 1000 * self.shift_m
        joints = ", ".join(f"{angle:.1f}" for angle in np.degrees(self.q))
        if not self.shift_m.any():
            return f"there it could be with joints {joints} deg"
        return (
            f"the nearest pose that works is {1000 * np.linalg.norm(self.shift_m):.0f} mm away "
            f"(x {x:+.0f}, y {y:+.0f}, z {z:+.0f} mm; joints {joints} deg)"
        )


Works = Callable[[FloatArray], FloatArray]
"""Joints (n, 6) for poses of the flange (n, 4, 4) in the base, NaN where the arm cannot take them."""


def blocker(chain: Chain, X_BF: FloatArray) -> str:
    """What keeps the flange from a pose: reach, or the joint limit that is passed by least."""
    wide = dataclasses.replace(chain, q_min=np.full(6, -_WIDE), q_max=np.full(6, _WIDE))
    solutions: IkSolutions = inverse_kinematics(wide, X_BF)
    if not solutions.valid.any():
        return "out of reach"
    q = solutions.q[solutions.valid]
    turns = 2 * np.pi * np.round((q - (chain.q_min + chain.q_max) / 2) / (2 * np.pi))
    q = q - turns  # the turn of each joint that is nearest to the middle of its range
    over = np.maximum(np.maximum(chain.q_min - q, q - chain.q_max), 0.0)
    best = int(over.max(axis=1).argmin())
    joint = int(over[best].argmax())
    if over[best, joint] == 0.0:
        return "nothing"
    limit = (chain.q_min if q[best, joint] < chain.q_min[joint] else chain.q_max)[joint]
    flags = int(solutions.singularity[solutions.valid][best])
    singular = "".join(
        f", near the singularity of its {name}" for flag, name in _FLAGS.items() if flags & flag
    )
    return (
        f"joint {joint + 1} would be at {np.degrees(q[best, joint]):.1f} deg, its limit is "
        f"{np.degrees(limit):.1f} deg{singular}"
    )


def nearest_pose(works: Works, X_BF: FloatArray, R_WB: FloatArray) -> NearestPose | None:
    """The nearest shift of a pose that makes it work, to a few percent; None within 1.6 m.

    Spheres of growing radius are searched in many directions; along the first that works the way is halved.

    Args:
        works: Tells which poses can be taken.
        X_BF: (4, 4) pose of the flange that cannot be taken.
        R_WB: (3, 3) the base's axes in the world, in which the shift is given.
    """
    directions = _sphere(_DIRECTIONS)
    within = 0.0
    for radius in _RADII_M:
        q = works(_shifted(X_BF, radius * directions))
        good = np.flatnonzero(~np.isnan(q).any(axis=1))
        if len(good) == 0:
            within = radius
            continue
        low, high = np.full(len(good), within), np.full(len(good), radius)
        ways, found = directions[good], q[good]
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            q = works(_shifted(X_BF, middle[:, None] * ways))
            good_there = ~np.isnan(q).any(axis=1)
            found[good_there] = q[good_there]
            low, high = np.where(good_there, low, middle), np.where(good_there, middle, high)
        best = int(high.argmin())
        return NearestPose(q=found[best], shift_m=R_WB @ (high[best] * ways[best]))
    return None


def _shifted(X_BF: FloatArray, shift: FloatArray) -> FloatArray:
    X = np.repeat(X_BF[None], len(shift), axis=0)
    X[:, :3, 3] += shift
    return X


def _sphere(count: int) -> FloatArray:
    """Directions (count, 3) spread evenly, after the axes' own (spherical Fibonacci lattice)."""
    k = np.arange(count) + 0.5
    z, around = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z**2)
    return np.vstack([np.eye(3), -np.eye(3), np.stack([r * np.cos(around), r * np.sin(around), z], axis=1)])
