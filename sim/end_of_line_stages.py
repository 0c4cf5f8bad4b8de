"""The three stages of the end-of-line test: profiles played, signals read, figures computed from them.

A asks the joint over its bus and finds the electrical zero; B turns it without load over a wave-generator
turn; C takes the hysteresis loop at +-2 % and at rated torque with the motor braked, turns the joint
backwards, and drives it against the locked output. Speeds and currents are commanded, and motor position and
phase current read, over the joint's own bus. Brake, field and output encoder have no documented command: they
hang on the bench, and so does what loads and measures the output. Every value is computed from quantised,
noisy signals and the *nominal* figures of the model; the true parameters enter only through the electronics,
and idle current through the noise of its meter. Figures marked E are engineering estimates.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.joint_bus import JointBus, JointMode
from cells.measurement import Measurement
from sim.end_of_line_limits import TURN_SPEED, EndOfLineLimits
from sim.joint_dynamics import BENCH_STIFFNESS_NM_PER_RAD, COMMAND, SAMPLE_PERIOD_S
from sim.joint_electronics import JointElectronics, serial_number
from sim.joint_under_test import JointPhysics

QUERY_S = 0.5  # documented time of the find-actuators command
ENABLE_S = 0.8  # E: enable, switch mode, in every stage
SAVE_S = 1.0  # E: save to EEPROM, disable

TORQUE_NOISE = 5e-4  # E: transducer, rms, share of rated torque
BENCH_ENCODER_BITS = 22  # E
BENCH_ENCODER_NOISE_RAD = 1.5e-6  # E: rms, 0.3 arcsec

LOST_MOTION_TORQUE = 0.02  # share of rated torque
_QUIET_READINGS = round(QUERY_S / 0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nest:
    """The joint as the test sees it: its bus, and the instruments of the bench.

    Attributes:
        joint: What the instruments are connected to.
        electronics: Its electronics, which are told when each sample is.
        bus: The way to them.
        limits: Windows and nominal figures of the model it should be.
        rng: Noise of the instruments.
    """

    joint: JointPhysics
    electronics: JointElectronics
    bus: JointBus
    limits: EndOfLineLimits
    rng: np.random.Generator

    def run(
        self,
        commands: NDArray[np.void],
        mode: JointMode | None = None,
        setpoints: NDArray[np.float64] | None = None,
    ) -> "_Readings":
        """Plays a profile and reads the bench's noisy, quantised instruments.

        Args:
            commands: What the bench does, one record per sample period.
            mode: What the drive is to control, by ``setpoints`` (one per sample period); at rest without.
            setpoints: Motor speeds [rad/s] or phase currents [A].
        """
        self.electronics.prepare(commands)
        if mode is not None and setpoints is not None:
            self.bus.set_mode(mode)
            send = self.bus.set_speed if mode is JointMode.SPEED else self.bus.set_current
            for sample in np.flatnonzero(np.diff(setpoints, prepend=0.0)):
                self.electronics.now = int(sample)
                send(float(setpoints[sample]))
        samples = self.electronics.play()
        design = self.limits.design
        noise = self.rng.standard_normal((2, len(samples)))
        step_rad = 2 * math.pi / 2**BENCH_ENCODER_BITS
        angle = np.rint((samples["output_angle"] + BENCH_ENCODER_NOISE_RAD * noise[0]) / step_rad) * step_rad
        return _Readings(
            joint_angle=samples["output_counts"] * (2 * math.pi / 2**design.output_encoder_bits),
            output_angle=angle,
            torque=samples["bench_torque"] + TORQUE_NOISE * self.limits.torque_rated_nm * noise[1],
        )

    def motor_counts(self, first: int, last: int) -> NDArray[np.int64]:
        """Counts of the motor's encoder in samples of the last profile, from the position over the bus."""
        design = self.limits.design
        counts_per_rad = 2**design.encoder_bits * design.ratio / (2 * math.pi)
        positions = self._each(self.bus.position_rad, first, last)
        counts: NDArray[np.int64] = np.rint(positions * counts_per_rad).astype(np.int64)
        return counts

    def motor_angle(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Motor angles [rad] of counts."""
        angles: NDArray[np.float64] = counts * (2 * math.pi / 2**self.limits.design.encoder_bits)
        return angles

    def current(self, first: int, last: int) -> NDArray[np.float64]:
        """Phase currents [A] in samples of the last profile, over the bus."""
        return self._each(self.bus.current_a, first, last)

    def supply(self) -> float:
        """Mean supply [V] over the bus query, read every 10 ms."""
        return float(np.mean([self.bus.voltage_v() for _ in range(_QUIET_READINGS)]))

    def idle_current(self) -> float:
        """Mean supply current [A] of the joint at rest by the bench's meter, read every 10 ms."""
        readings = self.joint.idle_current_a + 0.002 * self.rng.standard_normal(_QUIET_READINGS)
        return float(np.mean(np.rint(readings / 1e-3) * 1e-3))

    def _each(self, read: Callable[[], float], first: int, last: int) -> NDArray[np.float64]:
        values = np.empty(last - first)
        for sample in range(first, last):
            self.electronics.now = sample
            values[sample - first] = read()
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class _Readings:
    """Readings of the bench for one profile, one per sample period."""

    joint_angle: NDArray[np.float64]
    output_angle: NDArray[np.float64]
    torque: NDArray[np.float64]


def _profile(seconds: float, **setpoints: float) -> NDArray[np.void]:
    commands = np.zeros(round(seconds / SAMPLE_PERIOD_S), COMMAND)
    for name, value in setpoints.items():
        commands[name] = value
    return commands


def _ramp(start: float, end: float, seconds: float) -> NDArray[np.float64]:
    return np.linspace(start, end, round(seconds / SAMPLE_PERIOD_S))


def bus_and_encoder(nest: Nest) -> tuple[list[Measurement], float]:
    """Stage A: supply, idle current, and a field turned one electrical turn forth and back.

    Friction makes the rotor lag behind the field, forth and back alike: the mean of both runs is the
    electrical zero, whatever the friction.
    """
    limits, design = nest.limits, nest.limits.design
    found = nest.bus.find().count(serial_number(nest.joint.serial))
    alarm = nest.bus.alarm()
    supply = nest.supply()
    idle = nest.idle_current()
    if alarm == 0:
        nest.bus.enable(True)

    turn = 2 * math.pi
    # a rotor that happens to stand opposite the field feels no torque: pull from a quarter turn aside first;
    # the first quarter of the sweep takes up its slack, and the last, driven back, gives it away again
    aside, settle, sweep, pause = 200, 300, 500, 50
    field = np.concatenate(
        [
            np.full(aside, -0.25 * turn),
            np.zeros(settle),
            np.linspace(0.0, 1.25 * turn, sweep),
            np.full(pause, 1.25 * turn),
            np.linspace(1.25 * turn, 0.0, sweep),
        ]
    )
    commands = _profile(
        len(field) * SAMPLE_PERIOD_S, align_current=limits.torque_rated_nm / _torque_per_ampere(limits)
    )
    commands["field_angle"] = field
    nest.run(commands)
    electrical = design.pole_pairs * nest.motor_angle(nest.motor_counts(0, len(field)))
    quarter = sweep // 5
    forth = slice(aside + settle + quarter, aside + settle + sweep)  # one turn each, the same field angles
    back = slice(forth.stop + pause, forth.stop + pause + sweep - quarter)
    ahead, astern = electrical[forth], electrical[back]
    travel = (ahead[-1] - ahead[0] + astern[0] - astern[-1]) / 2
    offset = (np.mean(ahead - field[forth]) + np.mean(astern - field[back])) / 2
    return [
        _within("bus", float(found), "joints", (1.0, 1.0)),
        _within("alarm", float(alarm), "fault bits", (0.0, 0.0)),
        _within("supply", supply, "V", limits.supply_v),
        _within("idle_current", idle, "A", limits.idle_current_a),
        _within("field_travel", float(travel), "rad", limits.field_travel_rad),
        Measurement(name="encoder_offset", value=float(offset % turn) / design.pole_pairs, unit="rad"),
    ], QUERY_S + ENABLE_S + len(field) * SAMPLE_PERIOD_S


def no_load_run(nest: Nest) -> tuple[list[Measurement], float]:
    """Stage B: one wave-generator turn each way at constant speed, output free.

    The current the drive needs is friction over torque constant. A curve of first and second harmonic over
    the turn is fitted to it, and its peak-to-peak over its mean is the ripple: noise averages out, a dedoidal
    mesh stays.
    """
    limits = nest.limits
    settle, turn = 400, round(2 * math.pi / TURN_SPEED / SAMPLE_PERIOD_S)
    means, ripples, ratios, counts = [], [], [], []
    for direction in (1.0, -1.0):
        commands = _profile((settle + turn) * SAMPLE_PERIOD_S)
        end = len(commands)
        readings = nest.run(commands, JointMode.SPEED, np.full(end, direction * TURN_SPEED))
        counts.append(nest.motor_counts(settle, end))
        angle = nest.motor_angle(counts[-1])
        mean, peak_to_peak = _turn_harmonics(angle, nest.current(settle, end))
        means.append(direction * mean)
        ripples.append(peak_to_peak / abs(mean))
        output_travel = readings.joint_angle[-1] - readings.joint_angle[settle]
        ratios.append((angle[-1] - angle[0]) / output_travel if output_travel != 0.0 else math.nan)
    return [
        _within("no_load_current", float(np.mean(means)), "A", limits.no_load_current_a),
        _within("current_ripple", float(np.mean(ripples)), "of mean", limits.current_ripple),
        _within("ratio", float(np.mean(ratios)), "to 1", limits.ratio),
        _within(
            "encoder_bit_balance",
            _bit_balance(np.concatenate(counts), limits.design.encoder_bits),
            "of samples",
            limits.encoder_bit_balance,
        ),
    ], ENABLE_S + 2 * (settle + turn) * SAMPLE_PERIOD_S


def _turn_harmonics(angle: NDArray[np.float64], current: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and peak-to-peak of the constant, first and second harmonic of a current over the motor angle."""

    def basis(a: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([np.ones_like(a), np.cos(a), np.sin(a), np.cos(2 * a), np.sin(2 * a)], axis=1)

    coefficients = np.linalg.lstsq(basis(angle), current, rcond=None)[0]
    curve = basis(np.linspace(0.0, 2 * math.pi, 180)) @ coefficients
    return float(coefficients[0]), float(np.ptp(curve))


def _bit_balance(counts: NDArray[np.int64], bits: int) -> float:
    """Worst encoder bit: distance of its share of ones from one half, as every sound bit has it."""
    ones = np.array([np.mean((counts >> bit) & 1) for bit in range(bits)])
    return float(np.max(np.abs(ones - 0.5)))


def load_loops(nest: Nest) -> tuple[list[Measurement], float]:
    """Stage C: hysteresis loops against the brake, back-drive, and the motor against the locked output."""
    limits, rated = nest.limits, nest.limits.torque_rated_nm
    softness = 1.0 / limits.design.stiffness_nm_per_rad + 1.0 / BENCH_STIFFNESS_NM_PER_RAD
    slack = limits.backlash_rad[1]

    small = _hysteresis_loop(nest, 3 * slack + 1.5 * LOST_MOTION_TORQUE * rated * softness, 0.4, turns=2)
    large = _hysteresis_loop(nest, slack + 1.05 * rated * softness, 0.8, turns=1)
    compliance = _compliance(large, rated)
    lost_motion = _angle_at(small, LOST_MOTION_TORQUE * rated) - _angle_at(small, -LOST_MOTION_TORQUE * rated)
    backlash = max(lost_motion - 2 * LOST_MOTION_TORQUE * rated * compliance, 0.0)

    back_drive, back_drive_s = _back_drive(nest)
    torque_constant, driven_s = _driven_against_lock(nest)
    if nest.bus.alarm() == 0:
        nest.bus.enable(False)
        nest.bus.save()
    loops_s = (len(small.torque) + len(large.torque)) * SAMPLE_PERIOD_S
    return [
        _within("backlash", float(backlash), "rad", limits.backlash_rad),
        _within("stiffness", 1.0 / compliance, "N m/rad", limits.stiffness_nm_per_rad),
        _within("back_drive_torque", back_drive, "N m", limits.back_drive_torque_nm),
        _within("torque_constant", torque_constant, "N m/A", limits.torque_constant_nm_per_a),
    ], ENABLE_S + loops_s + back_drive_s + driven_s + SAVE_S


def _hysteresis_loop(nest: Nest, amplitude: float, period_s: float, turns: int) -> _Readings:
    """The bench swings the output by +-amplitude [rad] about its place, the motor is braked."""
    quarter = period_s / 4
    swing = np.concatenate(
        [
            _ramp(0.0, amplitude, quarter),
            _ramp(amplitude, -amplitude, 2 * quarter),
            _ramp(-amplitude, 0.0, quarter),
        ]
    )
    commands = _profile(len(swing) * turns * SAMPLE_PERIOD_S, brake=1.0, coupled=1.0)
    commands["bench_angle"] = np.tile(swing, turns)
    return nest.run(commands)


def _compliance(loop: _Readings, rated: float) -> float:
    """Output angle per torque of the joint [rad/(N m)]: mean slope of both flanks from 20 % of rated."""
    slopes = []
    for flank in (loop.torque > 0.2 * rated, loop.torque < -0.2 * rated):
        if np.count_nonzero(flank) < 10:
            return math.nan
        slopes.append(np.polyfit(loop.torque[flank], loop.output_angle[flank], 1)[0])
    return float(np.mean(slopes))


def _angle_at(loop: _Readings, torque: float) -> float:
    """Output angle at a torque [rad], on a line through readings within half of it; NaN without any."""
    near = np.abs(loop.torque - torque) < 0.5 * abs(torque)
    if np.count_nonzero(near) < 10:
        return math.nan
    _, angle = np.polyfit(loop.torque[near] - torque, loop.output_angle[near], 1)
    return float(angle)


def _back_drive(nest: Nest) -> tuple[float, float]:
    """Torque that turns the free motor through the reducer [N m], mean over one wave-generator turn."""
    design = nest.limits.design
    settle, turn = 400, round(2 * math.pi / TURN_SPEED / SAMPLE_PERIOD_S)
    commands = _profile((settle + turn) * SAMPLE_PERIOD_S, coupled=1.0)
    motor_speed = np.full(len(commands), TURN_SPEED)
    motor_speed[: settle // 2] = _ramp(0.0, TURN_SPEED, settle // 2 * SAMPLE_PERIOD_S)
    travel = np.cumsum(motor_speed) * SAMPLE_PERIOD_S
    commands["bench_angle"] = travel / design.ratio
    return float(np.mean(nest.run(commands).torque[settle:])), len(commands) * SAMPLE_PERIOD_S


def _torque_per_ampere(limits: EndOfLineLimits) -> float:
    return limits.design.ratio * limits.design.torque_constant_nm_per_a


def _driven_against_lock(nest: Nest) -> tuple[float, float]:
    """Torque constant [N m/A]: slope of output torque over current while the current grows, both ways.

    While the motor winds the reducer up, friction takes a constant share: it shifts the line, not its slope.
    """
    limits = nest.limits
    peak = limits.torque_rated_nm / _torque_per_ampere(limits)
    grow, fall = 600, 50  # slow against the motor's swing on the reducer
    current = np.concatenate(
        [np.linspace(0, peak, grow), np.linspace(peak, -peak, fall + grow), np.linspace(-peak, 0, fall)]
    )
    commands = _profile(len(current) * SAMPLE_PERIOD_S, coupled=1.0)
    readings = nest.run(commands, JointMode.CURRENT, current)
    measured = nest.current(0, len(current))
    slopes = []
    for first, last in ((0, grow), (grow + (fall + grow) // 2, 2 * grow + fall)):
        wound = slice(first + (last - first) // 2, last)
        slopes.append(np.polyfit(measured[wound], readings.torque[wound], 1)[0])
    # the transducer reads the bench on the joint: the joint pushes the other way
    return -float(np.mean(slopes)) / limits.design.ratio, len(current) * SAMPLE_PERIOD_S


def _within(name: str, value: float, unit: str, window: tuple[float, float]) -> Measurement:
    return Measurement(name=name, value=value, unit=unit, low=window[0], high=window[1])
