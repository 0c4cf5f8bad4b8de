"""Exact distances of segments and boxes: scalar functions without branches.

Segments: Ericson, "Real-Time Collision Detection", 2005, sec. 5.1.9. Box: the squared distance of a point on
a segment from a box is convex along the segment and its slope is piecewise linear, so its zero lies between
two of the six parameters at which the segment crosses a plane of a face.
"""

from kinematics.jit import inlined
from kinematics.vectors import Frame, Vector, add, dot, scale, subtract

Bracket = tuple[float, float, float, float]  # parameter and slope below, parameter and slope above the zero
_TINY = 1e-300


@inlined
def clamp(t: float) -> float:
    """The nearest number in [0, 1]."""
    t = 0.0 if t < 0.0 else t
    return 1.0 if t > 1.0 else t


@inlined
def segments_squared(a: Vector, b: Vector, c: Vector, d: Vector) -> float:
    """Squared distance of the segments a-b and c-d [m^2]; either may be a point."""
    u, v, w = subtract(b, a), subtract(d, c), subtract(a, c)
    uu, uv, vv, uw, vw = dot(u, u), dot(u, v), dot(v, v), dot(u, w), dot(v, w)
    s = clamp((uv * vw - uw * vv) / (uu * vv - uv * uv + _TINY))
    t = clamp((uv * s + vw) / (vv + _TINY))
    s = clamp((uv * t - uw) / (uu + _TINY))
    gap = add(w, subtract(scale(s, u), scale(t, v)))
    return dot(gap, gap)


@inlined
def excess(x: float, h: float) -> float:
    """Signed distance by which x lies outside [-h, h]; zero inside."""
    over = x - h if x > h else 0.0
    return x + h if x < -h else over


@inlined
def excess_of(p: Vector, half: Vector) -> Vector:
    """Vector to a point from the nearest point of the box [-half, half]."""
    return excess(p[0], half[0]), excess(p[1], half[1]), excess(p[2], half[2])


@inlined
def narrow(a: Vector, u: Vector, half: Vector, bracket: Bracket, t: float) -> Bracket:
    """Shrink the bracket of the slope's zero by the parameter t."""
    low, slope_low, high, slope_high = bracket
    t = clamp(t)
    slope = dot(excess_of(add(a, scale(t, u)), half), u)
    below = (slope <= 0.0) & (t > low)
    above = (slope > 0.0) & (t < high)
    return (
        t if below else low,
        slope if below else slope_low,
        t if above else high,
        slope if above else slope_high,
    )


@inlined
def inverse(x: float) -> float:
    """1 / x, or a large number where x vanishes."""
    return 1.0 / (x if abs(x) > 1e-30 else 1e-30)


@inlined
def segment_box_squared(a: Vector, b: Vector, half: Vector) -> float:
    """Squared distance of the segment a-b from the box [-half, half] [m^2]; zero where it enters the box."""
    u = subtract(b, a)
    bracket = (0.0, dot(excess_of(a, half), u), 1.0, dot(excess_of(b, half), u))
    for k in range(3):
        bracket = narrow(a, u, half, bracket, (half[k] - a[k]) * inverse(u[k]))
        bracket = narrow(a, u, half, bracket, (-half[k] - a[k]) * inverse(u[k]))
    low, slope_low, high, slope_high = bracket
    t = low - slope_low * (high - low) * inverse(slope_high - slope_low)
    t = low if slope_low >= 0.0 else (high if slope_high <= 0.0 else t)
    gap = excess_of(add(a, scale(t, u)), half)
    return dot(gap, gap)


@inlined
def local(frame: Frame, point: Vector) -> Vector:
    """A point, given where the frame is given, in the coordinates of the frame."""
    x, y, z, p = frame
    r = subtract(point, p)
    return dot(x, r), dot(y, r), dot(z, r)
