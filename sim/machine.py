"""Machines with driven joints that carry workpieces: the dial and the shuttles of press and bench.

A workpiece is carried by a constraint at its measured place, never set to a pose. While its machine rests,
it is clamped: it has no mass and costs nothing.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, Station
from cells.fixtures import SHUTTLE_M, TABLE_BELOW_M, Fixture
from sim.body import Workpiece
from sim.bullet import pybullet
from sim.engine import FIXTURE, Engine, inverse, pose
from sim.profile import smooth

if TYPE_CHECKING:
    from collections.abc import Mapping

FloatArray = NDArray[np.float64]

_FORCE = 2e5  # N or N m: a machine's drives are taken to be strong enough (E)


class Machine:
    """A body with driven joints on a fixed base, and the workpieces fixed to its links."""

    def __init__(self, engine: Engine, urdf: str, X_WM: FloatArray) -> None:
        self.engine = engine
        self.body = engine.add(urdf, X_WM, fixed=True)
        self._joints = tuple(range(pybullet.getNumJoints(self.body, physicsClientId=engine.client)))
        for link in (-1, *self._joints):
            engine.group(self.body, link, FIXTURE)
        self._forces = [_FORCE] * len(self._joints)
        self._setpoint = [0.0] * len(self._joints)
        self._speed = [0.0] * len(self._joints)
        self._carried: list[tuple[Workpiece, int]] = []
        self.drive(self._setpoint, 1.0)

    def drive(self, target: list[float], dt: float) -> None:
        """Setpoints [m or rad] for the end of the next step of ``dt``."""
        self._speed = [(b - a) / dt for a, b in zip(self._setpoint, target, strict=True)]
        self.engine.drive(self.body, self._joints, self._setpoint, self._speed, self._forces)
        self._setpoint = target

    def pick_up(self, workpiece: Workpiece, link: int) -> None:
        """Fix a clamped workpiece to a link, where it is."""
        state = pybullet.getLinkState(
            self.body, link, computeForwardKinematics=1, physicsClientId=self.engine.client
        )
        workpiece.free()
        X_LC = inverse(pose(state[0], state[1])) @ workpiece.pose_of_mass
        constraint = self.engine.fix(self.body, link, X_LC[:3, 3], X_LC[:3, :3], workpiece.body)
        self._carried.append((workpiece, constraint))

    def set_down(self) -> None:
        """Clamp everything carried, where it is."""
        for workpiece, constraint in self._carried:
            pybullet.removeConstraint(constraint, physicsClientId=self.engine.client)
            workpiece.clamp()
        self._carried.clear()

    def slow(self, share: float, dt: float) -> None:
        """Go on for ``dt`` at a share of the speed of the last step."""
        self.drive(
            [at + share * speed * dt for at, speed in zip(self._setpoint, self._speed, strict=True)], dt
        )

    def joint(self, index: int) -> float:
        """Position of a joint [m or rad]."""
        return float(self.engine.joints(self.body, (index,))[0][0])


class Shuttle(Machine):
    """The slide of press or bench, and the ram above its far end (joint 1, down is positive)."""

    def __init__(self, engine: Engine, station: Station) -> None:
        slide = _link("slide", 2.0) + _link("ram", 5.0)
        joints = _joint("slide", "prismatic", "base", "slide", (0.0, 0.0, 0.0), (1, 0, 0))
        joints += _joint("ram", "prismatic", "base", "ram", (SHUTTLE_M, 0.0, 0.15), (0, 0, -1))
        super().__init__(
            engine, f'<robot name="shuttle">{_link("base", 0.0)}{slide}{joints}</robot>', station.X_WS
        )

    @property
    def slid_m(self) -> float:
        """Setpoint of the slide [m]."""
        return self._setpoint[0]

    @property
    def ram_m(self) -> float:
        """Setpoint of the ram [m]."""
        return self._setpoint[1]

    def slide_to(self, place_m: float, dt: float) -> None:
        """Slide position for the end of the next step: 0 at the arm's side, SHUTTLE_M under the head."""
        self.drive([place_m, self._setpoint[1]], dt)

    def ram_to(self, depth_m: float, dt: float) -> None:
        """Ram position for the end of the next step."""
        self.drive([self._setpoint[0], depth_m], dt)


