"""Longest ways and forced choices against plain searches."""

import numpy as np
import pytest

from controller.coordination.tightening import FAR, Choices, close, decide, insert, least, most, tighten


def waits(seed, nodes=7, count=16):
    """Random waits (tail, head, weight, height) of a cycle, and a period."""
    rng = np.random.default_rng(seed)
    return [
        (
            int(rng.integers(nodes)),
            int(rng.integers(nodes)),
            float(rng.uniform(0, 3)),
            int(rng.integers(0, 3)),
        )
        for _ in range(count)
    ], float(rng.uniform(2, 9))


def by_relaxation(arcs, T, nodes=7):
    """Longest ways by n rounds of relaxation, or None when a circuit takes time."""
    D = np.full((nodes, nodes), -np.inf)
    np.fill_diagonal(D, 0.0)
    for _ in range(nodes + 1):
        for tail, head, weight, height in arcs:
            D[:, head] = np.maximum(D[:, head], D[:, tail] + weight - height * T)
    return None if (np.diag(D) > 1e-9).any() else D


def ways(arcs, T, nodes=7):
    D = np.full((nodes, nodes), FAR)
    np.fill_diagonal(D, 0.0)
    for tail, head, weight, height in arcs:
        D[tail, head] = max(D[tail, head], weight - height * T)
    return D


@pytest.mark.parametrize("seed", range(60))
def test_ways_are_the_longest_whether_closed_at_once_or_wait_by_wait(seed):
    arcs, T = waits(seed)
    expected = by_relaxation(arcs, T)
    whole, grown = ways(arcs, T), ways([], T)
    assert close(whole) == (expected is not None)
    good = all(insert(grown, tail, head, weight - height * T) for tail, head, weight, height in arcs)
    assert good == (expected is not None)
    if expected is not None:
        for found in (whole, grown):
            found[found < FAR / 2] = -np.inf
            assert np.allclose(found, expected)


def choices_of(rows):
    return Choices(
        np.array([row[:4] for row in rows], dtype=np.int64),
        np.array([row[4:6] for row in rows], dtype=float),
        np.array([row[6:8] for row in rows], dtype=np.int64),
        np.array([len(rows)]),
    )


@pytest.mark.parametrize("seed", range(60))
def test_a_k_is_left_exactly_when_its_waits_can_be_added(seed):
    arcs, T = waits(seed, count=10)
    D = ways([*arcs, *((v, (v + 1) % 7, 0.0, 1) for v in range(7))], T)
    if not close(D):
        return
    rng = np.random.default_rng(seed)
    choices = choices_of([(*rng.integers(0, 7, 4).tolist(), *rng.uniform(0, 2, 2).tolist(), 0, 0)])
    a, j, b, i = choices.nodes[0]
    for K in range(-3, 4):
        first, second = choices.weights[0, 0] - K * T, choices.weights[0, 1] + (K - 1) * T
        each = D[j, a] + first <= 1e-9 and D[i, b] + second <= 1e-9
        assert (least(D, T, choices, 0) <= K <= most(D, T, choices, 0)) == each


def test_a_choice_with_one_way_left_is_made_and_one_without_is_refuted():
    T = 10.0
    # Two blocks of 4 s, 0 to 1 and 2 to 3, in one cycle whose beginning is node 4.
    arcs = [(4, 0, 0.0, 0), (0, 1, 4.0, 0), (1, 4, 0.0, 1), (4, 2, 1.0, 0), (2, 3, 4.0, 0), (3, 4, 0.0, 1)]
    row = (1, 2, 3, 0, 0.0, 0.0, 0, 0)
    D = ways(arcs, T, 5)
    assert close(D)
    choices = choices_of([row])
    assert (least(D, T, choices, 0), most(D, T, choices, 0)) == (0, 1)
    assert insert(D, 4, 2, 3.0)  # now the second has no room before the first
    assert tighten(D, T, choices)
    assert D[1, 2] >= 0.0
    short = ways(arcs, 7.5, 5)
    assert close(short)
    assert not tighten(short, 7.5, choices)


def test_a_decision_that_closes_a_circuit_is_refused():
    D = ways([(0, 1, 4.0, 0), (1, 0, 0.0, 1)], 5.0, 2)
    assert close(D)
    assert not decide(D, 5.0, choices_of([(1, 0, 1, 0, 2.0, 0.0, 0, 0)]), 0, 0)
