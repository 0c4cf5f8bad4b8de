"""Meshes for pictures: turned bodies with sharp edges and smooth round faces."""

import math
from dataclasses import dataclass
from itertools import pairwise

_SLICES = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """Vertices and normals as lists of (x, y, z), triangles as a flat list of indices."""

    vertices: list[tuple[float, float, float]]
    normals: list[tuple[float, float, float]]
    indices: list[int]


def lathe(profile: list[tuple[float, float]]) -> Mesh:
    """Turn a closed profile of (radius, height), counter-clockwise with the radius to the right, about z.

    Every stretch of the profile gets normals of its own, so that edges between stretches stay sharp.
    """
    vertices: list[tuple[float, float, float]] = []
    normals: list[tuple[float, float, float]] = []
    indices: list[int] = []
    for (r0, z0), (r1, z1) in zip(profile, profile[1:] + profile[:1], strict=True):
        length = math.hypot(r1 - r0, z1 - z0)
        if length == 0.0 or (r0 == 0.0 and r1 == 0.0):
            continue
        out, up = (z1 - z0) / length, -(r1 - r0) / length
        _band(vertices, normals, indices, (r0, z0, out, up), (r1, z1, out, up))
    return Mesh(vertices=vertices, normals=normals, indices=indices)


def capsule(radius: float, length: float, rings: int = 8) -> Mesh:
    """A capsule about z, the ends of its segment at z = 0 and z = length."""
    arc = [math.pi / 2 * (k / rings - 1.0) for k in range(rings + 1)]
    outline = [(math.cos(a), math.sin(a), 0.0) for a in arc] + [
        (math.cos(a), -math.sin(a), length) for a in arc[::-1]
    ]
    vertices: list[tuple[float, float, float]] = []
    normals: list[tuple[float, float, float]] = []
    indices: list[int] = []
    points = [(radius * c, radius * s + z, c, s) for c, s, z in outline]
    for low, high in pairwise(points):
        _band(vertices, normals, indices, low, high)
    return Mesh(vertices=vertices, normals=normals, indices=indices)


def ring(r_in: float, r_out: float, low: float, high: float) -> Mesh:
    """A ring or, with ``r_in`` = 0, a disc, its outer edges broken a little."""
    edge = min(0.0006, (r_out - r_in) / 4, (high - low) / 4)
    return lathe(
        [
            (r_in, low),
            (r_out - edge, low),
            (r_out, low + edge),
            (r_out, high - edge),
            (r_out - edge, high),
            (r_in, high),
        ]
    )


def _band(
    vertices: list[tuple[float, float, float]],
    normals: list[tuple[float, float, float]],
    indices: list[int],
    low: tuple[float, float, float, float],
    high: tuple[float, float, float, float],
) -> None:
    """A strip of quads between two circles (radius, height, normal outwards, normal upwards)."""
    first = len(vertices)
    for k in range(_SLICES + 1):
        c, s = math.cos(2 * math.pi * k / _SLICES), math.sin(2 * math.pi * k / _SLICES)
        for r, z, out, up in (low, high):
            vertices.append((r * c, r * s, z))
            normals.append((out * c, out * s, up))
    for k in range(_SLICES):
        a = first + 2 * k
        indices += [a, a + 2, a + 1, a + 1, a + 2, a + 3]
