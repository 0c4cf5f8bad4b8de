"""What a file is, in words, or everything that is wrong with it."""

from collections.abc import Mapping
from pathlib import Path

from cells.arm import Arm, load_arm
from cells.cell import Cell, load_cell
from cells.errors import CellError, Finding, shown
from cells.files import read_toml
from cells.joint_model import JointModel, load_joint_models
from cells.part import parts_of
from cells.recipe import recipe_for
from cells.serial_arm import SerialArm, load_serial_arm

# Tables that only one kind of file has; whichever kind has most of them is meant.
_TABLES = {
    "cell": {"work_height_m", "dial", "clearance", "tools", "arms", "stations"},
    "arm": {"opw", "position", "velocity", "acceleration", "jerk", "torque", "ratings", "links", "capsules"},
    "serial arm": {"serial"},
    "joint models": {"electrical", "motors", "gear", "stiffness", "screws", "parts", "model"},
}


def check_file(path: Path) -> str:
    """Load a cell, arm or joint model file and say what it is.

    Joint models are also taken through recipe and bill of material: without a part none can be made.

    Raises:
        CellError: With all findings.
    """
    kind = _kind(read_toml(path, str(path)), path)
    if kind == "cell":
        return _of_cell(load_cell(path))
    if kind == "arm":
        return _of_arm(load_arm(path))
    if kind == "serial arm":
        return _of_arm(load_serial_arm(path))
    models = load_joint_models(path)
    if findings := [finding for model in models for finding in _missing_parts(model, path)]:
        raise CellError(findings)
    return _of_models(models)


def _kind(document: Mapping[str, object], path: Path) -> str:
    fits = {kind: len(tables & document.keys()) for kind, tables in _TABLES.items()}
    kind = "serial arm" if fits["serial arm"] else max(fits, key=lambda name: fits[name])
    if fits[kind] == 0:
        allowed = "; ".join(f"{name}: {', '.join(sorted(tables))}" for name, tables in _TABLES.items())
        found = shown(", ".join(document)) if document else ""
        message = "holds no cell, arm or joint models" if document else "is empty"
        raise CellError(
            [Finding(file=str(path), where="", value=found, message=message, allowed=f"tables of {allowed}")]
        )
    return kind


def _missing_parts(model: JointModel, path: Path) -> list[Finding]:
    try:
        parts_of(model)
        recipe_for(model)
    except KeyError as error:
        part = str(error.args[0])
        return [
            Finding(
                file=str(path),
                where=f"parts.share.{part}",
                value="",
                message=f"is missing: {model.name} cannot be assembled without it",
                allowed="a share of the joint's mass, a finite number > 0",
            )
        ]
    return []


def _of_cell(cell: Cell) -> str:
    kinds = ", ".join(sorted({arm.arm.name for arm in cell.arms}))
    return (
        f"cell {cell.name}: {len(cell.arms)} arms ({kinds}), {cell.dial.positions} dial positions, "
        f"{len(cell.stations)} stations"
    )


def _of_arm(arm: Arm | SerialArm) -> str:
    shapes = (
        f"{len(arm.capsules.radius)} capsules"
        if isinstance(arm, Arm)
        else "of any geometry, for kinematics only"
    )
    return f"arm {arm.name}: payload {arm.payload_kg:g} kg, mass {arm.mass_kg:g} kg, {shapes}"


def _of_models(models: tuple[JointModel, ...]) -> str:
    return f"{len(models)} joint models: {', '.join(model.name for model in models)}"
