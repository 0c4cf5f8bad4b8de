import dataclasses

import numpy as np
import pytest

from kinematics import Chain, KinematicsError, Limits
from tests.kinematics.arms import ARMS

CHAIN, LIMITS = ARMS["GP7"]


def changed(**values):
    names = [field.name for field in dataclasses.fields(Chain) if field.init]
    return Chain(**({name: getattr(CHAIN, name) for name in names} | values))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a1": np.nan}, "chain.a1: nan, expected a finite length in metres"),
        ({"c2": 0.0}, "chain.c2: 0.0 m, expected at least 1e-06 m"),
        ({"c3": -0.4}, "chain.c3: -0.4 m"),
        ({"c4": -0.1}, "chain.c4: -0.1 m, expected at least 0 m"),
        ({"signs": [1, 1, 1, 0, 1, 1]}, "chain.signs"),
        ({"offsets": np.zeros(5)}, r"chain.offsets: shape \(5,\), expected \(6\)"),
        ({"q_max": CHAIN.q_min}, r"chain.q_min\[0\]: -2.96706 rad, expected less than q_max = -2.96706 rad"),
    ],
)
def test_impossible_arms_are_refused(values, message):
    with pytest.raises(KinematicsError, match=message):
        changed(**values)


def test_arrays_are_kept_read_only_and_apart_from_the_callers():
    offsets = np.zeros(6)
    chain = changed(offsets=offsets)
    offsets[0] = 1.0
    assert chain.offsets[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        chain.offsets[0] = 1.0


def test_kernel_parameters_are_those_of_the_chain():
    assert CHAIN.arm.a1 == CHAIN.a1
    assert CHAIN.arm.c4 == CHAIN.c4
    assert CHAIN.arm.signs == tuple(CHAIN.signs)


def test_limits_are_positive():
    with pytest.raises(KinematicsError, match=r"limits.jerk\[2\]: 0, expected more than 0"):
        Limits(velocity=LIMITS.velocity, acceleration=LIMITS.acceleration, jerk=[1, 1, 0, 1, 1, 1])
