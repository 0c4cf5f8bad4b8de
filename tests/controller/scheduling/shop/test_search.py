import threading
import time

import numpy as np
import pytest

from controller.scheduling import InfeasibleProblemError
from controller.scheduling.shop import Job, Mode, Operation, Resource, ShopProblem, Use, chain, solve
from controller.scheduling.shop.elite import Candidate, Elite, between
from tests.controller.scheduling.shop.random_shops import FEATURES, random_shop

SHOPS = {
    "plain": random_shop(np.random.default_rng(1), 40, frozenset()),
    "flexible assembly": random_shop(
        np.random.default_rng(2), 40, frozenset(["flexible", "assembly", "release"])
    ),
    "everything": random_shop(np.random.default_rng(3), 20, frozenset(FEATURES) - {"due"}),
}
# None of them is solved by its bound, so every search uses up its iterations.
ITERATIONS = {"plain": 60_000, "flexible assembly": 60_000, "everything": 120_000}


@pytest.mark.parametrize("name", SHOPS)
def test_same_seed_same_schedule_on_any_number_of_threads(name):
    first, *others = (
        solve(SHOPS[name], seed=7, iterations=ITERATIONS[name], threads=threads) for threads in (1, 1, 2, 3)
    )
    for other in others:
        assert other.schedule == first.schedule
        assert other.iterations == first.iterations


def test_another_seed_searches_elsewhere():
    schedules = {solve(SHOPS["everything"], seed=seed, iterations=2000).schedule for seed in range(4)}
    assert len(schedules) > 1


def test_time_limit_and_progress():
    told = []
    problem = SHOPS["everything"]
    solution = solve(problem, seconds=0.3, progress=lambda *news: told.append(news))
    best = [makespan for makespan, _, _ in told]
    assert best == sorted(best, reverse=True)
    assert best[-1] == solution.schedule.makespan
    assert told[-1][1] == solution.iterations
    assert solution.cpu_seconds > 0.0


def test_cancelling_keeps_the_best_so_far():
    cancel, problem = threading.Event(), SHOPS["everything"]
    begin = time.perf_counter()
    solution = solve(problem, seconds=100.0, cancel=cancel, progress=lambda *_: cancel.set())
    assert time.perf_counter() - begin < 50.0
    assert solution.schedule.makespan >= solution.schedule.lower_bound


def test_an_error_in_the_progress_ends_the_threads():
    def fail(*_):
        raise RuntimeError("enough")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="enough"):
        solve(SHOPS["plain"], seconds=100.0, threads=2, progress=fail)
    assert threading.active_count() == before


def test_wrong_arguments():
    with pytest.raises(ValueError, match="one of them must limit"):
        solve(SHOPS["plain"])
    for wrong in ({"threads": 0}, {"seed": -1}, {"iterations": 0}, {"seconds": -1.0}):
        with pytest.raises(ValueError, match="must be at least 1"):
            solve(SHOPS["plain"], **{"seconds": 1.0, **wrong})


def operation(*uses, duration=10):
    return Operation(modes=(Mode(duration=duration, uses=uses),))


def test_a_missed_due_date_is_named():
    jobs = tuple(
        Job(name=name, operations=(operation(Use(resource=0)),), precedence=(), due=15)
        for name in ("knee", "hip")
    )
    with pytest.raises(
        InfeasibleProblemError, match="operation 0 of 'knee' and operation 0 of 'hip' take 20 ticks on arm"
    ):
        solve(ShopProblem(resources=(Resource(name="arm"),), jobs=jobs), iterations=100)


def test_a_job_that_blocks_itself_is_refused():
    holds, again = operation(Use(resource=0, hold=True)), operation(Use(resource=0))
    job = Job(
        name="knee",
        operations=(holds, again, operation(Use(resource=1))),
        precedence=((0, 2), (1, 2)),
    )
    problem = ShopProblem(resources=(Resource(name="nest"), Resource(name="arm")), jobs=(job,))
    assert solve(problem, iterations=100).schedule.makespan == 30  # the other one first
    twice = Job(
        name="hip", operations=(holds, holds, operation(Use(resource=1))), precedence=((0, 2), (1, 2))
    )
    with pytest.raises(InfeasibleProblemError, match="some job blocks itself"):
        solve(ShopProblem(resources=problem.resources, jobs=(twice,)), iterations=100)


def test_between_keeps_what_both_agree_on():
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = (
            Candidate(
                late=0,
                makespan=9,
                order=rng.permutation(12),
                mode=rng.integers(0, 3, 12),
                start=np.zeros(12),
                turn=np.arange(12),
            )
            for _ in range(2)
        )
        order, mode = between(a, b, float(rng.random()), rng)
        places = [np.argsort(solution) for solution in (a.order, b.order, order)]
        for v in range(12):
            assert mode[v] in (a.mode[v], b.mode[v])
            for w in range(12):
                if places[0][v] < places[0][w] and places[1][v] < places[1][w]:
                    assert places[2][v] < places[2][w]


def at(makespan, place):
    """A solution of two operations that stands at a place on a line."""
    return Candidate(
        late=0,
        makespan=makespan,
        order=np.arange(2),
        mode=np.zeros(2),
        start=np.zeros(2),
        turn=np.full(2, place),
    )


def test_elite_keeps_the_best_and_nothing_near_them():
    elite = Elite(size=2, apart=2.0)
    tried = ((9, 10), (9, 10), (9, 11), (8, 11), (7, 20), (9, 30), (8, 30), (6, 30), (6, 30))
    taken = [elite.add(at(*shape)) for shape in tried]
    # a twin, a neighbour that is no better, a better neighbour; far ones only when better than the worst
    assert taken == [True, False, False, True, True, False, False, True, False]
    assert [(member.makespan, member.turn[0]) for member in elite.members] == [(6, 30), (7, 20)]


def test_elite_stays_apart_whatever_comes():
    rng, elite, best = np.random.default_rng(0), Elite(size=5, apart=3.0), 99
    for _ in range(400):
        makespan, place = (int(number) for number in rng.integers(0, 50, 2))
        best = min(best, makespan)
        elite.add(at(makespan, place))
        assert len(elite.members) <= 5
        assert elite.members[0].makespan == best
        for i, one in enumerate(elite.members):
            assert all(one.distance(other) >= 3.0 for other in elite.members[:i])


def test_another_mode_is_a_distance_too():
    a, b = at(9, 1), at(9, 1)
    assert a.distance(b) == 0.0
    b.mode[0] = 1
    assert a.distance(b) == b.distance(a) == 0.5


def test_chain_of_one_job_is_its_length():
    job = Job(name="knee", operations=(operation(Use(resource=0)),) * 4, precedence=chain(4), release=6)
    solution = solve(ShopProblem(resources=(Resource(name="arm"),), jobs=(job,)), iterations=10)
    assert solution.schedule.makespan == solution.schedule.lower_bound == 46
    assert solution.schedule.optimal
    assert solution.schedule.gap == 0.0
