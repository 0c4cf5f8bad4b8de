"""Inverse dynamics of any serial arm by recursive Newton-Euler, and what follows from it.

Luh, Walker and Paul, "On-line computational scheme for mechanical manipulators", J. Dyn. Sys. 102, 1980, on the reduced
arm of `kinematics.base_parameters` (customised after Khalil and Kleinfinger, IEEE T-RA 3, 1987). With U = [dw] + [w][w],
a point r of a link accelerates by acc + U r; so the link takes the force U h and the moment of U S (its skew part)
plus h x acc, S and h being its second and first moments.
"""

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, batch, joint_angles, rows
from kinematics.elementary import ANGLE_MAX, sincos
from kinematics.errors import KinematicsError
from kinematics.jit import inlined, kernel
from kinematics.lanes import LANES, active, block, get6, load, not_finite, outside, unload
from kinematics.serial_chain import SerialChain
from kinematics.threads import in_chunks
from kinematics.vectors import Joints, SinCos, Vector

_DYNAMICS = block(LANES, q=6, qd=6, qdd=6, tau=6)
_WEIGHTLESS = np.zeros(3)
_WEIGHTLESS.flags.writeable = False

Link = tuple[float, ...]  # a row of the reduced arm
Links = tuple[Link, Link, Link, Link, Link, Link]
Matrix = tuple[Vector, Vector, Vector]  # rows
Motion = tuple[Vector, Vector, Vector]  # angular velocity, angular acceleration, acceleration of the origin
Wrench = tuple[Vector, Vector]  # force, moment about the origin


def inverse_dynamics(
    chain: SerialChain, q: ArrayLike, qd: ArrayLike, qdd: ArrayLike, *, threads: int = 2
) -> Array:
    """Joint torques that give an arm its motion, without friction and rotors.

    Args:
        chain: An arm with masses.
        q: (n, 6) or (6,) joint angles [rad].
        qd: Joint velocities [rad/s], as many.
        qdd: Joint accelerations [rad/s^2], as many.
        threads: At most so many, for large batches.

    Returns:
        tau, (n, 6) or (6,) [N m].

    Raises:
        KinematicsError: If the arm has no masses, the shapes differ, or a value is NaN or infinite.
    """
    angles, single = rows("q", q, (6,))
    motion = [angles]
    for name, value in (("qd", qd), ("qdd", qdd)):
        array, alone = rows(name, value, (6,))
        if array.shape != angles.shape or alone != single:
            raise KinematicsError(f"{name}: shape {np.shape(value)}, expected {np.shape(q)} as q")
        motion.append(array)
    tau = np.empty_like(angles)
    if in_chunks(_torques, (_reduced(chain), chain.reduced_gravity), (*motion, tau), threads):
        joint_angles("q", q)  # one of these names the value that is out of range
        batch("qd", qd, (6,))
        batch("qdd", qdd, (6,))
    return tau[0] if single else tau


def gravity_torques(chain: SerialChain, q: ArrayLike) -> Array:
    """Joint torques that hold an arm at rest, (n, 6) or (6,) [N m]; see `inverse_dynamics`."""
    rest = np.zeros(np.shape(q))
    return inverse_dynamics(chain, q, rest, rest)


def mass_matrix(chain: SerialChain, q: ArrayLike) -> Array:
    """Joint-space inertia M, (n, 6, 6) or (6, 6) [kg m^2]: the torques are M qdd plus what does not depend on qdd.

    Column by column the torques of a unit acceleration, from rest and without gravity (Walker and Orin, "Efficient dynamic
    computer simulation of robotic mechanisms", J. Dyn. Sys. 104, 1982, method 1); see `inverse_dynamics`.
    """
    angles, single = joint_angles("q", q)
    rest = np.zeros_like(angles)
    M, tau = np.empty((len(angles), 6, 6)), np.empty_like(angles)
    for k in range(6):
        unit = np.zeros_like(angles)
        unit[:, k] = 1.0
        in_chunks(_torques, (_reduced(chain), _WEIGHTLESS), (angles, rest, unit, tau), 1)
        M[:, :, k] = tau
    return M[0] if single else M


