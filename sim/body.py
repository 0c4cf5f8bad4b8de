"""A workpiece in the engine: where it is, who carries it, and what has been measured on it so far."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.part import Part
from sim.bullet import pybullet
from sim.engine import HELD, RESTING, Engine, inverse, pose
from sim.workpiece import Placed, held_urdf, mass_of, resting_urdf

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """How well a part sits: errors against the frame of its station and against the part that guides it.

    ``position_error_m`` and ``tilt_rad`` are against the station, ``offset_m`` is sideways against the guide.
    """

    time_s: float
    serial: str
    part: str
    station: str
    position_error_m: float
    tilt_rad: float
    offset_m: float
    ok: bool


class Workpiece:
    """One part, or several joined. Its frame is the part frame of the first."""

    def __init__(self, engine: Engine, serial: str, model: str, parts: tuple[Placed, ...]) -> None:
        self.engine = engine
        self.serial = serial
        self.model = model
        self.parts = parts
        self.seatings: list[Seating] = []
        self.screw_ratios: list[float] = []  # achieved over specified torque
        self.faults: list[str] = []
        self.body = -1
        self.mass = mass_of(parts)
        self._moments, self._X_0C = self.mass.principal()
        self._X_C0 = inverse(self._X_0C)
        self._still: FloatArray | None = None

    @property
    def last(self) -> Part:
        """The part joined last: the one by which the workpiece is gripped."""
        return self.parts[-1].part

    @property
    def pose(self) -> FloatArray:
        """Pose ``X_W0`` (4, 4) of the workpiece's frame."""
        if self._still is not None:
            return self._still
        return self.pose_of_mass @ self._X_C0

    @property
    def pose_of_mass(self) -> FloatArray:
        """Pose (4, 4) of the principal frame in the centre of mass."""
        return pose(*self.engine.base(self.body))

    @property
    def pose_of_last(self) -> FloatArray:
        """Pose ``X_WP`` (4, 4) of the part joined last."""
        return self.pose @ self.parts[-1].X_0P

    def rest(self, X_W0: FloatArray) -> None:
        """Appear as a body that a station holds."""
        self._load(resting_urdf(self.parts, seen=self.engine.gui), X_W0, RESTING)
        self.clamp()

    def hold(self) -> None:
        """Become a body that an arm holds: same place, true mass, the shapes a counterpart meets."""
        X_W0 = self.pose
        self._load(held_urdf(self.parts, seen=self.engine.gui), X_W0, HELD)
        self._still = None

    def clamp(self) -> None:
        """Stand still where it is, held by its station."""
        self._still = self.pose
        client = self.engine.client
        pybullet.resetBaseVelocity(self.body, [0.0] * 3, [0.0] * 3, physicsClientId=client)
        self.engine.dynamics(self.body, -1, mass=0.0)
        self.engine.group(self.body, -1, RESTING)  # changing the mass to or from zero resets the group

    def free(self) -> None:
        """Get its mass back, to be carried by a machine."""
        self.engine.dynamics(
            self.body, -1, mass=self.mass.mass_kg, localInertiaDiagonal=self._moments.tolist()
        )
        self.engine.group(self.body, -1, RESTING)
        self._still = None

    def vanish(self) -> None:
        """Leave the engine."""
        if self.body >= 0:
            self._still = self.pose
            self.engine.remove(self.body)
            self.body = -1

    def _load(self, urdf: str, X_W0: FloatArray, group: int) -> None:
        if self.body >= 0:
            self.engine.remove(self.body)
        self.body = self.engine.add(urdf, X_W0, fixed=False)
        self.engine.group(self.body, -1, group)
        self._still = X_W0


def joined(base: Workpiece, added: Workpiece) -> Workpiece:
    """Both as one workpiece, at their measured relative pose; neither body is touched."""
    X_base_added = inverse(base.pose) @ added.pose
    parts = base.parts + tuple(Placed(part=p.part, X_0P=X_base_added @ p.X_0P) for p in added.parts)
    whole = Workpiece(base.engine, base.serial or added.serial, base.model, parts)
    whole.seatings = base.seatings + added.seatings
    whole.screw_ratios = base.screw_ratios + added.screw_ratios
    whole.faults = base.faults + added.faults
    return whole
