"""A few cycles of the study of random delays, and that it finds what it looks for."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from controller.bench.coal_moments import CoalArms
from controller.bench.delayed_run import SLOWEST, delayed_run
from controller.bench.near_moments import STEP_NS, NearMoments
from controller.bench.plan_delays import KEPT, run_late
from kinematics import Scene, clearance
from tests.controller.motion.small_plan import CELL, cell, planned


def without_coordination(graph):
    """The plan as if arms could pass through each other: each keeps its own order and the recipe's."""
    return replace(
        graph,
        predecessors=tuple(
            tuple(other for other in before if (other, node) not in graph.coordination)
            for node, before in enumerate(graph.predecessors)
        ),
        coordination=frozenset(),
    )


def until(run, seconds):
    """The beginning of a run."""
    end_ns = round(seconds * 1e9)
    pieces = {
        name: [piece for piece in course if piece.start_ns < end_ns] for name, course in run.pieces.items()
    }
    return replace(run, pieces=pieces, end_ns=end_ns)


def test_arms_keep_the_promised_distance_and_every_joint_leaves():
    delays = run_late(cell(), CELL, planned().graph, 4, seed=0)
    assert (delays.cycles, delays.stuck, delays.collisions, delays.too_near) == (4, [], 0, 0)
    assert delays.compared > 10_000
    assert delays.smallest_m >= KEPT * cell().clearance.arms_m


def test_without_the_arcs_of_coordination_arms_meet():
    delays = run_late(cell(), CELL, without_coordination(planned().graph), 4, seed=0)
    assert delays.collisions > 0
    assert delays.too_near > delays.collisions


@pytest.mark.parametrize("coordinated", [True, False])
def test_coal_finds_the_same_smallest_distance(coordinated):
    """Below the limit it measures every moment, above it only what tells that there is none below."""
    graph = planned().graph if coordinated else without_coordination(planned().graph)
    run = until(delayed_run(cell(), graph, np.random.default_rng(3)), 200.0)
    near = NearMoments(cell(), 0.05)
    ours = min(clearance(Scene(bodies=some.bodies), some.q).min() for some in near.of(run))
    limit = KEPT * cell().clearance.arms_m
    coal = CoalArms(cell(), CELL).smallest(run, limit)
    assert coal >= ours - 1e-6
    assert (coal < limit) == (ours < limit) == (not coordinated)
    if not coordinated:
        assert coal == pytest.approx(ours, abs=1e-4)


def test_pieces_are_the_legs_in_order_and_without_a_jump():
    graph = planned().graph
    run = delayed_run(cell(), graph, np.random.default_rng(1))
    assert run.finished == 2
    for arm, pieces in run.pieces.items():
        starts = [piece.start_ns for piece in pieces]
        assert starts == sorted(starts)
        for piece, after in pairwise(pieces):
            assert piece.rate == 0.0 or SLOWEST <= piece.rate <= 1.0
            seam = np.array([after.start_ns])
            np.testing.assert_allclose(piece.joints(seam), after.joints(seam), atol=1e-6)
        moved = [piece.trajectory for piece in pieces if piece.rate > 0.0]
        legs = [node.leg.trajectory for node in graph.nodes if node.resource == arm and node.leg.duration_s]
        seen = list(dict.fromkeys(map(id, moved)))
        assert seen == list(dict.fromkeys(id(move) for move in legs if len(move.t) > 1))


def test_every_moment_at_which_arms_are_near_is_looked_at():
    """Beside a plain comparison of all arms at all moments of a stretch of a run."""
    run, near = delayed_run(cell(), planned().graph, np.random.default_rng(2)), NearMoments(cell(), 0.05)
    found = {}
    for some in near.of(run):
        distance = clearance(Scene(bodies=some.bodies), some.q, 0.05)
        for at, d in zip(some.times_ns[distance < 0.05].tolist(), distance[distance < 0.05], strict=True):
            found[at] = min(found.get(at, 1.0), float(d))
    assert found
    first = min(found)
    names = tuple(run.pieces)
    for at in range(first - 500 * STEP_NS, first + 500 * STEP_NS, 5 * STEP_NS):
        pieces = [
            next(piece for piece in reversed(run.pieces[name]) if piece.start_ns <= at) for name in names
        ]
        scene = Scene(bodies=tuple(near.body(name, p.held) for name, p in zip(names, pieces, strict=True)))
        q = np.stack([piece.joints(np.array([at]))[0] for piece in pieces])
        if any(piece.rate > 0.0 for piece in pieces) and (plain := float(clearance(scene, q))) < 0.05:
            assert found[at] == pytest.approx(plain, abs=1e-9)
