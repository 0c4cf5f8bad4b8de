"""A panel in front of a recorded cell."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cells.cell import load_cell
from cells.joint_model import load_joint_model
from controller.panel import CellFacts, PanelSettings, create_panel
from controller.panel.database import PanelDatabase
from controller.panel.facts import Process
from controller.panel.process_store import ProcessStore
from controller.panel.state import PanelState
from controller.panel_facts import facts_of
from controller.serve import with_process
from controller.supervision.metrics import CellMetrics
from controller.supervision.settings import CellSettings
from tests.controller.panel.replayed_cell import ReplayedCell
from tests.controller.panel.rig import PASSWORD, PEOPLE, Rig, Times

MODELS = ("Pro-PR60-50-90", "Pro-NE30-30")
Make = Callable[..., Rig]


@pytest.fixture(scope="session")
def facts() -> CellFacts:
    models = tuple(load_joint_model(name) for name in MODELS)
    return facts_of(load_cell("six_arm"), models, source="six_arm", driver="fake", simulated=True)


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Process:
    folder = tmp_path_factory.mktemp("process")
    with PanelDatabase(folder / "panel.db") as database:
        return with_process(CellSettings(), folder, ProcessStore(database, lambda: 0))[1]


@pytest.fixture
def make(tmp_path: Path, facts: CellFacts, process: Process) -> Iterator[Make]:
    with ExitStack() as stack:

        def rig(people: bool = True, **changes: Any) -> Rig:
            times = Times()
            cell = ReplayedCell()
            settings = replace(PanelSettings(data=tmp_path, scrypt_log2_n=4), **changes)
            database = stack.enter_context(PanelDatabase(tmp_path / "panel.db"))
            metrics = CellMetrics()
            metrics.watch(lambda: cell.view)
            app = create_panel(
                cell,
                facts,
                settings,
                database,
                now_ns=lambda: times.utc_ns,
                now_s=lambda: times.s,
                registry=metrics.registry,
                process=process,
            )
            panel: PanelState = app.state.panel
            if people:
                for name, role in PEOPLE.items():
                    panel.users.add(name, role, PASSWORD)
                panel.setup = None
            return Rig(cell=cell, panel=panel, app=app, times=times, stack=stack)

        yield rig


@pytest.fixture
def rig(make: Make) -> Rig:
    return make()
