"""One allocation of operations to arms and positions as events, waits and choices of a repeating cycle.

Events are the beginnings of stretches, of tests and of the dial's index. What is left open: the order in which an arm makes
its visits and where it draws back (a *variant* of the arm), and the choices of `tightening`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cells.recipe import Pick
from cells.recipe import Place as Put
from controller.coordination.stretches import Place, Stretches
from controller.motion.visit import Zone
from controller.scheduling.allocation import Allocation
from controller.scheduling.problem import NO_ARM, OFF_DIAL, SchedulingProblem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Variants(NamedTuple):
    """Ways in which arms go round, one after the other, padded to the longest.

    Attributes:
        begin: (arms + 1,) row of each arm's first variant.
        visits: (arms,) number of visits of each arm.
        order: (v, longest) numbers of the visits in order.
        back: (v, longest) 1 where the arm draws back after the visit at that place.
        first_s: (v, longest) duration of the way to the visit [s].
        first_id: (v, longest) its stretch.
    """

    begin: Ints
    visits: Ints
    order: Ints
    back: Ints
    first_s: Floats
    first_id: Ints


class Pattern(NamedTuple):
    """An allocation as arrays for kernels.

    Attributes:
        node: (visits + 1,) first node of each visit; the last one of each is its retreat.
        duration: (n,) of every node but the first ones of visits [s].
        stretch: (n,) numbers of stretches, likewise.
        waits: (m, 4) tail, head, weight [s], height of waits that hold whatever is chosen.
        choices: (k, 8) tail and head of both waits, their weights, their heights.
    """

    node: Ints
    duration: Floats
    stretch: Ints
    waits: Floats
    choices: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A pattern with its variants and what its numbers mean."""

    pattern: Pattern
    variants: Variants
    places: tuple[Place, ...]  # of the visits
    tests: tuple[Place, ...]  # nodes after those of the visits; the index is the last node
    inside: dict[str, tuple[int, int]]  # by operation its first and last node in the nest
    named: dict[tuple[str, str], int]  # by operation and name of a stretch the first such node

    def buffered(self, problem: SchedulingProblem, steps: tuple[int, ...]) -> "Case":
        """With the waits and choices of buffers, each load so many cycles after the one before it."""
        durations = self.pattern.duration
        waits, choices = [], []
        ahead = iter(steps)
        for buffer in problem.buffers:
            # A load goes before the taking of a later cycle, which goes before the next load.
            carry, fetch = self.named[buffer.unload, "carry"], self.named[buffer.unload, "fetch"]
            apart = 0
            for one, two in pairwise(buffer.loads):
                height = next(ahead)
                tail = self.inside[one][1]
                waits.append((tail, self.inside[two][0], durations[tail], height))
                apart += height
            last, first = self.inside[buffer.loads[-1]][1], self.inside[buffer.loads[0]][0]
            weights = durations[last] + buffer.process / 1000, durations[carry]
            choices.append((last, fetch, carry, first, *weights, 0, apart))
        return replace(
            self,
            pattern=self.pattern._replace(
                waits=np.vstack([self.pattern.waits, np.array(waits).reshape(-1, 4)]),
                choices=np.vstack([self.pattern.choices, np.array(choices).reshape(-1, 8)]),
            ),
        )


