"""The parts of a flexible joint: bodies of revolution, how each is gripped and how each fits.

Every part is described in its own frame P, upright as a feeder presents it: z up, origin at the point that
coincides with the middle of the joint once the part is seated. A seated front part has ``X_JP`` = identity;
a rear part is turned by pi about x, because the nest's trunnion has turned the joint over by then. In the
world both are seated when P coincides with the upright frame of the nest.

Dimensions are estimates (E): a tube with a 4 mm wall and a web, the maker's outer diameter and length (V, see
``cells/joints``), and inside it what a harmonic joint holds. Radial clearances are those that contact
simulation can show honestly (0.2 mm and more); the real h6/H7 fits are far tighter and are modelled by
``Fit``, not simulated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from cells.joint_model import JointModel

Side = Literal["front", "rear"]

WALL_M = 0.004  # E
FINGER_HEIGHT_M = 0.012  # height of a finger pad; the tool centre point is its middle


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A ring (or, with ``r_in_m`` = 0, a disc) about the part's z axis."""

    r_in_m: float
    r_out_m: float
    z_low_m: float
    z_high_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grip:
    """Where two fingers hold the part: radius and height of the surface; internal grips push outwards."""

    radius_m: float
    height_m: float
    internal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Force law of an insertion once the part is engaged; all forces are estimates (E).

    ``F(d) = friction_n * d / travel + stiffness_n_per_m * max(0, d - travel)``, d being the depth below the
    entry. The insertion is good when the part is seated with a force inside the window.
    """

    entry_m: float  # height above the seat at which the part meets its counterpart
    clearance_m: float  # radial
    friction_n: float
    stiffness_n_per_m: float
    force_low_n: float
    force_high_n: float

    def force_n(self, depth_m: float) -> float:
        """Axial force at ``depth_m`` below the entry [N]."""
        slide = self.friction_n * min(max(depth_m, 0.0) / max(self.entry_m, 1e-6), 1.0)
        return slide + self.stiffness_n_per_m * max(0.0, depth_m - self.entry_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of part of one joint model."""

    name: str
    side: Side
    mass_kg: float
    sections: tuple[Section, ...]
    grip: Grip
    fit: Fit

    @property
    def bottom_m(self) -> float:
        """Lowest point in the part frame [m]."""
        return min(section.z_low_m for section in self.sections)

    @property
    def top_m(self) -> float:
        """Highest point in the part frame [m]."""
        return max(section.z_high_m for section in self.sections)

    @property
    def radius_m(self) -> float:
        """Largest outer radius [m]."""
        return max(section.r_out_m for section in self.sections)