def _reduced(chain: SerialChain) -> Array:
    if chain.bodies is None:
        raise KinematicsError("chain.bodies: none; dynamics needs an arm with known masses")
    return chain.reduced


@inlined
def link(arm: Array, k: int) -> Link:
    """Row k of a reduced arm (6, COLUMNS)."""
    r = arm[k]
    return r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12]


@inlined
def into_link(link: Link, angle: SinCos, v: Vector) -> Vector:
    """A vector of link k's parent in link k's coordinates."""
    sx, cx = link[0], link[1]
    s, c = angle
    y = cx * v[1] + sx * v[2]
    return c * v[0] + s * y, c * y - s * v[0], cx * v[2] - sx * v[1]


@inlined
def out_of_link(link: Link, angle: SinCos, v: Vector) -> Vector:
    """A vector of link k in its parent's coordinates."""
    sx, cx = link[0], link[1]
    s, c = angle
    y = s * v[0] + c * v[1]
    return c * v[0] - s * v[1], cx * y - sx * v[2], sx * y + cx * v[2]


@inlined
def origin(link: Link) -> Vector:
    """Origin of link k in its parent [m]."""
    return link[2], link[3], link[4]


@inlined
def accelerated(U: Matrix, r: Vector, acceleration: Vector) -> Vector:
    """Acceleration of a link's point r from that of its origin."""
    a, b, c = U
    return (
        acceleration[0] + a[0] * r[0] + a[1] * r[1] + a[2] * r[2],
        acceleration[1] + b[0] * r[0] + b[1] * r[1] + b[2] * r[2],
        acceleration[2] + c[0] * r[0] + c[1] * r[1] + c[2] * r[2],
    )


@inlined
def spin(motion: Motion) -> Matrix:
    """U = [dw] + [w][w], which takes a point of a link to its acceleration relative to the origin's."""
    (wx, wy, wz), (dx, dy, dz), _ = motion
    xx, yy, zz, xy, xz, yz = wx * wx, wy * wy, wz * wz, wx * wy, wx * wz, wy * wz
    return (-(yy + zz), xy - dz, xz + dy), (xy + dz, -(xx + zz), yz - dx), (xz - dy, yz + dx, -(xx + yy))


@inlined
def outward(link: Link, angle: SinCos, parent: Motion, U: Matrix, v: float, a: float) -> Motion:
    """Motion of link k from its parent's, across a joint with velocity v and acceleration a."""
    w = into_link(link, angle, parent[0])
    dw = into_link(link, angle, parent[1])
    acceleration = into_link(link, angle, accelerated(U, origin(link), parent[2]))
    return (w[0], w[1], w[2] + v), (dw[0] + w[1] * v, dw[1] - w[0] * v, dw[2] + a), acceleration


@inlined
def own_wrench(link: Link, motion: Motion, U: Matrix, outer: Wrench) -> Wrench:
    """What gives link k its motion, added to the wrench that it passes on.

    Its moment zz, first moment z and mass are zero (`kinematics.base_parameters`).
    """
    xx, yy, xy, xz, yz, hx, hy = link[6], link[7], link[8], link[9], link[10], link[11], link[12]
    a, b, c = U
    (fx, fy, fz), (nx, ny, nz) = outer
    ax, ay, az = motion[2]
    force = (fx + a[0] * hx + a[1] * hy, fy + b[0] * hx + b[1] * hy, fz + c[0] * hx + c[1] * hy)
    moment = (
        nx + c[0] * xy - b[0] * xz + c[1] * yy + (c[2] - b[1]) * yz + hy * az,
        ny + a[1] * yz - c[1] * xy - c[0] * xx + (a[0] - c[2]) * xz - hx * az,
        nz + b[2] * xz - a[2] * yz + b[0] * xx - a[1] * yy + (b[1] - a[0]) * xy + hx * ay - hy * ax,
    )
    return force, moment