def case(
    problem: SchedulingProblem, allocation: Allocation, stretches: Stretches, limit_s: float
) -> Case | None:
    """The pattern of an allocation with all variants that fit into a cycle, buffers aside; None when an arm has none."""
    all_places = [
        Place(operation.name, mode.arm, mode.position)
        for operation, mode in zip(problem.operations, allocation, strict=True)
    ]
    places = sorted((place for place in all_places if place.arm != NO_ARM), key=lambda place: place.arm)
    present_s = stretches.planner.cell.motion.present_s
    tests = [place for place in all_places if place.arm == NO_ARM]
    variants = _variants(places, stretches, problem.arms, limit_s)
    if variants is None:
        return None
    node = np.cumsum([0, *(len(stretches.of(place)) for place in places)])
    index = int(node[-1]) + len(tests)
    durations = np.zeros(index + 1)
    numbers = np.full(index + 1, -1, dtype=np.int64)
    inside: dict[str, tuple[int, int]] = {}  # first and last node in the nest
    named: dict[tuple[str, str], int] = {}
    waits: list[tuple[float, ...]] = []
    for place, start in zip(places, node[:-1].tolist(), strict=True):
        found = stretches.of(place)
        within = [start + k for k, stretch in enumerate(found) if stretch.zone is Zone.INSIDE]
        inside[place.operation] = within[0], within[-1]
        for k, stretch in enumerate(found):
            named.setdefault((place.operation, stretch.name), start + k)
            if k:
                durations[start + k] = stretch.duration_s
                numbers[start + k] = stretches.number(place, k)
                if k > 1:
                    waits.append((start + k - 1, start + k, found[k - 1].duration_s, 0))
        # What a feeder presents and what the out tray takes away take their time.
        doing = stretches.visit(place).operation.steps
        if isinstance(doing[0], Pick) and doing[0].station.startswith("feeder_"):
            carry = named[place.operation, "carry"]
            waits.append((carry, start, durations[carry] + present_s, 1))
        if isinstance(doing[-1], Put) and doing[-1].station == "out_tray":
            last, after = start + len(found) - 2, start + within[-1] - start + 1
            waits.append((last, after, durations[last] + present_s, 1))
    for number, test in enumerate(tests):
        mode = allocation[all_places.index(test)]
        inside[test.operation] = (int(node[-1]) + number,) * 2
        durations[int(node[-1]) + number] = mode.inside / 1000
    by_name = {place.operation: place for place in all_places}
    turn_s = problem.index_ticks / 1000
    for place in all_places:
        if place.position != OFF_DIAL:
            first, last = inside[place.operation]
            waits += [(index, first, turn_s, 0), (last, index, durations[last], 1)]
    for before, after_ in problem.precedence:
        one, two = by_name[before], by_name[after_]
        if one.position == two.position and one.position != OFF_DIAL:
            last = inside[before][1]
            waits.append((last, inside[after_][0], durations[last], 0))
    choices = [
        (*_both(inside, one.operation, two.operation), *_lasts(durations, inside, one, two), 0, 0)
        for one, two in combinations(all_places, 2)
        if one.position == two.position != OFF_DIAL and one.arm != two.arm
    ]
    return Case(
        pattern=Pattern(
            node.astype(np.int64),
            durations,
            numbers,
            np.array(waits, dtype=np.float64).reshape(-1, 4),
            np.array(choices, dtype=np.float64).reshape(-1, 8),
        ),
        variants=variants,
        places=tuple(places),
        tests=tuple(tests),
        inside=inside,
        named=named,
    )


def _both(inside: dict[str, tuple[int, int]], one: str, two: str) -> tuple[int, int, int, int]:
    return inside[one][1], inside[two][0], inside[two][1], inside[one][0]


def _lasts(
    durations: Floats, inside: dict[str, tuple[int, int]], one: Place, two: Place
) -> tuple[float, float]:
    return float(durations[inside[one.operation][1]]), float(durations[inside[two.operation][1]])


def _variants(places: Sequence[Place], stretches: Stretches, arms: int, limit_s: float) -> Variants | None:
    """All orders of each arm's visits, with some retreats, that take no longer than the limit."""
    found, counts, offset = [], [], 0
    for arm in range(arms):
        visits = tuple(place for place in places if place.arm == arm)
        rows = stretches.rounds(visits, limit_s)
        if visits and not len(rows.order):
            return None
        found.append(rows._replace(order=rows.order + offset))
        counts.append(len(visits))
        offset += len(visits)
    begin = np.cumsum([0, *(len(rows.order) for rows in found)])
    return Variants(begin, np.array(counts), *(np.concatenate(column) for column in zip(*found, strict=True)))
