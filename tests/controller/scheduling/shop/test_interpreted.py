"""The kernels on small shops: the run without the compiler covers every line of them."""

import numpy as np

from controller.scheduling.shop import solve, verify
from tests.controller.scheduling.shop.brute_force import best_makespan
from tests.controller.scheduling.shop.random_shops import random_shop


def test_few_iterations_find_the_best_of_tiny_shops():
    rng = np.random.default_rng(8)
    for features in ([], ["flexible", "assembly"], ["blocking", "setup", "flexible"], ["several", "due"]):
        problem = random_shop(rng, 5, frozenset(features))
        solution = solve(problem, iterations=2000)
        assert verify(problem, solution.schedule) == []
        assert solution.schedule.makespan == best_makespan(problem)


def test_few_iterations_improve_larger_shops():
    for number, features in enumerate(([], ["flexible", "assembly"])):
        problem = random_shop(np.random.default_rng(9 + number), 60, frozenset(features))
        assert problem.is_plain
        makespans = [solve(problem, iterations=iterations).schedule.makespan for iterations in (1, 3000)]
        assert makespans[1] < makespans[0]
