"""Mixes: cycle time by a second method, bound against CP-SAT, release order, determinism, explanation, repair."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from controller.scheduling.baselines import barrier_cycle, list_cycle
from controller.scheduling.candidate import arc_capacity, build_arcs, build_tables
from controller.scheduling.cell6 import read_instance, read_solution
from controller.scheduling.construct import InfeasibleProblemError
from controller.scheduling.explain import conflict, critical_costs
from controller.scheduling.mix import Mix, easiest_problem, mean_problem
from controller.scheduling.moment import moment
from controller.scheduling.problem import ProblemError
from controller.scheduling.repair import NotRepairable, Repaired, repair
from controller.scheduling.rounds import Rounds
from controller.scheduling.running import JointInWork, Lost, RunningCell
from controller.scheduling.solve import search
from controller.scheduling.solve_mix import level_order, solve_mix
from controller.scheduling.verify_finishing import verify_finishing
from controller.scheduling.verify_mix import verify_mix
from tests.controller.scheduling.cp_sat_oracle import optimal_cycle_time
from tests.controller.scheduling.random_cells import random_cell

CELL6 = Path(__file__).parents[3] / "docs/benchmarks/cell6"


@pytest.fixture(scope="module")
def four():
    mix = read_instance((CELL6 / "c08-four.json").read_text())
    return mix, read_solution((CELL6 / "c08-four.solution.json").read_text(), mix)


def harder(problem, rng):
    """Another kind: the same places, other times."""
    operations = tuple(
        replace(o, modes=tuple(replace(m, inside=m.inside + int(rng.integers(0, 9))) for m in o.modes))
        for o in problem.operations
    )
    return replace(problem, operations=operations)


@pytest.mark.parametrize("with_buffer", [False, True])
def test_bounds_hold_for_small_mixes(with_buffer):
    rng = np.random.default_rng(5)
    solved = 0
    for seed in range(16):
        easy = random_cell(rng, operations=3, with_buffer=with_buffer)
        mix = Mix(problems=(easy, harder(easy, rng)), counts=(2, 1))
        try:
            schedule = solve_mix(mix, rng=np.random.default_rng(seed), iterations=600, patterns=2, attempts=1)
        except InfeasibleProblemError:
            continue
        solved += 1
        assert verify_mix(mix, schedule) == []
        assert schedule.lower_bound == optimal_cycle_time(mean_problem(mix), 400)
        assert optimal_cycle_time(easiest_problem(mix.problems), 400) <= schedule.cycle_time
        if schedule.critical:
            assert sum(cost.ticks for cost in critical_costs(schedule)) == pytest.approx(schedule.cycle_time)
    assert solved > 6


def test_the_same_seed_gives_the_same_round(four):
    mix, _ = four
    one, other = (
        solve_mix(mix, rng=np.random.default_rng(2), iterations=200, patterns=2, attempts=2) for _ in range(2)
    )
    assert one == other
    kept = solve_mix(
        mix,
        rng=np.random.default_rng(2),
        iterations=200,
        patterns=2,
        attempts=1,
        release=(3, 1, 0, 2),
    )
    assert kept.release == (3, 1, 0, 2)
    assert verify_mix(mix, kept) == []


def test_the_length_of_a_round_by_a_second_method(four):
    """All-pairs longest walks: the round's length leaves no circuit of positive weight, a tick less does."""
    mix, _ = four
    tables, release = build_tables(mix.problems), np.array([2, 0, 3, 1])
    for seed in range(5):
        candidate, _ = search(mean_problem(mix), rng=np.random.default_rng(seed), iterations=3_000)
        arcs = np.empty((arc_capacity(tables, 4), 4), np.int64)
        arcs = arcs[: build_arcs(tables, *candidate, release, arcs)]
        ticks = Rounds(mix).ticks(candidate, release)
        assert not has_positive_circuit(arcs, ticks)
        assert has_positive_circuit(arcs, ticks - 1)


