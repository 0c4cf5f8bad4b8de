"""What is drawn: links between the points that the cell's own kinematics gives, the dial, stations, and joints in nests."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from viser import ViserServer

FloatArray = NDArray[np.float64]

_GREY, _DARK, _RED = (154, 160, 166), (84, 92, 99), (196, 22, 28)
_DIAL, _STATION, _BUSY, _PART = (150, 156, 161), (176, 181, 185), (120, 128, 135), (31, 95, 168)
_RADII_M = (0.075, 0.070, 0.062, 0.052, 0.042, 0.034, 0.022)  # of the links from base to tool
_SHORTEST_M = 0.004
_LEG_M = 0.03  # half the width of what a station stands on


class Scene:
    """The cell in a viser server.

    Args:
        server: Where it is drawn.
        facts: ``dial`` as the panel's facts have it.
        moment: The first picture, as the panel's stream has it: which arms and stations there are.
    """

    def __init__(self, server: ViserServer, facts: Mapping[str, Any], moment: Mapping[str, Any]) -> None:
        self._server = server
        scene = server.scene
        scene.set_up_direction("+z")
        scene.configure_default_lights(cast_shadow=False)  # half of the work, where there is no graphics card
        scene.add_grid("/floor", width=4.0, height=4.0, cell_size=0.2, section_size=1.0)
        self._dial = _Dial(server, facts["dial"])
        self._arms = {arm["id"]: _Arm(server, arm) for arm in moment["arms"]}
        self._stations = {
            station["id"]: _Station(server, station, facts["dial"]["z_m"]) for station in moment["stations"]
        }
        self._lost = scene.add_label("/lost", "NO DATA", position=(0.0, 0.0, 1.6), visible=False)
        server.initial_camera.position = (1.75, -1.55, 1.6)
        server.initial_camera.look_at = (0.0, 0.0, 0.35)
        self.show(moment)

    def show(self, moment: Mapping[str, Any]) -> None:
        """Draw a picture; browsers see all of it at once."""
        with self._server.atomic():
            self._lost.visible = False
            self._dial.turn(moment["dial_rad"])
            for arm in moment["arms"]:
                self._arms[arm["id"]].show(arm)
            for station in moment["stations"]:
                self._stations[station["id"]].show(station)

    def lose(self) -> None:
        """Say that what is drawn is old."""
        self._lost.visible = True


class _Arm:
    """Seven links, six joints, and what the hand holds."""

    def __init__(self, server: ViserServer, arm: Mapping[str, Any]) -> None:
        name, points = f"/arms/{arm['id']}", _points(arm)
        lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)  # origins of neighbouring frames keep them
        self._links = {
            k: server.scene.add_cylinder(
                f"{name}/link_{k}", radius=radius, height=float(length), color=_GREY, radial_segments=20
            )
            for k, (radius, length) in enumerate(zip(_RADII_M, lengths, strict=True))
            if length > _SHORTEST_M
        }
        self._joints = {
            k: server.scene.add_icosphere(
                f"{name}/joint_{k}", radius=1.08 * _RADII_M[k], color=_DARK, subdivisions=2
            )
            for k in range(1, 7)
        }
        self._part = server.scene.add_icosphere(f"{name}/part", radius=0.035, color=_PART, subdivisions=2)
        server.scene.add_label(f"{name}/name", arm["id"], position=tuple(points[0] + (0.0, 0.0, 0.02)))
        self._color = _GREY

    def show(self, arm: Mapping[str, Any]) -> None:
        points = _points(arm)
        for k, link in self._links.items():
            link.position = (points[k] + points[k + 1]) / 2.0
            link.wxyz = turned_to(points[k + 1] - points[k])
        for k, joint in self._joints.items():
            joint.position = points[k]
        self._part.position = points[-1]
        self._part.visible = bool(arm["holds"])
        color = _RED if arm["fault"] else _BUSY if arm["operation"] else _GREY
        if color != self._color:
            self._color = color
            for link in self._links.values():
                link.color = color


class _Dial:
    """A disc with a mark at every position, which turns."""

    def __init__(self, server: ViserServer, dial: Mapping[str, Any]) -> None:
        height, radius = 0.82 * dial["z_m"], dial["radius_m"] + 0.07
        self._frame = server.scene.add_frame(
            "/dial", show_axes=False, position=(dial["x_m"], dial["y_m"], height)
        )
        server.scene.add_cylinder("/dial/disc", radius=radius, height=0.03, color=_DIAL)
        for k in range(dial["positions"]):
            angle = 2.0 * np.pi * k / dial["positions"]
            place = (dial["radius_m"] * np.cos(angle), dial["radius_m"] * np.sin(angle), 0.03)
            server.scene.add_box(
                f"/dial/nest_{k}", dimensions=(0.09, 0.09, 0.04), color=_BUSY, position=place
            )

    def turn(self, angle_rad: float) -> None:
        self._frame.wxyz = (np.cos(angle_rad / 2.0), 0.0, 0.0, np.sin(angle_rad / 2.0))


class _Station:
    """A place off the dial is a box; at a place with a joint in work stands that joint."""

    def __init__(self, server: ViserServer, station: Mapping[str, Any], work_height_m: float) -> None:
        name = f"/stations/{station['id']}"
        x, y, z = (station[axis] / 1000.0 for axis in ("x_mm", "y_mm", "z_mm"))
        self._box = None
        if not station["id"].startswith("P"):  # positions of the dial stand on the dial
            size = (2.0 * _LEG_M, 2.0 * _LEG_M, max(z, 0.02))
            self._box = server.scene.add_box(
                f"{name}/stand", dimensions=size, color=_STATION, position=(x, y, size[2] / 2.0)
            )
        self._joint = server.scene.add_cylinder(
            f"{name}/joint", radius=0.03, height=0.07, color=_PART, position=(x, y, z + 0.035)
        )
        self._busy = False

    def show(self, station: Mapping[str, Any]) -> None:
        self._joint.visible = bool(station["serial"])
        if self._box is not None and station["busy"] != self._busy:
            self._busy = station["busy"]
            self._box.color = _BUSY if self._busy else _STATION


def turned_to(direction: Sequence[float] | FloatArray) -> FloatArray:
    """The rotation that takes the z axis to a direction by the shortest way, as a quaternion wxyz (4,).

    A cylinder lies along its z axis, so which one of the many rotations it is does not matter.
    """
    x, y, z = np.asarray(direction, dtype=np.float64) / np.linalg.norm(direction)
    if z < -1.0 + 1e-9:  # half a turn, about any axis across
        return np.array([0.0, 1.0, 0.0, 0.0])
    half = np.array([1.0 + z, -y, x, 0.0])
    return np.asarray(half / np.linalg.norm(half))


def _points(arm: Mapping[str, Any]) -> FloatArray:
    """(8, 3) base, six links and tool in the world [m]."""
    return np.asarray(arm["points_mm"], dtype=np.float64).reshape(-1, 3) / 1000.0
