"""An arm with its gripper as a URDF text.

Link frames are those of `kinematics.chain`, collision shapes the capsules of the arm's data.

The joints of the URDF turn by the model's angles, not by the maker's. The palm belongs to link 6; the two
fingers slide along x of the tool frame, each by the distance of its middle from the tool axis. Joint limits
are left out: the engine would solve their rows in every step, and the driver checks limits itself. Masses
of palm and fingers are estimates.
"""

import math

import numpy as np
from numpy.typing import NDArray

from cells.cell import CellArm
from cells.part import FINGER_HEIGHT_M
from cells.tool_shape import FINGER_THICKNESS_M, FINGER_WIDTH_M, PALM_M, PALM_RADIUS_M
from kinematics import JOINT_AXES

FloatArray = NDArray[np.float64]

FLANGE_LINK = 5  # the engine counts links from the first joint's; the base is -1
FINGER_LINKS = (6, 7)
FINGER_MASS_KG = 0.12  # E
FINGER_FRICTION = 0.6
_FINGER_SINK_M = 0.004  # how far the fingers reach back into the palm
_SPINDLE_OFFSET_M = 0.052  # of a spindle's axis from the tool axis (E), only seen

_SLEEVE, _BIT = np.array([0.0, 0.0, 0.075]), np.array([0.0, 0.0, 0.105])


def arm_urdf(cell_arm: CellArm, color: tuple[float, float, float]) -> str:
    """URDF text of an arm and its tool; ``color`` (rgb, 0 to 1) is that of the upper links."""
    arm, chain = cell_arm.arm, cell_arm.arm.chain
    shapes: list[list[str]] = [[] for _ in range(7)]
    seen: list[list[str]] = [[] for _ in range(7)]
    capsules = arm.capsules
    for link, a, b, radius in zip(capsules.link, capsules.a, capsules.b, capsules.radius, strict=True):
        shapes[link].append(_capsule("collision", a, b, float(radius)))
        seen[link].append(_capsule("visual", a, b, float(radius), "light" if link in (0, 4) else "paint"))
    palm_low, palm_high = PALM_M
    palm = (np.array([0.0, 0.0, palm_low]), np.array([0.0, 0.0, palm_high]))
    shapes[6].append(_cylinder("collision", *palm, PALM_RADIUS_M))
    seen[6].append(_cylinder("visual", *palm, PALM_RADIUS_M, "dark"))
    if cell_arm.tool.spindles:
        for side in (-1.0, 1.0):
            at = np.array([0.0, side * _SPINDLE_OFFSET_M, 0.03])
            seen[6].append(_cylinder("visual", at, at + _SLEEVE, 0.010, "steel"))
            seen[6].append(_cylinder("visual", at, at + _BIT, 0.004, "light"))
    palm_mass = cell_arm.tool.mass_kg - 2 * FINGER_MASS_KG
    links = [
        _link(
            "link0",
            _inertial(arm.links[0].mass_kg, arm.links[0].com_m, arm.links[0].inertia_kgm2),
            shapes[0] + seen[0],
        )
    ]
    for index in range(1, 7):
        link = arm.links[index]
        mass, com, inertia = link.mass_kg, link.com_m, link.inertia_kgm2
        if index == 6:
            mass, com, inertia = _with_palm(mass, com, inertia, palm_mass)
        links.append(_link(f"link{index}", _inertial(mass, com, inertia), shapes[index] + seen[index]))
    joints = [
        _joint(f"joint{k + 1}", "continuous", f"link{k}", f"link{k + 1}", origin, axis)
        for k, (origin, axis) in enumerate(zip(chain.joint_origins, JOINT_AXES, strict=True))
    ]
    for name, side in (("finger_a", 1.0), ("finger_b", -1.0)):
        links.append(_finger(name, cell_arm.tool.length_m - palm_high + _FINGER_SINK_M))
        origin = np.array([0.0, 0.0, cell_arm.tool.length_m])
        joints.append(_joint(name, "prismatic", "link6", name, origin, np.array([side, 0.0, 0.0])))
    materials = "".join(
        f'<material name="{name}"><color rgba="{_text(rgb)} 1"/></material>'
        for name, rgb in (
            ("paint", color),
            ("light", (0.88, 0.89, 0.90)),
            ("dark", (0.16, 0.17, 0.19)),
            ("steel", (0.62, 0.64, 0.67)),
        )
    )
    return f'<robot name="{cell_arm.id}">{materials}{"".join(links)}{"".join(joints)}</robot>'