class Dial(Machine):
    """The indexing dial with a trunnion in each nest: joint 0 is the dial, joints 1 to n the trunnions."""

    def __init__(self, engine: Engine, cell: Cell, fixtures: "Mapping[str, Fixture]") -> None:
        self.cell = cell
        self.count = cell.dial.positions
        self.turned = 0  # indexes since the start: nest k stands at position (k + turned) mod count
        x, y = cell.dial.center_m
        X_WM = np.eye(4)
        X_WM[:3, 3] = x, y, cell.work_height_m
        super().__init__(engine, _dial_urdf(cell, fixtures, inverse(X_WM)), X_WM)
        self._start = self._setpoint = self._angles(0)
        self.drive(self._setpoint, 1.0)
        for index, angle in enumerate(self._setpoint):
            pybullet.resetJointState(self.body, index, angle, physicsClientId=engine.client)

    def nest_link(self, position: int) -> int:
        """Link of the nest that stands at a position."""
        return 1 + (position - self.turned) % self.count

    def begin(self) -> None:
        """Set out for the next position from wherever a stop may have left the dial."""
        self._start = self._setpoint

    def index_to(self, share: float, dt: float) -> None:
        """Smoothly towards the next position, 0 to 1."""
        gone = smooth(share)
        self.drive([a + gone * (b - a) for a, b in zip(self._start, self._angles(1), strict=True)], dt)

    def settle(self) -> None:
        """The dial has reached the next position."""
        self.turned += 1

    def _angles(self, ahead: int) -> list[float]:
        """Joint angles ``ahead`` positions from the present one; trunnions turn rear positions over."""
        angles = [2 * math.pi / self.count * (self.turned + ahead)]
        for nest in range(self.count):
            angles.append(math.pi * self.cell.dial.rear_up((nest + self.turned + ahead) % self.count))
        return angles


def _dial_urdf(cell: Cell, fixtures: "Mapping[str, Fixture]", X_MW: FloatArray) -> str:
    """The disc and the shafts are one link; its boxes are those of `cells.fixtures`."""
    boxes = "".join(
        _box(X_MW @ box.X_WO, box.half_m)
        for name, box in fixtures.items()
        if name.startswith(("dial.", "nest"))
    )
    links = _link("base", 0.0) + _link("disc", 40.0, boxes)
    joints = _joint("dial", "continuous", "base", "disc", (0.0, 0.0, 0.0), (0, 0, 1))
    for position in range(cell.dial.positions):
        angle = cell.dial.angle(position)
        x, y = cell.dial.radius_m * math.cos(angle), cell.dial.radius_m * math.sin(angle)
        links += _link(f"nest{position}", 1.5)
        joints += _joint(
            f"trunnion{position}", "continuous", "disc", f"nest{position}", (x, y, 0.0), (1, 0, 0), angle
        )
    return f'<robot name="dial">{links}{joints}</robot>'


def _link(name: str, mass: float, bodies: str = "") -> str:
    moment = mass * TABLE_BELOW_M**2
    inertia = f'<inertia ixx="{moment}" iyy="{moment}" izz="{moment}" ixy="0" ixz="0" iyz="0"/>'
    return f'<link name="{name}"><inertial><mass value="{mass}"/>{inertia}</inertial>{bodies}</link>'


def _joint(
    name: str,
    kind: str,
    parent: str,
    child: str,
    xyz: tuple[float, float, float],
    axis: tuple[int, int, int],
    yaw: float = 0.0,
) -> str:
    limit = '<limit lower="1" upper="-1" effort="1000" velocity="100"/>' if kind == "prismatic" else ""
    origin = f'<origin xyz="{xyz[0]:.12g} {xyz[1]:.12g} {xyz[2]:.12g}" rpy="0 0 {yaw:.12g}"/>'
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>{origin}'
        f'<axis xyz="{axis[0]} {axis[1]} {axis[2]}"/>{limit}</joint>'
    )


def _box(X: FloatArray, half: tuple[float, float, float]) -> str:
    yaw = math.atan2(X[1, 0], X[0, 0])
    x, y, z = X[:3, 3]
    size = f"{2 * half[0]:.12g} {2 * half[1]:.12g} {2 * half[2]:.12g}"
    origin = f'<origin xyz="{x:.12g} {y:.12g} {z:.12g}" rpy="0 0 {yaw:.12g}"/>'
    body = f'{origin}<geometry><box size="{size}"/></geometry>'
    return f"<collision>{body}</collision><visual>{body}</visual>"
