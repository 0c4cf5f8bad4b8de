"""A recorded cell behind a panel, for clients of the OPC UA server in front of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cells.cell import load_cell
from cells.joint_model import load_joint_model
from controller.panel import CellFacts
from controller.panel_facts import facts_of
from tests.controller.panel.browser.served_panel import Served, serve
from tests.controller.panel.replayed_cell import ReplayedCell


@pytest.fixture(scope="session")
def facts() -> CellFacts:
    models = (load_joint_model("Pro-NE30-30"),)
    return facts_of(load_cell("six_arm"), models, source="six_arm", driver="fake", simulated=True)


@pytest.fixture
def served(facts: CellFacts, tmp_path: Path) -> Iterator[Served]:
    with ReplayedCell() as cell, serve(cell, facts, tmp_path) as panel:
        yield panel
