"""What the flange of an arm carries, as masses: the tool and the part it holds.

Everything is a body of revolution about the flange's z axis: the tool a solid cylinder from the palm to the tool
centre point (an estimate, E), the part with its mass spread evenly over its sections.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from cells.cell import Tool
from cells.part import Part
from cells.tool_shape import PALM_M, PALM_RADIUS_M


@dataclass(frozen=True, slots=True, kw_only=True)
class HandLoad:
    """Mass properties in the flange frame F.

    Attributes:
        mass_kg: Mass [kg].
        com_m: Centre of mass on the flange's z axis [m].
        across_kgm2: Moment of inertia about any axis across it through the centre of mass [kg m²].
        along_kgm2: Moment of inertia about the z axis [kg m²].
    """

    mass_kg: float
    com_m: float
    across_kgm2: float
    along_kgm2: float


def hand_load(tool: Tool, held: Part | None = None) -> HandLoad:
    """The tool and, if ``held``, the part in its fingers."""
    bodies = [_ring(tool.mass_kg, 0.0, PALM_RADIUS_M, PALM_M[0], tool.length_m)]
    if held is not None:
        # The part's z points against the flange's, and its grip is at the tool centre point.
        grip = tool.length_m + held.grip.height_m
        volumes = [
            (ring.r_out_m**2 - ring.r_in_m**2) * (ring.z_high_m - ring.z_low_m) for ring in held.sections
        ]
        bodies += [
            _ring(
                held.mass_kg * volume / math.fsum(volumes),
                ring.r_in_m,
                ring.r_out_m,
                grip - ring.z_high_m,
                grip - ring.z_low_m,
            )
            for ring, volume in zip(held.sections, volumes, strict=True)
        ]
    return _together(bodies)


def _ring(mass_kg: float, r_in_m: float, r_out_m: float, low_m: float, high_m: float) -> HandLoad:
    square = r_in_m**2 + r_out_m**2
    return HandLoad(
        mass_kg=mass_kg,
        com_m=(low_m + high_m) / 2,
        across_kgm2=mass_kg * (3.0 * square + (high_m - low_m) ** 2) / 12.0,
        along_kgm2=mass_kg * square / 2.0,
    )


def _together(bodies: Iterable[HandLoad]) -> HandLoad:
    """Several bodies on one axis (Steiner's theorem)."""
    bodies = tuple(bodies)
    mass = math.fsum(body.mass_kg for body in bodies)
    com = math.fsum(body.mass_kg * body.com_m for body in bodies) / mass
    return HandLoad(
        mass_kg=mass,
        com_m=com,
        across_kgm2=math.fsum(body.across_kgm2 + body.mass_kg * (body.com_m - com) ** 2 for body in bodies),
        along_kgm2=math.fsum(body.along_kgm2 for body in bodies),
    )
