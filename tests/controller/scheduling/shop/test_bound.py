from itertools import product

import numpy as np

from controller.scheduling.shop import Job, Mode, Operation, Resource, ShopProblem, Use, chain, lower_bound
from controller.scheduling.shop.bound import preemptive_makespan


def test_one_resource_against_all_preemptive_schedules():
    """Tick by tick, some operation that is ready works: the best of all such choices."""
    rng = np.random.default_rng(5)
    for _ in range(60):
        work = [tuple(map(int, rng.integers((0, 1, 0), (4, 3, 6)))) for _ in range(3)]
        best = min(filter(None, (tick_by_tick(work, choice) for choice in product(range(3), repeat=7))))
        assert preemptive_makespan(work) == best


def tick_by_tick(work, choice):
    """The makespan when these work tick after tick, idling where the choice is not ready; None if some stay undone."""
    left, latest = [duration for _, duration, _ in work], 0
    for time, k in enumerate(choice):
        if left[k] and time >= work[k][0]:
            left[k] -= 1
            if not left[k]:
                latest = max(latest, time + 1 + work[k][2])
    return None if any(left) else latest


def flexible(durations, machines, per_job=1):
    modes = [
        Operation(modes=tuple(Mode(duration=d, uses=(Use(resource=k),)) for k in machines)) for d in durations
    ]
    jobs = tuple(
        Job(
            name=str(i),
            operations=tuple(modes[i : i + per_job]),
            precedence=chain(len(modes[i : i + per_job])),
        )
        for i in range(0, len(modes), per_job)
    )
    return ShopProblem(resources=tuple(Resource(name=str(k)) for k in range(3)), jobs=jobs)


def test_a_set_of_machines_shares_its_work():
    assert lower_bound(flexible([5] * 7, machines=(0, 2))) == 18  # 35 / 2, rounded up
    assert (
        lower_bound(flexible([5, 6, 7], machines=(0, 1, 2), per_job=3)) == 18
    )  # one job, one after the other


def test_least_setup_times_count_between_operations_only():
    use = Use(resource=0)
    job = [
        Job(name=str(k), operations=(Operation(modes=(Mode(duration=10, uses=(use,)),)),), precedence=())
        for k in range(3)
    ]
    assert lower_bound(ShopProblem(resources=(Resource(name="arm", setup=((4,),)),), jobs=tuple(job))) == 38
