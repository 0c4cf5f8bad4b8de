import numpy as np
import pytest

from controller.scheduling import InfeasibleProblemError
from controller.scheduling.shop import lower_bound, solve, verify
from controller.scheduling.shop.exact import prove
from tests.controller.scheduling.shop.brute_force import best_makespan
from tests.controller.scheduling.shop.random_shops import FEATURES, random_shop

MIXES = [frozenset(), *(frozenset([feature]) for feature in FEATURES), frozenset(FEATURES)]
EVERY_MIX = pytest.mark.parametrize("features", MIXES, ids=lambda mix: "+".join(sorted(mix)) or "plain")


def found(problem, iterations):
    """The makespan found, or None."""
    try:
        solution = solve(problem, seed=1, iterations=iterations)
    except InfeasibleProblemError:
        return None
    assert verify(problem, solution.schedule) == []
    return solution.schedule.makespan


@EVERY_MIX
def test_finds_what_brute_force_finds(features):
    rng = np.random.default_rng(3)
    for _ in range(12):
        problem = random_shop(rng, 5, features)
        best = best_makespan(problem)
        assert found(problem, 20_000) == best
        proved = prove(problem, seconds=20)
        assert (proved and proved.makespan) == best
        if best is not None:
            assert proved.optimal
            assert lower_bound(problem) <= best


@EVERY_MIX
def test_finds_what_cp_sat_finds(features):
    rng = np.random.default_rng(4)
    for size in (10, 16):
        problem = random_shop(rng, size, features)
        proved = prove(problem, seconds=4)
        makespan = found(problem, 100_000)
        if proved is None:
            assert makespan is None
        else:
            assert lower_bound(problem) <= proved.lower_bound <= makespan <= proved.makespan
