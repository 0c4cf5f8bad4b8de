"""Both ways of the decorators, whichever way the tests themselves run."""

import sys

import numpy as np
import pytest

from kinematics import jit


@pytest.fixture
def own_kernels(monkeypatch):
    monkeypatch.setattr(jit, "_kernels", [])
    monkeypatch.setattr(jit, "_sources", set())


@pytest.fixture
def compiled(monkeypatch, own_kernels):
    monkeypatch.setattr(jit._config, "DISABLE_JIT", 0)


@pytest.fixture
def interpreted(monkeypatch, own_kernels):
    monkeypatch.setattr(jit._config, "DISABLE_JIT", 1)


def pick(values, k):
    return values[k]


def test_an_inlined_function_is_compiled_once_for_all_integers(compiled):
    first = jit.inlined(pick)

    @jit.kernel
    def total(values):
        return first(values, 0) + first(values, 1) + first(values, 2)

    assert total(np.arange(3.0)) == 3.0
    assert len(first.signatures) == 1
    assert first(np.arange(3.0), 2) == 2.0  # from Python: interpreted, though a compiled one exists


def double_all(pair):
    (values, factor), others = jit.borrowed(pair)
    for k in range(len(values)):
        values[k] *= factor
        others[k] *= 2
    return values[0]


def test_borrowed_arrays_are_the_same_without_reference_counts(compiled, monkeypatch):
    monkeypatch.setattr(jit, "_cache", [])  # what comes from the cache cannot be looked at
    kernel = jit.kernel(double_all)
    values, others = np.ones(1000), np.ones(1000, np.int64)
    counts = sys.getrefcount(values), sys.getrefcount(others)
    for _ in range(3):
        last = kernel(((values, 2.0), others))
    assert (last, values[-1], others[-1]) == (8.0, 8.0, 8)
    assert (sys.getrefcount(values), sys.getrefcount(others)) == counts
    (code,) = kernel.inspect_llvm().values()
    body = code[: code.index("define", code.index("define") + 1)]  # what follows is the door from Python
    assert "NRT_incref" not in body


def test_borrowed_is_the_same_when_interpreted(interpreted):
    values, others = np.ones(2), np.ones(2, np.int64)
    assert jit.kernel(double_all)(((values, 2.0), others)) == 2.0
    assert jit.borrowed(values) is values


def test_interpreted_both_are_plain_python_and_do_not_warn(interpreted):
    assert jit.inlined(pick) is pick

    @jit.kernel
    def undefined(values):
        return values[0] / values[0]

    assert np.isnan(undefined(np.zeros(1)))


def check_transposer(again, rows):
    tile = jit.transposer(4, 2, again=again)

    @jit.kernel
    def copy(source, target):
        tile(source, 1, 0, target, 1, 2)

    source, target = np.arange(12.0).reshape(6, 2), np.zeros((4, 7))
    copy(source, target)
    expected = np.zeros((4, 7))
    expected[1:3, 2:6] = source[rows].T
    np.testing.assert_array_equal(target, expected)


def test_a_tile_is_transposed_and_nothing_else_is_written(compiled):
    check_transposer(1, [1, 2, 3, 4])
    check_transposer(2, [1, 1, 2, 2])


def test_a_tile_is_transposed_interpreted(interpreted):
    check_transposer(1, [1, 2, 3, 4])
    check_transposer(2, [1, 1, 2, 2])


def check_entry():
    @jit.kernel
    def total(values, more):
        return values[0] + more[0]

    entry = jit.entry_of(total, (np.zeros(2), np.zeros(3)))
    assert entry(np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])) == 4.0


def test_machine_code_is_called_without_a_look_at_its_arguments(compiled):
    check_entry()


def test_an_entry_interpreted_is_the_function(interpreted):
    check_entry()
