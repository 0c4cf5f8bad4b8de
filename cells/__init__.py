"""What exists in a cell and what may be asked of it.

Arms, tools, stations, joint models and their recipes, read from TOML files that are checked before anything
is planned with them (`CellError` holds every finding), and the contract of the drivers that carry a plan
out (`cells.driver`). Everything loaded is frozen; lengths are metres, angles radians.
"""

from cells.arm import Arm, Link, arm_names, load_arm
from cells.cell import (
    Cell,
    CellArm,
    Clearance,
    Dial,
    Motion,
    Station,
    Tool,
    cell_names,
    frame,
    load_cell,
)
from cells.errors import CellError, Finding
from cells.files import Source
from cells.fixtures import Fixture, fixtures_of
from cells.joint_model import (
    JointModel,
    Screws,
    joint_model_names,
    load_joint_model,
    load_joint_models,
)
from cells.measurement import Measurement
from cells.order import mixed_order
from cells.part import Fit, Grip, Part, Section, parts_of
from cells.recipe import Operation, Recipe, StationProcess, recipe_for
from cells.servos import Servos
from cells.tool_shape import X_FT, HandCapsule, finger_open_m, hand_capsule

__all__ = (
    "X_FT",
    "Arm",
    "Cell",
    "CellArm",
    "CellError",
    "Clearance",
    "Dial",
    "Finding",
    "Fit",
    "Fixture",
    "Grip",
    "HandCapsule",
    "JointModel",
    "Link",
    "Measurement",
    "Motion",
    "Operation",
    "Part",
    "Recipe",
    "Screws",
    "Section",
    "Servos",
    "Source",
    "Station",
    "StationProcess",
    "Tool",
    "arm_names",
    "cell_names",
    "finger_open_m",
    "fixtures_of",
    "frame",
    "hand_capsule",
    "joint_model_names",
    "load_arm",
    "load_cell",
    "load_joint_model",
    "load_joint_models",
    "mixed_order",
    "parts_of",
    "recipe_for",
)
