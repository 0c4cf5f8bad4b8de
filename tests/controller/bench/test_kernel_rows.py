"""The benchmarks of motion and of inverse kinematics run, and what must hold does."""

import pytest

from controller.bench import kernels_any_arm, kernels_trajectories
from controller.bench.row import Comparison, Options


@pytest.mark.parametrize("suite", [kernels_any_arm, kernels_trajectories])
def test_rows_without_peers(suite):
    found = list(suite.rows(Options(peers=False, quick=True, seed=3)))
    assert len(found) >= 5
    assert not any(row.wrong for row in found)
    assert all(row.theirs is None for row in found if isinstance(row, Comparison))
