import os

import numpy as np
import pytest

from kinematics import KinematicsError, forward_kinematics, inverse_kinematics, jacobian
from kinematics.threads import CHUNK, in_chunks
from tests.kinematics.arms import ARMS

CHAIN = ARMS["TX2-60L"][0]


def double(x, y):
    y[:] = 2 * x
    return int((x < 0).sum())


@pytest.fixture
def idle_machine(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 5, 4 * CHUNK, 5 * CHUNK + 17])
@pytest.mark.usefixtures("idle_machine")
def test_every_sample_is_done_once_and_counts_add_up(threads, count):
    x = np.arange(count, dtype=float) - 7
    y = np.full(count, np.nan)
    assert in_chunks(double, (), (x, y), threads) == min(count, 7)
    np.testing.assert_array_equal(y, 2 * x)


def test_a_busy_machine_gets_one_thread(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (9.0, 9.0, 9.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    calls = []
    in_chunks(lambda x: len(calls) or calls.append(len(x)) or 0, (), (np.zeros(6 * CHUNK),), 2)
    assert calls == [6 * CHUNK]


@pytest.mark.usefixtures("idle_machine")
def test_an_error_in_another_thread_is_raised():
    def fail(x):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        in_chunks(fail, (), (np.zeros(6 * CHUNK),), 2)


@pytest.mark.usefixtures("idle_machine")
def test_results_do_not_depend_on_the_number_of_threads():
    q = np.random.default_rng(13).uniform(-1, 1, (200, 6))
    q = np.tile(q, (4 * CHUNK // 200 + 2, 1)) if os.environ.get("NUMBA_DISABLE_JIT") != "1" else q
    X = forward_kinematics(CHAIN, q, threads=1)
    np.testing.assert_array_equal(forward_kinematics(CHAIN, q, threads=2), X)
    np.testing.assert_array_equal(jacobian(CHAIN, q, threads=1), jacobian(CHAIN, q, threads=2))
    np.testing.assert_array_equal(
        inverse_kinematics(CHAIN, X, threads=1).table, inverse_kinematics(CHAIN, X, threads=2).table
    )


def test_a_wrong_value_far_in_is_named():
    q = np.zeros((4 * CHUNK + 3 if os.environ.get("NUMBA_DISABLE_JIT") != "1" else 70, 6))
    q[-2, 3] = np.nan
    with pytest.raises(KinematicsError, match=rf"q\[{len(q) - 2}, 3\]: nan"):
        forward_kinematics(CHAIN, q)
