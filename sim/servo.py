"""What makes a simulated arm miss: the engine's servo is ideal, so its errors are put in on purpose.

All figures are estimates (E) of a calibrated cell with arms of the 7 kg class.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ServoError:
    """Errors of one arm, known to nobody but the world.

    Attributes:
        base_m: (3,) where the base really stands against the cell file, in the world [m].
        repeatability_rad: Standard deviation of each joint's end position from segment to segment [rad].
        lag_s: How far the arm trails its setpoint [s].
    """

    base_m: NDArray[np.float64]
    repeatability_rad: float
    lag_s: float


def no_error() -> ServoError:
    """The ideal arm."""
    return ServoError(base_m=np.zeros(3), repeatability_rad=0.0, lag_s=0.0)


def draw_error(rng: np.random.Generator) -> ServoError:
    """Errors of one arm: calibration 0.1 to 0.3 mm, repeatability 0.02 mm at 0.7 m of reach, lag 2 ms."""
    direction = rng.standard_normal(3)
    direction /= np.sqrt(direction @ direction)
    base = direction * rng.uniform(0.1e-3, 0.3e-3)
    return ServoError(base_m=base, repeatability_rad=0.02e-3 / 0.7 / 2, lag_s=0.002)
