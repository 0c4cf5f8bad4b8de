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
from controller.motion.visit import START, Leg, Zone

Stretch = tuple[str, Zone, tuple[Leg, ...]]
"""Name, zone and legs; the name is that of the first leg, or "core" for the work in a nest."""

_PASSING = frozenset({"approach", "fetch", "carry", "dip", "dispense", "bring", "enter", "leave", "retreat"})


def stretches(legs: Sequence[Leg]) -> list[Stretch]:
    """The legs of a visit as stretches."""
    named = [(leg.name if leg.name in _PASSING else "core", leg.zone) for leg in legs]
    runs = groupby(range(len(legs)), key=lambda k: named[k])
    return [(*key, tuple(legs[k] for k in members)) for key, members in runs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """When the stretches of every operation begin and end.

    Attributes:
        times_s: By operation the beginnings of its stretches for the first joint, and the end of the last one [s].
    """

    times_s: Mapping[str, tuple[float, ...]]

    def times(self, unrolled: Unrolled, cycle_s: float) -> NDArray[np.float64]:
        """(n,) times of nodes [s], those of stations zero; legs of a stretch share its time in proportion."""
        found = np.zeros(len(unrolled.nodes))
        for chain in unrolled.chains.values():
            visits = groupby(chain, key=lambda node: (unrolled.nodes[node].operation, unrolled.nodes[node].joint))
            for (operation, joint), members in visits:
                ids = list(members)
                begin = (*self.times_s[operation], self.times_s[operation][-1])  # a retreat more than was known
                if unrolled.nodes[ids[0]].label == START:  # where the arm stands at the very beginning
                    found[ids[0]] = begin[0] + joint * cycle_s
                    ids = ids[1:]
                legs = [unrolled.nodes[node].leg for node in ids]
                runs = stretches([leg for leg in legs if leg is not None])
                node = iter(ids)
                for k, (_, _, run) in enumerate(runs):
                    whole = sum(leg.duration_s for leg in run)
                    done = 0.0
                    for leg in run:
                        share = done / whole if whole > 0.0 else 0.0
                        found[next(node)] = begin[k] + share * (begin[k + 1] - begin[k]) + joint * cycle_s
                        done += leg.duration_s
        return found
