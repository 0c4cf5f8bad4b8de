"""Between joint angles and the steps that servos count."""

import math

import numpy as np
from numpy.typing import NDArray

from cells.servos import Servos

FloatArray = NDArray[np.float64]


class Scale:
    """Position encoding of an arm's servos: ``steps = zero + sign · q / step``.

    Args:
        servos: Steps per turn, the steps at which each joint is at zero, and its direction.
    """

    def __init__(self, servos: Servos) -> None:
        self.step_rad = 2.0 * math.pi / servos.steps_per_turn
        self._zero = np.array(servos.zero_steps, dtype=np.float64)
        self._sign = np.array(servos.signs, dtype=np.float64)

    def steps(self, q: FloatArray) -> list[int]:
        """Nearest steps to six joint angles (6,) [rad]."""
        return [int(step) for step in np.rint(self._zero + self._sign * q / self.step_rad)]

    def angles(self, steps: list[int]) -> FloatArray:
        """Joint angles (6,) [rad] of six positions in steps."""
        return self._sign * (np.array(steps, dtype=np.float64) - self._zero) * self.step_rad

    def velocities(self, steps_per_s: list[float]) -> FloatArray:
        """Joint velocities (6,) [rad/s] of six speeds in steps per second."""
        return self._sign * np.array(steps_per_s, dtype=np.float64) * self.step_rad
