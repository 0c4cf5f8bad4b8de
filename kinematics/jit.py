"""The only module that imports numba: two decorators for two layers of kernels, and their cache on disk.

``contract`` (fused multiply-add) is the one fast-math flag used: it keeps NaN and infinities honest,
which safety checks rely on. ``error_model="numpy"`` makes a division by zero an infinity, not an exception.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import InlineOverloads, NativeLowering, NopythonRewrites
from numba.core.untyped_passes import DeadBranchPrune, InlineClosureLikes, InlineInlinables
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


class _Intermediate(JITCodeLibrary):
    """Optimised LLVM code that only becomes part of other code: no machine code is made of it alone."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _InlinedLowering(NativeLowering):
    """Lowers a function so far that kernels can take it in."""

    _name = "inlined_lowering"

    def run_pass(self, state: Any) -> bool:
        state.flags.no_compile = True
        state.library = _Intermediate(state.targetctx.codegen(), state.func_id.func_qualname)
        super().run_pass(state)
        # Without an entry point, its descriptor is what callers know it by.
        function = state.cr.fndesc
        state.cr = state.cr._replace(cfunc=function)
        state.targetctx.insert_user_function(function, function, [state.library])
        return True


class _InlinedCompiler(CompilerBase):
    """Numba's passes but those that do nothing for scalar functions without closures and array expressions."""

    _NEEDLESS = (DeadBranchPrune, InlineClosureLikes, InlineInlinables, InlineOverloads, NopythonRewrites)

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [
            (_InlinedLowering if which is NativeLowering else which, why)
            for which, why in passes.passes
            if which not in self._NEEDLESS
        ]
        passes.finalize()
        return [passes]


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
    return cast(F, _Inlined(function, targetoptions=options | wrappers, pipeline_class=_InlinedCompiler))


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


def entry_of(function: F, example: tuple[Any, ...]) -> F:
    """The machine code of a kernel for arguments like the example's, which it is run on.

    It does not look at its arguments: what is not of exactly the same types, memory layout included, may crash.
    """
    function(*example)
    find = getattr(function, "get_overload", None)  # interpreted, a kernel has none
    return cast(F, find(tuple(map(numba.typeof, example)))) if find else function


def transposer(rows: int, columns: int, *, again: int = 1) -> Callable[..., None]:
    """A function that copies a tile of so many rows and columns, transposed, from one matrix into another.

    With `again`, each row of the source makes so many rows of the tile.

    It is called with the source, the tile's first row and column there, the target, and its first row and column there;
    both matrices hold float64, their rows contiguous. LLVM does not find by itself that this takes a few shuffles of
    whole registers instead of a load and a store for each number.
    """

    def transpose(source: Any, i: int, k: int, target: Any, m: int, n: int) -> None:
        tile = source[i : i + rows // again, k : k + columns]
        target[m : m + columns, n : n + rows] = np.repeat(tile, again, axis=0).T

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def pointer(array: int, row: int, columns: int) -> Any:
            kind, (matrix, i, k) = signature.args[array], arguments[array : array + 3]
            struct = context.make_array(kind)(context, builder, value=matrix)
            place = [builder.add(i, i.type(row)), k]
            start = cgutils.get_item_pointer(context, builder, kind, struct, place, wraparound=False)
            return builder.bitcast(start, ir.VectorType(ir.DoubleType(), columns).as_pointer())

        found = [builder.load(pointer(0, row // again, columns), align=8) for row in range(rows)]
        for column in range(columns):
            vector = ir.Constant(ir.VectorType(ir.DoubleType(), rows), ir.Undefined)
            for row in range(rows):
                number = builder.extract_element(found[row], ir.IntType(32)(column))
                vector = builder.insert_element(vector, number, ir.IntType(32)(row))
            builder.store(vector, pointer(3, column, rows), align=8)
        return context.get_dummy_value()

    def typed(context: Any, source: Any, i: Any, k: Any, target: Any, m: Any, n: Any) -> Any:
        return types.none(source, types.intp, types.intp, target, types.intp, types.intp), generate

    return transpose if _config.DISABLE_JIT else numba.extending.intrinsic(typed)


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
