"""Conflicts of dates: what is shown is true by brute force, smallest, and ends by what is said to end it."""

from dataclasses import replace

import numpy as np
import pytest

from controller.scheduling import InfeasibleProblemError
from controller.scheduling.shop import (
    Job,
    Mode,
    Operation,
    Resource,
    ShopProblem,
    Use,
    chain,
    date_conflict,
    solve,
)
from tests.controller.scheduling.shop.brute_force import best_makespan
from tests.controller.scheduling.shop.random_shops import FEATURES, random_shop


def job(name, durations, *, resources=(0,), due=None, release=0):
    """A chain of operations that can each be done on any of the resources."""
    operations = tuple(
        Operation(modes=tuple(Mode(duration=ticks, uses=(Use(resource=r),)) for r in resources))
        for ticks in durations
    )
    return Job(name=name, operations=operations, precedence=chain(len(durations)), due=due, release=release)


def shop(*jobs):
    return ShopProblem(resources=(Resource(name="arm A"), Resource(name="arm B")), jobs=jobs)


def test_a_job_longer_than_its_dates():
    found = date_conflict(shop(job("knee", (10, 20), due=35, release=7), job("hip", (5,), due=90)))
    assert found.operations == ((0, 0),)
    assert found.window == (7, 15)
    ways = [(way.ticks, way.what) for way in found.relaxations]
    assert ways == [
        (2, "let 'knee' be due at 37, later"),
        (2, "release 'knee' at 5, earlier"),
        (2, "shorten operation 0 of 'knee'"),
    ]


def test_two_jobs_on_one_arm_and_the_words_for_it():
    problem = shop(job("knee", (10,), due=15), job("hip", (10,), due=17), job("elbow", (10,), due=90))
    with pytest.raises(InfeasibleProblemError) as error:
        solve(problem, iterations=10)
    assert str(error.value) == (
        "no schedule meets all due dates: operation 0 of 'knee' and operation 0 of 'hip' take 20 ticks on arm A, "
        "and must lie between 0 and 17. Cheapest way out: let 'hip' be due at 20, later by 3 ticks"
    )


def test_a_choice_of_arms_is_counted_together():
    both = [job(name, (10,), resources=(0, 1), due=15) for name in "abcd"]
    found = date_conflict(shop(*both))
    assert found.operations == ((0, 0), (1, 0), (2, 0), (3, 0))
    assert found.resources == (0, 1)
    assert found.work == 40
    assert date_conflict(shop(*both[:3])) is None  # true by area, though no schedule has it
    with pytest.raises(InfeasibleProblemError, match="no schedule was found that meets all due dates"):
        solve(shop(*both[:3]), iterations=1000)


@pytest.mark.parametrize("features", [frozenset(["due"]), frozenset(FEATURES)], ids=["due", "everything"])
def test_what_is_shown_is_true(features):
    rng, shown = np.random.default_rng(2), 0
    for _ in range(150):
        problem = random_shop(rng, 5, features)
        tight = replace(
            problem,
            jobs=tuple(replace(j, due=j.release + int(rng.integers(6, 30))) for j in problem.jobs),
        )
        found = date_conflict(tight)
        if found is None:
            continue
        shown += 1
        assert best_makespan(tight) is None
        others = list(found.operations)
        room = (found.window[1] - found.window[0]) * (1 if len(others) == 1 else len(found.resources))
        least = [
            min(mode.duration for mode in tight.jobs[j].operations[k].modes) for j, k in found.operations
        ]
        assert sum(least) == found.work > room
        assert len(others) == 1 or all(found.work - ticks <= room for ticks in least)
        assert [way.ticks for way in found.relaxations] == sorted(way.ticks for way in found.relaxations)
    assert shown > 20


def test_the_cheapest_way_out_ends_the_conflict():
    rng, ended = np.random.default_rng(6), 0
    for _ in range(60):
        problem = shop(
            *(job(str(k), (int(rng.integers(4, 12)),), due=int(rng.integers(12, 30))) for k in range(4))
        )
        found = date_conflict(problem)
        if found is None:
            continue
        for way in found.relaxations:
            if not way.what.startswith("let"):
                continue
            name = way.what.split("'")[1]
            for ticks in (way.ticks - 1, way.ticks):
                jobs = tuple(
                    replace(j, due=j.due + ticks) if j.name == name else j
                    for j in problem.jobs
                    if (int(j.name), 0) in found.operations
                )
                assert (date_conflict(replace(problem, jobs=jobs)) is None) == (ticks == way.ticks)
            ended += 1
    assert ended > 20
