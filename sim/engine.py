"""The physics engine behind one small door: settings, collision groups, poses and bodies.

Settings are measured ones. The contact breaking threshold is global to the process in Bullet, so it is set
after every connect. Quaternions are xyzw here and nowhere else; a body's pose in the engine is that of its
centre of mass.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.bullet import pybullet

FloatArray = NDArray[np.float64]

TICK_HZ = 240  # one tick is the short step; the long step is two
GRAVITY = 9.80665

# Collision groups. The first bits carry meanings of Bullet's own (2 is static), so ours begin at 64.
ARM, HELD, RESTING, FIXTURE = 64, 128, 256, 512
COLLIDES_WITH = {
    ARM: ARM | HELD | RESTING | FIXTURE,
    HELD: ARM | HELD | RESTING | FIXTURE,
    RESTING: ARM | HELD,
    FIXTURE: ARM | HELD,
}

_POSITION_GAINS = [0.15] * 16  # 1.0 would hunt for ever after a joint had run into its torque limit
_VELOCITY_GAINS = [1.0] * 16

_SETTINGS = {
    "numSolverIterations": 80,  # 50 leaves 0.2 mrad with a heavy tool, 20 breaks the sensing of a grip
    "solverResidualThreshold": 1e-10,  # the default stops so early that arms rest 0.05 mrad off
    "contactBreakingThreshold": 0.004,  # 20 mm triples the contacts; below 2 mm small cylinders sink
    "deterministicOverlappingPairs": 1,
    "collisionFilterMode": 0,  # both masks must agree; the default lets either one decide
    "numSubSteps": 0,
}
# Without implicit cylinders a cylinder becomes a hull with a margin: parts would rest 1 mm too high.
_FLAGS = pybullet.URDF_USE_INERTIA_FROM_FILE | pybullet.URDF_USE_IMPLICIT_CYLINDER


class Engine:
    """One physics client; every call of the simulation goes through ``client``.

    ``calls_s`` is the wall time of calls that command, read and change the engine, steps left out [s].
    """

    def __init__(self, *, gui: bool = False) -> None:
        self.gui = gui
        self.client: int = pybullet.connect(pybullet.GUI if gui else pybullet.DIRECT)
        pybullet.setPhysicsEngineParameter(**_SETTINGS, physicsClientId=self.client)
        pybullet.setGravity(0.0, 0.0, -GRAVITY, physicsClientId=self.client)
        self.calls_s = 0.0
        self._silent: set[tuple[int, int, int, int]] = set()
        self._ticks = 0
        self.use_step(1)

    def use_step(self, ticks: int) -> None:
        """Set the length of a step in ticks of 1/240 s."""
        if ticks != self._ticks:
            self._ticks = ticks
            pybullet.setTimeStep(ticks / TICK_HZ, physicsClientId=self.client)

    def close(self) -> None:
        """Leave the engine."""
        pybullet.disconnect(physicsClientId=self.client)

    def step(self) -> None:
        """Let one step pass."""
        pybullet.stepSimulation(physicsClientId=self.client)

    # --- calls of every step -------------------------------------------------------------------------------

    def drive(
        self, body: int, joints: Sequence[int], start: list[float], speed: list[float], limits: list[float]
    ) -> None:
        """Servo from where the setpoint is [m or rad] at a speed for one step, within force limits."""
        began = perf_counter()
        count = len(joints)
        pybullet.setJointMotorControlArray(
            body,
            joints,
            pybullet.POSITION_CONTROL,
            targetPositions=start,
            targetVelocities=speed,
            positionGains=_POSITION_GAINS[:count],
            velocityGains=_VELOCITY_GAINS[:count],
            forces=limits,
            physicsClientId=self.client,
        )
        self.calls_s += perf_counter() - began

    def push(self, body: int, link: int, force_n: float, at: Sequence[float]) -> None:
        """Push a link upwards at a point of the world, for one step."""
        began = perf_counter()
        force = [0.0, 0.0, force_n]
        pybullet.applyExternalForce(body, link, force, at, pybullet.WORLD_FRAME, physicsClientId=self.client)
        self.calls_s += perf_counter() - began

    def twist(self, body: int, link: int, torque_nm: float) -> None:
        """Turn a link about the world's vertical, for one step."""
        began = perf_counter()
        torque = [0.0, 0.0, torque_nm]
        pybullet.applyExternalTorque(body, link, torque, pybullet.WORLD_FRAME, physicsClientId=self.client)
        self.calls_s += perf_counter() - began

    def joints(self, body: int, joints: Sequence[int]) -> Any:
        """For each joint a tuple that begins with its position and its speed."""
        began = perf_counter()
        states = pybullet.getJointStates(body, joints, physicsClientId=self.client)
        self.calls_s += perf_counter() - began
        return states

    def contacts(self) -> Any:
        """All contact points, as the engine reports them."""
        began = perf_counter()
        points = pybullet.getContactPoints(physicsClientId=self.client)
        self.calls_s += perf_counter() - began
        return points

    def load(self, constraint: int) -> tuple[float, float, float]:
        """Force that a constraint transmits, in the world [N]."""
        began = perf_counter()
        x, y, z = pybullet.getConstraintState(constraint, physicsClientId=self.client)[:3]
        self.calls_s += perf_counter() - began
        return x, y, z

    def base(self, body: int) -> tuple[tuple[float, float, float], tuple[float, float, float, float]]:
        """Centre of mass of a body [m] and attitude (xyzw) of its principal frame."""
        began = perf_counter()
        position, xyzw = pybullet.getBasePositionAndOrientation(body, physicsClientId=self.client)
        self.calls_s += perf_counter() - began
        return position, xyzw

    # --- bodies --------------------------------------------------------------------------------------------

    def add(self, urdf: str, X_WL: FloatArray, *, fixed: bool) -> int:
        """Load a URDF text with its base link's frame at ``X_WL``; no damping, the default group."""
        handle, path = tempfile.mkstemp(
            suffix=".urdf"
        )  # one name per process: two writers of one file break it
        try:
            with os.fdopen(handle, "w") as file:
                # The engine reads lines of 1024 characters and breaks longer ones in the middle of words.
                file.write(urdf.replace("><", ">\n<"))
            began = perf_counter()
            body = int(
                pybullet.loadURDF(
                    path,
                    X_WL[:3, 3].tolist(),
                    quaternion(X_WL),
                    useFixedBase=fixed,
                    flags=_FLAGS,
                    physicsClientId=self.client,
                )
            )
            self.calls_s += perf_counter() - began
        finally:
            Path(path).unlink()
        for link in range(-1, pybullet.getNumJoints(body, physicsClientId=self.client)):
            self.dynamics(
                body, link, linearDamping=0.0, angularDamping=0.0, jointDamping=0.0, restitution=0.0
            )
        return body

    def dynamics(self, body: int, link: int, **settings: Any) -> None:
        """Change dynamic properties of a link."""
        began = perf_counter()
        pybullet.changeDynamics(body, link, **settings, physicsClientId=self.client)
        self.calls_s += perf_counter() - began

    def group(self, body: int, link: int, group: int, mask: int | None = None) -> None:
        """Put a link into one of our collision groups."""
        began = perf_counter()
        pybullet.setCollisionFilterGroupMask(
            body, link, group, COLLIDES_WITH[group] if mask is None else mask, physicsClientId=self.client
        )
        self.calls_s += perf_counter() - began

    def pair(self, a: int, link_a: int, b: int, link_b: int, *, collide: bool) -> None:
        """Switch the collision of one pair of links on or off."""
        began = perf_counter()
        pybullet.setCollisionFilterPair(a, b, link_a, link_b, int(collide), physicsClientId=self.client)
        self.calls_s += perf_counter() - began
        links = (a, link_a, b, link_b)
        if collide:
            self._silent.discard(links)
        else:
            self._silent.add(links)

    def remove(self, body: int) -> None:
        """Remove a body and every constraint it has.

        The engine keeps what was said of a pair of bodies and gives a removed body's number to the next one.
        """
        for a, link_a, b, link_b in [links for links in self._silent if body in (links[0], links[2])]:
            self.pair(a, link_a, b, link_b, collide=True)
        began = perf_counter()
        pybullet.removeBody(body, physicsClientId=self.client)
        self.calls_s += perf_counter() - began

    def link_pose(self, body: int, link: int) -> FloatArray:
        """Pose ``X_WL`` (4, 4) of a link's frame, from the present joint positions."""
        state = pybullet.getLinkState(body, link, computeForwardKinematics=1, physicsClientId=self.client)
        return pose(state[4], state[5])

    def fix(self, parent: int, link: int, p_L: FloatArray, R_L: FloatArray, child: int) -> int:
        """Fix a child's principal frame at a pose in the parent's inertial frame; the constraint's id."""
        X = np.eye(4)
        X[:3, :3] = R_L
        return int(
            pybullet.createConstraint(
                parent,
                link,
                child,
                -1,
                pybullet.JOINT_FIXED,
                [0.0, 0.0, 0.0],
                p_L.tolist(),
                [0.0, 0.0, 0.0],
                parentFrameOrientation=quaternion(X),
                childFrameOrientation=[0.0, 0.0, 0.0, 1.0],
                physicsClientId=self.client,
            )
        )


