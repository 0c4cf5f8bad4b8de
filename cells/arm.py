"""Industrial arms: geometry, limits, masses and collision shapes, each figure with its source.

Link frames are those of `kinematics.chain`: link 0 is the base, link 6 the flange, and all are parallel to
the base while the model arm points straight up (all model angles zero). The flange frame of each bundled arm
is ``tool0`` of the public model that its file names.

Makers' angles q become model angles by ``q * signs - offsets`` (Brandstötter, Angerer, Hofbaur 2014,
"An analytical solution of the inverse kinematics problem of industrial serial manipulators with an
ortho-parallel basis and a spherical wrist").
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cells.errors import CellError, Finding
from cells.files import (
    Angle,
    Number,
    Positive,
    PositiveAngle,
    Record,
    Six,
    Source,
    Sourced,
    Text,
    Three,
    bundled,
    load_record,
    locate,
)
from cells.servos import Servos, ServoTable
from kinematics import Bodies, Capsules, Chain, Limits, SerialChain

FloatArray = npt.NDArray[np.float64]

LINKS = 7
# Share of the arm's mass in base and links 1-6, rounded from the Stäubli TX2-60 model (staubli_experimental,
# tx2_60_macro.xacro: 10.73, 16.93, 12.99, 7.50, 4.54, 0.57, 0.03 kg), the only one here whose link masses add
# up to about the arm's. That the other arms are alike is an estimate.
MASS_SHARES = (0.20, 0.32, 0.24, 0.14, 0.085, 0.010, 0.005)

_LINKS_SOURCE = Source(
    text="the arm's mass in the shares of the Stäubli TX2-60 model, each link a solid cylinder",
    mark="E",
)
_CAPSULES_SOURCE = Source(text="generated from the OPW lengths by cells.arm.opw_capsules", mark="E")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Link:
    """Mass properties of one link, in its link frame.

    Attributes:
        mass_kg: Mass [kg].
        com_m: (3,) centre of mass [m].
        inertia_kgm2: (3,) moments of inertia about the centre of mass [kg m²]; the link's axes are principal.
    """

    mass_kg: float
    com_m: FloatArray
    inertia_kgm2: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arm:
    """An arm of the catalogue, ready for kinematics, dynamics and clearance.

    Attributes:
        id: Name of its file, ``gp7``.
        name: Maker and type.
        chain: Lengths, zero offsets, signs and joint limits.
        limits: Velocity, acceleration and jerk limits [rad/s, rad/s², rad/s³].
        torque_nm: (6,) joint torque limits [N·m].
        payload_kg: Rated payload [kg].
        mass_kg: Mass of the whole arm [kg].
        repeatability_m: Pose repeatability, plus or minus [m].
        links: Base and links 1-6; their masses add up to `mass_kg`.
        capsules: Collision shapes in link frames.
        sources: Where each group of figures comes from.
        servos: Its bus servos, None for an arm with a controller of its own.
        dynamics: The same arm with its masses on a level base, for `kinematics.inverse_dynamics`.
    """

    id: str
    name: str
    chain: Chain
    limits: Limits
    torque_nm: FloatArray
    payload_kg: float
    mass_kg: float
    repeatability_m: float
    links: tuple[Link, ...]
    capsules: Capsules
    sources: Mapping[str, Source]
    servos: Servos | None = None
    dynamics: SerialChain = field(init=False, repr=False)

    def __post_init__(self) -> None:
        moving = self.links[1:]
        bodies = Bodies(
            mass=np.array([link.mass_kg for link in moving]),
            com=np.stack([link.com_m for link in moving]),
            inertia=np.stack([np.diag(link.inertia_kgm2) for link in moving]),
        )
        object.__setattr__(self, "dynamics", self.chain.serial(bodies))


# Bounds that a length typed in millimetres, or in the wrong field, does not meet.
_Length = Annotated[Number, Field(ge=0.01, le=5.0)]
_Offset = Annotated[Number, Field(ge=-1.0, le=1.0)]


class _Opw(Sourced):
    a1: _Offset = Field(alias="a1_m")
    a2: _Offset = Field(alias="a2_m")
    b: _Offset = Field(alias="b_m")
    c1: _Length = Field(alias="c1_m")
    c2: _Length = Field(alias="c2_m")
    c3: _Length = Field(alias="c3_m")
    c4: _Length = Field(alias="c4_m")
    offsets: Six[Angle] = Field(alias="offsets_deg")
    signs: Six[Literal[-1, 1]]


class _Position(Sourced):
    q_min: Six[Angle] = Field(alias="q_min_deg")
    q_max: Six[Angle] = Field(alias="q_max_deg")


class _Velocity(Sourced):
    limits: Six[PositiveAngle] = Field(alias="limits_deg_per_s")


class _Acceleration(Sourced):
    limits: Six[PositiveAngle] = Field(alias="limits_deg_per_s2")


class _Jerk(Sourced):
    limits: Six[PositiveAngle] = Field(alias="limits_deg_per_s3")


class _Torque(Sourced):
    limits_nm: Six[Positive]


class _Ratings(Sourced):
    payload_kg: Positive
    mass_kg: Positive
    repeatability_m: Positive


class _Link(Record):
    mass_kg: Positive
    com_m: Three[Number]
    inertia_kgm2: Three[Positive]


class _Links(Sourced):
    link: Annotated[tuple[_Link, ...], Field(min_length=LINKS, max_length=LINKS)]


class _Capsule(Record):
    link: Literal[0, 1, 2, 3, 4, 5, 6]
    a_m: Three[Number]
    b_m: Three[Number]
    radius_m: Positive


class _Capsules(Sourced):
    capsule: Annotated[tuple[_Capsule, ...], Field(min_length=1, max_length=64)]


class ArmFigures(Record):
    """What the files of all arms hold, whatever their geometry."""

    schema_version: Literal[1]
    name: Text
    position: _Position
    velocity: _Velocity
    acceleration: _Acceleration
    jerk: _Jerk
    torque: _Torque
    ratings: _Ratings

    def limits(self) -> Limits:
        """Limits of joint motion."""
        return Limits(
            velocity=_constant(self.velocity.limits),
            acceleration=_constant(self.acceleration.limits),
            jerk=_constant(self.jerk.limits),
        )


class ArmFile(ArmFigures):
    """The file of an arm with ortho-parallel base and spherical wrist."""

    opw: _Opw
    links: _Links | None = None
    capsules: _Capsules | None = None
    servos: ServoTable | None = None


def arm_names() -> tuple[str, ...]:
    """Names of the bundled arms, sorted."""
    return tuple(bundled("arms"))


def load_arm(name_or_path: str | Path) -> Arm:
    """Load a bundled arm by name (``gp7``) or an arm file by path.

    Link masses and collision capsules are generated from the lengths and the mass unless the file gives them.

    Raises:
        CellError: With every finding, when there is no such arm or its file is wrong.
    """
    path, shown_path = locate(name_or_path, "arms")
    file = load_record(ArmFile, path, shown_path)
    if findings := [
        *empty_ranges(file, shown_path),
        *_wrong_total(file, shown_path),
        *(file.servos.wrong_addresses(shown_path) if file.servos else ()),
    ]:
        raise CellError(findings)
    opw, ratings = file.opw, file.ratings
    chain = Chain(
        a1=opw.a1,
        a2=opw.a2,
        b=opw.b,
        c1=opw.c1,
        c2=opw.c2,
        c3=opw.c3,
        c4=opw.c4,
        offsets=_constant(opw.offsets),
        signs=_constant(opw.signs),
        q_min=_constant(file.position.q_min),
        q_max=_constant(file.position.q_max),
    )
    return Arm(
        id=path.name.removesuffix(".toml"),
        name=file.name,
        chain=chain,
        limits=file.limits(),
        torque_nm=_constant(file.torque.limits_nm),
        payload_kg=ratings.payload_kg,
        mass_kg=ratings.mass_kg,
        repeatability_m=ratings.repeatability_m,
        links=_links(file.links) if file.links else cylinder_links(ratings.mass_kg, opw_capsules(chain)),
        capsules=_capsules(file.capsules) if file.capsules else opw_capsules(chain),
        sources=MappingProxyType({"links": _LINKS_SOURCE, "capsules": _CAPSULES_SOURCE} | sources_of(file)),
        servos=file.servos.wiring() if file.servos else None,
    )


def sources_of(file: ArmFigures) -> dict[str, Source]:
    """Where each group of figures comes from."""
    groups = {group: getattr(file, group) for group in type(file).model_fields}
    return {
        name: Source(text=figures.source, mark=figures.mark)
        for name, figures in groups.items()
        if isinstance(figures, Sourced)
    }


def opw_capsules(chain: Chain) -> Capsules:
    """One capsule for each link, estimated from the lengths alone.

    Radii [m] are those of arms of the 5 to 8 kg class, measured on none of them: base column 0.09,
    shoulder 0.085, upper arm 0.07, elbow 0.065, forearm 0.055, wrist 0.045. Shoulder, elbow and wrist lie
    along their joint's axis, where the motors are. Nothing reaches below the base plane or beyond the flange.

    Args:
        chain: The arm's lengths.

    Returns:
        Seven capsules, links 0 to 6 in order, in link frames [m].
    """
    column, shoulder, upper, elbow, forearm, wrist = 0.09, 0.085, 0.07, 0.065, 0.055, 0.045
    segments = (
        (column, (0.0, 0.0, column), (0.0, 0.0, max(chain.c1 - column, column))),
        (shoulder, (0.0, -0.05, chain.c1), (chain.a1, 0.05, chain.c1)),
        (upper, (0.0, 0.0, 0.0), (0.0, 0.0, chain.c2)),
        (elbow, (0.0, min(chain.b, 0.0) - 0.04, 0.0), (chain.a2, max(chain.b, 0.0) + 0.04, 0.0)),
        (forearm, (0.0, 0.0, 0.0), (0.0, 0.0, chain.c3)),
        (wrist, (0.0, -0.03, 0.0), (0.0, 0.03, 0.0)),
        (wrist, (0.0, 0.0, -chain.c4), (0.0, 0.0, -wrist)),
    )
    return Capsules(
        link=np.arange(LINKS, dtype=np.int64),
        a=_constant([a for _, a, _ in segments]),
        b=_constant([b for _, _, b in segments]),
        radius=_constant([radius for radius, _, _ in segments]),
    )


def cylinder_links(mass_kg: float, capsules: Capsules) -> tuple[Link, ...]:
    """Mass properties estimated by one solid cylinder in the place of each link's capsule.

    The cylinder has the capsule's radius r and volume, hence the length l = d + 4 r / 3 for a segment of
    length d; its axis is the frame axis nearest to the segment. Its moments of inertia are m r² / 2 about
    the axis and m (3 r² + l²) / 12 across it.

    Args:
        mass_kg: Mass of the whole arm, shared out by `MASS_SHARES` [kg].
        capsules: One capsule for each link, as from `opw_capsules`.

    Returns:
        Base and links 1 to 6.
    """
    links = []
    for share, a, b, radius in zip(MASS_SHARES, capsules.a, capsules.b, capsules.radius, strict=True):
        mass, segment = share * mass_kg, b - a
        length = float(np.linalg.norm(segment)) + 4.0 * radius / 3.0
        inertia = np.full(3, mass * (3.0 * radius**2 + length**2) / 12.0)
        inertia[np.argmax(np.abs(segment))] = mass * radius**2 / 2.0
        links.append(Link(mass_kg=mass, com_m=_constant((a + b) / 2.0), inertia_kgm2=_constant(inertia)))
    return tuple(links)


def _links(given: _Links) -> tuple[Link, ...]:
    return tuple(
        Link(mass_kg=link.mass_kg, com_m=_constant(link.com_m), inertia_kgm2=_constant(link.inertia_kgm2))
        for link in given.link
    )


def _capsules(given: _Capsules) -> Capsules:
    return Capsules(
        link=np.array([capsule.link for capsule in given.capsule], dtype=np.int64),
        a=_constant([capsule.a_m for capsule in given.capsule]),
        b=_constant([capsule.b_m for capsule in given.capsule]),
        radius=_constant([capsule.radius_m for capsule in given.capsule]),
    )


def empty_ranges(file: ArmFigures, name: str) -> Iterator[Finding]:
    """Findings for joints whose limits leave them no range."""
    low, high = np.degrees(file.position.q_min), np.degrees(file.position.q_max)
    for joint in np.flatnonzero(low >= high):
        yield Finding(
            file=name,
            where=f"position.q_max_deg[{joint}]",
            value=f"{high[joint]:g}",
            message="the joint has no range",
            allowed=f"> {low[joint]:g}",
        )


def _wrong_total(file: ArmFile, name: str) -> Iterator[Finding]:
    if file.links is None:
        return
    total = math.fsum(link.mass_kg for link in file.links.link)
    if not math.isclose(total, file.ratings.mass_kg, rel_tol=1e-3):
        yield Finding(
            file=name,
            where="links.link",
            value=f"{total:g} kg in all",
            message="the links' masses do not add up to ratings.mass_kg",
            allowed=f"{file.ratings.mass_kg:g} kg within 0.1 %",
        )


def _constant(values: npt.ArrayLike) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array
