"""One joint on the test nest: its true physics, and what its encoders and the bench see of it.

Motor and output are two inertias joined by the reducer: a torsion spring with a dead zone (the lost motion),
referred to the output. Friction sits on the motor side, where wave generator and seals are, and varies over a
wave-generator turn: twice per turn in every harmonic reducer, once per turn if the flexspline sits
eccentrically (dedoidal mesh). The test has to measure these figures from sampled signals.

Figures marked E are engineering estimates: no maker publishes them. Not modelled: load-dependent friction,
temperature, stiffness that grows with torque, and inductance (currents follow their setpoint at once).
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kinematics.jit import kernel

SAMPLE_PERIOD_S = 1e-3
STEPS_PER_SAMPLE = 20
STEP_S = SAMPLE_PERIOD_S / STEPS_PER_SAMPLE

BENCH_STIFFNESS_NM_PER_RAD = 5e4  # E: torsion bar of the torque transducer with its coupling
BENCH_INERTIA_KGM2 = 1.5e-3  # E: coupling half on the joint's side
BENCH_DAMPING_NMS = 0.1 * math.sqrt(BENCH_STIFFNESS_NM_PER_RAD * BENCH_INERTIA_KGM2)  # E: 5 % of critical
FLEXSPLINE_COAXIALITY_M = 24e-6  # HFUS-2A assembly tolerances, column f, sizes 20 to 32

COMMAND = np.dtype(
    (
        np.record,
        [
            ("speed_loop", "f8"),  # 1: the drive follows `speed`; 0: it applies `current`
            ("speed", "f8"),  # motor [rad/s]
            ("current", "f8"),  # torque-producing current [A]
            ("align_current", "f8"),  # current of a field that pulls the rotor to `field_angle` [A]
            ("field_angle", "f8"),  # electrical [rad]
            ("brake", "f8"),  # 1: motor brake engaged
            ("coupled", "f8"),  # 1: output coupled to the bench, 0: free
            (
                "bench_angle",
                "f8",
            ),  # far end of the torsion bar, from where it coupled [rad]
        ],
    )
)
"""Setpoints of drive and bench, one record per sample period: held for it, only the bench angle is led to its
new value in a straight line (a staircase would ring the torsion bar)."""

SAMPLE = np.dtype(
    (
        np.record,
        [
            ("motor_counts", "i8"),  # multi-turn motor encoder
            ("output_counts", "i8"),  # the joint's own output encoder
            ("current", "f8"),  # phase current, before the noise of its sensor [A]
            ("output_angle", "f8"),  # what the bench encoder looks at [rad]
            ("bench_torque", "f8"),  # bench on joint, before the noise of the transducer [N m]
        ],
    )
)
"""Signals at the end of each sample period."""


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


class _Constants(NamedTuple):
    """What the kernel needs, as plain numbers."""

    ratio: float
    rotor_inertia: float
    output_inertia: float
    stiffness: float
    damping: float
    half_backlash: float
    coulomb: float
    viscous: float
    mesh_ripple: float
    dedoidal_ripple: float
    ripple_phase: float
    torque_constant: float
    pole_pairs: float
    electrical_zero: float
    brake: float
    full_scale: float
    counts_per_rad: float
    output_counts_per_rad: float
    dead_bits: int
    speed_gain: float
    speed_integral_gain: float


def simulate(
    joint: JointPhysics, commands: NDArray[np.void], start_angle_rad: float = 0.0
) -> NDArray[np.void]:
    """Runs a joint from rest through a profile of setpoints.

    Args:
        joint: true parameters.
        commands: (n,) records of `COMMAND`, one per sample period.
        start_angle_rad: motor angle at the start; the output starts centred in the lost motion, at this
            angle over the ratio.

    Returns:
        (n,) records of `SAMPLE`.

    Raises:
        ValueError: the fixed step cannot resolve this joint's torsional vibration.
    """
    stiffest = joint.stiffness_nm_per_rad + BENCH_STIFFNESS_NM_PER_RAD
    fastest = math.sqrt(
        max(
            joint.stiffness_nm_per_rad / joint.output_inertia_kgm2,
            stiffest / (joint.output_inertia_kgm2 + BENCH_INERTIA_KGM2),
        )
    )
    if not STEP_S * fastest < 1.0:  # semi-implicit Euler is stable below 2; 1 keeps the period within 5 %
        raise ValueError(
            f"joint {joint.serial}: torsional vibration of {fastest:.3g} rad/s is too fast for a step of "
            f"{STEP_S} s, at most {1 / STEP_S:.3g} rad/s"
        )
    samples = np.zeros(len(commands), SAMPLE)
    _run(_constants(joint), commands, float(start_angle_rad), samples)
    return samples


def _constants(joint: JointPhysics) -> _Constants:
    bandwidth = 2 * math.pi * 20.0  # E: speed loop of the drive, tuned to its own motor
    speed_gain = joint.rotor_inertia_kgm2 * bandwidth / joint.torque_constant_nm_per_a
    return _Constants(
        ratio=float(joint.ratio),
        rotor_inertia=joint.rotor_inertia_kgm2,
        output_inertia=joint.output_inertia_kgm2,
        stiffness=joint.stiffness_nm_per_rad,
        # E: 5 % of critical damping of the output on its spring
        damping=0.1 * math.sqrt(joint.stiffness_nm_per_rad * joint.output_inertia_kgm2),
        half_backlash=joint.backlash_rad / 2,
        coulomb=joint.coulomb_nm,
        viscous=joint.viscous_nms,
        mesh_ripple=joint.mesh_ripple,
        dedoidal_ripple=joint.dedoidal_ripple,
        ripple_phase=joint.ripple_phase_rad,
        torque_constant=joint.torque_constant_nm_per_a,
        pole_pairs=float(joint.pole_pairs),
        electrical_zero=joint.electrical_zero_rad,
        brake=joint.brake_nm,
        full_scale=joint.full_scale_a,
        counts_per_rad=2**joint.encoder_bits / (2 * math.pi),
        output_counts_per_rad=2**joint.output_encoder_bits / (2 * math.pi),
        dead_bits=joint.encoder_dead_bits,
        speed_gain=speed_gain,
        speed_integral_gain=speed_gain * bandwidth / 5,
    )


@kernel
def _run(joint: _Constants, commands: NDArray[Any], start_angle: float, samples: NDArray[Any]) -> None:
    """Integrates both inertias with semi-implicit Euler; friction is set-valued: a held joint stands still.

    Coulomb friction is the impulse that brings the rotor to rest, or its limit if that is smaller
    (Moreau time stepping with one contact): no smoothing speed, no creep under load. Does not allocate.
    """
    motor_angle, motor_speed = start_angle, 0.0
    output_angle, output_speed = start_angle / joint.ratio, 0.0
    counts = np.int64(math.floor(motor_angle * joint.counts_per_rad)) & ~joint.dead_bits
    measured_speed = 0.0
    integral = 0.0
    bench_angle = output_angle
    for n in range(len(commands)):
        command = commands[n]
        current = command.current
        if command.speed_loop > 0.0:
            # the drive knows its speed only from the counts of the last two samples
            error = command.speed - measured_speed
            integral = integral + joint.speed_integral_gain * error * SAMPLE_PERIOD_S
            integral = min(max(integral, -joint.full_scale), joint.full_scale)
            current = current + joint.speed_gain * error + integral
        current = min(max(current, -joint.full_scale), joint.full_scale)
        bench_stiffness = BENCH_STIFFNESS_NM_PER_RAD * command.coupled
        bench_damping = BENCH_DAMPING_NMS * command.coupled
        output_inertia = joint.output_inertia + BENCH_INERTIA_KGM2 * command.coupled
        bench_speed = (start_angle / joint.ratio + command.bench_angle - bench_angle) / SAMPLE_PERIOD_S
        for _ in range(STEPS_PER_SAMPLE):
            twist = motor_angle / joint.ratio - output_angle
            twist_speed = motor_speed / joint.ratio - output_speed
            gear_torque = 0.0
            if twist > joint.half_backlash:
                gear_torque = joint.stiffness * (twist - joint.half_backlash) + joint.damping * twist_speed
                gear_torque = max(gear_torque, 0.0)  # a flank pushes, it does not pull
            elif twist < -joint.half_backlash:
                gear_torque = joint.stiffness * (twist + joint.half_backlash) + joint.damping * twist_speed
                gear_torque = min(gear_torque, 0.0)

            wave = motor_angle - joint.ripple_phase
            friction = joint.coulomb * (
                1.0 + joint.dedoidal_ripple * math.cos(wave) + joint.mesh_ripple * math.cos(2.0 * wave)
            )
            drive = joint.torque_constant * current
            if command.align_current != 0.0:
                lag = command.field_angle - joint.pole_pairs * (motor_angle - joint.electrical_zero)
                drive = drive + joint.torque_constant * command.align_current * math.sin(lag)
            torque = drive - gear_torque / joint.ratio - joint.viscous * motor_speed
            free_speed = motor_speed + STEP_S * torque / joint.rotor_inertia
            grip = STEP_S * (abs(friction) + joint.brake * command.brake) / joint.rotor_inertia
            motor_speed = math.copysign(max(abs(free_speed) - grip, 0.0), free_speed)

            bench_torque = bench_stiffness * (bench_angle - output_angle)
            bench_torque = bench_torque + bench_damping * (bench_speed - output_speed)
            output_speed = output_speed + STEP_S * (gear_torque + bench_torque) / output_inertia
            motor_angle = motor_angle + STEP_S * motor_speed
            output_angle = output_angle + STEP_S * output_speed
            bench_angle = bench_angle + STEP_S * bench_speed
        sample = samples[n]
        last = counts
        counts = np.int64(math.floor(motor_angle * joint.counts_per_rad)) & ~joint.dead_bits
        sample.motor_counts = counts
        sample.output_counts = np.int64(math.floor(output_angle * joint.output_counts_per_rad))
        sample.current = current + command.align_current
        sample.output_angle = output_angle
        sample.bench_torque = bench_stiffness * (bench_angle - output_angle)
        measured_speed = (counts - last) / joint.counts_per_rad / SAMPLE_PERIOD_S
