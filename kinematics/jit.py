"""The only module that imports numba: two decorators for two layers of kernels.

``contract`` (fused multiply-add) is the one fast-math flag used: it keeps NaN and infinities honest,
which safety checks rely on. ``error_model="numpy"`` makes a division by zero an infinity instead of an exception.
"""

from collections.abc import Callable
from typing import TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., object])

_FLAGS = {"contract"}


def inlined(function: F) -> F:
    """A scalar function of floats and tuples, always expanded into its caller by LLVM."""
    compiled: F = njit(forceinline=True, error_model="numpy", fastmath=_FLAGS)(function)
    return compiled


def kernel(function: F) -> F:
    """A loop over lanes or samples; allocates nothing it returns, releases the GIL, is cached on disk."""
    compiled: F = njit(error_model="numpy", fastmath=_FLAGS, nogil=True, cache=True)(function)
    return compiled
