"""A stored plan played like tokens on its graph, and what goes wrong with joints, parts and stations on the way."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cells.recipe import NEST, Place, Recipe, StationProcess
from controller.motion.plan_document import LegRecord, StoredPlan

FloatArray = NDArray[np.float64]

_JUMP_RAD = 1e-3  # between two legs
_SAME_S = 1e-9


def play(stored: StoredPlan, delays: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Starts and ends (n,) of all nodes, each late by its delay [s]; None when some can never start."""
    nodes = stored.document.nodes
    starts, ends = np.zeros(len(nodes)), np.zeros(len(nodes))
    followers: list[list[int]] = [[] for _ in nodes]
    missing = [len(set(node.predecessors)) for node in nodes]
    for index, node in enumerate(nodes):
        for other in set(node.predecessors):
            followers[other].append(index)
    ready = [index for index, count in enumerate(missing) if count == 0]
    for index in ready:  # grows while it is walked
        node = nodes[index]
        starts[index] = max((ends[other] for other in node.predecessors), default=0.0) + delays[index]
        ends[index] = starts[index] + node.duration_s
        for follower in followers[index]:
            missing[follower] -= 1
            if missing[follower] == 0:
                ready.append(follower)
    return (starts, ends) if len(ready) == len(nodes) else None


class Play:
    """One play of a plan, sorted by who does what where."""

    def __init__(
        self, stored: StoredPlan, recipes: Mapping[str, Recipe], starts: FloatArray, ends: FloatArray
    ) -> None:
        self._stored, self._recipes, self._starts, self._ends = stored, recipes, starts, ends
        self._chains: dict[str, list[int]] = defaultdict(list)
        self._at: dict[str, list[int]] = defaultdict(
            list
        )  # what works at a nest or station, but for its own cycles
        self._visits: dict[tuple[int, str], list[int]] = defaultdict(list)
        for index in np.lexsort((np.arange(len(starts)), starts)).tolist():
            node = stored.document.nodes[index]
            self._chains[node.resource].append(index)
            leg = self._leg(index)
            if leg is not None or _nest(node.resource) is not None:
                self._at[leg.station if leg is not None else node.resource].append(index)
            if node.operation:
                self._visits[node.joint, node.operation].append(index)

    def broken(self) -> Iterator[str]:
        """What goes wrong, in a few words each."""
        yield from self._order()
        yield from self._nests()
        yield from self._hands()
        yield from self._stations()
        yield from self._recipe()

    def _order(self) -> Iterator[str]:
        for resource, chain in self._chains.items():
            if any(
                self._overlap(one, two) or self._ends[one] > self._after(two) for one, two in pairwise(chain)
            ):
                yield f"{resource} does two things at once"

    def _nests(self) -> Iterator[str]:
        """The right joint is there, the dial stands still, and nobody else works there."""
        turns = self._chains["dial"]
        for station, inside in self._at.items():
            position = _nest(station)
            if position is None:
                continue
            stays: dict[tuple[int, str], list[int]] = defaultdict(list)
            for index in inside:
                node = self._stored.document.nodes[index]
                stays[node.joint, node.operation].append(index)
                if sum(self._done(turn, index) for turn in turns) != node.joint + position:
                    yield f"{self._stored.name(index)} finds another joint in nest {station}"
                if any(self._overlap(turn, index) for turn in turns):
                    yield f"the dial turns during {self._stored.name(index)}"
            spans = sorted(
                (float(min(self._starts[k] for k in stay)), float(max(self._ends[k] for k in stay)))
                for stay in stays.values()
            )
            if any(two[0] < one[1] - _SAME_S for one, two in pairwise(spans)):
                yield f"two work in nest {station} at once"

    def _hands(self) -> Iterator[str]:
        """Parts change hands only by grips and releases, and arms do not jump."""
        for arm in (arm.id for arm in self._stored.document.cell.arms):
            held, q = "", None
            for index in self._chains.get(arm, []):
                leg = self._stored.leg(index)
                motion = self._stored.trajectories[leg.trajectory]
                if leg.held != held:
                    yield f"{self._stored.name(index)} holds {leg.held or 'nothing'} instead of {held or 'nothing'}"
                if q is not None and np.abs(motion.q[0] - q).max() > _JUMP_RAD:
                    yield f"{self._stored.name(index)} starts elsewhere than the last one ended"
                held = {"grip": leg.held_after, "release": ""}.get(leg.does or "", held)
                q = motion.q[-1]

    def _stations(self) -> Iterator[str]:
        """Feeders have presented before a grip, and neither they nor the out tray move while an arm is there."""
        for station, cycles in self._chains.items():
            inside = self._at.get(station, [])
            if not station.startswith("feeder_") and station != "out_tray":
                continue
            if any(self._overlap(cycle, index) for cycle in cycles for index in inside):
                yield f"{station} moves while an arm is there"
            if station == "out_tray":
                for index in inside:
                    if (
                        sum(self._done(cycle, index) for cycle in cycles)
                        != self._stored.document.nodes[index].joint
                    ):
                        yield f"{self._stored.name(index)} finds the out tray full"
                continue
            grips = [index for index in inside if self._stored.leg(index).does == "grip"]
            if len(grips) != len(cycles):
                yield f"{station} presents {len(cycles)} parts, {len(grips)} are fetched"
            for cycle, grip in zip(cycles, grips, strict=False):
                if self._ends[cycle] > self._ends[grip] - _SAME_S:
                    yield f"{self._stored.name(grip)} finds nothing"

    def _recipe(self) -> Iterator[str]:
        """Every operation is done, after what it needs; press and bench are loaded, work, are unloaded."""
        for joint, name in enumerate(self._stored.document.order):
            recipe = self._recipes[name]
            work = {item.number: self._work(joint, item.number, item.steps) for item in recipe.operations}
            for item in recipe.operations:
                if not work[item.number]:
                    yield f"operation {item.number} of joint {joint + 1} is not done"
                elif any(not self._before(work[need], work[item.number]) for need in item.needs):
                    yield f"operation {item.number} of joint {joint + 1} comes before what it needs"
            for process in recipe.processes:
                yield from self._process(process, joint, work)

    def _process(
        self, process: StationProcess, joint: int, work: Mapping[str, Sequence[int]]
    ) -> Iterator[str]:
        station = process.station
        cycle = [k for k in self._chains.get(station, []) if self._stored.document.nodes[k].joint == joint]
        loading = [k for load in process.loads for k in work[load]]
        if len(cycle) != 1:
            yield f"{station} does not work once for joint {joint + 1}"
        elif not self._before(loading, cycle):
            yield f"{station} starts before it is loaded for joint {joint + 1}"
        elif not self._before(cycle, self._taking(process, joint)):
            yield f"{station} is unloaded before it is done with joint {joint + 1}"
        elif joint and not self._before(self._taking(process, joint - 1), loading):
            yield f"{station} is loaded for joint {joint + 1} while it is full"

    def _taking(self, process: StationProcess, joint: int) -> list[int]:
        """The legs that take a joint's workpiece out of a station."""
        visit = self._visits.get((joint, process.unload), [])
        return [k for k in visit if self._stored.leg(k).station == process.station]

    def _work(self, joint: int, operation: str, steps: Sequence[object]) -> list[int]:
        """The nodes of a visit in the nest, or else at the place where it puts something."""
        nodes = self._visits.get((joint, operation), [])
        last = steps[-1] if steps else None
        place = last.station if isinstance(last, Place) and last.station != NEST else ""
        legs = {index: self._leg(index) for index in nodes}
        inside = [index for index, leg in legs.items() if leg is None or _nest(leg.station) is not None]
        return inside or [index for index, leg in legs.items() if leg is not None and leg.station == place]

    def _leg(self, index: int) -> LegRecord | None:
        return None if self._stored.document.nodes[index].leg is None else self._stored.leg(index)

    def _after(self, index: int) -> float:
        return float(self._starts[index]) + _SAME_S

    def _done(self, one: int, two: int) -> bool:
        """Whether one has ended when two starts."""
        return bool(self._ends[one] <= self._after(two))

    def _before(self, ones: Sequence[int], twos: Sequence[int]) -> bool:
        return all(self._done(one, two) for one in ones for two in twos)

    def _overlap(self, one: int, two: int) -> bool:
        first, last = max(self._starts[one], self._starts[two]), min(self._ends[one], self._ends[two])
        return bool(last - first > _SAME_S)


def _nest(station: str) -> int | None:
    """Dial position of a nest by its name, ``P3``."""
    return int(station[1:]) if station[:1] == "P" and station[1:].isdecimal() else None
