"""The links and joints of a URDF, the robot description of ROS, as a checked tree.

The text is taken to be hostile: a document type, and with it entities, is refused, size and depth are bounded, and every
refusal names the element. Everything that is not kinematics or mass is ignored.
Format: wiki.ros.org/urdf/XML (joint, link).
"""

import math
from dataclasses import dataclass
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np
import numpy.typing as npt

from cells.errors import CellError, Finding, shown

FloatArray = npt.NDArray[np.float64]

MAX_BYTES = 5_000_000
_MAX_DEPTH = 50
_MOST_ELEMENTS = 1000
_LARGEST = 1000.0  # of any number: a length, a mass or an angle beyond that is a mistake
_LIMITS = ("lower", "upper", "velocity", "effort")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UrdfJoint:
    """A joint; ``X`` is the pose of the child link in the parent at zero, the axis is in the child's frame."""

    name: str
    kind: str
    parent: str
    child: str
    X: FloatArray
    axis: FloatArray
    limit: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UrdfBody:
    """Mass [kg], centre of mass [m] and inertia about it [kg m^2] of a link, in the link's frame."""

    mass: float
    com: FloatArray
    inertia: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UrdfTree:
    """A robot description.

    Attributes:
        file: Its name for findings.
        name: Of the robot.
        joints: By the name of their child link.
        bodies: By the name of the link; None for a link without mass.
    """

    file: str
    name: str
    joints: dict[str, UrdfJoint]
    bodies: dict[str, UrdfBody | None]

    def way(self, link: str) -> list[UrdfJoint]:
        """Joints from the root to a link."""
        joints: list[UrdfJoint] = []
        while link in self.joints:
            joints.append(self.joints[link])
            link = joints[-1].parent
            if len(joints) > len(self.joints):
                raise refusal(
                    self.file, f"link {shown(link)}", "", "the joints form a cycle", "a tree of links"
                )
        return joints[::-1]


def refusal(file: str, where: str, value: str, message: str, allowed: str = "") -> CellError:
    """The error with one finding."""
    return CellError([Finding(file=file, where=where, value=value, message=message, allowed=allowed)])


def parse_tree(text: bytes, file: str) -> UrdfTree:
    """Read a URDF.

    Args:
        text: The document.
        file: Its name for findings.

    Raises:
        CellError: When it is not XML, no URDF, or its links and joints do not fit together.
    """
    robot = _elements(text, file)
    if robot.tag != "robot":
        raise refusal(
            file, "", shown(robot.tag), "is not a robot description", "<robot> as the outermost element"
        )
    for element in robot.iter():
        if element.tag.startswith("xacro:"):
            raise refusal(
                file, "", f"<{element.tag}>", "is a xacro file", "URDF; expand it with the program xacro"
            )
    if len(robot) > _MOST_ELEMENTS:
        raise refusal(
            file, "", "", f"has {len(robot)} links, joints and the like", f"at most {_MOST_ELEMENTS}"
        )
    bodies: dict[str, UrdfBody | None] = {}
    for link in robot.findall("link"):
        name = _attribute(file, link, "name", "link")
        if name in bodies:
            raise refusal(file, f"link {shown(name)}", "", "is defined twice")
        bodies[name] = _body(file, link, f"link {shown(name)}")
    joints: dict[str, UrdfJoint] = {}
    for element in robot.findall("joint"):
        joint = _joint(file, element)
        where = f"joint {shown(joint.name)}"
        for link_name in (joint.parent, joint.child):
            if link_name not in bodies:
                raise refusal(file, where, shown(link_name), "is not a link of this robot")
        if joint.child in joints:
            other = shown(joints[joint.child].name)
            raise refusal(
                file, where, shown(joint.child), f"is moved by joint {other}, too", "one joint for each link"
            )
        joints[joint.child] = joint
    return UrdfTree(file=file, name=robot.get("name") or "arm", joints=joints, bodies=bodies)


