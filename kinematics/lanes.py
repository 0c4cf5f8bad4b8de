"""Blocks of configurations, one SIMD lane each: a record whose fields are (component, lane) arrays.

The constant shape of a record field is what lets LLVM prove that rows do not overlap and so vectorise the
lane loop; an array argument does not have it. Samples are copied in and out of the block in tiles.

Compiled, a record does not keep its array alive: kernels hold ``blocks = np.empty(1, block(...))`` and take
``lanes = blocks[0]`` inside their loop, so that the array is used for as long as the record is.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinematics.jit import inlined, transposer
from kinematics.vectors import Frame, Joints, Vector, cross

Array = NDArray[np.float64]
Block = Any  # a record of the type made by `block`; its fields are arrays

LANES = 64  # a multiple of every vector width, and so many that a block's overheads do not matter
FINITE = float(np.finfo(np.float64).max)


def block(lanes: int, /, **rows: int) -> np.dtype[Any]:
    """Record type of one block: ``block(64, q=6, X=12)`` has the fields q (6, 64) and X (12, 64)."""
    fields = [(name, np.float64, (count, lanes)) for name, count in rows.items()]
    return np.dtype((np.record, np.dtype(fields, align=True)))


@inlined
def get6(a: Array, i: int) -> Joints:
    """Six rows of lane i."""
    return a[0, i], a[1, i], a[2, i], a[3, i], a[4, i], a[5, i]


@inlined
def get_frame(X: Array, i: int) -> Frame:
    """Lane i of pose matrices, stored as their first twelve elements."""
    return (
        (X[0, i], X[4, i], X[8, i]),
        (X[1, i], X[5, i], X[9, i]),
        (X[2, i], X[6, i], X[10, i]),
        (X[3, i], X[7, i], X[11, i]),
    )


@inlined
def put_frame(X: Array, row: int, i: int, frame: Frame) -> None:
    """Write the first twelve elements of a pose matrix to lane i, from the given row on."""
    x, y, z, p = frame
    for k in range(3):
        X[row + 4 * k, i] = x[k]
        X[row + 4 * k + 1, i] = y[k]
        X[row + 4 * k + 2, i] = z[k]
        X[row + 4 * k + 3, i] = p[k]


@inlined
def put_identities(X: Array) -> None:
    """Identity matrices into rows of whole pose matrices, all lanes: what the kernels do not write stays."""
    for row in range(X.shape[0]):
        for i in range(X.shape[1]):
            X[row, i] = 1.0 if row % 16 % 5 == 0 else 0.0


@inlined
def put_column(J: Array, k: int, i: int, axis: Vector, lever: Vector) -> None:
    """Column k of the Jacobian: the flange's twist per joint velocity (Lynch and Park, 2017, ch. 5)."""
    v = cross(axis, lever)
    for row in range(3):
        J[6 * row + k, i] = v[row]
        J[6 * row + 18 + k, i] = axis[row]


@inlined
def active(samples: int) -> int:
    """Lanes to work on for so many samples: a whole number of SIMD registers, so that one sample costs one of them.

    Never none: from that LLVM sees that a loop over them needs no scalar rest, which would double the code.
    """
    return 8 * max((min(samples, LANES) + 7) >> 3, 1)


@inlined
def outside(rows: Array, lanes: int, bound: float) -> int:
    """How many values in the first lanes are larger than a bound, infinite or NaN."""
    count = 0
    for k in range(rows.shape[0]):
        for i in range(lanes):
            count += 0 if abs(rows[k, i]) <= bound else 1
    return count


@inlined
def not_finite(rows: Array, lanes: int) -> int:
    """In how many of the first lanes a value is infinite or NaN: zero times it is NaN."""
    count = 0
    for i in range(lanes):
        zero = 0.0
        for k in range(rows.shape[0]):
            zero += 0.0 * rows[k, i]
        count += 0 if zero == 0.0 else 1
    return count


_transpose4x4, _transpose4x2, _transpose2x4 = transposer(4, 4), transposer(4, 2), transposer(2, 4)


@inlined
def load(rows: Array, samples: Array) -> None:
    """Copy samples (m, >= k) into lanes 0..m-1 of rows (k, lanes), k even; zero in the other active lanes."""
    count, whole = rows.shape[0], len(samples) & ~3
    for i in range(0, whole, 4):
        for k in range(0, count - 3, 4):
            _transpose4x4(samples, i, k, rows, k, i)
        if count & 2:
            _transpose4x2(samples, i, count - 2, rows, count - 2, i)
    for k in range(count):
        for i in range(whole, len(samples)):
            rows[k, i] = samples[i, k]
        for i in range(len(samples), active(len(samples))):
            rows[k, i] = 0.0


@inlined
def unload(samples: Array, rows: Array) -> None:
    """Copy lanes 0..m-1 of rows (k, lanes), k even, into samples (m, >= k)."""
    count, whole = rows.shape[0], len(samples) & ~3
    for i in range(0, whole, 4):
        for k in range(0, count - 3, 4):
            _transpose4x4(rows, k, i, samples, i, k)
        if count & 2:
            _transpose2x4(rows, count - 2, i, samples, i, count - 2)
    for k in range(count):
        for i in range(whole, len(samples)):
            samples[i, k] = rows[k, i]
