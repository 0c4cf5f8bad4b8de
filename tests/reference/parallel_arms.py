"""Universal Robots arms from their maker's table of Denavit-Hartenberg parameters.

Source: universal-robots.com, "Parameters for calculations of kinematics and dynamics", article 45257.
"""

import numpy as np

from kinematics import ParallelAxesChain

#      a2       a3        d1      d4       d5       d6
TABLE = {
    "UR3e": (-0.24355, -0.2132, 0.15185, 0.13105, 0.08535, 0.0921),
    "UR5e": (-0.425, -0.3922, 0.1625, 0.1333, 0.0997, 0.0996),
    "UR10e": (-0.6127, -0.57155, 0.1807, 0.17415, 0.11985, 0.11655),
}


def dh(theta, d, a, alpha):
    """Transform of one row of a Denavit-Hartenberg table."""
    c, s, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
    return np.array([[c, -s * ca, s * sa, a * c], [s, c * ca, -c * sa, a * s], [0, sa, ca, d], [0, 0, 0, 1]])


def rows(name):
    a2, a3, d1, d4, d5, d6 = TABLE[name]
    h = np.pi / 2
    return [(d1, 0, h), (0, a2, 0), (0, a3, 0), (d4, 0, h), (d5, 0, -h), (d6, 0, 0)]


def reference_pose(name, q):
    """Flange pose by multiplying the table's rows out."""
    X = np.eye(4)
    for theta, row in zip(q, rows(name), strict=True):
        X = X @ dh(theta, *row)
    return X


def ur(name, q_max=2 * np.pi):
    """The arm as a chain; the elbow is limited to half a turn, as the maker does."""
    limit = np.full(6, q_max)
    limit[2] = min(q_max, np.pi)
    X_joint = np.stack([np.eye(4), *(dh(0.0, *row) for row in rows(name))])
    return ParallelAxesChain(X_joint=X_joint, q_min=-limit, q_max=limit)