def parts_of(model: JointModel) -> Mapping[str, Part]:
    """The parts of a joint by name, with the masses of the model's bill of material."""
    half = model.length_m / 2
    bore = model.diameter_m / 2 - WALL_M
    mass = model.part_masses_kg

    def ring(r_in: float, r_out: float, z_low: float, z_high: float) -> Section:
        return Section(r_in_m=r_in, r_out_m=r_out, z_low_m=z_low, z_high_m=z_high)

    def grip(radius: float, height: float, internal: bool = False) -> Grip:
        return Grip(radius_m=radius, height_m=height, internal=internal)

    def fit(entry: float, clearance: float, friction: float, force: tuple[float, float]) -> Fit:
        # A seat of 2e5 N/m gives the stated closing force within 1 mm of arm travel (E).
        return Fit(
            entry_m=entry,
            clearance_m=clearance,
            friction_n=friction,
            stiffness_n_per_m=2e5,
            force_low_n=force[0],
            force_high_n=force[1],
        )

    rear_web = 0.005
    wave_radius = 0.42 * bore
    parts = (
        Part(
            name="housing",
            side="front",
            mass_kg=mass["housing"],
            sections=(ring(bore, model.diameter_m / 2, -half, half), ring(0.010, bore, -rear_web, -0.002)),
            grip=grip(bore, half - 0.007, internal=True),
            fit=fit(0.0, 0.0, 0.0, (0.0, 60.0)),
        ),
        Part(
            name="stator",
            side="front",
            mass_kg=mass["stator"],
            sections=(ring(0.62 * bore, bore - 0.0002, -0.002, 0.014),),
            grip=grip(0.62 * bore, 0.007, internal=True),
            fit=fit(half + 0.002, 0.0002, 30.0, (10.0, 90.0)),
        ),
        Part(
            name="rotor",
            side="front",
            mass_kg=mass["rotor_hub"] + mass["motor_bearings"],
            sections=(ring(0.0, 0.62 * bore - 0.0006, -0.002, 0.012), ring(0.0, 0.006, 0.012, 0.022)),
            grip=grip(0.006, 0.0185),
            fit=fit(0.016, 0.0006, -15.0, (-40.0, 60.0)),  # the magnets pull it in
        ),
        Part(
            name="wave_generator",
            side="front",
            mass_kg=mass["wave_generator"],
            sections=(ring(0.00625, wave_radius, 0.015, 0.021), ring(0.00625, 0.010, 0.021, 0.0285)),
            grip=grip(0.010, 0.0275),
            fit=fit(0.007, 0.00025, 10.0, (3.0, 60.0)),
        ),
        Part(
            name="circular_spline",
            side="front",
            mass_kg=mass["circular_spline"],
            sections=(ring(0.66 * bore, bore - 0.0002, 0.016, 0.028),),
            grip=grip(0.66 * bore, 0.0225, internal=True),
            fit=fit(half - 0.016, 0.0002, 25.0, (8.0, 90.0)),
        ),
        Part(
            name="flexspline",
            side="front",
            mass_kg=mass["flexspline"],
            sections=(
                ring(wave_radius + 0.0003, 0.62 * bore, 0.015, 0.0290),
                ring(0.0, 0.62 * bore, 0.0290, 0.0305),
            ),
            grip=grip(0.62 * bore, 0.024),
            fit=fit(0.0, 0.0, 0.0, (0.0, 60.0)),
        ),
        Part(
            name="output_flange",
            side="front",
            mass_kg=mass["cross_roller_bearing"] + mass["output_flange"] + mass["torque_sensor"],
            sections=(
                ring(0.0, bore - 0.0004, 0.0305, half - 0.0002),
                ring(0.0, 0.012, half - 0.0002, half + 0.012),
            ),
            grip=grip(0.012, half + 0.0065),
            fit=fit(0.006, 0.0003, 20.0, (5.0, 90.0)),
        ),
        Part(
            name="brake",
            side="rear",
            mass_kg=mass["brake"] + mass["encoder_ring"] + mass["output_encoder"],
            sections=(ring(0.0, bore - 0.0003, rear_web, 0.010), ring(0.0, 0.014, 0.010, 0.0170)),
            grip=grip(0.014, 0.0170),
            fit=fit(half - rear_web, 0.0003, 15.0, (5.0, 60.0)),
        ),
        Part(
            name="board",
            side="rear",
            mass_kg=mass["driver_board"] + mass["connector_cable"],
            sections=(ring(0.0, bore - 0.0005, 0.017, 0.019), ring(0.0, 0.009, 0.019, 0.0265)),
            grip=grip(0.009, 0.0260),
            fit=fit(half - 0.017, 0.0005, 8.0, (2.0, 40.0)),
        ),
        Part(
            name="cap",
            side="rear",
            mass_kg=mass["end_cap"] + mass["screws"],
            sections=(ring(0.0, bore - 0.0003, 0.0275, half), ring(0.0, 0.010, half, half + 0.012)),
            grip=grip(0.010, half + 0.0070),
            fit=fit(half - 0.0275, 0.0003, 15.0, (5.0, 60.0)),
        ),
    )
    return MappingProxyType({part.name: part for part in parts})
