"""Shape of the gripper, for planner (one conservative capsule) and simulation (palm, fingers, spindles).

Tool frame T: origin at the tool centre point, in the middle of the finger pads; z along the flange's z,
towards the part; the fingers move along x. ``X_FT`` is a shift by the tool's length along z. Dimensions are
estimates (E).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.cell import Tool
from cells.part import FINGER_HEIGHT_M, Part

FINGER_THICKNESS_M = 0.005
FINGER_WIDTH_M = 0.010
FINGER_MIN_M, FINGER_MAX_M = 0.003, 0.056  # travel of a finger's middle from the axis
OPENING_M = 0.0015  # how far the open fingers stay from the part
PALM_RADIUS_M = 0.045
PALM_M = (0.02, 0.115)  # from the flange along z
HAND_RADIUS_M = 0.060


@dataclass(frozen=True, slots=True, kw_only=True)
class HandCapsule:
    """A capsule in the flange frame F: end points (3,) and radius [m]."""

    a_m: tuple[float, float, float]
    b_m: tuple[float, float, float]
    radius_m: float


def hand_capsule(tool: Tool, held: Part | None = None) -> HandCapsule:
    """One capsule around palm, fingers and, if ``held``, the part in them.

    Fingers reach at most FINGER_MAX_M + half a finger from the axis; a part reaches from the tool centre
    point down to its bottom. The widest joint (110 mm) fits into the radius because the capsule's axis ends
    near its bottom.
    """
    tip = tool.length_m + FINGER_HEIGHT_M / 2
    if held is not None:
        tip = max(tip, tool.length_m + held.grip.height_m - held.bottom_m)
    return HandCapsule(a_m=(0.0, 0.0, 0.05), b_m=(0.0, 0.0, tip - 0.015), radius_m=HAND_RADIUS_M)


def finger_open_m(part: Part) -> float:
    """Radius of the fingers' middle beside the part, open [m]."""
    inwards = FINGER_THICKNESS_M / 2 + OPENING_M
    return part.grip.radius_m - inwards if part.grip.internal else part.grip.radius_m + inwards


def X_FT(tool: Tool) -> NDArray[np.float64]:
    """Pose (4, 4) of the tool centre point in the flange frame."""
    X = np.eye(4)
    X[2, 3] = tool.length_m
    return X