def has_positive_circuit(arcs, period):
    nodes = int(arcs[:, :2].max()) + 1
    walk = np.full((nodes, nodes), -np.inf)
    for tail, head, weight, height in arcs.tolist():
        walk[tail, head] = max(walk[tail, head], weight - height * period)
    for via in range(nodes):
        walk = np.maximum(walk, walk[:, via, None] + walk[None, via, :])
    return bool((walk.diagonal() > 0).any())


def test_a_level_order_spreads_every_kind():
    assert level_order((2, 1)) == (0, 1, 0)
    assert level_order((1, 1, 1, 7)).count(3) == 7


def test_a_release_order_of_other_joints_is_refused(four):
    with pytest.raises(ProblemError, match="does not hold"):
        solve_mix(four[0], rng=np.random.default_rng(0), release=(0, 0, 1, 2))
    with pytest.raises(ProblemError, match="kind 1 differs from kind 0 in its dial"):
        Mix(problems=(four[0].problems[0], replace(four[0].problems[1], positions=9)), counts=(1, 1))


def test_plain_ways_are_slower(four):
    mix, schedule = four
    release = np.array(schedule.release)
    assert barrier_cycle(mix, release, np.random.default_rng(0)) > schedule.cycle_time / 0.7
    assert list_cycle(mix, release, np.random.default_rng(0)) > schedule.cycle_time / 0.85


def test_the_smallest_conflict_is_the_test_that_takes_too_long(four):
    found = conflict(four[0].problems[0], 19_000)
    assert (found.operations, found.rules) == (("170",), ())
    test = next(o for o in four[0].problems[0].operations if o.name == "170")
    over = min(mode.inside for mode in test.modes) + four[0].problems[0].index_ticks - 19_000
    assert found.relaxations == (
        f"let '170' take {over} ticks less in the nest",
        f"let a cycle take {19_000 + over} ticks, {over} more",
        f"let '170' be done elsewhere than at {sorted({(m.arm, m.position) for m in test.modes})} (arm, position)",
    )
    assert conflict(four[0].problems[0], 40_000) is None


def test_what_would_end_a_conflict_does_and_a_tick_less_does_not():
    """The cycle time that is named, against CP-SAT on the whole problem."""
    rng, seen = np.random.default_rng(8), 0
    for _ in range(30):
        problem = random_cell(rng, operations=3, with_buffer=False)
        least = optimal_cycle_time(problem, 400)
        if least is None:
            continue
        found = conflict(problem, least - 1)
        assert found is not None
        # What is left runs in no shorter cycle, by the conflict, and in that of the whole, being part of it.
        assert f"let a cycle take {least} ticks, 1 more" in found.relaxations
        assert conflict(problem, least) is None
        seen += 1
    assert seen > 10


def test_repairs_keep_every_rule(four):
    mix, schedule = four
    rng, seen = np.random.default_rng(3), set()
    losses = [Lost(arm=arm) for arm in range(6)] + [Lost(buffer="bench"), Lost(position=4), Lost(kind=3)]
    for number, lost in enumerate(losses):
        state = moment(mix, schedule, int(rng.integers(schedule.round_ticks)))
        found = repair(mix, state, lost, np.random.default_rng(number))
        assert verify_finishing(mix, state, lost, found.finishing) == []
        seen.add(type(found))
        if isinstance(found, Repaired):
            assert verify_mix(found.mix, found.steady) == []
            assert all(item.mode.arm != lost.arm or lost.arm is None for item in found.steady.operations[0])
        else:
            assert "can only be done by arms" in found.reason
    assert seen == {Repaired, NotRepairable}


def test_states_that_contradict_themselves_are_refused(four):
    mix, _ = four
    poses = (0,) * 6
    joint = JointInWork(kind=0, position=0, done=frozenset({"30"}))
    with pytest.raises(ProblemError, match="has done '30' but not '10'"):
        repair(mix, RunningCell(joints=(joint,), arm_poses=poses), Lost(arm=1), np.random.default_rng(0))
    with pytest.raises(ProblemError, match=r"lost arm 6: must lie in 0\.\.5"):
        repair(mix, RunningCell(joints=(), arm_poses=poses), Lost(arm=6), np.random.default_rng(0))
