"""The joint's physics against closed forms and against SciPy's integrator."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sim.joint_dynamics import (
    BENCH_DAMPING_NMS,
    BENCH_INERTIA_KGM2,
    BENCH_STIFFNESS_NM_PER_RAD,
    COMMAND,
    SAMPLE_PERIOD_S,
    simulate,
)
from sim.joint_under_test import Assembly, draw, nominal


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    name: str = "Pro-PR60-100-90"
    ratio: int = 101
    torque_rated_nm: float = 47.0
    diameter_m: float = 0.09
    mass_kg: float = 1.23
    backlash_rad: float = math.radians(10 / 3600)
    stiffness_nm_per_rad: float = 2.5e4
    motor: str = "PR60"
    encoder_bits: int = 14


def profile(seconds, **setpoints):
    commands = np.zeros(round(seconds / SAMPLE_PERIOD_S), COMMAND)
    for name, value in setpoints.items():
        commands[name] = value
    return commands


def motor_turns(joint, samples):
    return samples["motor_counts"] / 2**joint.encoder_bits


def test_free_motor_reaches_the_speed_where_friction_eats_the_torque():
    joint = nominal(Model())
    current = 1.0
    samples = simulate(joint, profile(4.0, current=current))
    speed = 2 * math.pi * np.diff(motor_turns(joint, samples))[-200:].mean() / SAMPLE_PERIOD_S
    steady = (joint.torque_constant_nm_per_a * current - joint.coulomb_nm) / joint.viscous_nms
    inertia = joint.rotor_inertia_kgm2 + joint.output_inertia_kgm2 / joint.ratio**2
    elapsed = 3.9
    expected = steady * (1 - math.exp(-elapsed * joint.viscous_nms / inertia))
    assert speed == pytest.approx(expected, rel=2e-3)


def test_current_below_friction_moves_nothing_at_all():
    joint = replace(nominal(Model()), mesh_ripple=0.0)
    current = 0.99 * joint.coulomb_nm / joint.torque_constant_nm_per_a
    samples = simulate(joint, profile(2.0, current=current), start_angle_rad=1.0)
    assert np.ptp(samples["motor_counts"]) == 0
    assert np.ptp(samples["output_angle"]) == 0.0


def test_braked_joint_winds_up_by_torque_over_stiffness_after_its_backlash():
    joint = nominal(Model())
    commands = profile(1.0, brake=1.0, coupled=1.0)
    commands["bench_angle"] = np.minimum(np.linspace(0.0, 6e-4, 1000), 3e-4)
    torque, angle = (simulate(joint, commands)[-1][name] for name in ("bench_torque", "output_angle"))
    assert torque == pytest.approx(BENCH_STIFFNESS_NM_PER_RAD * (3e-4 - angle), rel=1e-9)
    assert angle == pytest.approx(joint.backlash_rad / 2 + torque / joint.stiffness_nm_per_rad, rel=1e-6)


def test_torsional_vibration_matches_scipy():
    """Braked motor, bench angle stepped: the output is one damped mass between two springs."""
    joint = replace(nominal(Model()), backlash_rad=0.0)
    step = 2e-4
    commands = profile(0.02, brake=1.0, coupled=1.0, bench_angle=step)
    samples = simulate(joint, commands)

    k, kb = joint.stiffness_nm_per_rad, BENCH_STIFFNESS_NM_PER_RAD
    c = 0.1 * math.sqrt(k * joint.output_inertia_kgm2)
    inertia = joint.output_inertia_kgm2 + BENCH_INERTIA_KGM2

    def motion(t, state):
        angle, speed = state
        bench = min(t / SAMPLE_PERIOD_S, 1.0) * step
        bench_speed = step / SAMPLE_PERIOD_S if t < SAMPLE_PERIOD_S else 0.0
        torque = kb * (bench - angle) + BENCH_DAMPING_NMS * (bench_speed - speed)
        return speed, (torque - k * angle - c * speed) / inertia

    times = np.arange(1, len(samples) + 1) * SAMPLE_PERIOD_S
    exact = solve_ivp(
        motion, (0.0, times[-1]), (0.0, 0.0), t_eval=times, rtol=1e-9, atol=1e-12, max_step=1e-4
    ).y[0]
    # semi-implicit Euler is of first order: 1 % of the wind-up, everywhere in the transient
    assert samples["output_angle"] == pytest.approx(exact, abs=0.01 * exact[-1])


def test_speed_loop_holds_speed_from_encoder_counts():
    joint = draw(Model(), np.random.default_rng(1), Assembly(), "S")
    samples = simulate(joint, profile(2.0, speed_loop=1.0, speed=8.0))
    turned = motor_turns(joint, samples)
    speed = 2 * math.pi * (turned[-1] - turned[1000]) / (999 * SAMPLE_PERIOD_S)
    assert speed == pytest.approx(8.0, rel=3e-3)


def test_a_dead_encoder_bit_never_reads_one():
    joint = replace(nominal(Model()), encoder_dead_bits=1 << 5)
    samples = simulate(joint, profile(1.0, speed_loop=1.0, speed=8.0), start_angle_rad=3.0)
    assert not np.any(samples["motor_counts"] & (1 << 5))
    assert np.any(samples["motor_counts"] & (1 << 4))


def test_no_commands_give_no_samples():
    assert len(simulate(nominal(Model()), np.zeros(0, COMMAND))) == 0


def test_assembly_marks_the_joint():
    good, bad = (
        draw(Model(), np.random.default_rng(4), assembly, "S")
        for assembly in (Assembly(), Assembly(flexspline_offset_m=1e-4, screw_torque_fraction=0.5))
    )
    assert good.dedoidal_ripple == 0.0
    assert bad.dedoidal_ripple == pytest.approx(0.04 * 1e-4 / 24e-6)
    assert bad.coulomb_nm == pytest.approx(good.coulomb_nm * (1 + bad.dedoidal_ripple))
    assert bad.stiffness_nm_per_rad == pytest.approx(0.5 * good.stiffness_nm_per_rad)


def test_the_same_seed_draws_the_same_joint():
    joints = [draw(Model(), np.random.default_rng(7), Assembly(), "S") for _ in range(2)]
    assert joints[0] == joints[1]
    assert joints[0] != draw(Model(), np.random.default_rng(8), Assembly(), "S")


@pytest.mark.parametrize("value", [-1e-6, math.nan, math.inf])
def test_impossible_assembly_figures_are_refused(value):
    with pytest.raises(ValueError, match=r"joint S9: assembly\.flexspline_offset_m = "):
        draw(Model(), np.random.default_rng(0), Assembly(flexspline_offset_m=value), "S9")


def test_unknown_motor_is_named():
    with pytest.raises(ValueError, match="motor 'XX1' unknown, must be one of NE30, PR60, NU80"):
        nominal(Model(motor="XX1"))


def test_a_joint_too_stiff_for_the_step_is_refused():
    with pytest.raises(ValueError, match="too fast for a step of 5e-05 s"):
        simulate(nominal(Model(stiffness_nm_per_rad=1e7)), profile(0.1))
