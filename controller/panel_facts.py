"""What the panel has to know of a cell and its joint models, as plain data."""

import platform
from importlib.metadata import version
from importlib.util import find_spec

from cells.cell import Cell
from cells.joint_model import JointModel
from cells.recipe import recipe_for
from controller.panel.facts import ArmFacts, CellFacts, DialFacts, ModelFacts, RecipeStep

_PACKAGES = ("jointcell", "numpy", "numba", "pybullet", "fastapi", "uvicorn")


def facts_of(
    cell: Cell, models: tuple[JointModel, ...], *, source: str, driver: str, simulated: bool
) -> CellFacts:
    """The facts of a cell, loaded from ``source``, that assembles these models."""
    return CellFacts(
        cell=cell.name,
        source=source,
        driver=driver,
        simulated=simulated,
        arms=tuple(
            ArmFacts(
                id=arm.id,
                model=arm.arm.name,
                lower_rad=arm.arm.chain.q_min.tolist(),
                upper_rad=arm.arm.chain.q_max.tolist(),
                velocity_rad_s=arm.arm.limits.velocity.tolist(),
            )
            for arm in cell.arms
        ),
        dial=DialFacts(
            x_m=cell.dial.center_m[0],
            y_m=cell.dial.center_m[1],
            z_m=cell.work_height_m,
            radius_m=cell.dial.radius_m,
            positions=cell.dial.positions,
        ),
        models=tuple(_model(model) for model in models),
        versions={"Python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        view3d=find_spec("viser") is not None,
    )


def _model(model: JointModel) -> ModelFacts:
    return ModelFacts(
        name=model.name,
        ratio=model.ratio,
        torque_rated_nm=model.torque_rated_nm,
        diameter_m=model.diameter_m,
        length_m=model.length_m,
        mass_kg=model.mass_kg,
        steps=[
            RecipeStep(
                number=operation.number,
                does=operation.name,
                core_s=round(operation.core_s, 2),
                after=list(operation.needs),
            )
            for operation in recipe_for(model).operations
        ],
    )
