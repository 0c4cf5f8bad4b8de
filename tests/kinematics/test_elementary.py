import math

import numpy as np
import pytest

from kinematics.elementary import atan2, root, sincos

ANGLES = np.concatenate([np.random.default_rng(0).uniform(-1e3, 1e3, 300), np.arange(-8, 9) * math.pi / 4])


def test_sincos_equals_libm():
    for x in ANGLES:
        s, c = sincos(x)
        assert s == pytest.approx(math.sin(x), abs=5e-16)
        assert c == pytest.approx(math.cos(x), abs=5e-16)


def test_atan2_equals_libm():
    for x, y in np.random.default_rng(1).normal(size=(300, 2)) * 10.0 ** np.linspace(-3, 3, 300)[:, None]:
        assert atan2(y, x) == pytest.approx(math.atan2(y, x), rel=1e-15)
    assert atan2(0.0, 0.0) == 0.0
    assert atan2(0.0, -1.0) == math.pi


def test_nan_stays_nan():
    assert all(math.isnan(x) for x in sincos(math.nan))
    assert math.isnan(atan2(math.nan, 1.0))
    assert math.isnan(root(-1.0))
    assert root(4.0) == 2.0