def _with_palm(
    mass: float, com: FloatArray, inertia: FloatArray, palm_kg: float
) -> tuple[float, FloatArray, FloatArray]:
    """Link 6 and the palm as one body: a solid cylinder on the flange's axis."""
    low, high = PALM_M
    palm_com = np.array([0.0, 0.0, (low + high) / 2])
    across = palm_kg * (3 * PALM_RADIUS_M**2 + (high - low) ** 2) / 12
    total = mass + palm_kg
    center = (mass * com + palm_kg * palm_com) / total
    moments = inertia + np.array([across, across, palm_kg * PALM_RADIUS_M**2 / 2])
    for part_mass, at in ((mass, com), (palm_kg, palm_com)):
        d = at - center
        moments = moments + part_mass * (d @ d - d * d)  # parallel axes; both bodies lie on the axis
    return total, center, moments


def _finger(name: str, length: float) -> str:
    """A finger: the origin is the tool centre point's height, in the middle of the pad."""
    size = np.array([FINGER_THICKNESS_M, FINGER_WIDTH_M, length + FINGER_HEIGHT_M / 2])
    center = np.array([0.0, 0.0, FINGER_HEIGHT_M / 2 - size[2] / 2])
    box = f'<origin xyz="{_text(center)}"/><geometry><box size="{_text(size)}"/></geometry>'
    inertia = (
        FINGER_MASS_KG
        / 12
        * np.array([size[1] ** 2 + size[2] ** 2, size[0] ** 2 + size[2] ** 2, size[0] ** 2 + size[1] ** 2])
    )
    contact = f'<contact><lateral_friction value="{FINGER_FRICTION}"/></contact>'
    body = f'{contact}<collision>{box}</collision><visual>{box}<material name="steel"/></visual>'
    return _link(name, _inertial(FINGER_MASS_KG, center, inertia), [body])


def _inertial(mass: float, com: FloatArray, moments: FloatArray) -> str:
    x, y, z = (f"{value:.12g}" for value in moments)
    inertia = f'<inertia ixx="{x}" iyy="{y}" izz="{z}" ixy="0" ixz="0" iyz="0"/>'
    return f'<inertial><origin xyz="{_text(com)}"/><mass value="{mass:.12g}"/>{inertia}</inertial>'


def _link(name: str, inertial: str, bodies: list[str]) -> str:
    return f'<link name="{name}">{inertial}{"".join(bodies)}</link>'


def _joint(name: str, kind: str, parent: str, child: str, origin: FloatArray, axis: FloatArray) -> str:
    limit = '<limit lower="1" upper="-1" effort="1000" velocity="100"/>' if kind == "prismatic" else ""
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="{_text(origin)}"/><axis xyz="{_text(axis)}"/>{limit}</joint>'
    )


def _capsule(tag: str, a: FloatArray, b: FloatArray, radius: float, material: str = "") -> str:
    return _along(tag, a, b, "capsule", radius, material)


def _cylinder(tag: str, a: FloatArray, b: FloatArray, radius: float, material: str = "") -> str:
    return _along(tag, a, b, "cylinder", radius, material)


def _along(tag: str, a: FloatArray, b: FloatArray, shape: str, radius: float, material: str) -> str:
    """A capsule or cylinder whose axis runs from ``a`` to ``b``."""
    d = np.asarray(b) - np.asarray(a)
    length = float(np.sqrt(d @ d))
    yaw = math.atan2(d[1], d[0])
    pitch = math.atan2(math.hypot(d[0], d[1]), d[2])
    origin = f'<origin xyz="{_text((np.asarray(a) + b) / 2)}" rpy="0 {pitch:.9g} {yaw:.9g}"/>'
    geometry = f'<geometry><{shape} radius="{radius:.9g}" length="{length:.9g}"/></geometry>'
    color = f'<material name="{material}"/>' if material else ""
    return f"<{tag}>{origin}{geometry}{color}</{tag}>"


def _text(values: object) -> str:
    return " ".join(f"{float(value):.9g}" for value in np.asarray(values, dtype=np.float64))
