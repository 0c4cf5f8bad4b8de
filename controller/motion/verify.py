"""Check a stored plan with code and libraries that the planner does not use.

Everything is derived again from the files: order from the arcs, motion from the knots, places from the arms'
lengths by pinocchio, distances by coal. Of the project only the description of the cell and the recipes is
shared. What is checked, and what is not, is listed in docs/plan-format.md.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cells.cell import Cell, Tool
from cells.hand_load import hand_load
from cells.joint_model import JointModel
from cells.part import Part, parts_of
from cells.recipe import recipe_for
from cells.tool_shape import hand_capsule
from controller.motion.plan_document import CellRecord, HandRecord, StoredPlan
from controller.motion.verify_clearance import ClearanceCheck, Measured
from controller.motion.verify_limits import LimitCheck
from controller.motion.verify_order import CircleError, Order
from controller.motion.verify_process import process_violations
from controller.motion.verify_recipe import RecipeCheck
from controller.scheduling.verify import Violation

Progress = Callable[[int, int], None]

_SEAM_RAD = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check has found: no violations for a good plan, and how much was measured."""

    violations: tuple[Violation, ...]
    measured: Measured


def verify_plan(
    stored: StoredPlan,
    cell: Cell,
    cell_record: CellRecord,
    models: Sequence[JointModel],
    progress: Progress = lambda done, of: None,
) -> Verdict:
    """Check a plan against its cell and its joint models.

    Distances are measured only when everything else is right: before that it is not known where arms are
    when.

    Args:
        stored: The plan.
        cell: The cell it is meant for.
        cell_record: What a plan for that cell says about it, see `controller.motion.plan_records.cell_record`.
        models: Joint models that may occur in the order.
        progress: Called with the pairs of arms checked and their number.

    Raises:
        MissingLibraryError: When pinocchio or coal is not installed.
    """
    nothing = Measured()
    known = {model.name: model for model in models}
    violations = [*_cell(stored.document.cell, cell_record), *_models(stored, known)]
    if violations:
        return Verdict(violations=tuple(violations), measured=nothing)
    try:
        order = Order(stored.document.nodes)
    except CircleError as error:
        names = " -> ".join(stored.name(node) for node in (*error.nodes, error.nodes[0]))
        circle = Violation(rule="circle", detail=f"these wait for each other: {names}")
        return Verdict(violations=(circle,), measured=nothing)
    violations += [
        Violation(rule="chain", detail=f"{stored.name(two)} does not wait for {stored.name(one)}")
        for one, two in order.gaps
    ]
    violations += [
        *_seams(stored, order),
        *_hands(stored, cell, known),
        *LimitCheck(stored).violations(),
        *process_violations(stored, cell, known),
    ]
    if not order.gaps:  # otherwise "ended before" is not known
        recipes = {name: recipe_for(known[name]) for name in set(stored.document.order)}
        violations += RecipeCheck(stored.document, order, cell, recipes).violations()
    if violations:
        return Verdict(violations=tuple(violations), measured=nothing)
    clearance = ClearanceCheck(stored, order)
    violations += clearance.nests(cell)
    violations += clearance.fixtures()
    violations += clearance.sweeps()
    violations += clearance.arms(progress)
    return Verdict(violations=tuple(violations), measured=clearance.measured)


def _cell(found: CellRecord, wanted: CellRecord) -> Iterator[Violation]:
    """The plan was made for this cell: every figure is the same."""
    for name in CellRecord.model_fields:
        one, two = getattr(found, name), getattr(wanted, name)
        if one == two:
            continue
        if isinstance(one, tuple) and len(one) == len(two):
            for index, (item, other) in enumerate(zip(one, two, strict=True)):
                fields = [
                    field
                    for field in type(item).model_fields
                    if getattr(item, field) != getattr(other, field)
                ]
                if fields:
                    yield Violation(
                        rule="cell", detail=f"cell.{name}[{index}].{fields[0]} is not that of {wanted.source}"
                    )
        else:
            yield Violation(rule="cell", detail=f"cell.{name} is not that of {wanted.source}")


def _models(stored: StoredPlan, known: Mapping[str, JointModel]) -> Iterator[Violation]:
    for name in sorted(set(stored.document.order) - set(known)):
        yield Violation(rule="model", detail=f"{name!r} in the order is no known joint model")


def _seams(stored: StoredPlan, order: Order) -> Iterator[Violation]:
    """An arm starts a leg where the last one ended, with what it held then; only a release lets go of it."""
    document = stored.document
    for arm in (arm.id for arm in document.cell.arms):
        chain = order.chains.get(arm, [])
        for one, two in pairwise(chain):
            first, second = stored.leg(one), stored.leg(two)
            jump = stored.trajectories[second.trajectory].q[0] - stored.trajectories[first.trajectory].q[-1]
            joint = int(np.abs(jump).argmax())
            if abs(jump[joint]) > _SEAM_RAD:
                yield Violation(
                    rule="seam",
                    detail=f"{stored.name(two)} starts {abs(jump[joint]):.6f} rad in joint {joint + 1} "
                    f"from where {first.name} ended",
                )
            if second.held != ("" if first.does == "release" else first.held_after):
                yield Violation(
                    rule="payload",
                    detail=f"{stored.name(two)} holds {second.held or 'nothing'}, {first.name} ended "
                    f"with {first.held_after or 'nothing'}",
                )


def _hands(stored: StoredPlan, cell: Cell, models: Mapping[str, JointModel]) -> Iterator[Violation]:
    """The capsule of a hand is that of the tool and the part it holds."""
    tools = {arm.id: arm.tool for arm in cell.arms}
    parts = {name: parts_of(models[name]) for name in set(stored.document.order)}
    seen: set[tuple[str, str, int]] = set()
    for index, node in enumerate(stored.document.nodes):
        if node.leg is None or (node.resource, node.model, node.leg) in seen:
            continue
        seen.add((node.resource, node.model, node.leg))
        leg = stored.document.legs[node.leg]
        for held, hand in ((leg.held, leg.hand), (leg.held_after, leg.hand_after)):
            if held and held not in parts[node.model]:
                yield Violation(
                    rule="payload", detail=f"{stored.name(index)} holds {held!r}, which is no part"
                )
                continue
            wanted = _hand(tools[node.resource], parts[node.model][held] if held else None)
            found = stored.document.hands[hand]
            if found != wanted:
                field = next(
                    name for name in HandRecord.model_fields if getattr(found, name) != getattr(wanted, name)
                )
                yield Violation(
                    rule="payload",
                    detail=f"{stored.name(index)} counts with another hand than that "
                    f"which holds {held or 'nothing'}: {field} is {getattr(found, field)}, not "
                    f"{getattr(wanted, field)}",
                )


def _hand(tool: Tool, held: Part | None) -> HandRecord:
    shape, load = hand_capsule(tool, held), hand_load(tool, held)
    return HandRecord(
        link=6,
        a_m=shape.a_m,
        b_m=shape.b_m,
        radius_m=shape.radius_m,
        mass_kg=load.mass_kg,
        com_m=(0.0, 0.0, load.com_m),
        inertia_kgm2=(load.across_kgm2, load.across_kgm2, load.along_kgm2),
    )
