"""The kinematic chain of an arm with ortho-parallel base and spherical wrist (OPW), six joints.

Source of the parameters: M. Brandstoetter, A. Angerer, M. Hofbaur, "An Analytical Solution of the Inverse
Kinematics Problem of Industrial Serial Manipulators with an Ortho-parallel Basis and a Spherical Wrist",
Austrian Robotics Workshop, 2014.

Link frames, in the model's zero pose: all are parallel to the base frame and the arm stands straight up.
Frame k sits on the axis of joint k and moves with link k; its place and axis, in frame k - 1:

===== =============== ====
joint origin          axis
===== =============== ====
1     (0, 0, 0)       z
2     (a1, 0, c1)     y
3     (0, 0, c2)      y
4     (a2, b, 0)      z
5     (0, 0, c3)      y     the wrist centre
6     (0, 0, c4)      z     the flange: frame 6 = F
===== =============== ====
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from kinematics.arrays import Array, frozen
from kinematics.errors import KinematicsError
from kinematics.jit import inlined
from kinematics.serial_chain import Bodies, SerialChain
from kinematics.vectors import Joints

JOINT_AXES: Array = np.array(
    [[0, 0, 1], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1]], dtype=np.float64
)
"""Axes of the joints in their frames in the model's zero pose, (6, 3)."""
JOINT_AXES.flags.writeable = False
_LENGTHS = ("a1", "a2", "b", "c1", "c2", "c3", "c4")


class Arm(NamedTuple):
    """The parameters of a chain as kernels take them; see `Chain`."""

    a1: float
    a2: float
    b: float
    c1: float
    c2: float
    c3: float
    c4: float
    signs: Joints
    offsets: Joints


