"""Rows for the inverse kinematics, beside EAIK, and whether it finds what it has to."""

import dataclasses
import time
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from controller.bench.kernels_arm import Array, eaik_arm, random_motions, two_threads
from controller.bench.row import Comparison, Figure, Options, Row, measure
from kinematics import Chain, forward_kinematics, inverse_kinematics

_SAME = 1e-6  # [rad]: near a singularity, rounding of the pose makes more than that of the angles
_RESIDUAL = 1e-9  # [m, rad]
_LOOP = 500
_CHUNK = 50_000


def rows(options: Options) -> Iterator[Row]:
    """A batch and single calls beside EAIK, what a second thread brings, then recovery of random configurations."""
    motions = random_motions(2_000 if options.quick else 10_000, options.seed)
    # EAIK knows no limits: neither does the arm that it is compared with.
    chain = dataclasses.replace(motions.chain, q_min=-np.full(6, np.pi), q_max=np.full(6, np.pi))
    X = forward_kinematics(chain, motions.q)
    count, single = len(X), list(X[:_LOOP])
    theirs_batch = theirs_single = error = None
    if options.peers:
        robot, R = eaik_arm(chain)
        poses = X.copy()
        poses[:, :3, :3] = X[:, :3, :3] @ R.T
        theirs_batch = measure(lambda: robot.IK_batched(poses, 1), items=count, clock=time.process_time)
        theirs_single = measure(
            lambda: deque(map(robot.IK, poses[:_LOOP]), maxlen=0), items=_LOOP, clock=time.process_time
        )
        error = max(
            _distance(inverse_kinematics(chain, X[i]).q, _exact(robot.IK(poses[i]))) for i in range(_LOOP)
        )
    yield Comparison(
        name=f"inverse kinematics, all eight, batch of {count}, one thread",
        ours=measure(lambda: inverse_kinematics(chain, X, threads=1), items=count, clock=time.process_time),
        peer="EAIK IK_batched, one thread" if options.peers else "",
        theirs=theirs_batch,
        goal=80,
        error=error,
        error_limit=_SAME,
        error_unit="rad",
    )
    yield Comparison(
        name="inverse kinematics, all eight, single call from Python",
        ours=measure(
            lambda: deque(map(partial(inverse_kinematics, chain), single), maxlen=0),
            items=_LOOP,
            clock=time.process_time,
        ),
        peer="EAIK IK" if options.peers else "",
        theirs=theirs_single,
        goal=5,
        error=error,
        error_limit=_SAME,
        error_unit="rad",
    )
    yield two_threads("inverse kinematics", lambda n: inverse_kinematics(chain, X, threads=n), count)
    yield from _recovery(
        motions.chain, 20_000 if options.quick else 1_000_000, np.random.default_rng(options.seed)
    )


def _exact(solutions: Any) -> Array:
    """Solutions of EAIK that reach the pose; the others are its nearest, in the sense of least squares."""
    found: Array = np.array(solutions.Q)[~np.array(solutions.is_LS, dtype=bool)]
    return found


def _distance(ours: Array, theirs: Array) -> float:
    """Largest distance of a solution of one from the nearest of the other, full turns aside [rad]."""
    found = ours[~np.isnan(ours[:, 0])]
    apart = np.abs(np.angle(np.exp(1j * (found[:, None] - theirs[None])))).max(axis=2)
    return float(max(apart.min(axis=0).max(), apart.min(axis=1).max()))


def _recovery(chain: Chain, count: int, rng: np.random.Generator) -> Iterator[Figure]:
    """Is every generating configuration among the solutions, and does every solution reach its pose?"""
    recovered, residual = 0, 0.0
    for start in range(0, count, _CHUNK):
        q = rng.uniform(chain.q_min, chain.q_max, (min(_CHUNK, count - start), 6))
        X = forward_kinematics(chain, q)
        solutions = inverse_kinematics(chain, X)
        apart = q[:, None] - solutions.q
        apart -= 2.0 * np.pi * np.rint(apart / (2.0 * np.pi))
        recovered += int((np.abs(apart).max(axis=2) < _SAME).any(axis=1).sum())
        pose, branch = np.nonzero(solutions.valid)
        reached = forward_kinematics(chain, solutions.q[pose, branch])
        residual = max(residual, float(np.abs(reached - X[pose]).max()))
    yield Figure(
        name=f"configurations recovered, {count} random within limits",
        value=100.0 * recovered / count,
        unit="%",
        goal=100.0,
        at_least=True,
        must_hold=True,
    )
    yield Figure(
        name=f"largest residual of their solutions, {count} poses",
        value=residual,
        unit="m, rad",
        goal=_RESIDUAL,
        must_hold=True,
    )
