"""One joint as it left the assembly: its true parameters, with scatter and the marks of its assembly.

The end-of-line test has to measure these figures; it is never told them.
`sim.joint_dynamics` sets the joint in motion.
Figures marked E are engineering estimates: no maker publishes them.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

FLEXSPLINE_COAXIALITY_M = 24e-6  # HFUS-2A assembly tolerances, column f, sizes 20 to 32


class ModelUnderTest(Protocol):
    """The figures of a joint model that its physics and its test limits follow from."""

    @property
    def name(self) -> str:
        """Catalogue name."""
        ...

    @property
    def ratio(self) -> int:
        """Motor turns per output turn."""
        ...

    @property
    def torque_rated_nm(self) -> float:
        """Rated output torque."""
        ...

    @property
    def diameter_m(self) -> float:
        """Outer diameter."""
        ...

    @property
    def mass_kg(self) -> float:
        """Mass of the whole joint."""
        ...

    @property
    def backlash_rad(self) -> float:
        """Largest lost motion the catalogue allows, at the output."""
        ...

    @property
    def stiffness_nm_per_rad(self) -> float:
        """Torsional stiffness at the output (an estimate)."""
        ...

    @property
    def motor(self) -> str:
        """Motor family, a key of `MOTORS`."""
        ...

    @property
    def encoder_bits(self) -> int:
        """Motor encoder, bits per motor turn."""
        ...


class Motor(NamedTuple):
    """Figures of a motor family (all E): they bound a joint's drive and the drive's gains."""

    rotor_inertia_kgm2: float
    torque_constant_nm_per_a: float
    pole_pairs: int
    full_scale_a: float  # documented phase-current full scale


MOTORS = {
    "NE30": Motor(2.0e-5, 0.05, 10, 16.5),
    "PR60": Motor(8.0e-5, 0.09, 10, 33.0),
    "NU80": Motor(2.5e-4, 0.11, 14, 33.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What the assembly did to a joint, as measured in the cell.

    Attributes:
        flexspline_offset_m: seating error of the flexspline set against the wave generator axis.
        screw_torque_fraction: weakest screw of the load path, achieved over specified torque.
    """

    flexspline_offset_m: float = 0.0
    screw_torque_fraction: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JointPhysics:
    """True parameters of one joint.

    Ripple amplitudes are fractions of the Coulomb friction, its phase and the electrical zero motor angles.
    `encoder_dead_bits` is a mask of motor encoder bits that always read zero.
    """

    serial: str
    model: str
    ratio: int
    rotor_inertia_kgm2: float
    output_inertia_kgm2: float
    stiffness_nm_per_rad: float
    backlash_rad: float
    coulomb_nm: float
    viscous_nms: float
    mesh_ripple: float
    dedoidal_ripple: float
    ripple_phase_rad: float
    torque_constant_nm_per_a: float
    pole_pairs: int
    electrical_zero_rad: float
    brake_nm: float
    full_scale_a: float
    encoder_bits: int
    output_encoder_bits: int
    encoder_dead_bits: int
    idle_current_a: float
    supply_v: float


def nominal(model: ModelUnderTest, serial: str = "") -> JointPhysics:
    """A joint of this model exactly as designed, well assembled.

    Raises:
        ValueError: the model names a motor that is not in `MOTORS`.
    """
    if model.motor not in MOTORS:
        raise ValueError(f"{model.name}: motor {model.motor!r} unknown, must be one of {', '.join(MOTORS)}")
    motor = MOTORS[model.motor]
    # E: no-load starting torque of a harmonic reducer as a share of rated torque at its input
    coulomb = 0.12 * model.torque_rated_nm / model.ratio
    return JointPhysics(
        serial=serial,
        model=model.name,
        ratio=model.ratio,
        rotor_inertia_kgm2=motor.rotor_inertia_kgm2,
        output_inertia_kgm2=0.1 * model.mass_kg * (model.diameter_m / 2) ** 2,  # E: flange and flexspline
        stiffness_nm_per_rad=model.stiffness_nm_per_rad,
        backlash_rad=0.55 * model.backlash_rad,  # E: the catalogue gives the upper limit
        coulomb_nm=coulomb,
        viscous_nms=coulomb / 314.0,  # E: as much again at 3000 rpm
        mesh_ripple=0.03,  # E
        dedoidal_ripple=0.0,
        ripple_phase_rad=0.0,
        torque_constant_nm_per_a=motor.torque_constant_nm_per_a,
        pole_pairs=motor.pole_pairs,
        electrical_zero_rad=0.0,
        brake_nm=3.0 * model.torque_rated_nm / model.ratio,  # E
        full_scale_a=motor.full_scale_a,
        encoder_bits=model.encoder_bits,
        output_encoder_bits=19,  # E
        encoder_dead_bits=0,
        idle_current_a=0.08,
        supply_v=42.0,
    )


def draw(model: ModelUnderTest, rng: np.random.Generator, assembly: Assembly, serial: str) -> JointPhysics:
    """One joint of a model: nominal figures, scatter from part to part (E), and the marks of its assembly.

    An eccentric flexspline raises friction and makes it vary over a turn; a loose load path is softer (E).

    Raises:
        ValueError: an assembly figure is negative or not finite, or the model is unknown to `nominal`.
    """
    for name in ("flexspline_offset_m", "screw_torque_fraction"):
        value = getattr(assembly, name)
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(f"joint {serial}: assembly.{name} = {value}, must be finite and not negative")
    ideal = nominal(model, serial)
    dedoidal = 0.04 * assembly.flexspline_offset_m / FLEXSPLINE_COAXIALITY_M

    def scatter(relative: float) -> float:
        return float(np.exp(relative * rng.standard_normal()))

    return JointPhysics(
        serial=serial,
        model=ideal.model,
        ratio=ideal.ratio,
        rotor_inertia_kgm2=ideal.rotor_inertia_kgm2 * scatter(0.01),
        output_inertia_kgm2=ideal.output_inertia_kgm2 * scatter(0.01),
        stiffness_nm_per_rad=ideal.stiffness_nm_per_rad
        * scatter(0.05)
        * min(1.0, max(assembly.screw_torque_fraction, 0.1)),
        backlash_rad=ideal.backlash_rad * scatter(0.08),
        coulomb_nm=ideal.coulomb_nm * scatter(0.06) * (1.0 + dedoidal),
        viscous_nms=ideal.viscous_nms * scatter(0.06),
        mesh_ripple=ideal.mesh_ripple * scatter(0.15),
        dedoidal_ripple=dedoidal,
        ripple_phase_rad=float(rng.uniform(0.0, 2 * math.pi)),
        torque_constant_nm_per_a=ideal.torque_constant_nm_per_a * scatter(0.015),
        pole_pairs=ideal.pole_pairs,
        electrical_zero_rad=float(rng.uniform(0.0, 2 * math.pi / ideal.pole_pairs)),
        brake_nm=ideal.brake_nm * scatter(0.05),
        full_scale_a=ideal.full_scale_a,
        encoder_bits=ideal.encoder_bits,
        output_encoder_bits=ideal.output_encoder_bits,
        encoder_dead_bits=0,
        idle_current_a=ideal.idle_current_a * scatter(0.04),
        supply_v=ideal.supply_v + 0.1 * float(rng.standard_normal()),
    )
