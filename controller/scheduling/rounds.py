"""Rounds of a mix: their exact length, their improvement by annealing, their schedule."""

import math
from collections.abc import Callable

import numpy as np

from controller.scheduling.annealing import anneal
from controller.scheduling.candidate import arc_capacity, build_arcs, build_tables
from controller.scheduling.critical import critical_waits
from controller.scheduling.cycle_ratio import earliest_starts, max_cycle_ratio
from controller.scheduling.mix import Mix
from controller.scheduling.mix_schedule import MixSchedule
from controller.scheduling.moves import CHOICE, DRAWS, ORDER, WINDOW, Int64Array
from controller.scheduling.schedule import ScheduledOperation

_STEPS_AT_ONCE = 500
# Accepted growth of a round, as a share of it, falls geometrically from the first to the second.
_HOT, _COLD = 0.004, 0.0002


class Rounds:
    """The constraint graphs of whole rounds of a mix."""

    def __init__(self, mix: Mix, bound: int = 0) -> None:
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
        """Ticks of a round of a candidate (3, n) with a release order (joints,).

        Raises:
            DeadlockError: The candidate cannot run.
        """
        return math.ceil(max_cycle_ratio(self._nodes, self._arcs(candidate, order)).value)

    def improve(
        self,
        candidate: Int64Array,
        order: Int64Array,
        ticks: int,
        iterations: int,
        rng: np.random.Generator,
        any_order: bool,
        tell: Callable[[int, int], bool],
    ) -> tuple[int, Int64Array, Int64Array]:
        """Anneal pattern and release order; the ticks of the best round, and both.

        `tell` hears now and then of the moves tried and the ticks of the best round; the search goes on while it is true.
        """
        bound = self._bound * self._mix.joints
        state, best = candidate.copy(), candidate.copy()
        order, best_order = order.copy(), order.copy()
        times = np.full(2, ticks, np.int64)
        for done in range(0, iterations, _STEPS_AT_ONCE):
            if not tell(done, int(times[1])):
                break
            steps = np.arange(done, min(done + _STEPS_AT_ONCE, iterations))
            temperature = times[1] * _HOT * (_COLD / _HOT) ** (steps / iterations)
            slack = (temperature * rng.standard_exponential(len(steps))).astype(np.int64)
            draws = rng.integers(0, 2**31, (len(steps), DRAWS))
            if not any_order:
                draws[:, 0] |= 1  # only even ones exchange joints
            anneal(self._tables, draws, slack, bound, state, best, order, best_order, times, self._scratch)
        return int(times[1]), best, best_order

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
            operations=tuple(tuple(operation(joint, v) for v in range(n)) for joint in range(joints)),
            critical=critical_waits(mix, candidate, order, arcs[list(ratio.arcs)]),
        )