def _elements(text: bytes, file: str) -> Element:
    """The document as elements, without entities, comments and text."""
    if len(text) > MAX_BYTES:
        raise refusal(file, "", "", "is too large", f"at most {MAX_BYTES} bytes")
    builder, parser = TreeBuilder(), expat.ParserCreate()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise refusal(
                file, f"line {parser.CurrentLineNumber}", "", "is nested too deeply", f"{_MAX_DEPTH} levels"
            )
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def document_type(*_: object) -> None:
        raise refusal(
            file, f"line {parser.CurrentLineNumber}", "", "has a document type", "a URDF without entities"
        )

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise refusal(file, "", "", f"is not XML: {error}") from error
    except (ValueError, LookupError) as error:  # an encoding that is unknown or does not fit
        raise refusal(file, "", "", f"can't be decoded: {error}") from error
    return builder.close()


def _joint(file: str, element: Element) -> UrdfJoint:
    name = _attribute(file, element, "name", "joint")
    where = f"joint {shown(name)}"
    ends = []
    for tag, key in (("parent", "link"), ("child", "link")):
        part = element.find(tag)
        if part is None:
            raise refusal(file, where, "", f"has no <{tag}>")
        ends.append(_attribute(file, part, key, f"{where}.{tag}"))
    axis_element, limit = element.find("axis"), element.find("limit")
    axis = np.array([1.0, 0.0, 0.0])  # what the format says where none is given
    if axis_element is not None:
        axis = _numbers(file, axis_element, "xyz", f"{where}.axis", 3, "1 0 0")
        if np.linalg.norm(axis) < 1e-6:
            raise refusal(file, f"{where}.axis", shown(axis_element.get("xyz")), "has no direction")
    limits = {}
    if limit is not None:
        limits = {
            key: _numbers(file, limit, key, f"{where}.limit", 1)[0] for key in _LIMITS if key in limit.attrib
        }
    return UrdfJoint(
        name=name,
        kind=_attribute(file, element, "type", where),
        parent=ends[0],
        child=ends[1],
        X=_origin(file, element, where),
        axis=axis / np.linalg.norm(axis),
        limit={key: float(value) for key, value in limits.items()},
    )


def _body(file: str, link: Element, where: str) -> UrdfBody | None:
    inertial = link.find("inertial")
    mass, inertia = (None, None) if inertial is None else (inertial.find("mass"), inertial.find("inertia"))
    if inertial is None or mass is None or inertia is None:
        return None
    X = _origin(file, inertial, f"{where}.inertial")
    xx, xy, xz, yy, yz, zz = (
        float(_numbers(file, inertia, key, f"{where}.inertial.inertia", 1)[0])
        for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")
    )
    R = X[:3, :3]
    tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    kilograms = float(_numbers(file, mass, "value", f"{where}.inertial.mass", 1)[0])
    return UrdfBody(mass=kilograms, com=X[:3, 3], inertia=R @ tensor @ R.T)


def _origin(file: str, element: Element, where: str) -> FloatArray:
    """Pose given by an <origin> element, rotations about fixed x, y and z in this order."""
    origin = element.find("origin")
    X = np.eye(4)
    if origin is not None:
        roll, pitch, yaw = _numbers(file, origin, "rpy", f"{where}.origin", 3, "0 0 0")
        (sr, cr), (sp, cp), (sy, cy) = ((math.sin(angle), math.cos(angle)) for angle in (roll, pitch, yaw))
        X[:3, :3] = (
            (cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
            (sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
            (-sp, cp * sr, cp * cr),
        )
        X[:3, 3] = _numbers(file, origin, "xyz", f"{where}.origin", 3, "0 0 0")
    return X


def _attribute(file: str, element: Element, key: str, where: str) -> str:
    value = element.get(key)
    if not value:
        raise refusal(file, where, "", f"<{element.tag}> has no {key}")
    return value


def _numbers(
    file: str, element: Element, key: str, where: str, count: int, default: str | None = None
) -> FloatArray:
    text = element.get(key, default)
    try:
        numbers = np.array([float(word) for word in (text or "").split()])
    except ValueError:
        numbers = np.empty(0)
    if len(numbers) != count or not (np.abs(numbers) <= _LARGEST).all():
        allowed = (
            f"{count} finite numbers, at most {_LARGEST:g}"
            if count > 1
            else f"a number, at most {_LARGEST:g}"
        )
        raise refusal(file, f"{where}.{key}", shown(text), "is wrong", allowed)
    return numbers
