"""Elementary functions that LLVM can vectorise.

Numba's wheels ship no vector mathematics library: a call of ``math.sin`` keeps the loop around it scalar.
These are straight-line polynomials without tables, branches or integers, so that one element is one SIMD
lane. The coefficients are Chebyshev interpolants, rounded to double precision.
NaN in gives NaN out; nothing here raises.
"""

import math

import numpy as np

from kinematics.jit import inlined

PI = math.pi
TURN = 2.0 * math.pi
ANGLE_MAX = 1e5  # [rad], where the range reduction of sincos is still exact
_TAN_PI_8 = math.sqrt(2.0) - 1.0
_TINY = 1e-300

# pi in three parts (Cody and Waite, 1980). The first two have 33 bits: n * part is exact for |n| < 2**20.
_PI_HIGH = 3.14159265346825122833
_PI_MIDDLE = 1.21542010130122e-10
_PI_LOW = 4.0445324497591e-21


@inlined
def sincos(x: float) -> tuple[float, float]:
    """Sine and cosine of x [rad], |x| <= ANGLE_MAX, by reduction to [-pi/2, pi/2] and a sign."""
    n = np.floor(x * (1.0 / PI) + 0.5)
    r = ((x - n * _PI_HIGH) - n * _PI_MIDDLE) - n * _PI_LOW
    z = r * r
    s = -7.643969663988074e-13 + z * 2.7314368769379893e-15
    s = -2.505210761669045e-08 + z * (1.6058977292642743e-10 + z * s)
    s = -1.9841269841254966e-04 + z * (2.7557319219160833e-06 + z * s)
    s = -1.6666666666666666e-01 + z * (8.333333333333316e-03 + z * s)
    c = 4.77787760803859e-14 + z * -1.5218598818596388e-16
    c = 2.0876756602722215e-09 + z * (-1.1470712262813793e-11 + z * c)
    c = 2.4801587301579848e-05 + z * (-2.755731922156836e-07 + z * c)
    c = 4.1666666666666664e-02 + z * (-1.388888888888888e-03 + z * c)
    odd = n - 2.0 * np.floor(0.5 * n) > 0.5
    s, c = r + r * z * s, 1.0 - 0.5 * z + z * z * c
    return -s if odd else s, -c if odd else c


@inlined
def atan2(y: float, x: float) -> float:
    """Angle in [-pi, pi] of the finite vector with components x and y; zero for the zero vector."""
    ax = abs(x)
    ay = abs(y)
    large = ax if ax > ay else ay
    small = ay if ax > ay else ax
    fold = small > _TAN_PI_8 * large  # atan(t) = pi/4 + atan((t - 1) / (t + 1))
    t = (small - large if fold else small) / ((small + large if fold else large) + _TINY)
    z = t * t
    a = -0.034558092551413795 + z * 0.01627194475162406
    a = -0.052303478730160745 + z * (0.04551108126325172 + z * a)
    a = -0.06666423628069258 + z * (0.058789145444006215 + z * a)
    a = -0.09090908751076636 + z * (0.0769229630497447 + z * a)
    a = -0.14285714285659326 + z * (0.11111111105106705 + z * a)
    a = -0.3333333333333333 + z * (0.199999999999998 + z * a)
    a = t + t * z * a
    a = a + 0.25 * PI if fold else a
    a = 0.5 * PI - a if ay > ax else a
    a = PI - a if x < 0.0 else a
    return -a if y < 0.0 else a


@inlined
def root(x: float) -> float:
    """Square root of x; NaN below zero, compiled and interpreted (where math.sqrt would raise)."""
    return math.sqrt(x) if x >= 0.0 else math.nan


@inlined
def nearest_turn(angle: float) -> float:
    """The angle less full turns, in [-pi, pi]."""
    reduced: float = angle - TURN * np.rint(angle * (1.0 / TURN))
    return reduced
