from functools import cache

import numpy as np
import pytest

from controller.scheduling.longest_path import CyclicGraphError, find_circuit, longest_path


def test_agrees_with_recursion_on_random_acyclic_graphs():
    rng = np.random.default_rng(1)
    for _ in range(100):
        n = int(rng.integers(1, 30))
        names = rng.permutation(n)
        arcs = [
            (int(names[a]), int(names[b]), int(rng.integers(-10, 50)))
            for a, b in rng.integers(0, n, (3 * n, 2))
            if a < b
        ]
        release = rng.integers(0, 40, n)

        @cache
        def time(v, arcs=tuple(arcs), release=release):
            return max([int(release[v]), *(time(a) + w for a, b, w in arcs if b == v)])

        assert longest_path(n, arcs, release=release).tolist() == [time(v) for v in range(n)]
        assert find_circuit(n, arcs) == ()


def test_long_chain_in_unfavourable_order():
    n = 100_000
    arcs = np.column_stack([np.arange(n - 1), np.arange(1, n), np.full(n - 1, 3)])[::-1]
    assert longest_path(n, arcs)[-1] == 3 * (n - 1)


def test_circuit_is_real_and_named():
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(100):
        n = int(rng.integers(2, 20))
        arcs = np.column_stack([rng.integers(0, n, n), rng.integers(0, n, n), rng.integers(0, 9, n)])
        circuit = find_circuit(n, arcs)
        pairs = {(a, b) for a, b, _ in arcs.tolist()}
        if circuit:
            found += 1
            assert all((a, b) in pairs for a, b in zip(circuit, (*circuit[1:], circuit[0]), strict=True))
            assert len(set(circuit)) == len(circuit)
    assert found > 20
    with pytest.raises(CyclicGraphError, match=r"circle: (lift -> place -> lift|place -> lift -> place)"):
        longest_path(3, [(0, 1, 0), (1, 0, 0), (1, 2, 0)], names=("lift", "place", "carry"))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 4\)"):
        longest_path(2, [(0, 1, 2, 3)])
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        longest_path(2, [(0, 2, 2)])
    with pytest.raises(ValueError, match=r"release has shape \(3,\)"):
        longest_path(2, [], release=[0, 0, 0])
