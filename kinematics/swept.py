"""How near swept volumes come to each other and to boxes, for many pairs at a time.

From coarse to fine: boxes around all samples of a capsule, around runs of samples, around single samples,
and at last the exact distance of two capsules.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinematics.arrays import Array, indices
from kinematics.bodies import Boxes
from kinematics.clearance import capsule_to_box, capsule_to_capsule, row6, span_of, spans_apart
from kinematics.jit import inlined, kernel
from kinematics.scene import Ints
from kinematics.sweep import RUN, Sweep


class Packed(NamedTuple):
    """Sweeps as kernels take them, one after the other in flat arrays."""

    capsules: Array  # (.., 7) rows of a sweep: sample by sample, capsule by capsule
    spans: Array  # (.., 6) likewise for its runs, then for all samples together
    around: Array  # (n, 6) boxes around everything
    where: Ints  # (n, 4) by sweep: first row of capsules, of spans, number of samples, of capsules


class SweepSet:
    """Swept volumes, numbered in the order they were added, to be compared in pairs."""

    def __init__(self, sweeps: tuple[Sweep, ...] = ()) -> None:
        """Start with some sweeps."""
        self._times: list[Array] = []
        self._packed = Packed(
            np.empty((0, 7)), np.empty((0, 6)), np.empty((0, 6)), np.empty((0, 4), dtype=np.int64)
        )
        self._used = [0, 0, 0, 0]
        for one in sweeps:
            self.add(one)

    def __len__(self) -> int:
        """Number of sweeps."""
        return len(self._times)

    def add(self, one: Sweep) -> int:
        """Add a sweep; its number."""
        where = np.array([[self._used[0], self._used[1], *one.capsules.shape[:2]]])
        low, high = one.spans[-1, :, :3].min(axis=0), one.spans[-1, :, 3:].max(axis=0)
        around = np.concatenate([low, high])[None]
        capsules, spans, around, where = (
            self._appended(array, k, new)
            for k, (array, new) in enumerate(
                zip(
                    self._packed,
                    (one.capsules.reshape(-1, 7), one.spans.reshape(-1, 6), around, where),
                    strict=True,
                )
            )
        )
        self._packed = Packed(capsules, spans, around, where)
        self._times.append(one.t)
        return len(self._times) - 1

    def _appended(self, array: NDArray[Any], k: int, new: NDArray[Any]) -> NDArray[Any]:
        """Array k with rows appended, in twice the room where it has become too small."""
        end = self._used[k] + len(new)
        if end > len(array):
            grown = np.empty((2 * end, array.shape[1]), dtype=array.dtype)
            grown[: self._used[k]] = array[: self._used[k]]
            array = grown
        array[self._used[k] : end] = new
        self._used[k] = end
        return array

    def distance(self, ones: ArrayLike, twos: ArrayLike, enough: float) -> Array:
        """Lower bounds of the distances between any state of the one and any state of the other of each pair.

        Args:
            ones: (n,) numbers of sweeps.
            twos: (n,) numbers of sweeps.
            enough: Distance above which it does not matter how far apart they are [m].

        Returns:
            (n,) smallest distances of the inflated capsules [m], at most `enough`. Where one is negative they
            meet, and the search has ended at a contact.

        Raises:
            KinematicsError: If the numbers are not those of sweeps, or not equally many.
        """
        return self._smallest(self._pairs(ones, twos), enough, 0.0)

    def near(self, ones: ArrayLike, twos: ArrayLike, clearance: float) -> NDArray[np.bool_]:
        """Whether any state of the one might come nearer than the clearance [m] to any of the other, (n,)."""
        near: NDArray[np.bool_] = self._smallest(self._pairs(ones, twos), clearance, clearance) < clearance
        return near

    def first_conflict(self, one: int, two: int, clearance: float) -> tuple[float, float] | None:
        """When the one might first come nearer than the clearance to any state of the other.

        Returns:
            The time of the one [s], up to which it is clear of the whole other motion, and the first time of
            the other at which it might be in the way then; None if the two never come so near.
        """
        pair = self._pairs([one], [two])
        times = []
        for column in (2, 3):
            # Smallest number of samples of this motion that is enough for a conflict.
            low, high = 0, int(pair[0, column])
            while low < high:
                pair[0, column] = (low + high) // 2
                if self._smallest(pair, clearance, clearance)[0] < clearance:
                    high = int(pair[0, column])
                else:
                    low = int(pair[0, column]) + 1
            pair[0, column] = high
            if self._smallest(pair, clearance, clearance)[0] >= clearance:
                return None
            # A sample stands for what happens from the one before to the one after it.
            times.append(float(self._times[one if column == 2 else two][max(high - 2, 0)]))
        return times[0], times[1]

    def _pairs(self, ones: ArrayLike, twos: ArrayLike) -> Ints:
        """Rows (n, 4): two sweeps and how many of their samples count, which is all of them."""
        first, second = (
            indices(name, value, (None,), len(self)) for name, value in (("ones", ones), ("twos", twos))
        )
        samples = self._packed.where[:, 2]
        return np.stack([first, second, samples[first], samples[second]], axis=1)

    def _smallest(self, pairs: Ints, enough: float, stop: float) -> Array:
        smallest = np.empty(len(pairs))
        _sweep_pairs(self._packed, pairs, enough, stop, smallest)
        return smallest


def sweep_box_distance(A: Sweep, boxes: Boxes, enough: float = np.inf) -> float:
    """Lower bound of the distance between any state of A and any box [m].

    Args:
        A: A swept volume.
        boxes: The boxes.
        enough: Distance above which it does not matter how far apart they are [m].

    Returns:
        The smallest distance of the inflated capsules [m], at most `enough`. If it is negative they meet, and
        the search has ended at the first contact found.
    """
    return float(_sweep_boxes(A.capsules, A.spans, boxes.rows, boxes.corners, enough))


@inlined
def nearer(one: Array, two: Array, best: float) -> float:
    """The distance of two placed capsules [m] if it is less than the best so far, otherwise that."""
    thick = one[6] + two[6]
    if spans_apart(span_of(row6(one), one[6]), span_of(row6(two), two[6])) > best:
        return best
    gap = capsule_to_capsule(row6(one), row6(two)) - thick
    return gap if gap < best else best


@kernel
def _sweep_pairs(packed: Packed, pairs: Ints, enough: float, stop: float, smallest: Array) -> None:
    """Smallest distances below `enough` of pairs (n, 4); each ends below `stop`. Does not allocate."""
    capsules, spans, around, where = packed
    for p in range(len(pairs)):
        best = enough
        one, two, until_one, until_two = where[pairs[p, 0]], where[pairs[p, 1]], pairs[p, 2], pairs[p, 3]
        bodies_one, bodies_two = one[3], two[3]
        runs_one, runs_two = (one[2] + RUN - 1) // RUN, (two[2] + RUN - 1) // RUN
        if spans_apart(row6(around[pairs[p, 0]]), row6(around[pairs[p, 1]])) > best:
            bodies_one = 0
        for j in range(bodies_one):
            all_j = row6(spans[one[1] + runs_one * bodies_one + j])
            for k in range(bodies_two):
                if best < stop or spans_apart(all_j, row6(spans[two[1] + runs_two * bodies_two + k])) > best:
                    continue
                all_k = row6(spans[two[1] + runs_two * bodies_two + k])
                for run in range((until_one + RUN - 1) // RUN):
                    run_j = row6(spans[one[1] + run * bodies_one + j])
                    if spans_apart(run_j, all_k) > best:
                        continue
                    for other in range((until_two + RUN - 1) // RUN):
                        if (
                            best < stop
                            or spans_apart(run_j, row6(spans[two[1] + other * bodies_two + k])) > best
                        ):
                            continue
                        for s in range(run * RUN, min(until_one, (run + 1) * RUN)):
                            row = capsules[one[0] + s * bodies_one + j]
                            for r in range(other * RUN, min(until_two, (other + 1) * RUN)):
                                best = nearer(row, capsules[two[0] + r * bodies_two + k], best)
        smallest[p] = best


@kernel
def _sweep_boxes(capsules: Array, spans: Array, boxes: Array, corners: Array, enough: float) -> float:
    """Smallest distance of a sweep from boxes (k, 15) below `enough`; ends below zero. Does not allocate."""
    best = enough
    for k in range(len(boxes)):
        corner = row6(corners[k])
        for j in range(capsules.shape[1]):
            if spans_apart(row6(spans[-1, j]), corner) > best:
                continue
            for run in range(len(spans) - 1):
                if spans_apart(row6(spans[run, j]), corner) > best:
                    continue
                for s in range(run * RUN, min(len(capsules), (run + 1) * RUN)):
                    row = capsules[s, j]
                    gap = capsule_to_box(row6(row), boxes[k]) - row[6]
                    best = gap if gap < best else best
                if best < 0.0:
                    return best
    return best
