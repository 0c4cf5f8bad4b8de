"""Blocks of configurations, one SIMD lane each: a record whose fields are (component, lane) arrays.

The constant shape of a record field is what lets LLVM prove that rows do not overlap and so vectorise the
lane loop; an array argument does not have it. Samples are copied in and out of the block, row by row.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kinematics.jit import inlined
from kinematics.vectors import Frame, Joints

Array = NDArray[np.float64]
Block = Any  # a record of the type made by `block`; its fields are arrays

LANES = 64  # a multiple of every vector width; with fewer, the loop is unrolled before it can be vectorised


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
def load(rows: Array, samples: Array) -> None:
    """Copy samples (m, k) into lanes 0..m-1 of rows (k, lanes)."""
    for k in range(rows.shape[0]):
        for i in range(len(samples)):
            rows[k, i] = samples[i, k]


@inlined
def unload(samples: Array, rows: Array) -> None:
    """Copy lanes 0..m-1 of rows (k, lanes) into samples (m, >= k)."""
    for i in range(len(samples)):
        for k in range(rows.shape[0]):
            samples[i, k] = rows[k, i]
