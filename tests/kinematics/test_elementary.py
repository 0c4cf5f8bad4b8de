import math

import numpy as np
import pytest

from kinematics import elementary, jit

ANGLES = np.concatenate([np.random.default_rng(0).uniform(-1e3, 1e3, 300), np.arange(-8, 9) * math.pi / 4])


# Called from Python, an inlined function runs interpreted: kernels show what they see.
@jit.kernel
def sincos_many(x, result):
    for i in range(len(x)):
        result[i, 0], result[i, 1] = elementary.sincos(x[i])


@jit.kernel
def atan2_many(yx, result):
    for i in range(len(yx)):
        result[i] = elementary.atan2(yx[i, 0], yx[i, 1])


@jit.kernel
def root_many(x, result):
    for i in range(len(x)):
        result[i] = elementary.root(x[i])


del jit._kernels[-3:]  # not kernels of the package


def sincos(x):
    result = np.empty((len(x), 2))
    sincos_many(x, result)
    return result.T


def atan2(y, x):
    result = np.empty(len(y))
    atan2_many(np.stack([y, x], axis=1), result)
    return result


def test_sincos_equals_libm():
    s, c = sincos(ANGLES)
    np.testing.assert_allclose(s, np.sin(ANGLES), atol=5e-16)
    np.testing.assert_allclose(c, np.cos(ANGLES), atol=5e-16)


def test_atan2_equals_libm():
    x, y = (np.random.default_rng(1).normal(size=(300, 2)) * 10.0 ** np.linspace(-3, 3, 300)[:, None]).T
    np.testing.assert_allclose(atan2(y, x), np.arctan2(y, x), rtol=1e-15)
    np.testing.assert_array_equal(atan2(np.zeros(2), np.array([0.0, -1.0])), [0.0, math.pi])


def test_nan_stays_nan():
    assert np.isnan(sincos(np.array([math.nan]))).all()
    assert np.isnan(atan2(np.array([math.nan]), np.ones(1))).all()
    result = np.empty(2)
    root_many(np.array([-1.0, 4.0]), result)
    np.testing.assert_array_equal(result, [math.nan, 2.0])


def test_called_from_python_they_run_interpreted():
    assert elementary.sincos(0.3) == pytest.approx((math.sin(0.3), math.cos(0.3)))
    assert elementary.atan2(1.0, -1.0) == pytest.approx(0.75 * math.pi)
