"""Both ways of the decorators, whichever way the tests themselves run."""

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


def test_interpreted_both_are_plain_python_and_do_not_warn(interpreted):
    assert jit.inlined(pick) is pick

    @jit.kernel
    def undefined(values):
        return values[0] / values[0]

    assert np.isnan(undefined(np.zeros(1)))
