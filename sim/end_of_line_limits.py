"""What the end-of-line test measures of a joint model, and within which limits."""

import math
from dataclasses import dataclass
from typing import Self

from sim.joint_under_test import JointPhysics, ModelUnderTest, nominal

TURN_SPEED = 2 * math.pi * 1.25  # motor, no-load run [rad/s]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfLineLimits:
    """Windows (low, high) of one joint model, and the nominal figures its test is driven with."""

    design: JointPhysics
    torque_rated_nm: float
    supply_v: tuple[float, float]
    idle_current_a: tuple[float, float]
    field_travel_rad: tuple[float, float]
    encoder_bit_balance: tuple[float, float]
    ratio: tuple[float, float]
    no_load_current_a: tuple[float, float]
    current_ripple: tuple[float, float]
    backlash_rad: tuple[float, float]
    stiffness_nm_per_rad: tuple[float, float]
    back_drive_torque_nm: tuple[float, float]
    torque_constant_nm_per_a: tuple[float, float]

    @classmethod
    def for_model(cls, model: ModelUnderTest) -> Self:
        """Limits of a model: backlash from its catalogue, the rest E windows about the design's figures."""
        design = nominal(model)
        no_load_torque = design.coulomb_nm + design.viscous_nms * TURN_SPEED
        no_load_current = no_load_torque / design.torque_constant_nm_per_a
        return cls(
            design=design,
            torque_rated_nm=model.torque_rated_nm,
            supply_v=(41.0, 43.0),
            idle_current_a=_around(0.08, 0.25),
            field_travel_rad=_around(2 * math.pi, 0.05),
            encoder_bit_balance=(0.0, 0.2),
            ratio=_around(model.ratio, 0.005),
            no_load_current_a=_around(no_load_current, 0.35),
            current_ripple=(0.0, 0.20),
            backlash_rad=(0.0, model.backlash_rad),
            stiffness_nm_per_rad=_around(model.stiffness_nm_per_rad, 0.30),
            back_drive_torque_nm=_around(no_load_torque * model.ratio, 0.35),
            torque_constant_nm_per_a=_around(design.torque_constant_nm_per_a, 0.10),
        )


def _around(value: float, relative: float) -> tuple[float, float]:
    return value * (1 - relative), value * (1 + relative)
