"""Rough capsules of the test arms, with a tool on the flange."""

import numpy as np

from kinematics import Body, Boxes, Capsules, Chain, Scene, clearance


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


def placed_body(chain, X_WB, pairs=()):
    return Body(chain=chain, X_WB=X_WB, capsules=body(chain), pairs=np.reshape(pairs, (-1, 2)))


STILL = Chain(
    a1=0.0, a2=0.0, b=0.0, c1=0.1, c2=0.1, c3=0.1, c4=0.1,
    offsets=np.zeros(6), signs=np.ones(6), q_min=-np.ones(6), q_max=np.ones(6),
)  # fmt: skip


def rows_body(rows, link=0):
    """Capsules, given by rows [ax ay az bx by bz r], as a body whose base, or turning column, they are."""
    rows = np.atleast_2d(rows)
    capsules = Capsules(link=np.full(len(rows), link), a=rows[:, :3], b=rows[:, 3:6], radius=rows[:, 6])
    return Body(chain=STILL, X_WB=np.eye(4), capsules=capsules)


def rows_scene(*bodies, boxes=None):
    return Scene(
        bodies=tuple(rows_body(rows, link=1) for rows in bodies),
        boxes=boxes if boxes is not None else Boxes(X_WO=np.empty((0, 4, 4)), half=np.empty((0, 3))),
    )


def rows_distance(*bodies, boxes=None):
    return float(clearance(rows_scene(*bodies, boxes=boxes), np.zeros((len(bodies), 6))))
