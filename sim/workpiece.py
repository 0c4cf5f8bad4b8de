"""Workpieces: parts and what has been joined from them, as rigid bodies with their true mass.

A workpiece's frame is the part frame of its first part. Joining keeps every measured pose: nothing is
snapped to its nominal place. Each part's mass is spread evenly over its sections.

Two sets of collision shapes. *Resting* shapes are what an arm may meet: open bores as rings of boxes,
everything buried under another part left out. *Held* shapes are what a counterpart meets: round solids, and
rings only where the bore mates (a part gripped in its bore mates by its outside). Rings have 12 boxes,
exact on the inside; a bore simulated this way is honest down to about 0.2 mm of radial clearance.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cells.part import Part, Section

FloatArray = NDArray[np.float64]

FACETS = 12
_OPEN_BORE_M = 0.0105  # fingers and shafts do not enter narrower bores of a resting workpiece
_CREVICE_M = 5e-4  # nothing shows through a gap this narrow
_FRICTION = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A part and where it is in its workpiece: ``X_0P`` (4, 4)."""

    part: Part
    X_0P: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class MassProperties:
    """Mass [kg], centre of mass (3,) [m] in the workpiece frame and inertia (3, 3) [kg m2] about it."""

    mass_kg: float
    com_m: FloatArray
    inertia_kgm2: FloatArray

    def principal(self) -> tuple[FloatArray, FloatArray]:
        """Moments (3,) and pose ``X_0C`` (4, 4) of the principal frame, right-handed."""
        moments, axes = np.linalg.eigh(self.inertia_kgm2)
        if np.linalg.det(axes) < 0.0:
            axes[:, 2] = -axes[:, 2]
        X_0C = np.eye(4)
        X_0C[:3, :3], X_0C[:3, 3] = axes, self.com_m
        return moments, X_0C


def part_mass(part: Part) -> MassProperties:
    """Mass properties of one part, its density the same in every section."""
    volumes = [math.pi * (s.r_out_m**2 - s.r_in_m**2) * (s.z_high_m - s.z_low_m) for s in part.sections]
    density = part.mass_kg / sum(volumes)
    pieces = []
    for section, volume in zip(part.sections, volumes, strict=True):
        mass, height = density * volume, section.z_high_m - section.z_low_m
        square = section.r_in_m**2 + section.r_out_m**2
        across = mass * (3.0 * square + height**2) / 12.0
        com = np.array([0.0, 0.0, (section.z_low_m + section.z_high_m) / 2])
        pieces.append((mass, com, np.diag([across, across, mass * square / 2.0])))
    return _together(pieces)


def mass_of(parts: tuple[Placed, ...]) -> MassProperties:
    """Mass properties of several placed parts (Steiner's theorem)."""
    pieces = []
    for placed in parts:
        own, R = part_mass(placed.part), placed.X_0P[:3, :3]
        com = R @ own.com_m + placed.X_0P[:3, 3]
        pieces.append((own.mass_kg, com, R @ own.inertia_kgm2 @ R.T))
    return _together(pieces)


def _together(pieces: list[tuple[float, FloatArray, FloatArray]]) -> MassProperties:
    total = math.fsum(mass for mass, _, _ in pieces)
    com = sum((mass * at for mass, at, _ in pieces), np.zeros(3)) / total
    inertia = np.zeros((3, 3))
    for mass, at, own in pieces:
        d = at - com
        inertia += own + mass * ((d @ d) * np.eye(3) - np.outer(d, d))
    return MassProperties(mass_kg=total, com_m=com, inertia_kgm2=inertia)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A section along the axis of its workpiece: radii and heights in the frame it is looked at from."""

    owner: int
    r_in_m: float
    r_out_m: float
    low_m: float
    high_m: float
    section: Section


def spans(parts: tuple[Placed, ...], X_A0: FloatArray | None = None) -> list[Span]:
    """All sections seen from a frame A with z along or against the workpiece's axis, tilts left aside."""
    found = []
    for owner, placed in enumerate(parts):
        X = placed.X_0P if X_A0 is None else X_A0 @ placed.X_0P
        up = 1.0 if X[2, 2] > 0.0 else -1.0
        for section in placed.part.sections:
            ends = sorted((X[2, 3] + up * section.z_low_m, X[2, 3] + up * section.z_high_m))
            found.append(
                Span(
                    owner=owner,
                    r_in_m=section.r_in_m,
                    r_out_m=section.r_out_m,
                    low_m=float(ends[0]),
                    high_m=float(ends[1]),
                    section=section,
                )
            )
    return found


