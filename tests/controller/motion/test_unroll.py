"""A repeating schedule unrolled for an order: the arcs alone keep recipe, dial, feeders and machines in order."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from cells.cell import Cell, load_cell
from cells.joint_model import JointModel, joint_model_names, load_joint_model
from cells.order import mixed_order
from cells.recipe import NEST, Dispense, Pick, Place, recipe_for
from controller.motion.event_graph import EventGraph
from controller.motion.unroll import Unrolled, entering, serial_number, unroll
from controller.motion.visit import Leg, Visit, Zone, still
from controller.scheduling.problem import NO_ARM, OFF_DIAL, Mode
from controller.scheduling.schedule import Schedule, ScheduledOperation

CYCLE = 30_000
# Operation -> (arm, position, when it begins [s]): after the joint has come to the position, or to the first one.
PLACES = {
    "10": (0, 0, 2), "30": (0, 0, 14), "50": (1, OFF_DIAL, 20), "60": (1, 1, 2), "70": (1, 1, 12), "80": (5, 0, 24),
    "90": (2, 2, 2), "100a": (3, OFF_DIAL, 70), "100b": (3, OFF_DIAL, 80), "110": (2, 3, 2), "150": (2, 3, 14),
    "40": (4, 4, 2), "120": (4, 4, 10), "130": (4, 5, 2), "140": (4, 5, 14), "160": (5, 6, 2), "170": (NO_ARM, 7, 2),
    "200": (5, 7, 23),
}  # fmt: skip


def schedule() -> Schedule:
    operations = []
    for name, (arm, position, second) in PLACES.items():
        window = max(position, 0)
        start = window * CYCLE + second * 1000
        operations.append(
            ScheduledOperation(
                operation=name,
                mode=Mode(arm=arm, position=position, inside=1000),
                window=window,
                start=start,
                enter=start + 500,
                leave=start + 1500,
                end=start + 2000,
            )
        )
    return Schedule(
        cycle_time=CYCLE,
        lower_bound=CYCLE,
        operations=tuple(operations),
        arm_sequences=(),
        nest_orders=(),
        exclusion_orders=(),
        buffer_heights=(),
        critical=(),
    )


def made_up_legs(model: JointModel, number: str) -> tuple[Leg, ...]:
    """Legs with the names and zones that real visits have, standing still."""

    def leg(name: str, zone: Zone) -> Leg:
        return Leg(name=name, zone=zone, trajectory=still(np.zeros(6)))

    operation = recipe_for(model).operation(number)
    legs = [leg("approach", Zone.BEFORE)]
    for step in operation.steps:
        if isinstance(step, Pick) and step.station != NEST:
            legs += [leg("fetch", Zone.BEFORE), leg("carry", Zone.BEFORE)]
        elif isinstance(step, Dispense):
            legs += [leg("dispense", Zone.BEFORE)]
        elif isinstance(step, Place) and step.station == "out_tray":
            legs += [leg("enter", Zone.AFTER), leg("release", Zone.AFTER), leg("leave", Zone.AFTER)]
        else:
            legs += [leg("enter", Zone.INSIDE), leg("work", Zone.INSIDE), leg("leave", Zone.INSIDE)]
    return tuple(legs)


@pytest.fixture(scope="module")
def cell() -> Cell:
    return load_cell("six_arm")


@pytest.fixture(scope="module", params=[1, 3, 12], ids=lambda count: f"{count} joints")
def order(request: pytest.FixtureRequest) -> tuple[JointModel, ...]:
    models = [load_joint_model(name) for name in joint_model_names()]
    return mixed_order(models, request.param, np.random.default_rng(1))


@pytest.fixture(scope="module")
def unrolled(cell: Cell, order: tuple[JointModel, ...]) -> Unrolled:
    def visit_of(model: JointModel, number: str, arm: int, position: int | None) -> Visit:
        assert (arm, OFF_DIAL if position is None else position) == PLACES[number][:2]
        visit = SimpleNamespace(arm=cell.arms[arm].id, legs=made_up_legs(model, number), rest=())
        visit.drawn_back = visit  # made-up arms have no parking place
        return visit  # type: ignore[return-value]

    def legs_of(arm: str, last: Visit | None, visit: Visit) -> tuple[Leg, ...]:
        return visit.legs  # type: ignore[attr-defined,no-any-return]

    return unroll(cell, schedule(), entering(order), visit_of, legs_of)


def ancestors(unrolled: Unrolled) -> list[set[int]]:
    """All that must have ended before each node starts."""
    graph = EventGraph(
        nodes=tuple(unrolled.nodes),
        predecessors=tuple(tuple(sorted(before)) for before in unrolled.predecessors),
        coordination=frozenset(),
    )
    found: list[set[int]] = [set() for _ in unrolled.nodes]
    for node in graph.order().tolist():  # raises when there is a circle
        for before in unrolled.predecessors[node]:
            found[node] |= found[before] | {before}
    return found


def legs(unrolled: Unrolled, number: str, joint: int, zone: Zone) -> list[int]:
    return [
        node.id
        for node in unrolled.nodes
        if node.operation == number and node.joint == joint and (node.leg is None or node.leg.zone is zone)
    ]


def test_nodes_are_numbered_and_every_joint_does_every_operation(
    unrolled: Unrolled, order: tuple[JointModel, ...]
) -> None:
    assert [node.id for node in unrolled.nodes] == list(range(len(unrolled.nodes)))
    done = {(node.operation, node.joint) for node in unrolled.nodes if node.operation}
    assert done == {(number, joint) for number in PLACES for joint in range(len(order))}
    for node in unrolled.nodes:
        if node.joint >= 0:
            assert (node.serial, node.model) == (serial_number(node.joint), order[node.joint].name)
        assert (node.leg is None) != (node.cycle is None)
        if node.cycle is not None:
            assert (node.cycle.id, node.cycle.station) == (node.id, node.resource)
            assert node.cycle.duration_s == node.duration_s
    assert sum(node.finishes for node in unrolled.nodes) == len(order)


def test_an_arms_legs_follow_one_another(unrolled: Unrolled, cell: Cell) -> None:
    assert set(unrolled.chains) == {arm.id for arm in cell.arms}
    for name, chain in unrolled.chains.items():
        assert chain == [node.id for node in unrolled.nodes if node.resource == name and node.leg is not None]
        for one, two in pairwise(chain):
            assert one in unrolled.predecessors[two]


def test_what_an_operation_needs_has_left_the_nest_before_it_enters(
    unrolled: Unrolled, order: tuple[JointModel, ...]
) -> None:
    before = ancestors(unrolled)
    for joint, model in enumerate(order):
        for operation in recipe_for(model).operations:
            inside = legs(unrolled, operation.number, joint, Zone.INSIDE)
            for need in operation.needs:
                for node in legs(unrolled, need, joint, Zone.INSIDE):
                    assert all(node in before[later] for later in inside), f"{operation.number} needs {need}"


def test_the_dial_turns_when_all_nests_are_free_and_nobody_enters_before(
    unrolled: Unrolled, order: tuple[JointModel, ...]
) -> None:
    before = ancestors(unrolled)
    indices = [node.id for node in unrolled.nodes if node.resource == "dial"]
    assert len(indices) == len(order) - 1 + 7
    for cycle, index in enumerate(indices):
        assert set(indices[:cycle]) <= before[index]
        for number, (_, position, _) in PLACES.items():
            if position == OFF_DIAL:
                continue
            for joint in range(len(order)):
                for node in legs(unrolled, number, joint, Zone.INSIDE):
                    if joint + position <= cycle:
                        assert node in before[index]
                    else:
                        assert index in before[node]


def test_one_nest_has_one_visit_at_a_time(unrolled: Unrolled, order: tuple[JointModel, ...]) -> None:
    before = ancestors(unrolled)
    for joint in range(len(order)):
        for one in PLACES:
            for two in PLACES:
                if one == two or PLACES[one][1] != PLACES[two][1] or PLACES[one][1] == OFF_DIAL:
                    continue
                a, b = legs(unrolled, one, joint, Zone.INSIDE), legs(unrolled, two, joint, Zone.INSIDE)
                assert all(x in before[y] for x in a for y in b) or all(y in before[x] for x in a for y in b)


def test_feeders_present_before_every_fetch_and_only_once_emptied(unrolled: Unrolled) -> None:
    before = ancestors(unrolled)
    presented = [node for node in unrolled.nodes if node.label == "present"]
    for node in presented:
        fetches = [
            other.id
            for other in unrolled.nodes
            if other.label == "fetch"
            and other.joint == node.joint
            and any(
                isinstance(step, Pick) and step.station == node.resource
                for step in recipe_for(load_joint_model(other.model)).operation(other.operation).steps
            )
        ]
        (fetch,) = fetches
        assert node.id in before[fetch]
        for later in presented:
            if later.resource == node.resource and later.joint > node.joint:
                assert fetch + 1 in before[later.id]  # the leg that carries it away


@pytest.mark.parametrize(
    ("station", "loads", "unload"), [("press", ["50"], "60"), ("bench", ["100a", "100b"], "110")]
)
def test_machines_work_between_loading_and_unloading_for_one_joint_after_the_other(
    unrolled: Unrolled, order: tuple[JointModel, ...], station: str, loads: list[str], unload: str
) -> None:
    before = ancestors(unrolled)
    cycles = [node for node in unrolled.nodes if node.resource == station]
    assert [node.joint for node in cycles] == list(range(len(order)))
    for node in cycles:
        loaded = [leg for number in loads for leg in legs(unrolled, number, node.joint, Zone.INSIDE)]
        assert set(loaded) <= before[node.id]
        taken = legs(unrolled, unload, node.joint, Zone.BEFORE)
        fetch, carry = (
            next(n for n in taken if unrolled.nodes[n].label == name) for name in ("fetch", "carry")
        )
        assert node.id in before[fetch]
        for later in range(node.joint + 1, len(order)):
            assert all(carry in before[leg] for leg in legs(unrolled, loads[0], later, Zone.INSIDE))


def test_the_out_tray_is_emptied_between_joints(unrolled: Unrolled, order: tuple[JointModel, ...]) -> None:
    before = ancestors(unrolled)
    taken = [node for node in unrolled.nodes if node.label == "take away"]
    assert [node.joint for node in taken] == list(range(len(order)))
    for node in taken:
        assert set(legs(unrolled, "200", node.joint, Zone.AFTER)) <= before[node.id]
        for later in range(node.joint + 1, len(order)):
            assert all(node.id in before[leg] for leg in legs(unrolled, "200", later, Zone.AFTER))
