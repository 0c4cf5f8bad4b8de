"""What does not change while the cell runs and the page has to know. Plain data, so that the panel needs no kinematics."""

from dataclasses import dataclass

from typing_extensions import TypedDict


class ArmFacts(TypedDict):
    """An arm: limits of its joints [rad] and [rad/s], lower and upper and greatest speed, six each."""

    id: str
    model: str
    lower_rad: list[float]
    upper_rad: list[float]
    velocity_rad_s: list[float]


class RecipeStep(TypedDict):
    """An operation of a recipe, with its core time [s] and what has to be done before."""

    number: str
    does: str
    core_s: float
    after: list[str]


class ModelFacts(TypedDict):
    """A joint model with its recipe."""

    name: str
    ratio: int
    torque_rated_nm: float
    diameter_m: float
    length_m: float
    mass_kg: float
    steps: list[RecipeStep]


class DialFacts(TypedDict):
    """The indexing dial [m]."""

    x_m: float
    y_m: float
    z_m: float
    radius_m: float
    positions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFacts:
    """Arms, dial, joint models, the versions of the software, and whether the 3D view is installed."""

    cell: str
    driver: str
    simulated: bool
    arms: tuple[ArmFacts, ...]
    dial: DialFacts
    models: tuple[ModelFacts, ...]
    versions: dict[str, str]
    view3d: bool = False
