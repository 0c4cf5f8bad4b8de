"""Solve a shop: the core that fits it, a lower bound, and a schedule that has passed `verify`."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from controller.scheduling.construct import InfeasibleProblemError
from controller.scheduling.shop.annealing import anneal
from controller.scheduling.shop.bound import lower_bound
from controller.scheduling.shop.elite import Candidate, between
from controller.scheduling.shop.explain import date_conflict
from controller.scheduling.shop.graph import Int64Array
from controller.scheduling.shop.problem import ShopProblem
from controller.scheduling.shop.replay import replay
from controller.scheduling.shop.schedule import ScheduledOperation, ShopSchedule
from controller.scheduling.shop.search import search
from controller.scheduling.shop.start import dispatch, one_by_one
from controller.scheduling.shop.tables import NEVER, any_shop, plain_shop
from controller.scheduling.shop.tabu import Limits, tabu_search
from controller.scheduling.shop.verify import verify

_ELITE = 10
_STARTS_TRIED = 200
_TABU_RUN, _LONGEST_TABU_RUN = 100, 12_500  # iterations for each operation, and at most
_ANNEALING_RUN = 50_000
MOST_ITERATIONS = 2**40

Progress = Callable[[int, int, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSolution:
    """A schedule and how it was found.

    Attributes:
        schedule: Verified, with a lower bound.
        iterations: Moves made.
        seconds: Wall time.
        cpu_seconds: Time that all threads together spent searching.
    """

    schedule: ShopSchedule
    iterations: int
    seconds: float
    cpu_seconds: float


def solve(
    problem: ShopProblem,
    *,
    seed: int = 0,
    threads: int = 1,
    seconds: float | None = None,
    iterations: int | None = None,
    target: int | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> ShopSolution:
    """Find a schedule with a short makespan.

    With a limit of iterations the schedule depends on problem, seed and that limit alone, not on the number of threads;
    with a limit of seconds also on how many iterations fit.

    Args:
        problem: What has to be done.
        seed: Of everything random.
        threads: Number of threads that search.
        seconds: Time limit.
        iterations: Limit for the number of moves; one of the two limits is needed.
        target: A makespan that is good enough; the lower bound always is.
        progress: Called now and then with the best makespan, the iterations and the seconds so far.
        cancel: When set, the search ends soon with the best found so far.

    Returns:
        The best schedule found.

    Raises:
        InfeasibleProblemError: Work and due dates contradict each other, as the message shows; or no schedule was found
            that meets them and gets through without blocking.
    """
    if seconds is None and iterations is None:
        raise ValueError("seconds and iterations are both None: one of them must limit the search")
    few = iterations is not None and not 1 <= iterations <= MOST_ITERATIONS
    if threads < 1 or seed < 0 or few or (seconds or 0.0) < 0.0:
        raise ValueError(
            f"threads = {threads}, seed = {seed}, iterations = {iterations}, seconds = {seconds}: must be at least 1, "
            f"at least 0, in 1..{MOST_ITERATIONS}, at least 0"
        )
    conflict = date_conflict(problem)
    if conflict is not None:
        raise InfeasibleProblemError(f"no schedule meets all due dates: {conflict}")
    bound = lower_bound(problem)
    core = _Core(problem, max(bound, target or 0))
    result = search(
        core,
        elite_size=_ELITE,
        run_length=core.run_length,
        seed=seed,
        threads=threads,
        seconds=seconds,
        iterations=iterations,
        progress=progress,
        cancel=cancel,
    )
    schedule = _schedule(problem, result.best, bound)
    violations = verify(problem, schedule)
    if result.best.late:
        told = "; ".join(str(violation) for violation in violations[:5])
        raise InfeasibleProblemError(f"no schedule was found that meets all due dates. In the best: {told}")
    if violations:
        raise AssertionError(f"the search broke a rule: {violations[0]}")
    return ShopSolution(
        schedule=schedule,
        iterations=result.iterations,
        seconds=result.seconds,
        cpu_seconds=result.cpu_seconds,
    )


class _Core:
    """Starts, children and improvement of solutions: tabu search for a plain shop, annealing for any other."""

    def __init__(self, problem: ShopProblem, target: int) -> None:
        self.target = target
        self._shop, self._resources = any_shop(problem), len(problem.resources)
        self._plain = plain_shop(self._shop) if problem.is_plain else None
        self._first = np.array(problem.firsts)
        n = len(problem.operations)
        self.run_length = min(_TABU_RUN * n, _LONGEST_TABU_RUN) if problem.is_plain else _ANNEALING_RUN

    def start(self, rng: np.random.Generator) -> tuple[Int64Array, Int64Array]:
        """A first solution in which nothing stays blocked."""
        if self._plain is not None:
            return dispatch(self._shop, self._resources, rng)
        for _ in range(_STARTS_TRIED):
            order, mode = one_by_one(self._shop, self._first, rng)
            if self._replay(order, mode).makespan < NEVER:
                return order, mode
        raise InfeasibleProblemError(
            f"in each of {_STARTS_TRIED} ways to do one job after the other some job blocks itself: "
            "it holds a resource that it needs again before it can let go of it"
        )

    def child(self, a: Candidate, b: Candidate, rng: np.random.Generator) -> tuple[Int64Array, Int64Array]:
        """A solution between two, or the better of them when what lies between stays blocked."""
        order, mode = between(a, b, float(rng.uniform(0.3, 0.7)), rng)
        if self._plain is None and self._replay(order, mode).makespan == NEVER:
            better = min(a, b, key=lambda candidate: candidate.value)
            return better.order.copy(), better.mode.copy()
        return order, mode

    def improve(
        self, order: Int64Array, mode: Int64Array, iterations: int, seed: int, stop: Int64Array
    ) -> tuple[Candidate, int]:
        """The solution made better in place, and the iterations done."""
        if self._plain is not None:
            limits = Limits(iterations=iterations, target=self.target, seed=seed)
            done = tabu_search(self._plain, self._resources, order, mode, limits, stop)
        else:
            numbers = np.array([iterations, self.target, seed])
            *_, done = anneal(self._shop, self._resources, order, mode, numbers, stop)
        return self._replay(order, mode), done

    def _replay(self, order: Int64Array, mode: Int64Array) -> Candidate:
        start = np.empty(len(order), np.int64)
        makespan, late, _ = replay(self._shop, order, mode, start, np.empty((3, self._resources), np.int64))
        resource = self._shop.use[self._shop.use_from[mode], 0]
        by_resource = order[np.argsort(resource[order], kind="stable")]
        _, first, count = np.unique(resource[by_resource], return_index=True, return_counts=True)
        turn = np.empty_like(order)
        turn[by_resource] = np.arange(len(order)) - np.repeat(first, count)
        return Candidate(late=late, makespan=makespan, order=order, mode=mode, start=start, turn=turn)


def _schedule(problem: ShopProblem, best: Candidate, bound: int) -> ShopSchedule:
    owner = [(j, k) for j, job in enumerate(problem.jobs) for k in range(len(job.operations))]
    first_mode = np.concatenate([[0], np.cumsum([len(o.modes) for o in problem.operations])])
    items = []
    for v in best.order[np.argsort(best.start[best.order], kind="stable")].tolist():
        job, operation = owner[v]
        mode, start = int(best.mode[v] - first_mode[v]), int(best.start[v])
        duration = problem.jobs[job].operations[operation].modes[mode].duration
        items.append(
            ScheduledOperation(job=job, operation=operation, mode=mode, start=start, end=start + duration)
        )
    return ShopSchedule(operations=tuple(items), makespan=best.makespan, lower_bound=bound)
