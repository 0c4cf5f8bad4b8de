"""Whether the tool does in every leg what recipe, parts and cell ask for."""

from collections.abc import Iterator, Mapping

from cells.cell import Cell
from cells.joint_model import JointModel
from cells.part import Part, parts_of
from cells.recipe import Operation, Screw, recipe_for
from controller.motion.plan_document import GripRecord, InsertRecord, LegRecord, ScrewRecord, StoredPlan
from controller.scheduling.verify import Violation

_RELATIVE = 1e-6


def process_violations(
    stored: StoredPlan, cell: Cell, models: Mapping[str, JointModel]
) -> Iterator[Violation]:
    """Grips fit the part and hold it, insertions watch its force window, screws are driven to their torque.

    That each operation has as many of them as its recipe says is checked elsewhere, and so is the time in the nest.
    """
    document = stored.document
    force = {arm.id: arm.tool.grip_force_n for arm in cell.arms}
    parts = {name: parts_of(models[name]) for name in set(document.order)}
    recipes = {name: recipe_for(models[name]) for name in set(document.order)}
    seen: set[tuple[str, str, int, str]] = set()
    for index, node in enumerate(document.nodes):
        if node.leg is None or (key := (node.resource, node.model, node.leg, node.operation)) in seen:
            continue
        seen.add(key)
        leg = stored.leg(index)
        operations = [item for item in recipes[node.model].operations if item.number == node.operation]
        wrong = _wrong(leg, cell, force[node.resource], parts[node.model], operations)
        if wrong:
            yield Violation(rule="process", detail=f"{stored.name(index)} {wrong}")


def _wrong(
    leg: LegRecord, cell: Cell, force_n: float, parts: Mapping[str, Part], operations: list[Operation]
) -> str:
    """What is wrong with the process of a leg, empty if nothing is."""
    process = leg.process
    if process is None:
        return ""
    if process.kind != "dwell" and process.station != leg.station:
        return f"does its process at {process.station}, the leg is at {leg.station or 'no station'}"
    if isinstance(process, GripRecord):
        part = parts.get(leg.held_after)
        if part is None:
            return "grips nothing"
        found = {
            "radius_m": (process.radius_m, part.grip.radius_m),
            "internal": (process.internal, part.grip.internal),
            "force_n": (process.force_n, force_n),
            "duration_s": (process.duration_s, cell.motion.grip_s),
        }
    elif isinstance(process, InsertRecord):
        part = parts.get(leg.held)
        if part is None:
            return "inserts nothing"
        low = part.fit.force_low_n if leg.station[:1] == "P" else 0.0  # stations off the dial feel no fit
        found = {
            "force_low_n": (process.force_low_n, low),
            "force_high_n": (process.force_high_n, part.fit.force_high_n),
        }
    elif isinstance(process, ScrewRecord):
        torques = {step.torque_nm for item in operations for step in item.steps if isinstance(step, Screw)}
        found = {"torque_nm": (process.torque_nm, next(iter(torques), 0.0))}
    else:
        found = (
            {"duration_s": (process.duration_s, cell.motion.release_s)} if process.kind == "release" else {}
        )
    for name, (value, wanted) in found.items():
        if abs(value - wanted) > _RELATIVE * max(abs(wanted), 1.0):
            return f"has {name} {value:g} in its {process.kind} process, expected {wanted:g}"
    return ""
