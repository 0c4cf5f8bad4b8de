"""Where on its way an arm comes too near to something, and the last configuration before that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinematics import Body, Boxes, Scene, Trajectory, clearance

FloatArray = NDArray[np.float64]

_SAMPLES = 400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FirstTouch:
    """The smallest distance on the way and its moment; until when the way is clear, and the joints (6,) then.

    ``clear_s`` and ``q`` are None when it is not even clear in the beginning.
    """

    distance_m: float
    nearest_s: float
    clear_s: float | None
    q: FloatArray | None

    def __str__(self) -> str:
        text = f"{1000 * self.distance_m:.1f} mm at {self.nearest_s:.2f} s"
        if self.q is None:
            return f"{text}, and too near from the start"
        joints = ", ".join(f"{angle:.1f}" for angle in np.degrees(self.q))
        return f"{text}, clear until {self.clear_s:.2f} s (joints {joints} deg)"


def first_touch(body: Body, motion: Trajectory, boxes: Boxes, limit_m: float) -> FirstTouch:
    """Look at samples of a motion.

    Args:
        body: The arm with what it holds.
        motion: The motion.
        boxes: What it may not come near to.
        limit_m: How near is too near [m].
    """
    t = np.linspace(0.0, motion.duration, _SAMPLES if motion.duration > 0.0 else 1)
    q = motion.sample(t)[0]
    distances = clearance(Scene(bodies=(body,), boxes=boxes), q[:, None])
    nearest = int(distances.argmin())
    near = np.flatnonzero(distances < limit_m)
    first = int(near[0]) if len(near) else nearest
    return FirstTouch(
        distance_m=float(distances[nearest]),
        nearest_s=float(t[nearest]),
        clear_s=float(t[first - 1]) if first else None,
        q=q[first - 1] if first else None,
    )
