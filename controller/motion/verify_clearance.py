"""Whether arms keep the promised clearance from each other and from fixtures, whenever each of them moves.

An arm is always in one of its phases: at rest before its first leg, under way on a leg, at rest after it. A
phase is over for certain once a certain leg (its closer) has started; it has begun for certain only after all
that precedes a certain leg (its opener). Two phases of different arms may be at the same time unless the
closer of one precedes the opener of the other; then every moment of the one has to be clear of every moment
of the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.cell_file import FOOTPRINT_M
from controller.motion.plan_document import LegRecord, StoredPlan
from controller.motion.verify_body import ArmBody
from controller.motion.verify_distance import (
    Solid,
    box_solid,
    column_solid,
    keep_apart,
    moving_solid,
    resting_solid,
)
from controller.motion.verify_order import Order
from controller.scheduling.verify import Violation

FloatArray = NDArray[np.float64]
Ints = NDArray[np.int64]

Progress = Callable[[int, int], None]

_ROUNDING_M = 1e-6
_BEFORE, _UNDER_WAY, _AFTER = "at rest before", "in", "at rest after"


@dataclass
class Measured:
    """What was checked.

    Attributes:
        arm_pairs: Distinct pairs of an arm's phase with one of another arm that may be at the same time.
        fixture_pairs: Distinct pairs of an arm's phase with a fixture.
        arms_m: Smallest distance measured between arms; infinite when boxes told all pairs apart [m].
        fixtures_m: Smallest distance measured from a fixture [m].
    """

    arm_pairs: int = 0
    fixture_pairs: int = 0
    arms_m: float = field(default=np.inf)
    fixtures_m: float = field(default=np.inf)


@dataclass(frozen=True, slots=True)
class _Phases:
    """The phases of one arm in order, with opener and closer as places in its chain and its solid."""

    chain: list[int]
    opener: Ints  # -1: from the beginning
    closer: Ints  # len(chain): to the end
    solid: Ints
    moment: list[str]

    def node(self, phase: int) -> int:
        """The leg by which to name a phase."""
        return self.chain[max(int(self.opener[phase]), 0)]


class ClearanceCheck:
    """All solids of a plan, each made once."""

    def __init__(self, stored: StoredPlan, order: Order) -> None:
        self.measured = Measured()
        self._stored, self._order = stored, order
        self._document = stored.document
        self._bodies = {arm.id: ArmBody(arm) for arm in stored.document.cell.arms}
        self._solids: list[Solid] = []
        self._owners: list[tuple[str, str]] = []  # of each solid: arm, fixtures of the place it works at
        self._hands: list[int] = []  # of each solid: index of its hand
        self._numbers: dict[object, int] = {}
        self._phases = {arm: self._phases_of(arm) for arm in self._bodies if arm in order.chains}

    def arms(self, progress: Progress) -> Iterator[Violation]:
        """Pairs of arms that may come too near."""
        limit = self._document.cell.clearance.arms_m
        jobs = []
        for one, two in combinations(self._phases, 2):
            jobs += self._together(one, two)
        self.measured.arm_pairs = len(jobs)
        for index, (one, p, two, r) in enumerate(jobs):
            progress(index, len(jobs))
            first, second = self._phases[one], self._phases[two]
            distance, good = keep_apart(self._solids[first.solid[p]], self._solids[second.solid[r]], limit)
            self.measured.arms_m = min(self.measured.arms_m, distance)
            if not good:
                yield Violation(
                    rule="clearance",
                    detail=f"{self._name(one, p)} and {self._name(two, r)} may be at the same time and "
                    f"{_near(distance, limit)}",
                )

    def fixtures(self) -> Iterator[Violation]:
        """Arms too near to a fixture or to another arm's base, but for the place they work at."""
        limit = self._document.cell.clearance.fixtures_m
        fixtures = [(fixture.name, box_solid(fixture)) for fixture in self._document.cell.fixtures]
        fixtures += [(f"{arm}.base", column_solid(body)) for arm, body in self._bodies.items() if body.column]
        for number, name in self._named().items():
            own = self._owners[number]
            for fixture, solid in fixtures:
                if fixture.split(".")[0] in own:
                    continue
                self.measured.fixture_pairs += 1
                distance, good = keep_apart(self._solids[number], solid, limit)
                self.measured.fixtures_m = min(self.measured.fixtures_m, distance)
                if not good:
                    yield Violation(
                        rule="fixture",
                        detail=f"{name} and {fixture} {_near(distance, limit)}",
                    )

    def sweeps(self) -> Iterator[Violation]:
        """Boxes of the plan that do not hold what the arm moves in the leg, or that are missing."""
        boxes = {(sweep.arm, sweep.leg): sweep for sweep in self._document.sweeps}
        checked: set[tuple[str, int, int]] = set()
        for arm, phases in self._phases.items():
            for phase in range(1, len(phases.solid)):
                leg = self._document.nodes[phases.node(phase)].leg
                assert leg is not None
                if (key := (arm, leg, int(phases.solid[phase]))) in checked:
                    continue
                checked.add(key)
                solid, box = self._solids[key[2]], boxes.get((arm, leg))
                # A box holds the arm in the middles of the pieces; margins are those of this check.
                reach = solid.radius[:, None] - _ROUNDING_M
                low = (solid.centre - np.abs(solid.along) - reach).min(axis=(0, 1))
                high = (solid.centre + np.abs(solid.along) + reach).max(axis=(0, 1))
                if box is None or (low < box.low_m).any() or (high > box.high_m).any():
                    yield Violation(
                        rule="sweep", detail=f"{self._name(arm, phase)} leaves the box that the plan gives"
                    )

    def nests(self, cell: Cell) -> Iterator[Violation]:
        """Legs that come down into a nest without naming it as their station.

        What the dial's index waits for are the legs that name a nest. The tool centre point of all others has
        to stay higher over every nest than parts are lifted for travel.
        """
        lengths = {arm.id: arm.tool.length_m for arm in cell.arms}
        for number, name in self._named().items():
            arm, own = self._owners[number]
            point, margin = self._tool_points(number, lengths[arm])
            for position in range(cell.dial.positions):
                p_WN = cell.nest(position)[:3, 3]
                over = np.hypot(*(point[:, :2] - p_WN[:2]).T) - margin < FOOTPRINT_M
                height = float((point[:, 2] - margin - p_WN[2])[over].min(initial=np.inf))
                if own != fixture_of(f"P{position}") and height < cell.clearance.lift_m:
                    yield Violation(
                        rule="nest",
                        detail=f"{name} comes down to {1000 * height:.0f} mm over nest P{position} "
                        "without naming it",
                    )

    def _tool_points(self, number: int, length_m: float) -> tuple[FloatArray, FloatArray]:
        """Tool centre points (n, 3) of a solid and their margins (n,) [m].

        They lie on the axis of the hand's capsule, a bit beyond its end: a share s of its length. A point
        there moves by at most 1 + 2 s times what the ends move.
        """
        hand, solid = self._document.hands[self._hands[number]], self._solids[number]
        low, high = hand.a_m[2], hand.b_m[2]
        place = (length_m - (low + high) / 2) / ((high - low) / 2)  # 1 is the end of the axis
        point = solid.centre[:, -1] + place * solid.along[:, -1]
        return point, solid.margin[:, -1] * max(1.0, place)

    def _named(self) -> dict[int, str]:
        """Every solid with the name of the phase in which it first occurs."""
        named: dict[int, str] = {}
        for arm, phases in self._phases.items():
            for phase, number in enumerate(phases.solid.tolist()):
                named.setdefault(number, self._name(arm, phase))
        return named

    def _phases_of(self, arm: str) -> _Phases:
        chain = self._order.chains[arm]
        legs = [self._leg(node) for node in chain]
        trajectories = [self._stored.trajectories[leg.trajectory] for leg in legs]
        opener, closer, moment = [-1], [0], [_BEFORE]
        solid = [self._rest(arm, trajectories[0].q[0], legs[0].hand, "")]
        for place, (leg, trajectory) in enumerate(zip(legs, trajectories, strict=True)):
            opener += [place, place]
            closer += [place, place + 1]
            moment += [_UNDER_WAY, _AFTER]
            if len(trajectory.t) == 1:
                solid.append(self._rest(arm, trajectory.q[0], leg.hand, leg.station))
            else:
                solid.append(
                    self._number(
                        (arm, leg.trajectory, leg.hand, leg.station),
                        arm,
                        leg.hand,
                        leg.station,
                        lambda leg=leg, trajectory=trajectory: moving_solid(  # type: ignore[misc]
                            self._bodies[arm], self._document.hands[leg.hand], trajectory
                        ),
                    )
                )
            solid.append(self._rest(arm, trajectory.q[-1], leg.hand_after, leg.station))
        return _Phases(chain, np.array(opener), np.array(closer), np.array(solid), moment)

    def _rest(self, arm: str, q: FloatArray, hand: int, station: str) -> int:
        return self._number(
            (arm, q.tobytes(), hand, station),
            arm,
            hand,
            station,
            lambda: resting_solid(self._bodies[arm], self._document.hands[hand], q),
        )

    def _number(self, key: object, arm: str, hand: int, station: str, make: Callable[[], Solid]) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self._solids)
            self._solids.append(make())
            self._owners.append((arm, fixture_of(station)))
            self._hands.append(hand)
        return self._numbers[key]

    def _together(self, one: str, two: str) -> list[tuple[str, int, str, int]]:
        """One pair of phases for each pair of solids that may be in the cell at the same time.

        Over the phases of the other arm, "over before" holds for the first ones and "begins after" for the
        last ones.
        """
        first, second = self._phases[one], self._phases[two]
        # How many legs of the other arm have ended when a phase opens; -1 opens before anything has ended.
        ended_two = self._ended(first, two)
        ended_one = self._ended(second, one)
        low = np.searchsorted(second.closer, ended_two, side="left")
        high = np.searchsorted(ended_one, first.closer, side="right")
        found: dict[tuple[int, int], tuple[str, int, str, int]] = {}
        for p, (a, b) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
            number = int(first.solid[p])
            for r in range(a, b):
                found.setdefault((number, int(second.solid[r])), (one, p, two, r))
        return list(found.values())

    def _ended(self, phases: _Phases, arm: str) -> Ints:
        opened = self._order.ended([phases.chain[max(place, 0)] for place in phases.opener.tolist()], arm)
        return np.where(phases.opener < 0, 0, opened)

    def _leg(self, node: int) -> LegRecord:
        index = self._document.nodes[node].leg
        assert index is not None
        return self._document.legs[index]

    def _name(self, arm: str, phase: int) -> str:
        phases = self._phases[arm]
        node = self._document.nodes[phases.node(phase)]
        return f"{arm} {phases.moment[phase]} {node.label} of operation {node.operation} for {node.serial}"


def _near(distance: float, limit: float) -> str:
    how = f"come within {1000 * distance:.1f} mm" if distance > 0 else f"overlap by {-1000 * distance:.1f} mm"
    return f"{how}, promised are {1000 * limit:.1f} mm"


def fixture_of(station: str) -> str:
    """Name by which the fixtures of a leg's own place begin; a nest's shaft belongs to its dial position."""
    return f"nest{station[1:]}" if station[:1] == "P" and station[1:].isdecimal() else station
