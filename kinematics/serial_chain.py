"""Any serial arm with six revolute joints: fixed transforms from joint to joint, limits and, optionally, masses.

Frame k sits on the axis of joint k, its z along the axis, and moves with link k. Frame 0 is the base B. Joint k turns by
q_k about z, so ``X_k-1,k = X_joint[k-1] @ Rz(q_k)``, and the flange is ``X_6F = X_joint[6]``.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, frozen
from kinematics.base_parameters import reduce_arm
from kinematics.errors import KinematicsError

GRAVITY = (0.0, 0.0, -9.80665)  # [m/s^2], standard gravity for a base with z up
_ORTHONORMAL = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bodies:
    """Mass properties of links 1 to 6, in their link frames.

    Attributes:
        mass: (6,) >= 0 [kg].
        com: (6, 3) centres of mass [m].
        inertia: (6, 3, 3) about the centre of mass, symmetric, no negative principal moment [kg m^2].
    """

    mass: Array
    com: Array
    inertia: Array

    def __post_init__(self) -> None:
        for name, shape in (("mass", (6,)), ("com", (6, 3)), ("inertia", (6, 3, 3))):
            object.__setattr__(self, name, frozen(f"bodies.{name}", getattr(self, name), shape))
        for k in np.flatnonzero(self.mass < 0.0):
            raise KinematicsError(f"bodies.mass[{k}]: {self.mass[k]:g} kg, expected at least 0")
        for link, inertia in enumerate(self.inertia):
            tolerance = 1e-9 * np.abs(inertia).max()
            if np.abs(inertia - inertia.T).max() > tolerance:
                raise KinematicsError(f"bodies.inertia[{link}]: not symmetric")
            if (least := np.linalg.eigvalsh(inertia)[0]) < -tolerance:
                raise KinematicsError(
                    f"bodies.inertia[{link}]: principal moment {least:g} kg m^2, expected at least 0"
                )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SerialChain:
    """A serial arm with six revolute joints, of any geometry.

    Attributes:
        X_joint: (7, 4, 4) fixed transforms, see the module; rotations orthonormal to 1e-9.
        q_min: (6,) lower joint limits [rad].
        q_max: (6,) upper joint limits [rad].
        bodies: Masses of the links; None if they are not known, then there is no dynamics.
        gravity: (3,) acceleration of gravity in the base frame [m/s^2].
        rows: (7, 12) first twelve elements of each fixed transform, as kernels take them.
        reduced: (6, COLUMNS) what the torques depend on (`kinematics.base_parameters`); meaningless without bodies.
        reduced_gravity: (3,) gravity in the frame that goes with it.
    """

    X_joint: Array
    q_min: Array
    q_max: Array
    bodies: Bodies | None = None
    gravity: Array = field(default_factory=lambda: np.array(GRAVITY))
    rows: Array = field(init=False, repr=False)
    reduced: Array = field(init=False, repr=False)
    reduced_gravity: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, shape in (("X_joint", (7, 4, 4)), ("q_min", (6,)), ("q_max", (6,)), ("gravity", (3,))):
            object.__setattr__(self, name, frozen(f"chain.{name}", getattr(self, name), shape))
        R = self.X_joint[:, :3, :3]
        skewed = np.abs(np.swapaxes(R, 1, 2) @ R - np.eye(3)).max(axis=(1, 2))
        for k in np.flatnonzero((skewed > _ORTHONORMAL) | (np.linalg.det(R) < 0.0)):
            raise KinematicsError(
                f"chain.X_joint[{k}]: rotation {skewed[k]:.1e} from orthonormal, determinant "
                f"{np.linalg.det(R[k]):.3g}; expected at most {_ORTHONORMAL:g} and +1"
            )
        for k in np.flatnonzero((self.X_joint[:, 3] != (0.0, 0.0, 0.0, 1.0)).any(axis=1)):
            raise KinematicsError(
                f"chain.X_joint[{k}]: last row {self.X_joint[k, 3].tolist()}, expected 0, 0, 0, 1"
            )
        for k in np.flatnonzero(self.q_min >= self.q_max):
            raise KinematicsError(
                f"chain.q_min[{k}]: {self.q_min[k]:g} rad, expected less than q_max = {self.q_max[k]:g} rad"
            )
        bodies = self.bodies or Bodies(mass=np.zeros(6), com=np.zeros((6, 3)), inertia=np.zeros((6, 3, 3)))
        reduced, gravity = reduce_arm(self.X_joint, bodies.mass, bodies.com, bodies.inertia, self.gravity)
        rows = self.X_joint[:, :3].reshape(7, 12)
        for name, values in (("rows", rows), ("reduced", reduced), ("reduced_gravity", gravity)):
            object.__setattr__(self, name, frozen(f"chain.{name}", values, values.shape))

    def branches(self, X_BF: Array, *, limited: bool) -> Array:
        """The table of `IkSolutions` (n, 8, 7) for poses (n, 4, 4), of arms that have a closed form.

        Raises:
            KinematicsError: If there is none.
        """
        raise KinematicsError(
            "chain: no closed form of its inverse kinematics is known, expected numeric_inverse"
        )

    def with_payload(
        self, mass: float, com_F: ArrayLike, inertia_F: ArrayLike | None = None
    ) -> "SerialChain":
        """The same arm with a tool or a part fixed to the flange.

        Args:
            mass: Of the payload, >= 0 [kg].
            com_F: (3,) its centre of mass in the flange frame [m].
            inertia_F: (3, 3) about that centre, along the flange's axes [kg m^2]; a point mass by default.

        Raises:
            KinematicsError: If the arm has no masses, or the payload's are not physical.
        """
        if self.bodies is None:
            raise KinematicsError("chain.bodies: none; a payload needs an arm with known masses")
        inertia = frozen("inertia_F", np.zeros((3, 3)) if inertia_F is None else inertia_F, (3, 3))
        com = self.X_joint[6] @ np.append(frozen("com_F", com_F, (3,)), 1.0)
        R = self.X_joint[6, :3, :3]
        # Checked like a link before it is mixed with one.
        payload = Bodies(
            mass=np.array([0, 0, 0, 0, 0, mass]),
            com=np.tile(com[:3], (6, 1)),
            inertia=np.concatenate([np.zeros((5, 3, 3)), (R @ inertia @ R.T)[None]]),
        )
        return replace(self, bodies=_joined(self.bodies, payload))


def _joined(one: Bodies, two: Bodies) -> Bodies:
    """Each link of one with the same link of the other fixed to it (parallel axis theorem)."""
    mass = one.mass + two.mass
    share = np.divide(two.mass, mass, out=np.zeros(6), where=mass > 0.0)[:, None]
    com = one.com + share * (two.com - one.com)
    inertia = one.inertia + two.inertia
    for body in (one, two):
        d = body.com - com
        outer = d[:, :, None] * d[:, None, :]
        inertia = inertia + body.mass[:, None, None] * ((d**2).sum(1)[:, None, None] * np.eye(3) - outer)
    return Bodies(mass=mass, com=com, inertia=inertia)
