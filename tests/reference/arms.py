"""Arms built a second time, from their joint table alone: matrix exponentials and pinocchio."""

import numpy as np
import pinocchio
from scipy.linalg import expm


def joint_table(chain):
    """Axes and origins of all joints in the base frame in the model's zero pose, and the flange's origin."""
    y, z = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    shoulder = np.array([chain.a1, 0.0, chain.c1])
    elbow = shoulder + np.array([0.0, 0.0, chain.c2])
    wrist = elbow + np.array([chain.a2, chain.b, chain.c3])
    return (
        [z, y, y, z, y, z],
        [np.zeros(3), shoulder, elbow, wrist, wrist, wrist],
        wrist + np.array([0.0, 0.0, chain.c4]),
    )


def skew(w):
    return np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])


def exponential_forward(chain, q):
    """Flange pose by the product of exponentials (Lynch and Park, 2017, eq. 4.14)."""
    axes, points, tip = joint_table(chain)
    X = np.eye(4)
    for axis, point, angle in zip(axes, points, np.asarray(q) * chain.signs - chain.offsets, strict=True):
        twist = np.zeros((4, 4))
        twist[:3, :3] = skew(axis)
        twist[:3, 3] = -np.cross(axis, point)
        X = X @ expm(twist * angle)
    M = np.eye(4)
    M[:3, 3] = tip
    return X @ M


def pinocchio_model(chain):
    """The same arm as a pinocchio model, with a frame at the flange."""
    axes, points, tip = joint_table(chain)
    model = pinocchio.Model()
    parent, at = 0, np.zeros(3)
    for k, (axis, point) in enumerate(zip(axes, points, strict=True)):
        placement = pinocchio.SE3(np.eye(3), point - at)
        joint = pinocchio.JointModelRZ() if axis[2] else pinocchio.JointModelRY()
        parent, at = model.addJoint(parent, joint, placement, f"joint{k + 1}"), point
    flange = pinocchio.SE3(np.eye(3), tip - at)
    model.addFrame(pinocchio.Frame("flange", parent, 0, flange, pinocchio.FrameType.OP_FRAME))
    return model
