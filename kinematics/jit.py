"""The only module that imports numba: two decorators for two layers of kernels, and their cache on disk.

``contract`` (fused multiply-add) is the one fast-math flag used: it keeps NaN and infinities honest,
which safety checks rely on. ``error_model="numpy"`` makes a division by zero an infinity, not an exception.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import types
from numba.core.registry import CPUDispatcher
from numba.extending import lower_builtin, type_callable

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")

COMPILER = f"numba {numba.__version__}"

_FLAGS = {"contract"}
_config: Any = numba.config
_njit: Any = numba.njit
_typed: Any = type_callable
_lowered: Any = lower_builtin
_kernels: list[Any] = []
_sources: set[Path] = set()
_cache: list[str] = []  # the folder in use, or none


class _Inlined(CPUDispatcher):
    """A function for kernels only: less than half the time to compile.

    It has no entry points from Python and C; called from Python, it runs interpreted. And it is compiled once for an
    integer, not for each literal integer that it is called with.
    """

    def get_call_template(self, args: Any, kws: Any) -> Any:
        return super().get_call_template(tuple(map(types.unliteral, args)), kws)

    def add_overload(self, cres: Any) -> None:
        self.overloads[tuple(cres.signature.args)] = cres

    def _compile_for_args(self, *_: Any, **__: Any) -> Any:
        return self.py_func


def inlined(function: F) -> F:
    """A scalar function of floats and tuples, always expanded into its caller by LLVM."""
    _sources.add(Path(function.__code__.co_filename))
    if _config.DISABLE_JIT:
        return function
    options = {"nopython": True, "forceinline": True, "error_model": "numpy", "fastmath": _FLAGS}
    wrappers = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(F, _Inlined(function, targetoptions=options | wrappers))


def kernel(function: F) -> F:
    """A loop over lanes or samples; allocates nothing it returns, releases the GIL, is kept by `keep_in`."""
    # Interpreted, NumPy would warn of NaN where compiled code computes on.
    quiet = np.errstate(all="ignore")(function) if _config.DISABLE_JIT else function
    compiled: Any = _njit(error_model="numpy", fastmath=_FLAGS, nogil=True, no_cfunc_wrapper=True)(quiet)
    _sources.add(Path(function.__code__.co_filename))
    _kernels.append(compiled)
    for folder in _cache:
        _enable_cache([compiled], folder)
    return cast(F, compiled)


def borrowed(arrays: T) -> T:
    """The same arrays, or nested tuples of arrays and numbers, without reference counts; for the first lines of a kernel.

    Whoever calls a kernel holds its arguments until it returns. The compiler does not know, and counts at every
    function that a tuple of arrays is passed to, even an inlined one: half the time of a kernel of many small
    functions, and half its time to compile. What is borrowed must not be returned or kept.
    """
    return arrays


def _bare(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """An array, or all in a tuple, with no owner; other values as they are."""
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = array.meminfo.type(None)
        array.parent = array.parent.type(None)
        return array._getvalue()
    for i, inner in enumerate(getattr(kind, "types", ())):
        bare = _bare(context, builder, inner, builder.extract_value(value, i))
        value = builder.insert_value(value, bare, i)
    return value


def _type_of_borrowed(_: Any) -> Any:
    return lambda arrays: arrays


def _borrow(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    return _bare(context, builder, signature.args[0], values[0])


_typed(borrowed)(_type_of_borrowed)
_lowered(borrowed, types.Any)(_borrow)


def sources() -> list[Path]:
    """Files that define the kernels imported so far, in order."""
    return sorted(_sources)


def keep_in(folder: str) -> None:
    """Keep compiled kernels in a folder: those imported so far, unless they ran already, and later ones."""
    _cache[:] = [folder]
    _enable_cache(_kernels, folder)


def _enable_cache(kernels: list[Any], folder: str) -> None:
    # Numba asks its global setting for the folder at this moment only; it is put back for other packages.
    before = _config.CACHE_DIR
    _config.CACHE_DIR = folder
    try:
        for compiled in kernels:
            # Interpreted (NUMBA_DISABLE_JIT), a kernel is a plain function without a cache.
            getattr(compiled, "enable_caching", lambda: None)()
    finally:
        _config.CACHE_DIR = before
