"""The joint on the test nest in motion, and what its encoders and the bench see of it.

Motor and output are two inertias joined by the reducer: a torsion spring with a dead zone (the lost motion),
referred to the output. Friction sits on the motor side, where wave generator and seals are, and varies over a
wave-generator turn: twice per turn in every harmonic reducer, once per turn if the flexspline sits
eccentrically (dedoidal mesh).

Figures marked E are engineering estimates. Not modelled: load-dependent friction, temperature, stiffness that
grows with torque, and inductance (currents follow their setpoint at once).
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kinematics.jit import kernel
from sim.joint_under_test import JointPhysics

SAMPLE_PERIOD_S = 1e-3
STEPS_PER_SAMPLE = 20
STEP_S = SAMPLE_PERIOD_S / STEPS_PER_SAMPLE

BENCH_STIFFNESS_NM_PER_RAD = 5e4  # E: torsion bar of the torque transducer with its coupling
BENCH_INERTIA_KGM2 = 1.5e-3  # E: coupling half on the joint's side
BENCH_DAMPING_NMS = 0.1 * math.sqrt(BENCH_STIFFNESS_NM_PER_RAD * BENCH_INERTIA_KGM2)  # E: 5 % of critical

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
            elif twist < -joint.half_backlash:
                gear_torque = joint.stiffness * (twist + joint.half_backlash) + joint.damping * twist_speed

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
