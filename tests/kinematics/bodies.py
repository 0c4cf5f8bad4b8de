"""Rough capsules of the test arms, with a tool on the flange."""

import numpy as np

from kinematics import Capsules


def body(chain):
    o = np.zeros(3)
    rows = [
        (0, o, [0, 0, 0.1], 0.10),
        (1, [0, 0, chain.c1 - 0.1], [chain.a1, 0, chain.c1], 0.09),
        (2, o, [0, 0, chain.c2], 0.07),
        (3, o, [chain.a2, chain.b, 0], 0.07),
        (4, [0, 0, 0.1], [0, 0, chain.c3], 0.06),
        (5, o, o, 0.06),
        (6, [0, 0, 0.02], [0.05, 0, 0.20], 0.04),
    ]
    return Capsules(
        link=np.array([row[0] for row in rows]),
        a=np.array([row[1] for row in rows], dtype=float),
        b=np.array([row[2] for row in rows], dtype=float),
        radius=np.array([row[3] for row in rows]),
    )


def pose(x, y, z, yaw=0.0):
    X = np.eye(4)
    X[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    X[:3, 3] = x, y, z
    return X
