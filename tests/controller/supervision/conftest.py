"""A cell of fast-forward drivers, run like a machine."""

import pytest

from controller.bench.fast_cell import FastCell


@pytest.fixture
def plant(tmp_path):
    plant = FastCell(tmp_path)
    yield plant
    plant.end()
