import numpy as np
import pytest

from controller.scheduling.bound import lower_bound
from controller.scheduling.construct import InfeasibleProblemError
from controller.scheduling.problem import OFF_DIAL, Buffer, Mode, Operation, SchedulingProblem
from controller.scheduling.solve import solve
from controller.scheduling.verify import verify
from tests.controller.scheduling.cp_sat_oracle import optimal_cycle_time
from tests.controller.scheduling.random_cells import random_cell
from tests.controller.scheduling.reference_cell import reference_problem

HORIZON = 300
# All of a thousand other cells came out optimal; a heuristic promises nothing, so one in twenty may miss.
LEAST_SHARE_OPTIMAL = 0.95


@pytest.mark.parametrize("with_buffer", [False, True])
def test_small_cells_reach_the_optimum_and_respect_the_bound(with_buffer):
    rng = np.random.default_rng(7)
    optimal = feasible = infeasible = 0
    for seed in range(60):
        problem = random_cell(rng, operations=int(rng.integers(2, 6)), with_buffer=with_buffer)
        optimum = optimal_cycle_time(problem, HORIZON)
        if optimum is None:
            infeasible += 1
            with pytest.raises(InfeasibleProblemError):
                solve(problem, rng=np.random.default_rng(seed), iterations=8_000)
            continue
        schedule = solve(problem, rng=np.random.default_rng(seed), iterations=8_000)
        assert verify(problem, schedule) == []
        assert schedule.lower_bound == lower_bound(problem) <= optimum <= schedule.cycle_time
        feasible += 1
        optimal += schedule.cycle_time == optimum
    assert optimal >= LEAST_SHARE_OPTIMAL * feasible
    assert infeasible > 0


def test_same_seed_gives_the_same_schedule():
    problem = reference_problem()
    one, other = (solve(problem, rng=np.random.default_rng(3), iterations=5_000) for _ in range(2))
    assert one == other
    assert verify(problem, one) == []


def test_reference_cell_comes_under_its_goal():
    problem = reference_problem()
    schedule = solve(problem, rng=np.random.default_rng(1))
    assert verify(problem, schedule) == []
    assert schedule.cycle_time <= 25_500
    assert schedule.lower_bound > 23_500


def test_more_iterations_never_hurt_what_is_reported():
    seen = []
    solve(
        reference_problem(),
        rng=np.random.default_rng(2),
        iterations=90_000,
        restarts=2,
        progress=lambda tried, best: seen.append((tried, best)),
    )
    assert [tried for tried, _ in seen] == [20_000, 40_000, 45_000, 65_000, 85_000, 90_000]
    assert [best for _, best in seen] == sorted((best for _, best in seen), reverse=True)


def test_pinned_operations_stay_where_they_are_put():
    problem = reference_problem()
    schedule = solve(
        problem, rng=np.random.default_rng(4), iterations=20_000, allocation={"leads": (2, 4), "cap": (4, 6)}
    )
    assert (schedule["leads"].mode.arm, schedule["leads"].mode.position) == (2, 4)
    assert (schedule["cap"].mode.arm, schedule["cap"].mode.position) == (4, 6)
    assert verify(problem, schedule) == []


def test_impossible_pins_are_named():
    problem = reference_problem()
    with pytest.raises(InfeasibleProblemError, match=r"'test' has no mode for \(arm, position\) \(0, 7\)"):
        solve(problem, rng=np.random.default_rng(0), allocation={"test": (0, 7)})
    with pytest.raises(InfeasibleProblemError, match="'paint': there is no such operation"):
        solve(problem, rng=np.random.default_rng(0), allocation={"paint": (0, 0)})


def cell(*operations, precedence=()):
    return SchedulingProblem(
        positions=3,
        index_ticks=3,
        operations=operations,
        travel=np.ones((1, 1, 1), np.int64),
        precedence=precedence,
    )


def at(name, *positions):
    return Operation(name=name, modes=tuple(Mode(arm=0, position=p, inside=5) for p in positions))


def test_precedence_against_the_dial_names_the_pair():
    problem = cell(at("a", 1, 2), at("b", 0, 1, 2), at("c", 0), precedence=(("a", "b"), ("b", "c")))
    with pytest.raises(
        InfeasibleProblemError,
        match=r"'a' must precede 'b', which must be done at dial position 0 or before, but .* at \[1, 2\]",
    ):
        solve(problem, rng=np.random.default_rng(0))


def test_one_operation_takes_its_own_round():
    # 5 inside + 1 of travel are shorter than 5 inside + 3 of index.
    schedule = solve(cell(at("a", 1)), rng=np.random.default_rng(0))
    assert (schedule.cycle_time, schedule.lower_bound, schedule.gap) == (8, 8, 0.0)
    assert schedule["a"].window == 1
    with pytest.raises(KeyError, match="no operation 'b'"):
        schedule["b"]
    assert (schedule["a"].enter, schedule["a"].leave) == (11, 16)


def test_nonsense_budget_is_refused():
    with pytest.raises(ValueError, match="restarts = 0: must be at least"):
        solve(cell(at("a", 1)), rng=np.random.default_rng(0), restarts=0)


def test_item_that_would_rest_too_long_in_its_buffer_names_the_circuit():
    def load(name):
        return Operation(name=name, modes=(Mode(arm=0, position=OFF_DIAL, inside=2),))

    # One load belongs before position 0, the other behind position 2: two items would be in the bench.
    problem = SchedulingProblem(
        positions=3,
        index_ticks=3,
        operations=(load("one"), load("two"), at("early", 0), at("late", 2), at("take", 2)),
        travel=np.ones((1, 1, 1), np.int64),
        precedence=(("one", "early"), ("late", "two")),
        buffers=(Buffer(name="bench", loads=("one", "two"), process=1, unload="take", unload_offset=0),),
    )
    assert optimal_cycle_time(problem, HORIZON) is None
    with pytest.raises(
        InfeasibleProblemError, match=r"none of 20 starts can run; in the last, deadlock: .*one"
    ):
        solve(problem, rng=np.random.default_rng(0))
