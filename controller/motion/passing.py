"""The times of a repeating cycle in whose order arms pass each other.

They are known by stretch: a run of legs of one visit between two places where an arm may have to wait. Only their order
matters, so legs that take longer or shorter than on average change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from controller.motion.unroll import Unrolled
from controller.motion.visit import RETREAT, START, Leg, Zone

Stretch = tuple[str, Zone, tuple[Leg, ...]]
"""Name, zone and legs; the name is that of the first leg, or "core" for the work in a nest."""

_PASSING = frozenset({"approach", "fetch", "carry", "dip", "dispense", "bring", "enter", "leave", RETREAT})


def stretches(legs: Sequence[Leg]) -> list[Stretch]:
    """The legs of a visit as stretches."""
    named = [(leg.name if leg.name in _PASSING else "core", leg.zone) for leg in legs]
    runs = groupby(range(len(legs)), key=lambda k: named[k])
    return [(*key, tuple(legs[k] for k in members)) for key, members in runs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """When the stretches of every operation begin.

    Attributes:
        begins: By operation the names of its stretches with their times for the joint at place 0 [s]; an empty name with
            the end of the last one closes the row.
    """

    begins: Mapping[str, tuple[tuple[str, float], ...]]

    def times(self, unrolled: Unrolled, cycle_s: float) -> NDArray[np.float64]:
        """(n,) times of nodes [s], those of stations zero; legs of a stretch share its time in proportion."""
        found = np.zeros(len(unrolled.nodes))
        nodes = unrolled.nodes
        for chain in unrolled.chains.values():
            visits = groupby(chain, key=lambda node: (nodes[node].operation, nodes[node].joint))
            for (operation, joint), members in visits:
                ids = [node for node in members if nodes[node].label != START]
                if operation:
                    found[ids] = self._visit(operation, [nodes[node].leg for node in ids])
                    found[ids] += joint * cycle_s
            standing = [node for node in chain if nodes[node].label == START]
            found[standing] = min((found[node] for node in chain if node not in standing), default=0.0) - 1.0
        return found

    def _visit(self, operation: str, legs: Sequence[Leg | None]) -> list[float]:
        """Times of the last legs of a visit, of all that are left."""
        runs = stretches([leg for leg in legs if leg is not None])
        begins = self.begins[operation]
        if runs[-1][0] == RETREAT and begins[-2][0] != RETREAT:  # at the beginning and the end of an order
            begins = (*begins[:-1], (RETREAT, begins[-1][1]), begins[-1])
        times = []
        for k, (_, _, run) in enumerate(runs, len(begins) - 1 - len(runs)):
            begin, end = begins[k][1], begins[k + 1][1]
            whole, done = sum(leg.duration_s for leg in run), 0.0
            for leg in run:
                times.append(begin + (end - begin) * (done / whole if whole > 0.0 else 0.0))
                done += leg.duration_s
        return times
