"""Serial arms of any geometry, and the same as pinocchio models."""

import numpy as np
import pinocchio
from scipy.spatial.transform import Rotation

from kinematics import Bodies, SerialChain


def random_pose(rng, reach):
    X = np.eye(4)
    X[:3, :3] = Rotation.random(random_state=rng).as_matrix()
    X[:3, 3] = rng.uniform(-reach, reach, 3)
    return X


def random_bodies(rng):
    """Links as clouds of point masses, hence physical."""
    mass, com, inertia = np.empty(6), np.empty((6, 3)), np.empty((6, 3, 3))
    for k in range(6):
        m, p = rng.uniform(0.1, 2.0, 8), rng.uniform(-0.3, 0.3, (8, 3))
        mass[k], com[k] = m.sum(), m @ p / m.sum()
        d = p - com[k]
        inertia[k] = sum(w * (r @ r * np.eye(3) - np.outer(r, r)) for w, r in zip(m, d, strict=True))
    return Bodies(mass=mass, com=com, inertia=inertia)


def random_chain(rng, **values):
    return SerialChain(
        X_joint=np.stack([random_pose(rng, 0.4) for _ in range(7)]),
        q_min=-np.full(6, np.pi),
        q_max=np.full(6, np.pi),
        bodies=random_bodies(rng),
        **values,
    )


def pinocchio_of(chain):
    """The same arm as a pinocchio model, with a frame at the flange."""
    model = pinocchio.Model()
    model.gravity.linear = np.array(chain.gravity)
    parent = 0
    for k in range(6):
        parent = model.addJoint(
            parent, pinocchio.JointModelRZ(), pinocchio.SE3(chain.X_joint[k]), f"joint{k + 1}"
        )
        if chain.bodies is not None:
            body = pinocchio.Inertia(
                float(chain.bodies.mass[k]), np.array(chain.bodies.com[k]), np.array(chain.bodies.inertia[k])
            )
            model.appendBodyToJoint(parent, body, pinocchio.SE3.Identity())
    flange = pinocchio.SE3(chain.X_joint[6])
    model.addFrame(pinocchio.Frame("flange", parent, 0, flange, pinocchio.FrameType.OP_FRAME))
    return model
