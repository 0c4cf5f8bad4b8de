"""The configuration of an arm's firmware, from the arm's data sheet."""

import numpy as np
from numpy.typing import ArrayLike

from cells import Arm
from firmware_bridge.armlink.messages import Config

VELOCITY_MARGIN = 1.02
ACCELERATION_MARGIN = 1.1
JERK_MARGIN = 5.0
"""What the firmware accepts beyond the arm's limits: motion resampled to fewer knots overshoots them a little."""
STOP_ACCELERATION = 2.0
STOP_JERK = 10.0
"""What a stop may use beyond the limits of trajectories: an estimate, no data sheet gives it."""
STOP_MAX_MS = 1000
FOLLOW_MAX_RAD = 0.1
CURRENT_MAX_MA = 20000


def position_units(q: ArrayLike) -> tuple[int, ...]:
    """Positions [rad] as on the wire [1e-7 rad]."""
    return tuple(int(value) for value in np.rint(np.asarray(q) * 1e7))


def configuration(arm: Arm, serial: str) -> Config:
    """What the firmware of this arm must be configured to.

    Position limits are the arm's own. Stops may take up to `STOP_MAX_MS`: the firmware rejects a
    trajectory from which the arm could not stop within that.

    Args:
        arm: The arm.
        serial: Serial number, at most 16 bytes of UTF-8.
    """

    def units(values: ArrayLike, unit: float) -> tuple[int, ...]:
        return tuple(int(value) for value in np.rint(np.asarray(values) / unit))

    limits = arm.limits
    return Config(
        model=_text(arm.id),
        serial=_text(serial),
        joints=6,
        stop_max_ms=STOP_MAX_MS,
        pos_min=units(arm.chain.q_min, 1e-7),
        pos_max=units(arm.chain.q_max, 1e-7),
        vel_max=units(VELOCITY_MARGIN * limits.velocity, 1e-6),
        acc_max=units(ACCELERATION_MARGIN * limits.acceleration, 1e-5),
        jerk_max=units(JERK_MARGIN * limits.jerk, 1e-3),
        stop_acc=units(STOP_ACCELERATION * limits.acceleration, 1e-5),
        stop_jerk=units(STOP_JERK * limits.jerk, 1e-3),
        follow_max=(round(FOLLOW_MAX_RAD * 1e7),) * 6,
        current_max=(CURRENT_MAX_MA,) * 6,
    )


def _text(value: str) -> bytes:
    encoded = value.encode()
    if len(encoded) > 16:
        raise ValueError(f"configuration: {value!r} has {len(encoded)} bytes (allowed: at most 16)")
    return encoded.ljust(16, b"\0")