@inlined
def unpacked(packed: Array) -> Arm:
    """The parameters of a chain from its array: one array costs a call from Python less than 19 numbers do."""
    p = packed
    signs, offsets = (p[7], p[8], p[9], p[10], p[11], p[12]), (p[13], p[14], p[15], p[16], p[17], p[18])
    return Arm(p[0], p[1], p[2], p[3], p[4], p[5], p[6], signs, offsets)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chain:
    """Lengths, joint conventions and joint limits of an OPW arm.

    The maker's joint angles q and those of the model are related by ``q_model = q * signs - offsets``.
    Every public function takes and returns q.

    Attributes:
        a1: Radius of joint 2's axis about joint 1 [m].
        a2: Offset of the forearm from the elbow, along x; mostly negative or zero [m].
        b: Sideways offset of the arm from joint 1's plane [m].
        c1: Height of joint 2 above the base [m].
        c2: Length of the upper arm, > 0 [m].
        c3: Length of the forearm, elbow to wrist centre, > 0 [m].
        c4: Distance of the flange from the wrist centre, >= 0 [m].
        offsets: (6,) [rad].
        signs: (6,), each +1 or -1.
        q_min: (6,) lower joint limits [rad].
        q_max: (6,) upper joint limits [rad].
        arm: The parameters as kernels take them.
        packed: (19,) the same as an array; `unpacked` is its inverse.
        inverse_model: (43,) the same, and of all joints the middle of their limits, half their distance, lower and upper
            limits [rad]: what the inverse kinematics takes.
    """

    a1: float
    a2: float
    b: float
    c1: float
    c2: float
    c3: float
    c4: float
    offsets: Array
    signs: Array
    q_min: Array
    q_max: Array
    arm: Arm = field(init=False, repr=False)
    packed: Array = field(init=False, repr=False)
    inverse_model: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("offsets", "signs", "q_min", "q_max"):
            object.__setattr__(self, name, frozen(f"chain.{name}", getattr(self, name), (6,)))
        for name in _LENGTHS:
            length = float(getattr(self, name))
            if not math.isfinite(length):
                raise KinematicsError(f"chain.{name}: {length}, expected a finite length in metres")
            object.__setattr__(self, name, length)
        for name, low in (("c2", 1e-6), ("c3", 1e-6), ("c4", 0.0)):
            if getattr(self, name) < low:
                raise KinematicsError(f"chain.{name}: {getattr(self, name)} m, expected at least {low:g} m")
        if not (np.abs(self.signs) == 1.0).all():
            raise KinematicsError(f"chain.signs: {self.signs.tolist()}, expected each +1 or -1")
        for k in np.flatnonzero(self.q_min >= self.q_max):
            raise KinematicsError(
                f"chain.q_min[{k}]: {self.q_min[k]:g} rad, expected less than q_max = {self.q_max[k]:g} rad"
            )
        signs, offsets = tuple(self.signs.tolist()), tuple(self.offsets.tolist())
        arm = Arm(self.a1, self.a2, self.b, self.c1, self.c2, self.c3, self.c4, signs, offsets)
        object.__setattr__(self, "arm", arm)
        object.__setattr__(self, "packed", frozen("chain.packed", [*arm[:7], *signs, *offsets], (19,)))
        middle, half = 0.5 * (self.q_min + self.q_max), 0.5 * (self.q_max - self.q_min)
        model = np.concatenate([self.packed, middle, half, self.q_min, self.q_max])
        object.__setattr__(self, "inverse_model", frozen("chain.inverse_model", model, (43,)))

    @property
    def joint_origins(self) -> Array:
        """Origins of the joint frames in their parents, (6, 3) [m]; see the table of the module."""
        return np.array(
            [
                (0.0, 0.0, 0.0),
                (self.a1, 0.0, self.c1),
                (0.0, 0.0, self.c2),
                (self.a2, self.b, 0.0),
                (0.0, 0.0, self.c3),
                (0.0, 0.0, self.c4),
            ]
        )

    def serial(self, bodies: Bodies | None = None) -> SerialChain:
        """The same arm as a chain of any geometry, taking the same joint angles q.

        Args:
            bodies: Masses of links 1 to 6 in this chain's link frames, if they are known.
        """
        # X_CS[k]: the serial chain's link frame, z along the axis about which q_k counts, in this chain's link frame.
        axes = self.signs[:, None] * JOINT_AXES
        X_CS = np.tile(np.eye(4), (7, 1, 1))
        X_joint = np.tile(np.eye(4), (7, 1, 1))
        for k, (axis, zero) in enumerate(zip(axes, self.signs * self.offsets, strict=True)):
            at_zero = np.eye(4)
            at_zero[:3, :3], at_zero[:3, 3] = _z_along(axis), self.joint_origins[k]
            back = np.eye(4)
            back[:2, :2] = [[np.cos(zero), -np.sin(zero)], [np.sin(zero), np.cos(zero)]]
            X_joint[k] = np.linalg.inv(X_CS[k]) @ at_zero
            X_CS[k + 1, :3, :3] = _z_along(axis) @ back[:3, :3]
        X_joint[6] = np.linalg.inv(X_CS[6])
        if bodies is not None:
            R = X_CS[1:, :3, :3].swapaxes(1, 2)
            bodies = Bodies(
                mass=bodies.mass,
                com=(R @ bodies.com[:, :, None])[:, :, 0],
                inertia=R @ bodies.inertia @ R.swapaxes(1, 2),
            )
        return SerialChain(X_joint=X_joint, q_min=self.q_min, q_max=self.q_max, bodies=bodies)


def _z_along(axis: Array) -> Array:
    """A rotation whose z is a unit vector in the plane of y and z."""
    _, s, c = axis
    return np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limits:
    """Limits of joint motion, the same in both directions.

    Attributes:
        velocity: (6,) > 0 [rad/s].
        acceleration: (6,) > 0 [rad/s^2].
        jerk: (6,) > 0 [rad/s^3].
    """

    velocity: Array
    acceleration: Array
    jerk: Array

    def __post_init__(self) -> None:
        for name in ("velocity", "acceleration", "jerk"):
            values = frozen(f"limits.{name}", getattr(self, name), (6,))
            for k in np.flatnonzero(values <= 0.0):
                raise KinematicsError(f"limits.{name}[{k}]: {values[k]:g}, expected more than 0")
            object.__setattr__(self, name, values)
