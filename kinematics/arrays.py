"""Coercion and checks at the door: what public functions do before a kernel sees an array."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinematics.elementary import ANGLE_MAX
from kinematics.errors import KinematicsError

Array = NDArray[np.float64]
FLOAT64 = np.dtype(np.float64)


def finite(name: str, value: ArrayLike, shape: tuple[int | None, ...]) -> Array:
    """The value as a contiguous float64 array of the given shape; None stands for any length.

    Raises:
        KinematicsError: If it is not numeric, has another shape, or holds NaN or infinity.
    """
    return _checked(name, _numbers(name, value), shape)


def frozen(name: str, value: ArrayLike, shape: tuple[int | None, ...]) -> Array:
    """Like `finite`, but a read-only copy to keep inside a dataclass."""
    if type(value) is np.ndarray and value.dtype is FLOAT64:
        array: Array = value.copy()  # contiguous
    else:
        array = np.array(_numbers(name, value))
    array = _checked(name, array, shape)
    array.flags.writeable = False
    return array


def _numbers(name: str, value: ArrayLike) -> Array:
    if type(value) is np.ndarray and value.dtype is FLOAT64 and value.flags.carray:
        return value
    try:
        # Writeable, too: a read-only array is another type to a kernel and would have it compiled again.
        return np.require(value, np.float64, ["C", "W", "E"])
    except (TypeError, ValueError) as error:
        raise KinematicsError(f"{name}: not an array of numbers ({error})") from error


def _checked(name: str, array: Array, shape: tuple[int | None, ...]) -> Array:
    if array.ndim != len(shape) or any(
        wanted is not None and wanted != got for wanted, got in zip(shape, array.shape, strict=True)
    ):
        wanted_text = ", ".join("n" if wanted is None else str(wanted) for wanted in shape)
        raise KinematicsError(f"{name}: shape {array.shape}, expected ({wanted_text})")
    if not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise KinematicsError(f"{name}{list(where)}: {array[where]}, expected a finite number")
    return array


def batch(name: str, value: ArrayLike, shape: tuple[int, ...]) -> tuple[Array, bool]:
    """The value as a batch (n, *shape), and whether it was a single item without the batch axis."""
    single = np.ndim(value) == len(shape)
    array = finite(name, value, shape if single else (None, *shape))
    return (array[None] if single else array), single


def rows(name: str, value: ArrayLike, shape: tuple[int, ...]) -> tuple[Array, bool]:
    """The value as a batch (n, product of shape) whose numbers a kernel checks, and whether it was a single item.

    Raises:
        KinematicsError: If it is not numeric or has another shape.
    """
    array = _numbers(name, value)
    if array.shape == shape:
        return array.reshape(1, -1), True
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
        batch(name, array, shape)
    return array.reshape(len(array), math.prod(shape)), False


def joint_angles(name: str, value: ArrayLike) -> tuple[Array, bool]:
    """Joint angles [rad] as a batch (n, 6), within the range in which the kernels' sine is exact."""
    q, single = batch(name, value, (6,))
    if q.size and np.abs(q).max() > ANGLE_MAX:
        raise KinematicsError(f"{name}: {np.abs(q).max():g} rad, expected at most {ANGLE_MAX:g} rad")
    return q, single


def indices(name: str, value: ArrayLike, shape: tuple[int | None, ...], count: int) -> NDArray[np.int64]:
    """The value as a read-only array of indices 0..count-1.

    Raises:
        KinematicsError: If it has another shape, is not integer, or points outside.
    """
    numbers = finite(name, value, shape)
    whole: NDArray[np.int64] = numbers.astype(np.int64)
    wrong: NDArray[Any] = (whole != numbers) | (whole < 0) | (whole >= count)
    if wrong.any():
        raise KinematicsError(f"{name}: {numbers[wrong][0]:g}, expected an integer from 0 to {count - 1}")
    whole.flags.writeable = False
    return whole
