"""Times of stretches become times of legs, of whole visits and of what is left of them."""

from functools import partial
from itertools import groupby

import numpy as np
import pytest

from controller.motion.passing import Passing, stretches
from controller.motion.unroll import Unrolled, entering, unroll
from controller.motion.visit import START
from tests.controller.motion.small_plan import RETREATS, cell, models, planner, schedule

CYCLE_S = 26.0


@pytest.fixture(scope="module")
def unrolled():
    visit_of = partial(planner().visit, RETREATS)
    return unroll(cell(), schedule(), entering(models()[:2]), visit_of, planner()._legs_from_park)


@pytest.fixture(scope="module")
def passing(unrolled):
    """Every stretch takes 2 s; retreats that only the first and the last joints need are not known."""
    begins = {}
    for _, legs in visits(unrolled):
        node = legs[0]
        runs = stretches([leg.leg for leg in legs if leg.label != START])
        if runs[-1][0] == "retreat" and (node.resource, node.operation) not in RETREATS:
            runs = runs[:-1]
        names = [name for name, _, _ in runs]
        begins[node.operation] = tuple((name, 10.0 + 2.0 * k) for k, name in enumerate([*names, ""]))
    return Passing(begins=begins)


def visits(unrolled):
    for chain in unrolled.chains.values():
        nodes = [unrolled.nodes[node] for node in chain]
        for key, members in groupby(nodes, key=lambda node: (node.operation, node.joint)):
            yield key, list(members)


def test_legs_begin_within_their_stretch_in_order(unrolled, passing):
    times = passing.times(unrolled, CYCLE_S)
    for (_, joint), legs in visits(unrolled):
        legs = [node for node in legs if node.label != START]
        found = np.array([times[node.id] for node in legs]) - joint * CYCLE_S
        assert found[0] == pytest.approx(10.0)
        assert (np.diff(found) >= 0.0).all()
        runs = stretches([node.leg for node in legs])
        firsts = np.cumsum([0, *(len(run) for _, _, run in runs)])[:-1]
        assert found[firsts] == pytest.approx([10.0 + 2.0 * k for k in range(len(runs))])


def test_where_an_arm_stands_comes_first(unrolled, passing):
    times = passing.times(unrolled, CYCLE_S)
    for chain in unrolled.chains.values():
        assert unrolled.nodes[chain[0]].label == START
        assert times[chain[0]] < times[chain[1:]].min()


def test_what_is_left_of_a_visit_keeps_its_times(unrolled, passing):
    whole = passing.times(unrolled, CYCLE_S)
    for arm, chain in unrolled.chains.items():
        for cut in range(1, 8):
            left = Unrolled(nodes=unrolled.nodes, chains={arm: chain[cut:]})
            times = passing.times(left, CYCLE_S)
            part = [node for node in chain[cut:] if unrolled.nodes[node].label != START]
            # A stretch that has lost legs shares its time among those that are left.
            assert np.abs(times[part] - whole[part]).max() <= 2.0
            after = [node for node in part if unrolled.nodes[node].joint == 1]
            assert times[after] == pytest.approx(whole[after])
