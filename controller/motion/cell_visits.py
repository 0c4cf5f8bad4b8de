"""Visits of one cell and the volumes they sweep, kept: what is asked for again is there at once."""

from cells.cell import Cell
from cells.joint_model import JointModel
from cells.recipe import Operation, Recipe, recipe_for
from controller.motion.poses import ArmPoses
from controller.motion.visit import Visit
from controller.motion.visit_planner import VisitPlanner
from controller.motion.volumes import Volumes


class CellVisits:
    """Plans the visits of a cell.

    Attributes:
        cell: The cell.
        poses: By name of an arm.
        planners: Of the arms in their order.
        volumes: What legs sweep.
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.poses = {arm.id: ArmPoses(cell, arm) for arm in cell.arms}
        self.planners = [VisitPlanner(cell, self.poses[arm.id]) for arm in cell.arms]
        self.volumes = Volumes(cell)
        self._recipes: dict[str, Recipe] = {}
        self._visits: dict[tuple[object, ...], Visit] = {}

    def recipe(self, model: JointModel) -> Recipe:
        """The recipe of a model."""
        if model.name not in self._recipes:
            self._recipes[model.name] = recipe_for(model)
        return self._recipes[model.name]

    def of(
        self, recipe: Recipe, operation: Operation, arm: int, position: int | None, *, back: bool = False
    ) -> Visit:
        """A visit, with a way to the parking place at its end or without.

        Models of one geometry and one set of screws share it.

        Raises:
            UnreachableError, KinematicsError: When the arm cannot do it.
        """
        key = (operation, recipe.model.diameter_m, recipe.model.length_m, arm, position)
        if key not in self._visits:
            self._visits[key] = self.planners[arm].plan(recipe, operation, position)
        visit = self._visits[key]
        return visit.drawn_back if back else visit
