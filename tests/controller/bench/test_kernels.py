import numpy as np
import pytest

from controller.bench import kernels_arm, kernels_inverse, kernels_motion
from controller.bench.row import Comparison, Options


@pytest.mark.parametrize("suite", [kernels_motion, kernels_inverse])
def test_rows_agree_with_their_checks_without_peers(suite):
    rows = list(suite.rows(Options(peers=False, quick=True, seed=1)))
    assert len(rows) >= 5
    assert not any(row.wrong for row in rows)
    assert len({row.name for row in rows}) == len(rows)


def test_rows_beside_pinocchio_agree_with_it():
    rows = list(kernels_motion.rows(Options(peers=True, quick=True, seed=2)))
    assert not any(row.wrong for row in rows)
    beside = [row for row in rows if isinstance(row, Comparison) and row.error is not None]
    assert len(beside) == 4
    assert all(row.theirs is not None for row in beside)


def test_sets_of_solutions_are_compared_both_ways_and_turns_aside():
    q = np.arange(12.0).reshape(2, 6)
    nothing = np.full((1, 6), np.nan)
    assert kernels_inverse._distance(np.vstack([q, nothing]), q + 2 * np.pi) == pytest.approx(0.0, abs=1e-12)
    assert kernels_inverse._distance(q[:1], q) > 0.1
    assert kernels_inverse._distance(q, q[:1]) > 0.1


def test_a_random_arm_is_physical():
    arm = kernels_arm.random_arm(np.random.default_rng(3))
    assert (np.linalg.eigvalsh(arm.bodies.inertia) > 0).all()
