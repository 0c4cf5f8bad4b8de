"""Pictures and animations of a world, drawn by the engine's software renderer: no display, no graphics card.

A `Snapshot` holds measured joints and poses; it is drawn in an engine of its own, during the run or long
after it, so that the simulation carries nothing that is only looked at.
"""

import math
import struct
import zlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cells.fixtures import FLOOR_M, TABLE_BELOW_M, fixtures_of
from cells.part import FINGER_HEIGHT_M
from cells.tool_shape import FINGER_THICKNESS_M, FINGER_WIDTH_M, PALM_M, PALM_RADIUS_M, X_FT
from kinematics import link_frames
from sim.bullet import pybullet
from sim.engine import quaternion
from sim.lathe import Mesh, capsule, ring
from sim.snapshot import ArmView, Snapshot
from sim.workpiece import Placed, spans
from sim.world import ARM_COLORS, World

FloatArray = NDArray[np.float64]
Color = tuple[float, float, float]

_LIGHT, _DARK, _STEEL, _BLACK = (0.90, 0.91, 0.92), (0.20, 0.21, 0.24), (0.66, 0.68, 0.72), (0.10, 0.10, 0.12)
_FLOOR, _TABLE, _MACHINE, _NOZZLE = (
    (0.80, 0.81, 0.82),
    (0.58, 0.61, 0.66),
    (0.24, 0.32, 0.42),
    (0.80, 0.45, 0.15),
)
_PART_COLORS: dict[str, Color] = {
    "housing": (0.70, 0.73, 0.78),
    "stator": (0.76, 0.46, 0.20),
    "rotor": (0.32, 0.34, 0.38),
    "wave_generator": (0.86, 0.74, 0.30),
    "circular_spline": (0.55, 0.60, 0.66),
    "flexspline": (0.78, 0.80, 0.84),
    "output_flange": (0.42, 0.47, 0.55),
    "brake": (0.55, 0.25, 0.22),
    "board": (0.10, 0.45, 0.28),
    "cap": (0.22, 0.24, 0.28),
}
_SUPERSAMPLING = 2
_GIF_COLORS = 128
_FLOOR_RADIUS_M = 1.6
_LIGHT_DISTANCE_M = 6.0  # as far as the renderer's shadow map takes in the whole floor
_BACKGROUND_DEPTH = 0.9999  # where nothing was drawn
_SKY_TOP, _SKY_BOTTOM = (
    np.array([176.0, 192.0, 210.0], dtype=np.float32),
    np.array([240.0, 243.0, 246.0], dtype=np.float32),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Where the picture is taken from: target [m], distance [m], angles [deg, as the renderer takes them]."""

    target_m: tuple[float, float, float] = (0.0, 0.0, -0.05)
    distance_m: float = 3.75
    yaw_deg: float = 62.0
    pitch_deg: float = -36.0
    field_of_view_deg: float = 36.0


def picture(
    scene: World | Snapshot, width: int = 1280, height: int = 720, camera: Camera | None = None
) -> bytes:
    """A PNG of a world as it is now, or of a snapshot of one."""
    return png(pixels(scene, width, height, camera))


def pixels(
    scene: World | Snapshot, width: int = 1280, height: int = 720, camera: Camera | None = None
) -> NDArray[np.uint8]:
    """The picture as an array (height, width, 3)."""
    snapshot = Snapshot.of(scene) if isinstance(scene, World) else scene
    with _Scene() as stage:
        return stage.draw(snapshot, width, height, camera or Camera())


def animation(
    frames: Sequence[Snapshot],
    path: Path,
    *,
    frame_s: float = 0.1,
    width: int = 640,
    height: int = 360,
    camera: Camera | None = None,
) -> None:
    """Draw frames, taken ``frame_s`` apart, into a GIF that repeats for ever.

    Raises:
        ModuleNotFoundError: When Pillow is missing; it is in the extra ``render``.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "animation: needs Pillow, which is in the extra `render`: pip install 'jointcell[render]'"
        ) from error
    with _Scene() as scene:
        images = [Image.fromarray(scene.draw(frame, width, height, camera or Camera())) for frame in frames]
    # One palette for all frames: colours that change from frame to frame flicker and cost bytes.
    palette = images[len(images) // 2].quantize(_GIF_COLORS)
    first, *rest = (image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images)
    first.save(path, save_all=True, append_images=rest, duration=round(1000 * frame_s), loop=0)


def png(image: NDArray[np.uint8]) -> bytes:
    """An RGB image (height, width, 3) as PNG (ISO/IEC 15948): one IDAT chunk, no filter."""
    height, width, _ = image.shape
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    rows[:, 1:] = image.reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


class _Scene:
    """A second engine with nothing in it but things to look at.

    Bodies are kept from frame to frame, by what they look like, and only moved.
    """

    def __init__(self) -> None:
        self._client: int = pybullet.connect(pybullet.DIRECT)
        self._bodies: dict[Hashable, list[int]] = {}
        self._used: dict[Hashable, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pybullet.disconnect(physicsClientId=self._client)

    def draw(self, snapshot: Snapshot, width: int, height: int, camera: Camera) -> NDArray[np.uint8]:
        self._used.clear()
        self._cell(snapshot)
        for index, arm in enumerate(snapshot.arms):
            self._arm(arm, ARM_COLORS[index % len(ARM_COLORS)])
        for parts, X_W0 in snapshot.workpieces:
            self._workpiece(parts, X_W0)
        for parts, X_W0 in snapshot.standing:
            self._post(X_W0, min(span.low_m for span in spans(parts, X_W0)))
        for look, bodies in self._bodies.items():
            for body in bodies[self._used.get(look, 0) :]:
                self._move(body, _OUT_OF_SIGHT)
        return self._take(width, height, camera)

    def _cell(self, snapshot: Snapshot) -> None:
        """Floor, fixtures and the dial as it stands."""
        cell = snapshot.cell
        self._ring(0.0, _FLOOR_RADIUS_M, FLOOR_M - 0.02, FLOOR_M, _at(0.0, 0.0, 0.0), _FLOOR)
        for fixture in fixtures_of(cell):
            name = fixture.name
            if name.startswith(("dial.", "nest")):
                continue
            color = _TABLE
            if name.endswith(".pedestal"):
                color = _DARK
            elif name.endswith((".frame", ".head")):
                color = _MACHINE
            elif name.startswith("nozzle"):
                color = _NOZZLE
            self._box(fixture.X_WO, fixture.half_m, color)
        x, y = cell.dial.center_m
        top = cell.work_height_m - TABLE_BELOW_M
        X_WD = _at(x, y, 0.0)
        self._ring(0.0, 0.30, top - 0.03, top, X_WD, _BLACK)
        self._ring(0.0, 0.27, FLOOR_M, top - 0.03, X_WD, _DARK)
        self._ring(0.10, 0.26, top, top + 0.012, X_WD, _STEEL)
        self._ring(0.0, 0.09, top, top + 0.10, X_WD, _LIGHT)
        for X_WN in snapshot.nests:
            shaft = X_WN @ _at(-0.16, 0.0, 0.0) @ _along_x()
            self._ring(0.0, 0.012, 0.0, 0.098, shaft, _STEEL)
            self._ring(0.0565, 0.064, -0.012, 0.012, X_WN, _MACHINE)
            tower = X_WN.copy()
            tower[:3, :3] = _upright(X_WN)
            self._box(tower @ _at(-0.17, 0.0, -0.03), (0.015, 0.02, 0.05), _STEEL)

    def _arm(self, arm: ArmView, color: Color) -> None:
        """Capsules of the arm's data, palm, fingers and spindles."""
        cell_arm, q, fingers = arm.cell_arm, arm.q, arm.fingers_m
        X_WL = cell_arm.X_WB @ link_frames(cell_arm.arm.chain, q)
        capsules = cell_arm.arm.capsules
        for link, a, b, radius in zip(capsules.link, capsules.a, capsules.b, capsules.radius, strict=True):
            along = np.asarray(b) - a
            length = float(np.sqrt(along @ along))
            paint = _LIGHT if link in (0, 4) else _DARK if link == 6 else color
            self._capsule(float(radius), length, X_WL[link] @ _axis(np.asarray(a), along / length), paint)
        flange, tool = X_WL[6], cell_arm.tool
        self._ring(0.0, PALM_RADIUS_M, *PALM_M, flange, _BLACK)
        self._ring(0.0, PALM_RADIUS_M + 0.002, 0.055, 0.065, flange, color)
        reach = tool.length_m + FINGER_HEIGHT_M / 2 - PALM_M[1]
        X_WT = flange @ X_FT(tool)
        for side, finger in zip((1.0, -1.0), fingers, strict=True):
            middle = _at(side * finger, 0.0, FINGER_HEIGHT_M / 2 - reach / 2)
            self._box(X_WT @ middle, (FINGER_THICKNESS_M / 2, FINGER_WIDTH_M / 2, reach / 2), _STEEL)
        if tool.spindles:
            for side in (-1.0, 1.0):
                at = flange @ _at(0.0, side * 0.052, 0.0)
                self._ring(0.0, 0.011, 0.03, 0.10, at, _LIGHT)
                self._ring(0.0, 0.004, 0.10, 0.13, at, _STEEL)

    def _workpiece(self, parts: tuple[Placed, ...], X_W0: FloatArray) -> None:
        """Every section of every part, each kind in its colour."""
        for placed in parts:
            for s in placed.part.sections:
                color = _PART_COLORS[placed.part.name]
                self._ring(s.r_in_m, s.r_out_m, s.z_low_m, s.z_high_m, X_W0 @ placed.X_0P, color)

    def _post(self, X_W0: FloatArray, top_m: float) -> None:
        """What a workpiece stands on: from the table of its station up to its lowest point."""
        table = X_W0[2, 3] - TABLE_BELOW_M
        if top_m > table:
            self._ring(0.0, 0.012, table, top_m, _at(X_W0[0, 3], X_W0[1, 3], 0.0), _STEEL)

    def _take(self, width: int, height: int, camera: Camera) -> NDArray[np.uint8]:
        view = pybullet.computeViewMatrixFromYawPitchRoll(
            camera.target_m, camera.distance_m, camera.yaw_deg, camera.pitch_deg, 0.0, 2
        )
        lens = pybullet.computeProjectionMatrixFOV(camera.field_of_view_deg, width / height, 0.1, 12.0)
        scale = _SUPERSAMPLING
        _, _, rgb, depth, _ = pybullet.getCameraImage(
            width * scale,
            height * scale,
            view,
            lens,
            lightDirection=[0.35, -0.55, 1.6],
            lightColor=[1.0, 1.0, 1.0],
            lightAmbientCoeff=0.55,
            lightDiffuseCoeff=0.50,
            lightSpecularCoeff=0.15,
            lightDistance=_LIGHT_DISTANCE_M,
            shadow=1,
            flags=pybullet.ER_NO_SEGMENTATION_MASK,
            renderer=pybullet.ER_TINY_RENDERER,
            physicsClientId=self._client,
        )
        shape = (height, scale, width, scale)
        image = np.asarray(rgb, dtype=np.uint8).reshape(*shape, 4)[..., :3]
        seen = (np.asarray(depth, dtype=np.float32) < _BACKGROUND_DEPTH).reshape(shape)
        color = np.zeros((height, width, 3), dtype=np.float32)
        cover = np.zeros((height, width, 1), dtype=np.float32)
        for row in range(scale):
            for column in range(scale):
                here = seen[:, row, :, column, None]
                color += np.where(here, image[:, row, :, column], 0)
                cover += here
        share = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None, None]
        sky = _SKY_TOP + share * (_SKY_BOTTOM - _SKY_TOP)
        samples = scale * scale
        result: NDArray[np.uint8] = np.rint((color + (samples - cover) * sky) / samples).astype(np.uint8)
        return result

    def _ring(self, r_in: float, r_out: float, low: float, high: float, X: FloatArray, color: Color) -> None:
        look = ("ring", r_in, r_out, low, high, color)
        self._place(look, X, lambda: self._mesh(ring(r_in, r_out, low, high), color))

    def _capsule(self, radius: float, length: float, X: FloatArray, color: Color) -> None:
        look = ("capsule", radius, length, color)
        self._place(look, X, lambda: self._mesh(capsule(radius, length), color))

    def _box(self, X: FloatArray, half_m: tuple[float, float, float], color: Color) -> None:
        def shape() -> int:
            return int(
                pybullet.createVisualShape(
                    pybullet.GEOM_BOX,
                    halfExtents=half_m,
                    rgbaColor=(*color, 1.0),
                    physicsClientId=self._client,
                )
            )

        self._place(("box", half_m, color), X, shape)

    def _mesh(self, mesh: Mesh, color: Color) -> int:
        return int(
            pybullet.createVisualShape(
                pybullet.GEOM_MESH,
                vertices=mesh.vertices,
                indices=mesh.indices,
                normals=mesh.normals,
                rgbaColor=(*color, 1.0),
                specularColor=(0.3, 0.3, 0.3),
                physicsClientId=self._client,
            )
        )

    def _place(self, look: Hashable, X: FloatArray, shape: Callable[[], int]) -> None:
        """Put a body of a look somewhere: one that is left over, or a new one."""
        bodies, used = self._bodies.setdefault(look, []), self._used.get(look, 0)
        self._used[look] = used + 1
        if used == len(bodies):
            bodies.append(
                pybullet.createMultiBody(baseVisualShapeIndex=shape(), physicsClientId=self._client)
            )
        self._move(bodies[used], X)

    def _move(self, body: int, X: FloatArray) -> None:
        pybullet.resetBasePositionAndOrientation(
            body, X[:3, 3].tolist(), quaternion(X), physicsClientId=self._client
        )


def _at(x: float, y: float, z: float) -> FloatArray:
    X = np.eye(4)
    X[:3, 3] = x, y, z
    return X


def _along_x() -> FloatArray:
    """Turns a body about z into one about x."""
    return np.array([[0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def _axis(origin: FloatArray, z: FloatArray) -> FloatArray:
    """A frame at a point with a given z axis."""
    x = np.cross((0.0, 1.0, 0.0) if abs(z[1]) < 0.9 else (1.0, 0.0, 0.0), z)
    x /= math.sqrt(x @ x)
    X = np.eye(4)
    X[:3, 0], X[:3, 1], X[:3, 2], X[:3, 3] = x, np.cross(z, x), z, origin
    return X


def _upright(X: FloatArray) -> FloatArray:
    """Attitude with the same x axis, its z up."""
    x = X[:3, 0]
    z = np.array([0.0, 0.0, 1.0])
    return np.stack([x, np.cross(z, x), z], axis=1)


_OUT_OF_SIGHT = _at(0.0, 0.0, -100.0)
