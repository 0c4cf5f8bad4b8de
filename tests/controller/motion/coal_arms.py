"""Arms as another collision library sees them."""

import coal
import numpy as np
from numpy.typing import NDArray

from cells.cell import CellArm
from cells.part import Part
from controller.motion.shape import moving_capsules
from kinematics import link_frames

FloatArray = NDArray[np.float64]


def solids(arm: CellArm, held: Part | None, q: FloatArray) -> list[tuple[coal.Capsule, coal.Transform3s]]:
    """The moving capsules of an arm in the world."""
    capsules = moving_capsules(arm, held)
    X_BL = link_frames(arm.arm.chain, q)
    found = []
    for link, a, b, radius in zip(capsules.link, capsules.a, capsules.b, capsules.radius, strict=True):
        X_WL = arm.X_WB @ X_BL[link]
        along = b - a
        length = float(np.linalg.norm(along))
        R = np.eye(3)
        if length > 0.0:
            z = along / length
            x = np.cross(z, [1.0, 0.0, 0.0] if abs(z[0]) < 0.9 else [0.0, 1.0, 0.0])
            x /= np.linalg.norm(x)
            R = np.column_stack([x, np.cross(z, x), z])
        centre = X_WL[:3, :3] @ ((a + b) / 2) + X_WL[:3, 3]
        found.append((coal.Capsule(float(radius), length), coal.Transform3s(X_WL[:3, :3] @ R, centre)))
    return found


def apart_m(
    ones: list[tuple[coal.Capsule, coal.Transform3s]],
    others: list[tuple[coal.CollisionGeometry, coal.Transform3s]],
) -> float:
    """Smallest distance of two groups of solids [m]; below 0 by how far they overlap."""
    return min(
        float(coal.distance(one, X, other, Y, coal.DistanceRequest(), coal.DistanceResult()))
        for one, X in ones
        for other, Y in others
    )