def quaternion(X: FloatArray) -> tuple[float, float, float, float]:
    """Attitude of a pose as xyzw (Shepperd 1978: the largest first, so that no root is near zero)."""
    R = X[:3, :3]
    trace = float(R[0, 0] + R[1, 1] + R[2, 2])
    sizes = (float(R[0, 0]), float(R[1, 1]), float(R[2, 2]), trace)
    largest = sizes.index(max(sizes))
    q = np.empty(4)
    if largest == 3:
        q[:] = R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1], 1.0 + trace
    else:
        i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
        q[i], q[j], q[k] = 1.0 + 2.0 * R[i, i] - trace, R[j, i] + R[i, j], R[k, i] + R[i, k]
        q[3] = R[k, j] - R[j, k]
    x, y, z, w = (q / np.sqrt(q @ q)).tolist()
    return x, y, z, w


def pose(position: Any, xyzw: Any) -> FloatArray:
    """Pose (4, 4) from what the engine reports."""
    x, y, z, w = xyzw
    s = 2.0 / (x * x + y * y + z * z + w * w)
    return np.array(
        [
            [1.0 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y), position[0]],
            [s * (x * y + w * z), 1.0 - s * (x * x + z * z), s * (y * z - w * x), position[1]],
            [s * (x * z - w * y), s * (y * z + w * x), 1.0 - s * (x * x + y * y), position[2]],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )


def inverse(X: FloatArray) -> FloatArray:
    """Inverse of a rigid pose."""
    out = np.eye(4)
    out[:3, :3] = X[:3, :3].T
    out[:3, 3] = -X[:3, :3].T @ X[:3, 3]
    return out
