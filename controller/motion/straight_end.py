"""Ways that end in a straight line down to a part, or begin with one up from it, without a stop in between.

The way and the line overlap in time as far as the fingers allow: beside a part, which is below the line's upper end, they
stay on the line within a tolerance.
"""

import numpy as np
from numpy.typing import NDArray

from cells.arm import Arm
from cells.tool_shape import OPENING_M
from kinematics import Trajectory, blend, forward_kinematics

FloatArray = NDArray[np.float64]

_BESIDE_M = 0.022  # fingers are beside or inside a part from this far above it down
_ASIDE_M = OPENING_M / 3
_TILT = 0.01  # [rad]


def onto_line(way: Trajectory, line: Trajectory, arm: Arm) -> Trajectory:
    """A way, then the straight line from its end down to a part."""
    return blend(way, line, arm.limits, lambda q: _straight(q, line.q[-1], arm))


def off_line(line: Trajectory, way: Trajectory, arm: Arm) -> Trajectory:
    """The straight line up from a part, then a way from its end."""
    return blend(line, way, arm.limits, lambda q: _straight(q, line.q[0], arm))


def _straight(q: FloatArray, at_part: FloatArray, arm: Arm) -> bool:
    """Whether the flange, where the fingers are beside the part, is straight above where it grips, and as upright."""
    X = forward_kinematics(arm.chain, np.vstack([at_part, q]))
    down = X[0, :3, 2]
    away = X[:, :3, 3] - X[0, :3, 3]
    height = -away @ down
    aside = np.linalg.norm(away + height[:, None] * down, axis=1)
    tilt = np.linalg.norm(np.cross(X[:, :3, 2], down), axis=1)
    return not ((height < _BESIDE_M) & ((aside > _ASIDE_M) | (tilt > _TILT))).any()
