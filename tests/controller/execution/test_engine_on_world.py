"""The engine on simulated arms, which need time to come to rest."""

from collections.abc import Iterator

import numpy as np
import pytest

from cells.cell import load_cell
from cells.driver import Status
from controller.execution.engine import Engine
from controller.motion.event_graph import EventGraph, Node
from controller.motion.visit import Leg, Zone
from kinematics import rest_to_rest
from sim.world import SimClock, World

pytestmark = pytest.mark.pybullet


@pytest.fixture
def world() -> Iterator[World]:
    with World(load_cell("six_arm"), ideal=True) as world:
        yield world


def engine(world: World) -> Engine:
    """A turn of the wrist of R1, and back."""
    limits = world.arms["R1"].limits
    there = np.array([0.0, 0.0, 0.0, 0.5, -0.5, 3.0])
    ways = (rest_to_rest(np.zeros(6), there, limits), rest_to_rest(there, np.zeros(6), limits))
    nodes = tuple(
        Node(
            id=k,
            resource="R1",
            label="swing",
            duration_s=way.duration,
            leg=Leg(name="swing", zone=Zone.BEFORE, trajectory=way),
        )
        for k, way in enumerate(ways)
    )
    graph = EventGraph(nodes=nodes, predecessors=((), (0,)), coordination=frozenset())
    arms = {"R1": world.arms["R1"]}
    arms["R1"].enable()
    return Engine(graph, arms, world.stations, SimClock(world), lambda event: None)


def test_a_run_to_the_end_leaves_everything_at_rest(world: World) -> None:
    state = engine(world).run(lambda state: False)
    assert (state.fault, state.progress["R1"].ended) == ("", 2)
    assert world.arms["R1"].read().status is Status.STOPPED
    assert np.abs(world.arms["R1"].read().qd).max() < 0.01


def test_a_run_that_is_done_early_leaves_everything_at_rest(world: World) -> None:
    state = engine(world).run(lambda state: world.time_ns > 200_000_000)
    assert state.fault == ""
    assert world.arms["R1"].read().status is Status.STOPPED
    assert np.abs(world.arms["R1"].read().qd).max() < 0.01
