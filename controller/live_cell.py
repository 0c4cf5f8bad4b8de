"""A cell that runs in a thread of its own under supervision: what `jointcell serve` serves."""

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, load_cell
from cells.driver import Clock
from cells.joint_model import JointModel
from controller.app import cell_drivers, load_models, prepare_kernels
from controller.choice import KeptChoice
from controller.contact_sensor import ContactSensor
from controller.execution.line import Line
from controller.motion.plan import MotionPlanner
from controller.paced_clock import PacedClock
from controller.planning import Progress
from controller.preparation import Preparation
from controller.rearranging import Arrangements
from controller.serial_lines import line_entries
from controller.supervision.archive import Archive
from controller.supervision.cell_thread import CellThread
from controller.supervision.log import LOG_NAME, log_to
from controller.supervision.outside import Outside, Surroundings
from controller.supervision.settings import CellSettings
from controller.supervision.supervisor import Supervisor

_TURN_S = 0.0005
_ROUND_NS = 10_000_000  # of a cell without physics at real-time pace


@contextmanager
def running_cell(settings: CellSettings, progress: Progress) -> Iterator[CellThread]:
    """A cell that runs in a thread of its own, at rest in the beginning; at the end it is brought to rest.

    Raises:
        CellError: When the cell or a joint model cannot be read, or an arm has no serial line.
        JournalError: When the journal cannot be read or written.
        LinkError: When an arm does not answer on its line, or another one does.
    """
    cell, models = load_cell(settings.cell), load_models(settings.models)
    if settings.driver == "serial" and not settings.emulate:
        line_entries(cell)  # before anything that takes long
    cache = prepare_kernels(progress)
    planner = MotionPlanner(cell)
    arrangements = Arrangements(planner, models, KeptChoice(cache, cell, models).read())
    parked = {arm.id: planner.park(arm.id) for arm in cell.arms}
    wake = threading.Event()
    with (
        _threads_taking_turns(),
        Preparation(settings.cell, models, cache, arrangements) as preparation,
        CellThread(
            lambda: _supervised(settings, cell, models, planner, arrangements, preparation, parked, wake),
            wake,
        ) as thread,
    ):
        yield thread


@contextmanager
def _threads_taking_turns() -> Iterator[None]:
    """Python lets a thread that plans keep the interpreter for 5 ms at a time, which is long for one that simulates."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _supervised(
    settings: CellSettings,
    cell: Cell,
    models: Sequence[JointModel],
    planner: MotionPlanner,
    arrangements: Arrangements,
    preparation: Preparation,
    parked: Mapping[str, NDArray[np.float64]],
    wake: threading.Event,
) -> Iterator[Supervisor]:
    """The cell's supervisor with all that it needs; called in the cell's thread."""
    with ExitStack() as stack:
        drivers = cell_drivers(
            settings.driver,
            cell,
            parked,
            stack,
            seed=settings.seed,
            emulate=settings.emulate,
            round_ns=_ROUND_NS if settings.pace == "real" else 0,
        )
        # Arms on lines, emulated ones too, live in wall time; everything else may be paced to it.
        paced = settings.driver != "serial" and settings.pace == "real"
        clock: Clock = PacedClock(drivers.clock, sleep=wake.wait) if paced else drivers.clock
        surroundings: Surroundings = dict if drivers.world is None else ContactSensor(drivers.world)
        for arm in drivers.arms.values():
            stack.enter_context(arm)
        archive = stack.enter_context(
            Archive(
                settings.journal,
                largest_bytes=round(settings.journal_largest_gb * 1e9),
                kept=settings.journal_files,
            )
        )
        stack.enter_context(log_to(settings.journal / LOG_NAME))
        outside = Outside(
            cell=cell,
            models={model.name: model for model in models},
            make_line=lambda listener, permit: Line(
                cell, planner, arrangements, drivers.arms, drivers.stations, clock, listener, permit
            ),
            arms=drivers.arms,
            stations=drivers.stations,
            clock=clock,
            software=version("jointcell"),
            simulated=settings.driver != "serial",
            time_waits=settings.driver != "serial",
            driver=f"{settings.driver}, emulated" if settings.emulate else settings.driver,
            promised=lambda: arrangements.promised,
            unknown=preparation.unknown,
            preparing=lambda: preparation.words,
            surroundings=surroundings,
            links=drivers.links,
        )
        yield Supervisor(outside, settings, archive)