def visible(found: list[Span]) -> list[Span]:
    """The spans that are the outermost one of some radius from above or from below; the others are buried."""
    radii = sorted({radius for span in found for radius in (span.r_in_m, span.r_out_m)})
    seen: set[int] = set()
    for inner, outer in pairwise(radii):
        if outer - inner < _CREVICE_M:
            continue
        middle = (inner + outer) / 2
        here = [i for i, span in enumerate(found) if span.r_in_m < middle < span.r_out_m]
        if here:
            seen |= {max(here, key=lambda i: found[i].high_m), min(here, key=lambda i: found[i].low_m)}
    return [span for i, span in enumerate(found) if i in seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """What guides a part into its seat: index of the guiding part, length of the overlap along the axis."""

    index: int
    overlap_m: float


def guide_of(part: Part, other: tuple[Placed, ...], X_SO: FloatArray) -> Guide | None:
    """The part in ``other`` with the smallest radial gap to ``part`` once seated in the station's frame S.

    None where the two do not overlap along the axis: one just stands on the other.
    """
    best, guide = math.inf, None
    theirs = spans(other, X_SO)
    for mine in spans((Placed(part=part, X_0P=np.eye(4)),)):
        for their in theirs:
            overlap = min(mine.high_m, their.high_m) - max(mine.low_m, their.low_m)
            for gap in (their.r_in_m - mine.r_out_m, mine.r_in_m - their.r_out_m):
                if overlap > _CREVICE_M and -1e-4 < gap < best:
                    best, guide = gap, Guide(index=their.owner, overlap_m=their.high_m - mine.low_m)
    return guide


def resting_urdf(parts: tuple[Placed, ...], *, seen: bool = False) -> str:
    """URDF of a workpiece in a station: what arms and tools may meet."""
    shapes: list[str] = []
    for span in visible(spans(parts)):
        X_0P, section = parts[span.owner].X_0P, span.section
        shapes += _ring(X_0P, section) if section.r_in_m > _OPEN_BORE_M else [_disc(X_0P, section)]
    return _urdf(parts, shapes, seen=seen)


def held_urdf(parts: tuple[Placed, ...], *, seen: bool = False) -> str:
    """URDF of a workpiece in a gripper: what a counterpart meets."""
    found = []
    for span in spans(parts):
        mating = span.section.r_in_m > 0.0 and not parts[span.owner].part.grip.internal
        found.append(
            Span(
                owner=span.owner,
                r_in_m=span.r_in_m if mating else 0.0,
                r_out_m=span.r_out_m,
                low_m=span.low_m,
                high_m=span.high_m,
                section=span.section,
            )
        )
    shapes: list[str] = []
    for span in visible(found):
        X_0P = parts[span.owner].X_0P
        shapes += _ring(X_0P, span.section) if span.r_in_m > 0.0 else [_disc(X_0P, span.section)]
    return _urdf(parts, shapes, seen=seen)


def _disc(X_0P: FloatArray, section: Section) -> str:
    height = section.z_high_m - section.z_low_m
    center = X_0P[:3, :3] @ [0.0, 0.0, (section.z_low_m + section.z_high_m) / 2] + X_0P[:3, 3]
    shape = f'<cylinder radius="{section.r_out_m:.9g}" length="{height:.9g}"/>'
    return f'<origin xyz="{_text(center)}" rpy="{_text(_rpy(X_0P))}"/><geometry>{shape}</geometry>'


def _ring(X_0P: FloatArray, section: Section) -> list[str]:
    """Twelve boxes whose inner faces touch the bore and whose outer edges lie on the outer radius."""
    half_width = section.r_in_m * math.tan(math.pi / FACETS)
    outer = math.sqrt(section.r_out_m**2 - half_width**2)
    middle, height = (section.z_low_m + section.z_high_m) / 2, section.z_high_m - section.z_low_m
    size = _text((outer - section.r_in_m, 2 * half_width, height))
    boxes = []
    for index in range(FACETS):
        angle = 2 * math.pi * index / FACETS
        radius = (section.r_in_m + outer) / 2
        X = np.eye(4)
        X[0, 0] = X[1, 1] = math.cos(angle)
        X[1, 0], X[0, 1] = math.sin(angle), -math.sin(angle)
        X[:3, 3] = radius * math.cos(angle), radius * math.sin(angle), middle
        X = X_0P @ X
        origin = f'<origin xyz="{_text(X[:3, 3])}" rpy="{_text(_rpy(X))}"/>'
        boxes.append(f'{origin}<geometry><box size="{size}"/></geometry>')
    return boxes


def _urdf(parts: tuple[Placed, ...], shapes: list[str], *, seen: bool) -> str:
    mass = mass_of(parts)
    moments, X_0C = mass.principal()
    x, y, z = (f"{moment:.12g}" for moment in moments)
    bodies = "".join(f"<collision>{shape}</collision>" for shape in shapes)
    if seen:
        bodies += "".join(f"<visual>{shape}</visual>" for shape in shapes)
    return (
        '<robot name="workpiece"><link name="part">'
        f'<contact><lateral_friction value="{_FRICTION}"/></contact>'
        f'<inertial><origin xyz="{_text(X_0C[:3, 3])}" rpy="{_text(_rpy(X_0C))}"/>'
        f'<mass value="{mass.mass_kg:.12g}"/>'
        f'<inertia ixx="{x}" iyy="{y}" izz="{z}" ixy="0" ixz="0" iyz="0"/></inertial>{bodies}</link></robot>'
    )


def _rpy(X: FloatArray) -> tuple[float, float, float]:
    """Roll, pitch and yaw of a URDF origin: R = Rz(yaw) Ry(pitch) Rx(roll)."""
    pitch = math.asin(max(-1.0, min(1.0, -X[2, 0])))
    if abs(X[2, 0]) > 1.0 - 1e-12:  # only roll -+ yaw is defined
        return math.atan2(-X[1, 2], X[1, 1]), pitch, 0.0
    return math.atan2(X[2, 1], X[2, 2]), pitch, math.atan2(X[1, 0], X[0, 0])


def _text(values: object) -> str:
    return " ".join(f"{float(value):.12g}" for value in np.asarray(values, dtype=np.float64))
