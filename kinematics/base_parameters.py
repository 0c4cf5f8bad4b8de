"""A serial arm reduced to what its joint torques depend on, so that they take as few operations as can be.

Two freedoms are used up. A link frame may be turned about its own z: then every fixed rotation is one about x
(Khalil and Kleinfinger, "A new geometric notation", IEEE ICRA 1986). And mass on a joint's axis moves the same whether it
belongs to the link before or after that joint: it is handed inwards, and what reaches the base is dropped (Gautier and
Khalil, "Direct calculation of minimum set of inertial parameters of serial robots", IEEE T-RA 6, 1990). Mass is written as
the pseudo-inertia [[S, h], [h', m]] of second and first moments and mass about the frame's origin, which moves between
frames as X J X' (Wensing, Kim and Slotine, IEEE RA-L 3, 2018). The torques are the same up to rounding.
"""

import numpy as np

from kinematics.arrays import Array

COLUMNS = 13
"""Of a row for each joint: sine and cosine of the fixed rotation about x, fixed translation x y z [m], angle at q = 0
[rad]; then of its link's pseudo-inertia the moments xx, yy, xy, xz, yz [kg m^2], and the first moments x, y [kg m].
Everything else of it is zero."""


def reduce_arm(
    X_joint: Array, mass: Array, com: Array, inertia: Array, gravity: Array
) -> tuple[Array, Array]:
    """Rows (6, COLUMNS) for the kernels, and gravity (3,) in the frame they start from.

    The arguments are those of `SerialChain` and `Bodies`.
    """
    turned, bend, onward = np.array([_zxz(X[:3, :3]) for X in X_joint[:6]]).T
    turned = np.append(turned, 0.0)  # by how much each reduced frame 0..6 is turned from the chain's
    rows = np.zeros((6, COLUMNS))
    carried = np.zeros((4, 4))
    for k in reversed(range(6)):
        p = _about_z(-turned[k]) @ X_joint[k, :3, 3]
        s, c = np.sin(bend[k]), np.cos(bend[k])
        J = _pseudo_inertia(mass[k], com[k], inertia[k])
        J[:3] = _about_z(-turned[k + 1]) @ J[:3]
        J[:, :3] = J[:, :3] @ _about_z(turned[k + 1])
        J += carried
        on_axis = np.zeros((4, 4))
        on_axis[2:, 2:] = J[2:, 2:]
        J -= on_axis
        X = np.array([[1.0, 0.0, 0.0, p[0]], [0.0, c, -s, p[1]], [0.0, s, c, p[2]], [0.0, 0.0, 0.0, 1.0]])
        carried = X @ on_axis @ X.T
        moments = J[0, 0], J[1, 1], J[0, 1], J[0, 2], J[1, 2], J[0, 3], J[1, 3]
        rows[k] = s, c, *p, onward[k] + turned[k + 1], *moments
    return rows, _about_z(-turned[0]) @ gravity


def _about_z(angle: float) -> Array:
    s, c = np.sin(angle), np.cos(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _zxz(R: Array) -> tuple[float, float, float]:
    """Angles a, b, c with R = Rz(a) Rx(b) Rz(c), exact for any b: c is measured after a and b are undone."""
    a = np.arctan2(R[0, 2], -R[1, 2])
    half = _about_z(-a) @ R
    b = np.arctan2(-half[1, 2], half[2, 2])
    return a, b, np.arctan2(-half[0, 1], half[0, 0])


def _pseudo_inertia(mass: float, com: Array, inertia: Array) -> Array:
    """Moments of a body about the origin, (4, 4), from its mass, centre and inertia about the centre."""
    J = np.empty((4, 4))
    J[:3, :3] = 0.5 * np.trace(inertia) * np.eye(3) - inertia + mass * np.outer(com, com)
    J[:3, 3] = J[3, :3] = mass * com
    J[3, 3] = mass
    return J
