"""A running cell and its panel together, and the note by which the command line of the same machine finds them."""

import json
import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cells.cell import load_cell
from cells.errors import CellError
from controller.app import load_models
from controller.live_cell import running_cell
from controller.panel import Panel, PanelSettings, create_panel
from controller.panel.database import PanelDatabase
from controller.panel.facts import Process
from controller.panel.process_store import ProcessStore
from controller.panel.routes_process import file_of
from controller.panel.serving import listening_socket
from controller.panel.settings import check_exposure
from controller.panel.users import Role, UserStore
from controller.panel_facts import facts_of
from controller.planning import Progress
from controller.process_parameters import process_parameters, write_changed_cell
from controller.supervision.settings import CellSettings

NOTE = "panel.json"
_log = logging.getLogger("jointcell.panel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A panel that is ready to be served; with a token by which an OPC UA server beside it may see the cell."""

    app: Panel
    settings: PanelSettings
    setup_url: str
    listening: socket.socket
    opcua_token: str


@contextmanager
def cell_and_panel(cell: CellSettings, panel: PanelSettings, progress: Progress) -> Iterator[Serving]:
    """Run a cell, and make a panel for it; at the end the cell is brought to rest.

    Args:
        cell: How the cell is run.
        panel: How the panel is reached; its journal and recordings follow from the two.
        progress: See `controller.planning.Progress`.

    Raises:
        ExposureError: When the panel would be open to a network without protection; before anything is started.
        OSError: When its address cannot be listened on; before anything is started.
    """
    panel.data.mkdir(parents=True, exist_ok=True)
    panel = replace(panel, journal=cell.journal, recordings=panel.data / "recordings")
    with ExitStack() as stack:
        database = stack.enter_context(PanelDatabase(panel.data / "panel.db"))
        check_exposure(panel, bool(UserStore(database, lambda: 0).all()))
        listening = stack.enter_context(listening_socket(panel))
        panel = replace(panel, port=listening.getsockname()[1])
        cell, process = with_process(cell, panel.data, ProcessStore(database, time.time_ns))
        running = stack.enter_context(running_cell(cell, progress))
        view = running.view
        facts = facts_of(
            load_cell(cell.cell),
            load_models(cell.models),
            source=cell.cell,
            driver=view.driver,
            simulated=view.simulated,
        )
        app = create_panel(
            running, facts, panel, database, registry=running.metrics.registry, process=process
        )
        state = app.state.panel
        note = panel.data / NOTE
        _write_private(note, note_of(panel, state.sessions.local()))
        stack.callback(note.unlink, missing_ok=True)
        _log.info("the panel of %s is at %s", view.cell, panel.url)
        yield Serving(
            app=app,
            settings=panel,
            setup_url=state.setup_url,
            listening=listening,
            opcua_token=state.sessions.local("opcua", Role.VIEWER),
        )


def note_of(panel: PanelSettings, token: str) -> str:
    """What the command line of this machine has to know to find a panel and to be sure that it is the one."""
    certificate = "" if panel.certificate is None else str(panel.certificate.resolve())
    return json.dumps({"url": panel.url, "token": token, "certificate": certificate})


def with_process(cell: CellSettings, data: Path, store: ProcessStore) -> tuple[CellSettings, Process]:
    """The settings with the cell file of the version that was chosen, and what the panel has to know about versions.

    Raises:
        CellError: When the version does not fit the cell's file any more.
    """
    source, version = cell.cell, store.version(store.chosen)

    def write(changes: Mapping[str, float], path: Path) -> None:
        try:
            write_changed_cell(source, changes, path)
        except CellError as error:
            raise ValueError(str(error)) from error

    process = Process(
        parameters=process_parameters(source), running=0 if version is None else version.number, write=write
    )
    if version is not None:
        path = file_of(data, version.number)
        write_changed_cell(source, version.changes, path)
        cell = cell.model_copy(update={"cell": str(path)})
        _log.info("process parameters of version %d: %s", version.number, dict(version.changes))
    return cell, process


def _write_private(path: Path, text: str) -> None:
    """Only the owner may read it: it lets its reader operate the cell."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
