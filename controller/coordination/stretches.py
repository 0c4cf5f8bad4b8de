"""What arms do between two places where one of them may have to wait, with how long it takes and what is in its way.

A stretch is a run of legs of one visit: the way there with the fetching, the way to the nest, entering it, the work in it,
leaving it, and drawing back to the parking place. The first one depends on the visit before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cells.joint_model import JointModel
from controller.motion.passing import stretches
from controller.motion.plan import MotionPlanner
from controller.motion.visit import Leg, Visit, Zone
from controller.motion.volumes import Volumes

Ints = NDArray[np.int64]

_UNKNOWN = -1
LONGEST = 8  # visits of one arm


class Place(NamedTuple):
    """A visit in the abstract: the operation, the number of the arm and the dial position (-1 off the dial)."""

    operation: str
    arm: int
    position: int


class Rounds(NamedTuple):
    """Ways of one arm through its visits, padded to `LONGEST`.

    Attributes:
        order: (v, LONGEST) numbers of the visits.
        back: (v, LONGEST) 1 where the arm draws back afterwards.
        first_s: (v, LONGEST) duration of the way to the visit [s].
        first_id: (v, LONGEST) its stretch.
    """

    order: Ints
    back: Ints
    first_s: NDArray[np.float64]
    first_id: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch: name (of its first leg, or "core"), zone, mean duration [s] and legs of the widest kind."""

    name: str
    zone: Zone
    duration_s: float
    legs: tuple[Leg, ...]


