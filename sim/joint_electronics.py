"""The electronics of the joint under test: what it answers over its bus, and what it does with setpoints.

The test plays profiles of a fixed sample period. Setpoints are collected first, sample by sample, and then the
joint moves; what is read afterwards is as it was in each sample. Nothing depends on the order, since no setpoint
of a profile is made from its readings.
"""

import math
import zlib

import numpy as np
from numpy.typing import NDArray

from cells.joint_bus import JointBusError, JointFault, JointMode
from sim.joint_dynamics import COMMAND, SAMPLE, SAMPLE_PERIOD_S, simulate
from sim.joint_under_test import JointPhysics

SUPPLY_RANGE_V = (24.0, 45.0)  # documented for the line
VOLTAGE_STEP_V = 2.0**-10
VOLTAGE_NOISE_V = 0.02  # E: rms
CURRENT_NOISE_A = 0.02  # E: phase-current sensor, rms
CURRENT_BITS = 12  # E: over plus and minus full scale
_SERIAL_MASK = 0xFFFFFFFF


def serial_number(serial: str) -> int:
    """The 32 bits that stand for a serial number on the bus (E: a joint is given its own in manufacture)."""
    return zlib.crc32(serial.encode()) & _SERIAL_MASK


class JointElectronics:
    """A `cells.joint_bus.JointBus` on simulated physics.

    Args:
        joint: The joint.
        design: The joint as its model has it: what its firmware believes.
        rng: Noise of its sensors.
        start_angle: Motor angle at the start of every profile [rad].

    Attributes:
        now: Sample of the profile that setpoints and readings mean.
    """

    def __init__(
        self, joint: JointPhysics, design: JointPhysics, rng: np.random.Generator, start_angle: float
    ) -> None:
        self.now = 0
        self._joint = joint
        self._design = design
        self._rng = rng
        self._start_angle = start_angle
        self._enabled = False
        self._mode = JointMode.CURRENT
        self._commands = np.zeros(0, COMMAND)
        self._samples = np.zeros(0, SAMPLE)
        self._current = np.zeros(0)

    # --- over the bus --------------------------------------------------------------------------------------

    def find(self) -> tuple[int, ...]:
        """Its serial number."""
        return (serial_number(self._joint.serial),)

    def enable(self, on: bool) -> None:
        """Switch the drive on or off.

        Raises:
            JointBusError: When it has an alarm.
        """
        if on and (alarm := self.alarm()):
            raise JointBusError(f"joint {self._joint.serial}: alarm {alarm:#06x}")
        self._enabled = on

    def set_mode(self, mode: JointMode) -> None:
        """Choose what the drive controls."""
        self._mode = mode

    def set_current(self, current_a: float) -> None:
        """Phase current [A] from this sample on; without effect in another mode or when off."""
        if self._enabled and self._mode is JointMode.CURRENT:
            self._commands["current"][self.now :] = current_a

    def set_speed(self, speed_rad_s: float) -> None:
        """Motor speed [rad/s] from this sample on; without effect in another mode or when off."""
        if self._enabled and self._mode is JointMode.SPEED:
            self._commands["speed"][self.now :] = speed_rad_s
            self._commands["speed_loop"][self.now :] = 1.0

    def current_a(self) -> float:
        """Phase current [A] through its sensor."""
        return float(self._current[self.now])

    def speed_rad_s(self) -> float:
        """Motor speed [rad/s] from the counts of this sample and the one before."""
        counts = self._samples["motor_counts"]
        turns = (counts[self.now] - counts[max(self.now - 1, 0)]) / 2**self._design.encoder_bits
        return float(turns * 2.0 * math.pi / SAMPLE_PERIOD_S)

    def position_rad(self) -> float:
        """Position of the output [rad]: turns of the motor over the ratio the firmware believes."""
        turns = self._samples["motor_counts"][self.now] / 2**self._design.encoder_bits
        return float(turns / self._design.ratio * 2.0 * math.pi)

    def voltage_v(self) -> float:
        """Supply [V] through its sensor."""
        voltage = self._joint.supply_v + VOLTAGE_NOISE_V * self._rng.standard_normal()
        return float(np.rint(voltage / VOLTAGE_STEP_V) * VOLTAGE_STEP_V)

    def alarm(self) -> int:
        """Over-voltage and under-voltage; other faults are not modelled."""
        low, high = SUPPLY_RANGE_V
        if self._joint.supply_v > high:
            return JointFault.OVER_VOLTAGE
        return JointFault.UNDER_VOLTAGE if self._joint.supply_v < low else JointFault(0)

    def save(self) -> None:
        """Nothing is modelled of it but its time."""

    # --- by the test nest ----------------------------------------------------------------------------------

    def prepare(self, commands: NDArray[np.void]) -> None:
        """Begin a profile: what the nest does for itself, before setpoints come over the bus."""
        self._commands = commands

    def play(self) -> NDArray[np.void]:
        """Move; all signals of the profile."""
        self._samples = simulate(self._joint, self._commands, self._start_angle)
        step_a = 2.0 * self._design.full_scale_a / 2**CURRENT_BITS
        noise = self._rng.standard_normal(len(self._samples))
        self._current = np.rint((self._samples["current"] + CURRENT_NOISE_A * noise) / step_a) * step_a
        return self._samples
