"""Solve a mix: patterns for the mean joint, a proof for it, then pattern and release order together.

The mean joint (`mean_problem`) is cheap to search and its optimum, found with proof, bounds the mix. Good patterns for
it are good patterns for the mix; what is left to find is a release order in which slow joints do not meet.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from controller.scheduling.annealing import anneal
from controller.scheduling.candidate import arc_capacity, build_arcs, build_tables
from controller.scheduling.critical import critical_waits
from controller.scheduling.cycle_ratio import DeadlockError, earliest_starts, max_cycle_ratio
from controller.scheduling.exact import BUDGET, prove
from controller.scheduling.mix import Mix, mean_problem
from controller.scheduling.mix_schedule import MixSchedule
from controller.scheduling.moves import CHOICE, DRAWS, ORDER, WINDOW, Int64Array
from controller.scheduling.problem import ProblemError
from controller.scheduling.schedule import ScheduledOperation
from controller.scheduling.solve import search

_PATTERNS = 12
_PATTERN_ITERATIONS = 40_000
_STEPS_AT_ONCE = 500
# Accepted growth of a round, as a share of it, falls geometrically from the first to the second.
_HOT, _COLD = 0.004, 0.0002


def level_order(counts: Sequence[int]) -> tuple[int, ...]:
    """Kinds in an order in which each is spread over the round as evenly as it goes, as in a level mix."""
    due = sorted(((k + 0.5) / count, kind) for kind, count in enumerate(counts) for k in range(count))
    return tuple(kind for _, kind in due)


def solve_mix(
    mix: Mix,
    *,
    rng: np.random.Generator,
    iterations: int = 20_000,
    release: Sequence[int] | None = None,
    budget: int = BUDGET,
    progress: Callable[[int, float], None] | None = None,
) -> MixSchedule:
    """Find one schedule for all joints, and the order in which they enter, with a short round.

    Args:
        mix: Kinds and their numbers.
        rng: All randomness; the same state gives the same schedule.
        iterations: Moves tried on whole rounds, after those on the mean joint.
        release: Kinds in a release order that must be kept; by default the order is searched as well.
        budget: Steps of the proof, see `prove`.
        progress: Called now and then with the moves tried so far and the best cycle time in ticks.

    Returns:
        The best round found, with a proven bound.

    Raises:
        InfeasibleProblemError: Nothing fits; the message names the operations in each other's way.
        ProblemError: `release` does not hold the joints of the mix.
    """
    order = np.array(level_order(mix.counts) if release is None else release, np.int64)
    if tuple(np.bincount(order, minlength=len(mix.problems)).tolist()) != mix.counts:
        raise ProblemError(f"release {tuple(order.tolist())} does not hold {mix.counts} joints of each kind")
    mean = mean_problem(mix)
    patterns = {}
    for _ in range(_PATTERNS):
        candidate, ticks = search(mean, rng=rng, iterations=_PATTERN_ITERATIONS)
        patterns.setdefault(candidate.tobytes(), (ticks, candidate))
    proof = prove(mean, known=min(ticks for ticks, _ in patterns.values()), budget=budget)
    starts = [candidate for _, candidate in patterns.values()]
    if proof.candidate is not None:
        starts.append(proof.candidate)
    search_round = _Rounds(mix, proof.lower_bound)
    rounds = []
    for candidate in starts:
        try:
            rounds.append((search_round.ticks(candidate, order), len(rounds), candidate))
        except DeadlockError:
            continue  # a mix may deadlock where the mean joint does not: an item may rest too long
    ticks, _, best = min(rounds)
    best, order = search_round.improve(best, order, ticks, iterations, rng, release is None, progress)
    return search_round.schedule(best, order)


class _Rounds:
    """The constraint graphs of whole rounds."""

    def __init__(self, mix: Mix, bound: int) -> None:
        self._mix, self._bound = mix, bound
        self._tables = build_tables(mix.problems)
        self._scratch = np.empty((arc_capacity(self._tables, mix.joints), 4), np.int64)
        self._nodes = mix.joints * (len(mix.problems[0].operations) + 1)

    def _arcs(self, candidate: Int64Array, order: Int64Array) -> Int64Array:
        count = build_arcs(
            self._tables, candidate[CHOICE], candidate[ORDER], candidate[WINDOW], order, self._scratch
        )
        return self._scratch[:count]

    def ticks(self, candidate: Int64Array, order: Int64Array) -> int:
        """Ticks of a round."""
        return math.ceil(max_cycle_ratio(self._nodes, self._arcs(candidate, order)).value)

    def improve(
        self,
        candidate: Int64Array,
        order: Int64Array,
        ticks: int,
        iterations: int,
        rng: np.random.Generator,
        any_order: bool,
        progress: Callable[[int, float], None] | None,
    ) -> tuple[Int64Array, Int64Array]:
        """Anneal pattern and release order."""
        joints, bound = self._mix.joints, self._bound * self._mix.joints
        state, best = candidate.copy(), candidate.copy()
        order, best_order = order.copy(), order.copy()
        times = np.full(2, ticks, np.int64)
        for done in range(0, iterations, _STEPS_AT_ONCE):
            steps = np.arange(done, min(done + _STEPS_AT_ONCE, iterations))
            temperature = times[1] * _HOT * (_COLD / _HOT) ** (steps / iterations)
            slack = (temperature * rng.standard_exponential(len(steps))).astype(np.int64)
            draws = rng.integers(0, 2**31, (len(steps), DRAWS))
            if not any_order:
                draws[:, 0] |= 1  # only even ones exchange joints
            anneal(self._tables, draws, slack, bound, state, best, order, best_order, times, self._scratch)
            if progress is not None:
                progress(int(steps[-1]) + 1, times[1] / joints)
        return best, best_order

    def schedule(self, candidate: Int64Array, order: Int64Array) -> MixSchedule:
        """Earliest times of a candidate at its least whole round."""
        mix, joints = self._mix, len(order)
        arcs = self._arcs(candidate, order)
        ratio = max_cycle_ratio(self._nodes, arcs)
        ticks = math.ceil(ratio.value)
        n = len(mix.problems[0].operations)
        starts = earliest_starts(self._nodes, arcs, ticks).reshape(joints, n + 1)
        starts -= starts[0, n]
        rows = candidate[CHOICE] - self._tables.first[:-1]

        def operation(joint: int, v: int) -> ScheduledOperation:
            mode = mix.problems[order[joint]].operations[v].modes[rows[v]]
            copy, cycle = divmod(joint + int(candidate[WINDOW, v]), joints)
            enter = int(starts[cycle, v]) + copy * ticks
            return ScheduledOperation(
                operation=mix.problems[0].operations[v].name,
                mode=mode,
                window=int(candidate[WINDOW, v]),
                start=enter - mode.before,
                enter=enter,
                leave=enter + mode.inside,
                end=enter + mode.inside + mode.after,
            )

        return MixSchedule(
            release=tuple(order.tolist()),
            round_ticks=ticks,
            lower_bound=self._bound,
            indices=tuple(int(start) for start in starts[:, n]),
            operations=tuple(
                tuple(operation(joint, v) for v in range(n)) for joint in range(joints)
            ),
            critical=critical_waits(mix, candidate, order, arcs[list(ratio.arcs)]),
        )
