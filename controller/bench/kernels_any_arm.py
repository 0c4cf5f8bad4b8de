"""Benchmarks of inverse kinematics beyond the bundled arms: three parallel axes, and any six-axis arm."""

from collections.abc import Iterator

import numpy as np

from controller.bench.peer import load_peer
from controller.bench.row import Comparison, Figure, Options, Row, measure
from kinematics import (
    ParallelAxesChain,
    SerialChain,
    forward_kinematics,
    inverse_kinematics,
    numeric_inverse,
)
from kinematics.arrays import Array

# Universal Robots UR5e, rows (d [m], a [m], alpha [rad]). Source: universal-robots.com, "Parameters for calculations of
# kinematics and dynamics", article 45257.
_UR5E = (
    (0.1625, 0.0, np.pi / 2),
    (0.0, -0.425, 0.0),
    (0.0, -0.3922, 0.0),
    (0.1333, 0.0, np.pi / 2),
    (0.0997, 0.0, -np.pi / 2),
    (0.0996, 0.0, 0.0),
)


def rows(options: Options) -> Iterator[Row]:
    """All rows, one by one."""
    rng = np.random.default_rng(options.seed)
    yield from _parallel_axes(options, rng)
    yield from _any_arm(options, rng)


def _parallel_axes(options: Options, rng: np.random.Generator) -> Iterator[Row]:
    count, compared = (2000, 200) if options.quick else (100_000, 2000)
    X_joint = np.stack([np.eye(4), *(_row(*row) for row in _UR5E)])
    chain = ParallelAxesChain(X_joint=X_joint, q_min=-np.full(6, 2 * np.pi), q_max=np.full(6, 2 * np.pi))
    q = rng.uniform(-np.pi, np.pi, (count, 6))
    X_BF = forward_kinematics(chain, q)
    solutions = inverse_kinematics(chain, X_BF)
    ours = measure(lambda: inverse_kinematics(chain, X_BF), items=count)
    theirs = error = None
    if options.peers:
        d, a, alpha = np.array(_UR5E).T
        peer = load_peer("eaik.IK_DH").DhRobot(alpha, a, d)
        poses = list(X_BF[:compared])
        theirs = measure(lambda: [peer.IK(X) for X in poses], items=compared, repeats=5)
        # Every solution of the peer, but for those it calls approximate, is one of ours.
        error = 0.0
        for i, X in enumerate(poses):
            found = peer.IK(X)
            for other in found.Q[~np.array(found.is_LS)]:
                error = max(error, float(np.nanmin(_apart(solutions.q[i], other))))
    yield Comparison(
        name="inverse kinematics, UR5e, all branches, batch",
        ours=ours,
        peer="EAIK IK",
        theirs=theirs,
        error=error,
        error_limit=1e-6,
        error_unit="rad",
    )
    nearest = np.nanmin(_apart(solutions.q, q[:, None]), axis=1)
    yield Figure(
        name=f"generating angles found, UR5e, {count} poses",
        value=float((nearest < 1e-6).mean()),
        goal=1.0,
        at_least=True,
        must_hold=True,
    )
    yield _residual("UR5e", chain, X_BF[np.nonzero(solutions.valid)[0]], solutions.q[solutions.valid])


def _any_arm(options: Options, rng: np.random.Generator) -> Iterator[Row]:
    count = 2000 if options.quick else 1_000_000
    chain = _random_arm(rng)
    X_BF = forward_kinematics(chain, rng.uniform(chain.q_min, chain.q_max, (count, 6)))
    solutions = numeric_inverse(chain, X_BF, np.random.default_rng(options.seed))
    solved = solutions.reach == 0
    sample = min(count, 20_000)
    ours = measure(
        lambda: numeric_inverse(chain, X_BF[:sample], np.random.default_rng(0)), items=sample, repeats=3
    )
    yield Comparison(name="inverse kinematics, random arm, numeric, one solution", ours=ours)
    yield Figure(
        name=f"poses solved, random arm, {count} inside its workspace",
        value=float(solved.mean()),
        goal=0.999,
        at_least=True,
        must_hold=True,
    )
    yield _residual("random arm", chain, X_BF[solved], solutions.q[solved])


def _residual(name: str, chain: SerialChain, X_BF: Array, q: Array) -> Row:
    off = float(np.abs(forward_kinematics(chain, q) - X_BF).max())
    return Figure(
        name=f"pose error of all solutions, {name}", value=off, unit="m, rad", goal=1e-9, must_hold=True
    )


def _apart(q: Array, other: Array) -> Array:
    """Largest difference of a joint, full turns aside."""
    largest: Array = np.abs((q - other + np.pi) % (2 * np.pi) - np.pi).max(axis=-1)
    return largest


def _row(d: float, a: float, alpha: float) -> Array:
    """Fixed transform of a row of a Denavit-Hartenberg table, its joint at zero."""
    c, s = np.cos(alpha), np.sin(alpha)
    return np.array([(1.0, 0.0, 0.0, a), (0.0, c, -s, 0.0), (0.0, s, c, d), (0.0, 0.0, 0.0, 1.0)])


def _random_arm(rng: np.random.Generator) -> SerialChain:
    """An arm without any special geometry, joints limited to 170 degrees."""
    X_joint = np.tile(np.eye(4), (7, 1, 1))
    for X in X_joint:
        Q, R = np.linalg.qr(rng.normal(size=(3, 3)))
        X[:3, :3] = Q * np.sign(np.diag(R))
        X[:3, 0] *= np.linalg.det(X[:3, :3])
        X[:3, 3] = rng.uniform(-0.4, 0.4, 3)
    limit = np.full(6, np.radians(170.0))
    return SerialChain(X_joint=X_joint, q_min=-limit, q_max=limit)
