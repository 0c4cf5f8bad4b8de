"""What arms and fixtures are made of where distances are measured: capsules on links, and boxes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kinematics.arrays import Array, frozen, indices
from kinematics.errors import KinematicsError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Capsules:
    """The body of an arm, and of what it holds.

    Attributes:
        link: (m,) number of the link frame each capsule moves with, 0 (base) to 6 (flange).
        a: (m, 3) one end of its axis in that frame [m].
        b: (m, 3) the other end [m]; the same point for a sphere.
        radius: (m,) >= 0 [m]; zero for a bare segment or point.
    """

    link: NDArray[np.int64]
    a: Array
    b: Array
    radius: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "link", indices("capsules.link", self.link, (None,), 7))
        for name, shape in (
            ("a", (len(self.link), 3)),
            ("b", (len(self.link), 3)),
            ("radius", (len(self.link),)),
        ):
            object.__setattr__(self, name, frozen(f"capsules.{name}", getattr(self, name), shape))
        for k in np.flatnonzero(self.radius < 0.0):
            raise KinematicsError(f"capsules.radius[{k}]: {self.radius[k]:g} m, expected at least 0")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boxes:
    """Fixed obstacles.

    Attributes:
        X_WO: (k, 4, 4) poses of the boxes' centres in the world.
        half: (k, 3) > 0 half of their lengths along their own axes [m].
    """

    X_WO: Array
    half: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "X_WO", frozen("boxes.X_WO", self.X_WO, (None, 4, 4)))
        object.__setattr__(self, "half", frozen("boxes.half", self.half, (len(self.X_WO), 3)))
        if (self.half <= 0.0).any():
            raise KinematicsError(f"boxes.half: {self.half.min():g} m, expected more than 0")
        R = self.X_WO[:, :3, :3]
        off = np.abs(R.transpose(0, 2, 1) @ R - np.eye(3)).max(axis=(1, 2), initial=0.0)
        for k in np.flatnonzero(off > 1e-6):
            raise KinematicsError(f"boxes.X_WO[{k}]: axes are off by {off[k]:.1g}, expected a rotation")

    @property
    def rows(self) -> Array:
        """As kernels take them: (k, 15), the first twelve elements of the pose and the half lengths."""
        return np.concatenate([self.X_WO[:, :3].reshape(-1, 12), self.half], axis=1)

    @property
    def corners(self) -> Array:
        """Lower and upper corners of the boxes around them along the world's axes, (k, 6) [m]."""
        extent = (np.abs(self.X_WO[:, :3, :3]) @ self.half[:, :, None])[..., 0]
        return np.concatenate([self.X_WO[:, :3, 3] - extent, self.X_WO[:, :3, 3] + extent], axis=1)


NO_BOXES = Boxes(X_WO=np.empty((0, 4, 4)), half=np.empty((0, 3)))
"""Nothing in the way."""
