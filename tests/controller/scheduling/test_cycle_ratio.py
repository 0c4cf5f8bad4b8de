from fractions import Fraction

import numpy as np
import pytest

from controller.scheduling.cycle_ratio import DeadlockError, earliest_starts, max_cycle_ratio


def random_graph(rng, *, least_height):
    n = int(rng.integers(2, 7))
    m = int(rng.integers(n, 3 * n))
    return n, np.column_stack(
        [
            rng.integers(0, n, m),
            rng.integers(0, n, m),
            rng.integers(-20, 100, m),
            rng.integers(least_height, 3, m),
        ]
    )


def simple_circuits(n, arcs):
    """(weight, height, nodes) of every elementary circuit, by walking from each circuit's least node."""
    leaving = [[] for _ in range(n)]
    for tail, head, weight, height in arcs.tolist():
        leaving[tail].append((head, weight, height))

    def walk(root, node, weight, height, seen):
        for head, w, h in leaving[node]:
            if head == root:
                yield weight + w, height + h, seen
            elif head > root and head not in seen:
                yield from walk(root, head, weight + w, height + h, (*seen, head))

    for root in range(n):
        yield from walk(root, root, 0, 0, (root,))


def feasible(n, arcs, period):
    """Bellman-Ford in exact parts of a tick: does x[head] >= x[tail] + w - h * period have a solution?"""
    whole, parts = period.as_integer_ratio()
    lengths = [(tail, head, weight * parts - height * whole) for tail, head, weight, height in arcs.tolist()]
    x = [0] * n
    for _ in range(n + 1):
        changed = False
        for tail, head, length in lengths:
            if x[tail] + length > x[head]:
                x[head], changed = x[tail] + length, True
        if not changed:
            return True
    return False


def test_ratio_is_the_largest_over_all_elementary_circuits():
    rng = np.random.default_rng(1)
    deadlocks = 0
    for _ in range(300):
        n, arcs = random_graph(rng, least_height=0)
        circuits = list(simple_circuits(n, arcs))
        if any(height <= 0 and weight > 0 for weight, height, _ in circuits):
            deadlocks += 1
            with pytest.raises(DeadlockError):
                max_cycle_ratio(n, arcs)
            continue
        expected = max([Fraction(w, h) for w, h, _ in circuits if h > 0], default=Fraction(0))
        assert max_cycle_ratio(n, arcs).value == max(expected, Fraction(0))
    assert 30 < deadlocks < 270


def test_ratio_is_the_threshold_of_feasibility_even_with_negative_heights():
    rng = np.random.default_rng(2)
    solved = 0
    for _ in range(300):
        n, arcs = random_graph(rng, least_height=-1)
        try:
            value = max_cycle_ratio(n, arcs).value
        except DeadlockError as error:
            weight, height = circuit_totals(arcs, error.circuit)
            assert height <= 0
            assert weight > 0 or not any(feasible(n, arcs, Fraction(t, 4)) for t in range(600))
            continue
        solved += 1
        assert feasible(n, arcs, value)
        if value > 0:
            assert not feasible(n, arcs, value - Fraction(1, 1000))
    assert solved > 50


def circuit_totals(arcs, circuit):
    """Least height of the arcs along the nodes' circuit, with the weight that goes with it."""
    weight = height = 0
    for tail, head in zip(circuit, (*circuit[1:], circuit[0]), strict=True):
        w, h = min(
            ((w, h) for t, e, w, h in arcs.tolist() if (t, e) == (tail, head)), key=lambda a: (a[1], -a[0])
        )
        weight, height = weight + w, height + h
    return weight, height


def test_ratio_agrees_with_bisection_on_larger_graphs():
    rng = np.random.default_rng(3)
    for _ in range(20):
        n = 40
        ring = [(v, (v + 1) % n, int(rng.integers(1, 500)), int(v == n - 1)) for v in range(n)]
        chords = [
            (int(a), int(b), int(rng.integers(1, 500)), int(a >= b) + int(rng.integers(0, 2)))
            for a, b in rng.integers(0, n, (80, 2))
        ]
        arcs = np.array(ring + chords)
        value = max_cycle_ratio(n, arcs).value
        low, high = Fraction(0), Fraction(500 * n)
        while high - low > Fraction(1, 10):
            middle = (low + high) / 2
            low, high = (low, middle) if feasible(n, arcs, middle) else (middle, high)
        assert low <= value <= high


def test_critical_circuit_is_closed_and_has_the_ratio():
    rng = np.random.default_rng(4)
    for _ in range(50):
        n, arcs = random_graph(rng, least_height=1)
        result = max_cycle_ratio(n, arcs)
        if result.value == 0:
            assert result.circuit == ()
            continue
        rows = arcs[list(result.arcs)]
        assert rows[:, 0].tolist() == list(result.circuit)
        assert rows[:, 1].tolist() == [*result.circuit[1:], result.circuit[0]]
        assert Fraction(int(rows[:, 2].sum()), int(rows[:, 3].sum())) == result.value


def test_harmless_circuit_of_no_time_and_no_height_is_ignored():
    equal = [(0, 1, 7, 0), (1, 0, -7, 0), (0, 0, 11, 2)]
    assert max_cycle_ratio(2, equal).value == Fraction(11, 2)


def test_no_arcs_need_no_time():
    assert max_cycle_ratio(3, []).value == 0
    assert earliest_starts(3, [], 5).tolist() == [0, 0, 0]


def test_deadlock_names_its_circuit():
    with pytest.raises(
        DeadlockError, match="place -> screw -> place needs 9 ticks within 0 cycles"
    ) as caught:
        max_cycle_ratio(3, [(1, 2, 4, 0), (2, 1, 5, 0), (0, 1, 3, 0)], names=("index", "place", "screw"))
    assert sorted(caught.value.circuit) == [1, 2]


def test_earliest_starts_satisfy_every_arc_and_none_can_be_earlier():
    rng = np.random.default_rng(5)
    for _ in range(100):
        n, arcs = random_graph(rng, least_height=1)
        period = int(np.ceil(max_cycle_ratio(n, arcs).value))
        x = earliest_starts(n, arcs, period)
        tail, head, weight, height = arcs.T
        slack = x[head] - x[tail] - weight + height * period
        assert slack.min() >= 0
        assert x.min() >= 0
        tight = set(head[slack == 0])
        assert all(x[v] == 0 or v in tight for v in range(n))


def test_too_short_a_period_is_refused_with_its_circuit():
    with pytest.raises(ValueError, match="cycle time of 8 ticks: circuit 0 takes longer"):
        earliest_starts(1, [(0, 0, 9, 1)], 8)


@pytest.mark.parametrize(
    ("arcs", "message"),
    [
        ([(0, 1, 5)], r"shape \(1, 3\)"),
        ([(0, 2, 5, 1)], r"outside 0\.\.1"),
        ([(0, 1, 2**60, 1)], "overflow"),
    ],
)
def test_bad_arcs_are_refused(arcs, message):
    with pytest.raises(ValueError, match=message):
        max_cycle_ratio(2, arcs)
