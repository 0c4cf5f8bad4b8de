"""Three-vectors and frames as tuples of scalars, written once for one configuration and for SIMD lanes."""

from kinematics.jit import inlined

Vector = tuple[float, float, float]
SinCos = tuple[float, float]
Frame = tuple[Vector, Vector, Vector, Vector]  # unit vectors x, y, z and origin p
Joints = tuple[float, float, float, float, float, float]
Frames = tuple[Frame, Frame, Frame, Frame, Frame, Frame]  # of links 1 to 6
Axes = tuple[Vector, Vector, Vector, Vector, Vector, Vector]  # about which joints 1 to 6 count as positive
Placed = tuple[Frames, Axes, Frame]  # an arm in the base frame: link frames, joint axes, flange


@inlined
def add(a: Vector, b: Vector) -> Vector:
    """Sum a + b."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


@inlined
def subtract(a: Vector, b: Vector) -> Vector:
    """Difference a - b."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@inlined
def scale(k: float, a: Vector) -> Vector:
    """Multiple k a."""
    return k * a[0], k * a[1], k * a[2]


@inlined
def dot(a: Vector, b: Vector) -> float:
    """Inner product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def cross(a: Vector, b: Vector) -> Vector:
    """Vector product a x b."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@inlined
def turn(a: Vector, b: Vector, angle: SinCos) -> tuple[Vector, Vector]:
    """Rotate the vectors a and b in their common plane, from a towards b, by an angle as (sine, cosine)."""
    s, c = angle
    return add(scale(c, a), scale(s, b)), subtract(scale(c, b), scale(s, a))


@inlined
def locate(frame: Frame, point: Vector) -> Vector:
    """A point given in a frame, in the coordinates the frame is given in."""
    x, y, z, p = frame
    return add(p, add(scale(point[0], x), add(scale(point[1], y), scale(point[2], z))))
