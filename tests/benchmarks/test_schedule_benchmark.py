"""How good and how fast the search is on the reference cell. Run: `pytest -m slow -s tests/benchmarks`."""

import time

import numpy as np
import pytest

from controller.scheduling.annealing import anneal
from controller.scheduling.candidate import arc_capacity, build_tables
from controller.scheduling.construct import construct
from controller.scheduling.moves import DRAWS
from controller.scheduling.solve import solve
from controller.scheduling.verify import verify
from tests.controller.scheduling.reference_cell import reference_problem


@pytest.mark.slow
def test_gap_over_seeds():
    problem = reference_problem()
    solve(problem, rng=np.random.default_rng(0), iterations=10)
    found = []
    for seed in range(10):
        begin = time.perf_counter()
        schedule = solve(problem, rng=np.random.default_rng(seed))
        found.append((schedule.cycle_time, time.perf_counter() - begin))
        assert verify(problem, schedule) == []
        assert schedule.cycle_time <= 25_500
    times, seconds = zip(*found, strict=True)
    gap = np.median(times) / schedule.lower_bound - 1
    print(f"\ncycle time over {len(times)} seeds: median {np.median(times):.0f}, most {max(times)} ms")
    print(f"bound {schedule.lower_bound} ms, median gap {gap:.1%}, median {np.median(seconds):.2f} s")


@pytest.mark.slow
def test_evaluations_per_second():
    problem = reference_problem()
    tables, rng = build_tables([problem]), np.random.default_rng(0)
    arcs, rates = np.empty((arc_capacity(tables), 4), np.int64), []
    for steps in (10, 100_000, 100_000, 100_000):
        state = construct(problem, rng)
        times = np.array([10**6, 10**6], np.int64)
        draws, slack = rng.integers(0, 2**31, (steps, DRAWS)), np.full(steps, 400, np.int64)
        begin = time.perf_counter()
        evaluated = anneal(
            tables,
            draws,
            slack,
            0,
            state,
            state.copy(),
            np.zeros(1, np.int64),
            np.zeros(1, np.int64),
            times,
            arcs,
        )
        rates.append(evaluated / (time.perf_counter() - begin))
    print(
        f"\nevaluations per second, one thread: median {np.median(rates[1:]):.0f}, least {min(rates[1:]):.0f}"
    )
