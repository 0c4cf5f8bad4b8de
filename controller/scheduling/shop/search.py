"""Search with a set of elite solutions, on any number of threads, with the same result for each.

Improvement runs are numbered. A run's parents are chosen from the elite set as it is when all runs up to a fixed
distance before it have been added, in the order of their numbers: who finishes first on the clock changes nothing.
When many runs in a row have brought nothing new, the elite set has become too much alike and a new one is begun.
(Path relinking with tabu search: Peng, Lü, Cheng, Computers & Operations Research 53, 2015.)
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from controller.scheduling.shop.elite import Candidate, Elite
from controller.scheduling.shop.graph import Int64Array

UNDER_WAY = 8  # runs that may be unfinished when a new one begins; more threads than that stay idle
_APART = 0.1  # least distance of elite solutions
_BARREN = 6  # times the size of the elite set: so many runs without a new member end it
_PATIENCE_S = 0.05  # between looks at the clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a search found and what it took."""

    best: Candidate
    iterations: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """One finished run."""

    candidate: Candidate
    iterations: int
    cpu_seconds: float
    epoch: int


class Core(Protocol):
    """What knows how solutions, orders and modes of operations, are made and made better; called on any thread."""

    target: int  # makespan that is good enough: it ends the search

    def start(self, rng: np.random.Generator) -> tuple[Int64Array, Int64Array]:
        """A first solution."""
        ...

    def child(self, a: Candidate, b: Candidate, rng: np.random.Generator) -> tuple[Int64Array, Int64Array]:
        """A solution between two."""
        ...

    def improve(
        self, order: Int64Array, mode: Int64Array, iterations: int, seed: int, stop: Int64Array
    ) -> tuple[Candidate, int]:
        """A solution made better in place, and the iterations that took; ends soon when stop[0] is set."""
        ...


def search(
    core: Core,
    *,
    elite_size: int,
    run_length: int,
    seed: int,
    threads: int,
    seconds: float | None,
    iterations: int | None,
    progress: Callable[[int, int, float], None] | None,
    cancel: threading.Event | None,
) -> Result:
    """Improve starts, then solutions between two elite ones, until time or iterations are used up.

    Args:
        core: Makes solutions.
        elite_size: Solutions kept.
        run_length: Iterations of one run.
        seed: Of everything random.
        threads: Runs done at a time.
        seconds: Time limit, or None; the time for compiling kernels at the first call does not count.
        iterations: Limit for the iterations of all runs, or None; without a time limit the result depends on nothing
            else.
        progress: Called after each run with the best makespan, the iterations and the seconds so far.
        cancel: Ends the search soon when it is set.

    Returns:
        The best solution found, which is at least a first one, improved until the stop.
    """
    _compile(core, seed)
    begin = time.perf_counter()
    deadline = None if seconds is None else begin + seconds
    stop = np.zeros(1, np.int64)
    elite = Elite(size=elite_size, apart=_APART)
    running: deque[Future[Improvement]] = deque()
    given = number = done = epoch = begun = barren = 0
    best: Candidate | None = None
    cpu = 0.0

    def enough() -> bool:
        late = deadline is not None and time.perf_counter() >= deadline
        return late or (cancel is not None and cancel.is_set())

    def job(number: int, epoch: int, length: int, parents: tuple[Candidate, Candidate] | None) -> Improvement:
        before = time.thread_time()
        rng = np.random.default_rng([seed, number])
        if parents is not None:
            order, mode = core.child(*parents, rng)
        else:
            order, mode = core.start(rng)
        candidate, steps = core.improve(order, mode, length, int(rng.integers(1, 2**32)), stop)
        return Improvement(
            candidate=candidate, iterations=steps, cpu_seconds=time.thread_time() - before, epoch=epoch
        )

    with ThreadPoolExecutor(min(threads, UNDER_WAY)) as pool:
        try:
            while True:
                more = iterations is None or given < iterations
                if more and stop[0] == 0 and len(running) < UNDER_WAY:
                    length = run_length if iterations is None else min(run_length, iterations - given)
                    parents = _parents(elite, number, seed) if begun >= elite_size else None
                    running.append(pool.submit(job, number, epoch, length, parents))
                    given += length
                    number += 1
                    begun += 1
                    continue
                if not running:
                    break
                while not wait([running[0]], _PATIENCE_S).done and stop[0] == 0:
                    stop[0] = enough()
                finished = running.popleft().result()
                if best is None or finished.candidate.value < best.value:
                    best = finished.candidate
                if finished.epoch == epoch:
                    barren = 0 if elite.add(finished.candidate) else barren + 1
                if barren == _BARREN * elite_size:
                    elite, epoch, begun, barren = Elite(size=elite_size, apart=_APART), epoch + 1, 0, 0
                done += finished.iterations
                cpu += finished.cpu_seconds
                if progress is not None:
                    progress(best.makespan, done, time.perf_counter() - begin)
                if best.value <= (0, core.target):
                    break  # what else is under way counts for nothing: how far it got depends on the clock
                if enough():
                    stop[0] = 1
        finally:
            stop[0] = 1
            for future in running:
                future.cancel()
    assert best is not None
    return Result(best=best, iterations=done, seconds=time.perf_counter() - begin, cpu_seconds=cpu)


def _compile(core: Core, seed: int) -> None:
    order, mode = core.start(np.random.default_rng(seed))
    core.improve(order, mode, 1, 1, np.zeros(1, np.int64))


def _parents(elite: Elite, number: int, seed: int) -> tuple[Candidate, Candidate] | None:
    """Two different elite solutions, if there are as many."""
    if len(elite.members) < 2:
        return None
    a, b = np.random.default_rng([seed, number, 1]).choice(len(elite.members), 2, replace=False)
    return elite.members[a], elite.members[b]