class Stretches:
    """All stretches of a cell and a mix, numbered, with the pairs that are in each other's way."""

    def __init__(
        self, planner: MotionPlanner, kinds: Sequence[JointModel], counts: Sequence[int], widest: JointModel
    ) -> None:
        self.planner = planner
        self._kinds, self._widest = kinds, widest
        self._shares = np.array(counts) / sum(counts)
        self._planned: dict[tuple[Place, str, bool], Visit] = {}
        self._visits: dict[Place, tuple[Stretch, ...]] = {}
        self._firsts: dict[tuple[Place, bool, Place], tuple[int, float]] = {}
        self._rounds: dict[tuple[tuple[Place, ...], float], Rounds] = {}
        self._numbers: dict[object, int] = {}
        self._arms: list[int] = []
        self._members: list[list[int]] = []  # volumes on the way and at rests within
        self._rests: list[int] = []
        self._near = np.full((64, 64), _UNKNOWN, dtype=np.int8)
        self._rest_near = np.full((64, 64), _UNKNOWN, dtype=np.int8)

    @property
    def near(self) -> NDArray[np.int8]:
        """(n, n) whether two stretches are in each other's way, as far as `compare` was asked."""
        return self._near

    @property
    def rest_near(self) -> NDArray[np.int8]:
        """(n, n) whether the rest after the first is in the way of the second, as far as `compare` was asked."""
        return self._rest_near

    def visit(self, place: Place, model: JointModel | None = None, back: bool = False) -> Visit:
        """The visit of a model, the widest by default."""
        model = model or self._widest
        key = place, model.name, back
        if key not in self._planned:
            retreats = {(self.planner.cell.arms[place.arm].id, place.operation)} if back else set()
            position = place.position if place.position >= 0 else None
            self._planned[key] = self.planner.visit(retreats, model, place.operation, place.arm, position)
        return self._planned[key]

    def of(self, place: Place) -> tuple[Stretch, ...]:
        """Stretches of a visit from rest at its beginning, the retreat last."""
        if place not in self._visits:
            kinds = [
                stretches((visit.first, *visit.rest))
                for visit in (self.visit(place, model, back=True) for model in self._kinds)
            ]
            widest = self.visit(place, back=True)
            means = [
                float(np.dot(self._shares, [sum(leg.duration_s for leg in run[2]) for run in same]))
                for same in zip(*kinds, strict=True)
            ]
            self._visits[place] = tuple(
                Stretch(name=name, zone=zone, duration_s=mean, legs=legs)
                for (name, zone, legs), mean in zip(
                    stretches((widest.first, *widest.rest)), means, strict=True
                )
            )
        return self._visits[place]

    def number(self, place: Place, k: int) -> int:
        """Number of the k-th stretch of a visit, k > 0."""
        return self._number((place, k), place.arm, self.of(place)[k].legs)

    def first(self, before: Place, back: bool, place: Place) -> tuple[int, float]:
        """Number and mean duration [s] of the first stretch of a visit after another one and perhaps a retreat."""
        key = before, back, place
        if key in self._firsts:
            return self._firsts[key]
        end = self.visit(before, back=back).end
        legs = self.planner.legs_from(self.planner.cell.arms[place.arm].id, end, self.visit(place))
        way = legs[0].duration_s - self.visit(place).first.duration_s
        self._firsts[key] = (
            self._number(key, place.arm, legs[:1]),
            self.of(place)[0].duration_s + way,
        )
        return self._firsts[key]

    def rounds(self, visits: tuple[Place, ...], limit_s: float) -> Rounds:
        """Orders of an arm's visits with places to draw back that fit into a limit, those with few of them first.

        A cycle begins with the dial's index; a visit off the dial is not the first: it could as well be the last.
        """
        key = visits, limit_s
        if key not in self._rounds:
            parts = [self.of(place) for place in visits]
            work = sum(part.duration_s for visit in parts for part in visit[1:-1])
            found = []
            for order in permutations(range(len(visits))):
                on_dial = [visits[k].position >= 0 for k in order]
                if any(on_dial) and not on_dial[0]:
                    continue
                for back in product((0, 1), repeat=len(order)):
                    total = work + sum(parts[k][-1].duration_s for k, b in zip(order, back, strict=True) if b)
                    ways = []
                    for n, k in enumerate(order):
                        if total > limit_s:
                            break
                        ways.append(self.first(visits[order[n - 1]], bool(back[n - 1]), visits[k]))
                        total += ways[-1][1]
                    if total <= limit_s:
                        found.append((sum(back), total, order, back, ways))
            found.sort(key=lambda item: item[:4])
            table = np.zeros((4, len(found), LONGEST))
            for row, (_, _, order, back, ways) in enumerate(found):
                table[:, row, : len(order)] = order, back, [way for _, way in ways], [n for n, _ in ways]
            whole = table.astype(np.int64)
            self._rounds[key] = Rounds(whole[0], whole[1], table[2], whole[3])
        return self._rounds[key]

    def _number(self, key: object, arm: int, legs: Sequence[Leg]) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self._members)
            volumes, owner = self.planner.volumes, self.planner.cell.arms[arm]
            members: dict[object, int] = {}
            for leg in legs:
                moved = leg.trajectory.q[:, :5]
                if np.ptp(moved, axis=0).max() > 1e-6:
                    members[leg.name, leg.trajectory.q.tobytes()] = volumes.number(owner, leg)
                rest = volumes.rest(volumes.number(owner, leg))
                members.setdefault((moved[-1].round(6).tobytes(), str(leg.held_after)), rest)
            self._members.append(list(members.values()))
            self._rests.append(volumes.rest(volumes.number(owner, legs[-1])))
            self._arms.append(arm)
            size = len(self._near)
            if len(self._members) > size:
                self._near, self._rest_near = (
                    np.pad(table, (0, size), constant_values=_UNKNOWN)
                    for table in (self._near, self._rest_near)
                )
        return self._numbers[key]

    def compare(self, numbers: Ints) -> None:
        """Find out which of these stretches of different arms are in each other's way."""
        ones, twos = np.meshgrid(numbers, numbers, indexing="ij")
        arms = np.array(self._arms)
        todo = (self._near[ones, twos] == _UNKNOWN) & (arms[ones] < arms[twos])
        ones, twos = ones[todo], twos[todo]
        if not len(ones):
            return
        volumes = self.planner.volumes
        near = _any(volumes, [self._members[k] for k in ones], [self._members[k] for k in twos])
        self._near[ones, twos] = self._near[twos, ones] = near
        for one, two in ((ones[near], twos[near]), (twos[near], ones[near])):
            self._rest_near[one, two] = _any(
                volumes, [[self._rests[k]] for k in one], [self._members[k] for k in two]
            )
        apart = ~near
        self._rest_near[ones[apart], twos[apart]] = self._rest_near[twos[apart], ones[apart]] = 0


def _any(volumes: Volumes, ones: list[list[int]], twos: list[list[int]]) -> NDArray[np.bool_]:
    """For every pair of lists of volumes whether any two of them conflict."""
    if not ones:
        return np.zeros(0, dtype=np.bool_)
    pairs = np.array([(i, j) for one, two in zip(ones, twos, strict=True) for i in one for j in two])
    begins = np.cumsum([0, *(len(one) * len(two) for one, two in zip(ones, twos, strict=True))])[:-1]
    found: NDArray[np.bool_] = np.logical_or.reduceat(volumes.conflict(pairs[:, 0], pairs[:, 1]), begins)
    return found
