"""The rows of distance and search: everything that must hold does, in their quick form."""

import numpy as np
import pytest

from controller.bench.crowd import Coal, crowd, states
from controller.bench.kernels_distance import rows as distance_rows
from controller.bench.kernels_search import rows as search_rows
from controller.bench.row import Comparison, Options
from kinematics import clearance


def test_distances_agree_with_coal_in_the_same_run():
    rows = list(distance_rows(Options(peers=True, quick=True, seed=3)))
    assert not [row.name for row in rows if row.wrong]
    compared = [row for row in rows if isinstance(row, Comparison)]
    assert compared[0].error is not None
    assert compared[0].ratio is not None
    assert {row.goal for row in compared} >= {200.0, 30.0}


def test_the_scene_is_neither_empty_nor_full():
    rng = np.random.default_rng(0)
    scene = crowd(rng)
    assert Coal(scene).pairs == 1815
    colliding = (clearance(scene, states(scene, 2000, rng)) < 0.0).mean()
    assert 0.1 < colliding < 0.4


@pytest.mark.parametrize("seed", [0, 5])
def test_paths_are_found_and_free(seed):
    rows = list(search_rows(Options(peers=False, quick=True, seed=seed)))
    assert rows[0].met
    assert rows[1].ours.median_s > 0.0
