"""How an arm goes on from where it stands."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.motion.event_graph import Key, Node
from controller.motion.renewal import Stand
from controller.motion.rest_of_leg import rest_of_leg
from controller.motion.visit import Leg
from controller.motion.way_home import RETURN
from kinematics import Limits

FloatArray = NDArray[np.float64]

_ON_PATH_RAD = 1e-3  # an arm this near to where it should be goes on from there, as drivers allow


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """Where an arm stands, and how it goes on.

    Attributes:
        now: Where it stands.
        after: Where it stands when what it goes on with has ended.
        goal: Joints (6,) where it has to be to go on [rad].
        label: What the way there is called, if one is needed.
        key: The leg it goes on with, if any.
        leg: The rest of that leg.
    """

    now: Stand
    after: Stand
    goal: FloatArray
    label: str = RETURN
    key: Key | None = None
    leg: Leg | None = None

    @property
    def off_path(self) -> bool:
        """Whether it needs a way to where it goes on."""
        return bool(np.abs(self.goal - self.now.q).max() > _ON_PATH_RAD)


def interrupted(node: Node, q: FloatArray, limits: Limits) -> Resumed:
    """An arm at `q` (6,) [rad] that goes on with the rest of a leg.

    Raises:
        KinematicsError: When its path cannot be taken up again.
    """
    assert node.leg is not None
    leg = rest_of_leg(node.leg, q, limits).leg
    return Resumed(
        now=Stand(q=q, held=leg.held),
        after=Stand(q=leg.trajectory.q[-1], held=leg.held_after),
        goal=leg.trajectory.q[0],
        key=node.key,
        leg=leg,
    )
