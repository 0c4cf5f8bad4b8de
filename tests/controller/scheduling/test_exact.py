"""The proof against CP-SAT, which knows neither the allocations nor the orders of this search."""

import numpy as np
import pytest

from controller.scheduling.exact import prove
from tests.controller.scheduling.cp_sat_oracle import optimal_cycle_time
from tests.controller.scheduling.random_cells import random_cell

HORIZON = 300


@pytest.mark.parametrize("with_buffer", [False, True])
def test_proof_meets_the_optimum_of_small_cells(with_buffer):
    rng = np.random.default_rng(11)
    infeasible = 0
    for _ in range(60):
        problem = random_cell(rng, operations=int(rng.integers(2, 6)), with_buffer=with_buffer)
        optimum = optimal_cycle_time(problem, HORIZON)
        proof = prove(problem, horizon=HORIZON)
        assert proof.cycle_time == optimum
        if optimum is None:
            infeasible += 1
            assert proof.lower_bound > HORIZON
        else:
            assert proof.lower_bound == optimum
    assert infeasible > 0
