"""Compiled and interpreted kernels compute the same; the compiled ones in vector registers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kinematics import (
    Scene,
    SweepSet,
    clearance,
    forward_kinematics,
    inverse_dynamics,
    inverse_kinematics,
    jacobian,
    numeric_inverse,
    path_speeds,
    plan_path,
    rest_to_rest_duration,
    rest_to_rest_profiles,
    stopping,
    straight_line,
    sweep,
    sweep_box_distance,
    through,
)
from kinematics.bodies import Boxes
from tests.kinematics.arms import ARMS
from tests.kinematics.bodies import placed_body, pose
from tests.kinematics.samples import INTERPRETED
from tests.reference.parallel_arms import ur
from tests.reference.serial_arms import random_chain

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(INTERPRETED, reason="compares with the interpreted run")


def results():
    """Something of everything, as arrays."""
    found = []
    for chain, limits in ARMS.values():
        q = np.random.default_rng(40).uniform(0.6 * chain.q_min, 0.6 * chain.q_max, (10, 6))
        X = forward_kinematics(chain, q)
        move = through(q[:4], limits)
        bodies = placed_body(chain, np.eye(4), [[0, 6]]), placed_body(chain, pose(1.2, 0, 0, 1.0))
        A, B = (sweep(body, move, 0.3) for body in bodies)
        box = Boxes(X_WO=pose(1.5, 0.5, 0.5, 0.3)[None], half=np.full((1, 3), 0.1))
        X_end = X[0].copy()
        X_end[2, 3] -= 0.01
        line = straight_line(chain, limits, X[0], X_end, q[0], 0.1, 1.0)
        stops = [stopping(move, limits, at=0.3 * move.duration, abort=hard).turned for hard in (False, True)]
        bounds = [
            *SweepSet((A, B)).distance([0], [1], 9.0),
            sweep_box_distance(A, box),
            *rest_to_rest_duration(q, q[0], limits),
        ]
        scene = Scene(bodies=bodies, boxes=box)
        found.append(clearance(scene, np.stack([q, q[::-1]], axis=1)))
        found.append(plan_path(scene, q[:2], q[5], np.random.default_rng(1), iterations=5, resolution=0.1).q)
        solutions = inverse_kinematics(chain, X).q
        numeric = numeric_inverse(chain.serial(), X[:2], np.random.default_rng(41)).q
        s = np.linspace(0.0, 1.0, 6)
        speeds = [
            path_speeds(s, 1.0 + q[:n, None] * s[:, None], np.repeat(q[:n, None], 6, axis=1), limits).squared
            for n in (1, 5)
        ]
        parallel = ur("UR5e")
        branches = inverse_kinematics(parallel, forward_kinematics(parallel, q)).q
        found += [numeric, *speeds, branches, rest_to_rest_profiles(q, q[0], limits).jerk]
        serial = random_chain(np.random.default_rng(41))
        found += [
            forward_kinematics(serial, q),
            jacobian(serial, q),
            inverse_dynamics(serial, q, 0.5 * q, -q),
        ]
        found += at_singularities_and_limits(chain) + at_singularities_and_limits(parallel)
        found += [X, jacobian(chain, q), solutions, move.t, move.q, move.qd, line.t, line.q, np.array(bounds)]
        found += stops
    return found


def at_singularities_and_limits(chain):
    """What is reached there, and what is said of it: angles themselves are free in a singularity."""
    q = np.tile(np.array([0.4, -0.7, 0.9, 0.3, 0.0, 0.2]), (4, 1))
    q[:, 4] = np.array([0.0, 1e-12, 1e-8, 1e-4])
    q = np.concatenate([q, 0.5 * q[:1], [chain.q_min, chain.q_max, chain.q_min + 1e-10, chain.q_max + 1e-10]])
    solutions = inverse_kinematics(chain, forward_kinematics(chain, q))
    reached = forward_kinematics(chain, np.nan_to_num(solutions.q).reshape(-1, 6)).reshape(-1, 8, 4, 4)
    reached[~solutions.valid] = np.nan
    return [reached, solutions.failure]


def test_compiled_and_interpreted_results_are_equal(tmp_path):
    program = "import sys, numpy as np; from tests.kinematics.test_compiled import results; "
    program += "np.savez(sys.argv[1], *results())"
    file = tmp_path / "interpreted.npz"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", program, str(file)], cwd=ROOT, env=environment, check=True)
    with np.load(file) as interpreted:
        for compiled, name in zip(results(), interpreted.files, strict=True):
            np.testing.assert_allclose(compiled, interpreted[name], atol=2e-9, rtol=1e-9)


def test_lane_loops_are_vectorised():
    program = """
import numpy as np
from kinematics import dynamics, forward, inverse
from kinematics import forward_kinematics, inverse_kinematics, jacobian, link_frames
from tests.kinematics.arms import ARMS
chain = ARMS["GP7"][0]
X = forward_kinematics(chain, np.zeros((8, 6)))
jacobian(chain, np.zeros(6)), link_frames(chain, np.zeros(6)), inverse_kinematics(chain, X)
from tests.kinematics.test_dynamics import CHAIN
dynamics.gravity_torques(CHAIN, np.zeros(6))
for k in (forward._opw, inverse._inverse, dynamics._torques):
    print(k.__name__, k.inspect_asm(k.signatures[0]))
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert len(re.findall(r"v(?:mul|fmadd)\w*pd|fmul\s+v|mulpd", run.stdout)) > 400
    assert not re.findall(r"movabsq\s+\$(?:sin|cos|atan2|fmod|floor|rint)\b", run.stdout)
