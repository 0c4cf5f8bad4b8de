"""What the rows for kinematics and dynamics are measured on: an arm, random states, and the same arm for each peer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cells import load_arm
from controller.bench.peer import load_peer
from controller.bench.row import Comparison, measure
from kinematics import Bodies, Chain, SerialChain, forward_kinematics, link_frames

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Motions:
    """The KUKA KR 6 R900 and states of it, uniform within its limits.

    Attributes:
        chain: The arm.
        serial: The same as a chain of any geometry, with masses.
        q: (n, 6) joint angles [rad].
        qd: (n, 6) velocities [rad/s].
        qdd: (n, 6) accelerations [rad/s^2].
    """

    chain: Chain
    serial: SerialChain
    q: Array
    qd: Array
    qdd: Array


def random_motions(count: int, seed: int) -> Motions:
    """So many states."""
    arm = load_arm("kr6_r900_2")
    rng = np.random.default_rng(seed)
    return Motions(
        chain=arm.chain,
        serial=arm.dynamics,
        q=rng.uniform(arm.chain.q_min, arm.chain.q_max, (count, 6)),
        qd=rng.uniform(-1.0, 1.0, (count, 6)) * arm.limits.velocity,
        qdd=rng.uniform(-1.0, 1.0, (count, 6)) * arm.limits.acceleration,
    )


def random_arm(rng: np.random.Generator) -> SerialChain:
    """Random geometry, each link a cloud of point masses."""
    X = np.tile(np.eye(4), (7, 1, 1))
    for k in range(7):
        Q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        X[k, :3, :3] = Q * np.linalg.det(Q)
    X[:, :3, 3] = rng.uniform(-0.4, 0.4, (7, 3))
    mass, points = rng.uniform(0.1, 2.0, (6, 8, 1)), rng.uniform(-0.3, 0.3, (6, 8, 3))
    com = (mass * points).sum(axis=1) / mass.sum(axis=1)
    r = points - com[:, None]
    squares, products = (mass * r * r).sum(axis=(1, 2)), np.einsum("lpi,lpj->lij", mass * r, r)
    bodies = Bodies(
        mass=mass.sum(axis=(1, 2)), com=com, inertia=squares[:, None, None] * np.eye(3) - products
    )
    return SerialChain(X_joint=X, q_min=-np.full(6, np.pi), q_max=np.full(6, np.pi), bodies=bodies)


def two_threads(name: str, ours: Callable[[int], object], items: int) -> Comparison:
    """A batch on two threads beside one, by the clock on the wall: below 1 x, the second thread would do harm."""
    return Comparison(
        name=f"{name}, batch of {items}, two threads",
        ours=measure(lambda: ours(2), items=items, clock=time.perf_counter),
        peer="one thread",
        theirs=measure(lambda: ours(1), items=items, clock=time.perf_counter),
        goal=0.9,
        note="wall time; up to 2 x where a second core is free, about 1 x where none is",
    )


class Pinocchio:
    """An arm in pinocchio, with masses."""

    def __init__(self, arm: SerialChain) -> None:
        self._pin: Any = load_peer("pinocchio")
        pin, bodies = self._pin, arm.bodies
        self._model = pin.Model()
        self._model.gravity.linear = np.array(arm.gravity)
        parent = 0
        for k in range(6):
            placement = pin.SE3(np.array(arm.X_joint[k]))
            parent = self._model.addJoint(parent, pin.JointModelRZ(), placement, f"joint{k + 1}")
            if bodies is not None:
                body = pin.Inertia(
                    float(bodies.mass[k]), np.array(bodies.com[k]), np.array(bodies.inertia[k])
                )
                self._model.appendBodyToJoint(parent, body, pin.SE3.Identity())
        flange = pin.Frame("flange", parent, 0, pin.SE3(np.array(arm.X_joint[6])), pin.FrameType.OP_FRAME)
        self._flange = self._model.addFrame(flange)
        self._data = self._model.createData()
        self._pool = pin.ModelPool(self._model, 1)

    def place(self, q: Array) -> None:
        """Compute the flange's pose without reading it."""
        self._pin.forwardKinematics(self._model, self._data, q)
        self._pin.updateFramePlacement(self._model, self._data, self._flange)

    def pose(self, q: Array) -> Array:
        """Pose of the flange, (4, 4)."""
        self.place(q)
        return np.array(self._data.oMf[self._flange].homogeneous)

    def jacobian(self, q: Array) -> Array:
        """Jacobian of the flange in the base's directions, (6, 6)."""
        directions = self._pin.LOCAL_WORLD_ALIGNED
        J: Array = self._pin.computeFrameJacobian(self._model, self._data, q, self._flange, directions)
        return J

    def torques(self, q: Array, qd: Array, qdd: Array) -> Array:
        """Joint torques, (6,) [N m]."""
        tau: Array = self._pin.rnea(self._model, self._data, q, qd, qdd)
        return tau.copy()

    def torques_of_all(self, motions: Motions) -> None:
        """Joint torques of a batch by pinocchio's own loop, on one thread."""
        result = np.empty_like(motions.q).T
        q, qd, qdd = motions.q.T, motions.qd.T, motions.qdd.T
        self._pin.rneaInParallel(1, self._pool, q, qd, qdd, result)

    def compose_masses(self, q: Array) -> None:
        """Compute the joint-space inertia, of which pinocchio fills the upper half, without reading it."""
        self._pin.crba(self._model, self._data, q)

    def masses(self, q: Array) -> Array:
        """Joint-space inertia, (6, 6) [kg m^2]."""
        M: Array = self._pin.crba(self._model, self._data, q)
        return np.triu(M) + np.triu(M, 1).T


def eaik_arm(chain: Chain) -> tuple[Any, Array]:
    """The arm in EAIK, and the flange's rotation (3, 3) at zero joint angles, which EAIK takes for the identity."""
    frames = link_frames(chain.serial(), np.zeros(6))
    X_zero = forward_kinematics(chain, np.zeros(6))
    points = np.vstack([frames[:, :3, 3], X_zero[:3, 3]])
    robot = load_peer("eaik.IK_HP").HPRobot(frames[1:, :3, 2].copy(), np.diff(points, axis=0))
    return robot, X_zero[:3, :3]