@inlined
def inward(link: Link, angle: SinCos, outer: Wrench) -> Wrench:
    """The wrench on link k, about the origin and in the coordinates of its parent."""
    (fx, fy, fz), (nx, ny, nz) = out_of_link(link, angle, outer[0]), out_of_link(link, angle, outer[1])
    px, py, pz = origin(link)
    return (fx, fy, fz), (nx + py * fz - pz * fy, ny + pz * fx - px * fz, nz + px * fy - py * fx)


@inlined
def torques(links: Links, gravity: Vector, q: Joints, qd: Joints, qdd: Joints) -> Joints:
    """Joint torques [N m] of a reduced arm (6, COLUMNS)."""
    r1, r2, r3 = sincos(q[0] + links[0][5]), sincos(q[1] + links[1][5]), sincos(q[2] + links[2][5])
    r4, r5, r6 = sincos(q[3] + links[3][5]), sincos(q[4] + links[4][5]), sincos(q[5] + links[5][5])
    # An arm on a base that accelerates upwards feels the same as one that is pulled down.
    lift = into_link(links[0], r1, (-gravity[0], -gravity[1], -gravity[2]))
    m1 = ((0.0, 0.0, qd[0]), (0.0, 0.0, qdd[0]), lift)
    U1 = spin(m1)
    m2 = outward(links[1], r2, m1, U1, qd[1], qdd[1])
    U2 = spin(m2)
    m3 = outward(links[2], r3, m2, U2, qd[2], qdd[2])
    U3 = spin(m3)
    m4 = outward(links[3], r4, m3, U3, qd[3], qdd[3])
    U4 = spin(m4)
    m5 = outward(links[4], r5, m4, U4, qd[4], qdd[4])
    U5 = spin(m5)
    m6 = outward(links[5], r6, m5, U5, qd[5], qdd[5])
    f6 = own_wrench(links[5], m6, spin(m6), ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)))
    f5 = own_wrench(links[4], m5, U5, inward(links[5], r6, f6))
    f4 = own_wrench(links[3], m4, U4, inward(links[4], r5, f5))
    f3 = own_wrench(links[2], m3, U3, inward(links[3], r4, f4))
    f2 = own_wrench(links[1], m2, U2, inward(links[2], r3, f3))
    f1 = own_wrench(links[0], m1, U1, inward(links[1], r2, f2))
    return f1[1][2], f2[1][2], f3[1][2], f4[1][2], f5[1][2], f6[1][2]


@kernel
def _torques(reduced: Array, gravity: Array, q: Array, qd: Array, qdd: Array, tau: Array) -> int:
    """Joint torques tau (n, 6) of motions, each (n, 6); returns how many of their values are out of range."""
    # Tuples, not arrays: results could overlap an array, and it would be read anew for each lane.
    links = (
        link(reduced, 0),
        link(reduced, 1),
        link(reduced, 2),
        link(reduced, 3),
        link(reduced, 4),
        link(reduced, 5),
    )
    down = gravity[0], gravity[1], gravity[2]
    blocks = np.empty(1, _DYNAMICS)
    wrong = 0
    for start in range(0, len(q), LANES):
        lanes = blocks[0]
        load(lanes.q, q[start : start + LANES])
        load(lanes.qd, qd[start : start + LANES])
        load(lanes.qdd, qdd[start : start + LANES])
        count = active(len(q) - start)
        wrong += outside(lanes.q, count, ANGLE_MAX)
        wrong += not_finite(lanes.qd, count) + not_finite(lanes.qdd, count)
        for i in range(count):
            joints = torques(links, down, get6(lanes.q, i), get6(lanes.qd, i), get6(lanes.qdd, i))
            for k in range(6):
                lanes.tau[k, i] = joints[k]
        unload(tau[start : start + LANES], lanes.tau)
    return wrong
