"""Whether a stored plan makes every joint by its recipe, whatever the times."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cells.cell import Cell
from cells.recipe import NEST, Dispense, Operation, Pick, Place, Recipe, Screw
from controller.motion.plan_document import LegRecord, PlanDocument
from controller.motion.verify_order import Order
from controller.scheduling.verify import Violation

_DIAL = "dial"
_OUT_TRAY = "out_tray"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """The nodes of one operation for one joint, in order, and the nest's position (None off the dial)."""

    operation: Operation
    joint: int
    nodes: tuple[int, ...]
    position: int | None

    def __str__(self) -> str:
        return f"operation {self.operation.number} of joint {self.joint + 1}"


class RecipeCheck:
    """The rules of recipe, dial and stations on the arcs of a plan."""

    def __init__(
        self, document: PlanDocument, order: Order, cell: Cell, recipes: Mapping[str, Recipe]
    ) -> None:
        self._document, self._order, self._cell = document, order, cell
        self._recipes = [recipes[name] for name in document.order]
        self._visits: dict[tuple[int, str], _Visit] = {}

    def violations(self) -> Iterator[Violation]:
        """All of them; without complete content the order is not looked at."""
        found = list(self._content())
        yield from found
        if found:
            return
        yield from self._precedence()
        yield from self._dial()
        yield from self._feeders()
        yield from self._processes()
        yield from self._out_tray()

    # --- content ------------------------------------------------------------------------------------------

    def _content(self) -> Iterator[Violation]:
        """Every operation of every joint is done once, by one arm without a break, at its own places."""
        groups: dict[tuple[int, str], list[int]] = {}
        for chain in self._order.chains.values():
            for node in chain:
                record = self._document.nodes[node]
                if record.operation:
                    groups.setdefault((record.joint, record.operation), []).append(node)
        wanted = {
            (joint, operation.number): operation
            for joint, recipe in enumerate(self._recipes)
            for operation in recipe.operations
        }
        for joint, number in sorted(set(groups) - set(wanted)):
            yield Violation(
                rule="content", detail=f"operation {number} of joint {joint + 1} is not in its recipe"
            )
        for (joint, number), operation in wanted.items():
            what = f"operation {number} of joint {joint + 1}"
            if (joint, number) not in groups:
                yield Violation(rule="content", detail=f"{what} is missing")
                continue
            nodes = groups[joint, number]
            reason = self._wrong_nodes(operation, nodes) or self._wrong_legs(operation, nodes)
            if reason:
                yield Violation(rule="content", detail=f"{what} {reason}")
                continue
            position = self._position(nodes)
            if operation.at_nest != (position is not None):
                yield Violation(rule="content", detail=f"{what} does not work at one nest")
            elif (
                position is not None
                and operation.side
                and self._cell.dial.rear_up(position) != (operation.side == "rear")
            ):
                yield Violation(
                    rule="content", detail=f"{what} is at dial position {position}, where its side is not up"
                )
            self._visits[joint, number] = _Visit(
                operation=operation, joint=joint, nodes=tuple(nodes), position=position
            )
        finished = [node.joint for node in self._document.nodes if node.finishes]
        if sorted(finished) != list(range(len(self._recipes))):
            yield Violation(rule="content", detail="not every joint is marked as finished once")

    def _wrong_nodes(self, operation: Operation, nodes: Sequence[int]) -> str:
        resources = {self._document.nodes[node].resource for node in nodes}
        if len(resources) > 1:
            return f"is spread over {', '.join(sorted(resources))}"
        places = [int(self._order.place[node]) for node in nodes]
        if places != list(range(places[0], places[0] + len(nodes))):
            return "is interrupted by another one, or done twice"
        if not operation.arm and (len(nodes) > 1 or self._document.nodes[nodes[0]].leg is not None):
            return "needs no arm and one cycle of its nest"
        if operation.arm and self._document.nodes[nodes[0]].leg is None:
            return "needs an arm"
        return ""

    def _wrong_legs(self, operation: Operation, nodes: Sequence[int]) -> str:
        """Grips, releases and screws are those of the steps, and legs work where steps do."""
        if not operation.arm:
            return ""
        legs = [self._leg(node) for node in nodes]
        count = {kind: sum(leg.does == kind for leg in legs) for kind in ("grip", "release", "screw")}
        steps = operation.steps
        meant = {
            "grip": sum(isinstance(step, Pick) for step in steps),
            "release": sum(isinstance(step, Place) for step in steps),
            "screw": sum(step.strokes for step in steps if isinstance(step, Screw)),
        }
        for kind, number in meant.items():
            if count[kind] != number:
                return f"has {count[kind]} legs that {kind}, its recipe says {number}"
        places = {step.station for step in steps if isinstance(step, Pick | Place | Dispense)} - {NEST}
        for leg in legs:
            if leg.station and self._nest(leg.station) is None and leg.station not in places:
                return f"works at {leg.station}, which is none of its places"
        for step, process in ((step, "grip" if isinstance(step, Pick) else "release") for step in steps):
            if isinstance(step, Pick | Place) and not any(
                leg.does == process
                and (
                    leg.station == step.station
                    if step.station != NEST
                    else self._nest(leg.station) is not None
                )
                for leg in legs
            ):
                return f"does not {process} at {step.station}"
        return ""

    def _position(self, nodes: Sequence[int]) -> int | None:
        """The one dial position that the nodes work at."""
        records = [self._document.nodes[node] for node in nodes]
        stations = {
            record.resource if record.leg is None else self._document.legs[record.leg].station
            for record in records
        }
        positions = {position for station in stations if (position := self._nest(station)) is not None}
        return positions.pop() if len(positions) == 1 else None

    def _nest(self, station: str) -> int | None:
        """Dial position with a name ``P0`` to ``P7``."""
        if station[:1] == "P" and station[1:].isdecimal() and int(station[1:]) < self._cell.dial.positions:
            return int(station[1:])
        return None

    # --- order --------------------------------------------------------------------------------------------

    def _precedence(self) -> Iterator[Violation]:
        """Needs of the recipe, and one visit after the other in a nest."""
        for (joint, _), visit in self._visits.items():
            for need in visit.operation.needs:
                before = self._visits[joint, need]
                yield from self._ordered(
                    "precedence", before, self._work(before)[-1], visit, self._work(visit)[0]
                )
        for joint in range(len(self._recipes)):
            at_nest: dict[int, list[_Visit]] = {}
            for (owner, _), visit in self._visits.items():
                if owner == joint and visit.position is not None:
                    at_nest.setdefault(visit.position, []).append(visit)
            for visits in at_nest.values():
                for index, one in enumerate(visits):
                    for two in visits[index + 1 :]:
                        first, second = self._work(one), self._work(two)
                        if not (
                            self._order.before(first[-1], second[0])
                            or self._order.before(second[-1], first[0])
                        ):
                            yield Violation(
                                rule="nest",
                                detail=f"{one} and {two} may be in nest P{one.position} at the same time",
                            )

    def _dial(self) -> Iterator[Violation]:
        """Joint j is at position p between index j + p and the next: nobody works in a nest that turns."""
        indices = self._order.chains.get(_DIAL, [])
        for visit in self._visits.values():
            if visit.position is None:
                continue
            window = visit.joint + visit.position
            work = self._work(visit)
            if window > len(indices):
                yield Violation(
                    rule="dial", detail=f"{visit} waits for index {window}, there are {len(indices)}"
                )
                continue
            if window > 0 and not self._order.before(indices[window - 1], work[0]):
                yield Violation(
                    rule="dial",
                    detail=f"{visit} may enter nest P{visit.position} before index {window} has ended",
                )
            if window < len(indices) and not self._order.before(work[-1], indices[window]):
                yield Violation(
                    rule="dial",
                    detail=f"index {window + 1} may start before {visit} has left nest P{visit.position}",
                )

    def _feeders(self) -> Iterator[Violation]:
        """A part is presented before it is fetched, and the next one when the arm has left."""
        for station, visits in self._by_station(Pick).items():
            if not station.startswith("feeder_"):
                continue
            cycles = self._cycles(station)
            if [self._document.nodes[node].joint for node in cycles] != [visit.joint for visit in visits]:
                yield Violation(
                    rule="feeder", detail=f"{station} does not present one part for every visit in order"
                )
                continue
            for cycle, visit in zip(cycles, visits, strict=True):
                if not self._order.before(cycle, self._at(visit, station)[0]):
                    yield Violation(
                        rule="feeder", detail=f"{visit} may fetch before {station} has presented its part"
                    )
            for visit, cycle in zip(visits, cycles[1:], strict=False):
                if not self._order.before(self._at(visit, station)[-1], cycle):
                    yield Violation(rule="feeder", detail=f"{station} may present before {visit} has left it")

    def _processes(self) -> Iterator[Violation]:
        """Press and bench: loaded, then worked, then taken out, then loaded for the next joint."""
        for process in self._recipes[0].processes:
            cycles = self._cycles(process.station)
            if [self._document.nodes[node].joint for node in cycles] != list(range(len(self._recipes))):
                yield Violation(
                    rule="station", detail=f"{process.station} does not work once for every joint in order"
                )
                continue
            for joint, cycle in enumerate(cycles):
                unload = self._visits[joint, process.unload]
                for load in (self._visits[joint, number] for number in process.loads):
                    if not self._order.before(self._at(load, process.station)[-1], cycle):
                        yield Violation(
                            rule="station", detail=f"{process.station} may start before {load} has left it"
                        )
                if not self._order.before(cycle, self._at(unload, process.station)[0]):
                    yield Violation(
                        rule="station",
                        detail=f"{unload} may fetch from {process.station} before it has finished",
                    )
            for joint in range(len(cycles) - 1):
                unload = self._visits[joint, process.unload]
                for load in (self._visits[joint + 1, number] for number in process.loads):
                    if not self._order.before(
                        self._at(unload, process.station)[-1], self._at(load, process.station)[0]
                    ):
                        yield Violation(
                            rule="station",
                            detail=f"{load} may enter {process.station} before {unload} has left it",
                        )

    def _out_tray(self) -> Iterator[Violation]:
        """A joint is taken away when the arm has left, and before the next one is put down."""
        visits, cycles = self._by_station(Place).get(_OUT_TRAY, []), self._cycles(_OUT_TRAY)
        if [self._document.nodes[node].joint for node in cycles] != [visit.joint for visit in visits]:
            yield Violation(rule="out tray", detail="it does not take away every joint in order")
            return
        for visit, cycle in zip(visits, cycles, strict=True):
            if not self._order.before(self._at(visit, _OUT_TRAY)[-1], cycle):
                yield Violation(rule="out tray", detail=f"it may take away before {visit} has left it")
        for cycle, (_, visit) in zip(cycles, pairwise(visits), strict=False):
            if not self._order.before(cycle, self._at(visit, _OUT_TRAY)[0]):
                yield Violation(
                    rule="out tray", detail=f"{visit} may put down before the last joint is taken away"
                )

    # --- nodes --------------------------------------------------------------------------------------------

    def _leg(self, node: int) -> LegRecord:
        index = self._document.nodes[node].leg
        assert index is not None
        return self._document.legs[index]

    def _work(self, visit: _Visit) -> tuple[int, ...]:
        """The nodes in the nest; off the dial those at the station that is loaded."""
        if not visit.operation.arm:
            return visit.nodes
        if visit.position is not None:
            return self._at(visit, f"P{visit.position}")
        last = visit.operation.steps[-1]
        assert isinstance(last, Place)
        return self._at(visit, last.station)

    def _at(self, visit: _Visit, station: str) -> tuple[int, ...]:
        return tuple(node for node in visit.nodes if self._leg(node).station == station)

    def _cycles(self, station: str) -> list[int]:
        return self._order.chains.get(station, [])

    def _by_station(self, kind: type[Pick] | type[Place]) -> dict[str, list[_Visit]]:
        """The visits that pick from (or place into) each station, sorted by joint."""
        found: dict[str, list[_Visit]] = {}
        for visit in sorted(self._visits.values(), key=lambda visit: visit.joint):
            for step in visit.operation.steps:
                if isinstance(step, kind) and step.station != NEST:
                    found.setdefault(step.station, []).append(visit)
        return found

    def _ordered(self, rule: str, one: _Visit, end: int, two: _Visit, start: int) -> Iterator[Violation]:
        if not self._order.before(end, start):
            yield Violation(rule=rule, detail=f"{two} may start before {one} has ended")
