"""The solid that an arm moves: its links, and its hand with what it holds."""

import numpy as np

from cells.cell import CellArm
from cells.part import Part
from cells.tool_shape import hand_capsule
from kinematics import Capsules


def moving_capsules(arm: CellArm, held: Part | None = None) -> Capsules:
    """Capsules of links 1 to 6 and the hand; the base column stands still and counts as a fixture."""
    hand = hand_capsule(arm.tool, held)
    own = arm.arm.capsules
    moving = own.link > 0
    return Capsules(
        link=np.append(own.link[moving], 6),
        a=np.vstack([own.a[moving], hand.a_m]),
        b=np.vstack([own.b[moving], hand.b_m]),
        radius=np.append(own.radius[moving], hand.radius_m),
    )
