"""The only module that imports numba: two decorators for two layers of kernels, and their cache on disk.

``contract`` (fused multiply-add) is the one fast-math flag used: it keeps NaN and infinities honest,
which safety checks rely on. ``error_model="numpy"`` makes a division by zero an infinity, not an exception.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import njit

F = TypeVar("F", bound=Callable[..., object])

COMPILER = f"numba {numba.__version__}"

_FLAGS = {"contract"}
_kernels: list[Any] = []
_sources: set[Path] = set()
_cache: list[str] = []  # the folder in use, or none


def inlined(function: F) -> F:
    """A scalar function of floats and tuples, always expanded into its caller by LLVM.

    Compiled, only kernels can call it: without wrappers for other callers it compiles in half the time.
    """
    compiled: Any = njit(
        forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy", fastmath=_FLAGS
    )(function)
    _sources.add(Path(function.__code__.co_filename))
    return cast(F, compiled)


def kernel(function: F) -> F:
    """A loop over lanes or samples; allocates nothing it returns, releases the GIL, is kept by `keep_in`."""
    compiled: Any = njit(error_model="numpy", fastmath=_FLAGS, nogil=True)(function)
    _sources.add(Path(function.__code__.co_filename))
    _kernels.append(compiled)
    for folder in _cache:
        _enable_cache([compiled], folder)
    return cast(F, compiled)


def sources() -> list[Path]:
    """Files that define the kernels imported so far, in order."""
    return sorted(_sources)


def keep_in(folder: str) -> None:
    """Keep compiled kernels in a folder: those imported so far, unless they ran already, and later ones."""
    _cache[:] = [folder]
    _enable_cache(_kernels, folder)


def _enable_cache(kernels: list[Any], folder: str) -> None:
    # Numba asks its global setting for the folder at this moment only; it is put back for other packages.
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = folder
    try:
        for compiled in kernels:
            # Interpreted (NUMBA_DISABLE_JIT), a kernel is a plain function without a cache.
            getattr(compiled, "enable_caching", lambda: None)()
    finally:
        config.CACHE_DIR = before
