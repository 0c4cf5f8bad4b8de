"""URDF texts of arms, written from figures that are not taken from our own code's results."""

import numpy as np
from scipy.spatial.transform import Rotation

INERTIAL = """<inertial><origin xyz="0.01 0.02 0.1" rpy="0.1 0.2 0.3"/><mass value="{mass}"/>
 <inertia ixx="0.03" ixy="0.001" ixz="-0.002" iyy="0.04" iyz="0.003" izz="0.02"/></inertial>"""


def joint(name, kind, parent, child, xyz=(0, 0, 0), rpy=(0, 0, 0), axis=None, limit=""):
    def words(values):
        return " ".join(repr(float(value)) for value in values)

    axis_text = "" if axis is None else f'<axis xyz="{words(axis)}"/>'
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="{words(xyz)}" rpy="{words(rpy)}"/>{axis_text}{limit}</joint>'
    )


LIMIT = '<limit lower="-2.9" upper="2.8" velocity="3.1" effort="100"/>'


def robot(rows, *, limit=LIMIT, tool=((0, 0, 0.1), (0, 0, 0)), more="", masses=True, prefix=""):
    """A URDF of six joints; rows are (xyz, rpy, axis)."""
    names = ["base_link", *(f"link_{k}" for k in range(1, 7)), "tool0"]
    links = "".join(
        f'<link name="{name}">{INERTIAL.format(mass=1 + k) if masses and 0 < k < 7 else ""}<visual/></link>'
        for k, name in enumerate(names)
    )
    joints = "".join(
        joint(f"joint_{k + 1}", "revolute", names[k], names[k + 1], xyz, rpy, axis, limit)
        for k, (xyz, rpy, axis) in enumerate(rows)
    )
    joints += joint("flange", "fixed", names[6], names[7], *tool)
    return f'{prefix}<robot name="test arm">{links}{joints}{more}</robot>'.encode()


# Yaskawa GP7, from ros-industrial/motoman, gp7_macro.xacro.
GP7 = (
    ((0, 0, 0.33), (0, 0, 0), (0, 0, 1)),
    ((0.04, 0, 0), (0, 0, 0), (0, 1, 0)),
    ((0, 0, 0.445), (0, 0, 0), (0, -1, 0)),
    ((0, 0, 0.04), (0, 0, 0), (-1, 0, 0)),
    ((0.44, 0, 0), (0, 0, 0), (0, -1, 0)),
    ((0.08, 0, 0), (0, 0, 0), (-1, 0, 0)),
)
GP7_TOOL = ((0, 0, 0), (np.pi, -np.pi / 2, 0))

# Universal Robots UR5e as in its ROS 2 description: lengths of the maker's table, base turned by half a turn.
UR5E = (
    ((0, 0, 0.1625), (0, 0, np.pi), (0, 0, 1)),
    ((0, 0, 0), (np.pi / 2, 0, 0), (0, 0, 1)),
    ((-0.425, 0, 0), (0, 0, 0), (0, 0, 1)),
    ((-0.3922, 0, 0.1333), (0, 0, 0), (0, 0, 1)),
    ((0, -0.0997, 0), (np.pi / 2, 0, 0), (0, 0, 1)),
    ((0, 0.0996, 0), (np.pi / 2, np.pi, np.pi), (0, 0, 1)),
)


def random_rows(rng):
    return tuple(
        (rng.uniform(-0.4, 0.4, 3), rng.uniform(-3, 3, 3), Rotation.random(random_state=rng).apply([0, 0, 1]))
        for _ in range(6)
    )
