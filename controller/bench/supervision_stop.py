"""How soon a stop reaches the drivers while the cell simulates and plans.

The served cell runs at real-time pace with physics, in a thread of its own. Stops come from another thread, as those of the
panel do, at random moments after Start, so that many of them meet a plan in the making. The answer comes after every
driver has been told, so the time until it is there is the time to the drivers and a little more. On a busy machine that
is mostly waiting for a processor, so the processor time of all threads of this process in between is shown too.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cells.joint_model import joint_model_names
from controller.bench.row import Figure, Options, Row
from controller.live_cell import running_cell
from controller.supervision.cell_thread import CellThread
from controller.supervision.packml import Command, State
from controller.supervision.requests import GiveCommand, QueueOrder
from controller.supervision.settings import CellSettings

_STOPS, _FEW = 200, 20
_LATEST_S = 1.5  # after Start: planning takes some tenths of a second
_GOAL_MS = 50.0
_PATIENCE_S = 60.0


@dataclass
class Stopped:
    """What came of it.

    Attributes:
        all_s: Time from asking to the answer of every stop [s].
        planning_s: Of those that met the cell while it planned [s].
        processor_s: Processor time of this process in between [s].
    """

    all_s: list[float] = field(default_factory=list)
    planning_s: list[float] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)


def stopped(stops: int, seed: int) -> Stopped:
    """Stop a cell at work again and again."""
    rng = np.random.default_rng(seed)
    found = Stopped()
    with TemporaryDirectory() as folder:
        settings = CellSettings(journal=Path(folder), disk_low_gb=0.0, seed=seed)
        with running_cell(settings, lambda what, done, of: None) as cell:
            _asked(cell, QueueOrder(order="A", lines=dict.fromkeys(joint_model_names(), 1000)))
            while cell.view.planned_cycle_s == 0.0:  # until there is a plan
                time.sleep(0.1)
            for _ in range(stops):
                _given(cell, Command.RESET, State.IDLE)
                _asked(cell, GiveCommand(command=Command.START))
                time.sleep(rng.uniform(0.0, _LATEST_S))
                planning = cell.view.state is State.STARTING
                began, worked = time.perf_counter(), time.process_time()
                _asked(cell, GiveCommand(command=Command.STOP))
                took = time.perf_counter() - began
                found.processor_s.append(time.process_time() - worked)
                found.all_s.append(took)
                if planning:
                    found.planning_s.append(took)
                _until(cell, State.STOPPED)
    return found


def rows(options: Options) -> Iterator[Row]:
    """The 99th percentile of so many stops."""
    found = stopped(_FEW if options.quick else _STOPS, options.seed)
    for name, took_s in (
        ("", found.all_s),
        (" while it plans", found.planning_s),
        (", processor time meanwhile", found.processor_s),
    ):
        if not took_s:
            continue
        milliseconds = 1000 * np.array(took_s)
        yield Figure(
            name=f"a stop reaches the drivers of a cell in simulation{name}, 99th percentile",
            value=float(np.percentile(milliseconds, 99)),
            unit="ms",
            goal=_GOAL_MS,
            note=f"{len(took_s)} stops; median {np.median(milliseconds):.1f} ms, longest {milliseconds.max():.1f} ms",
        )


def _asked(cell: CellThread, request: GiveCommand | QueueOrder) -> None:
    answer = cell.ask(request, "bench", timeout_s=_PATIENCE_S)
    if not answer.accepted:
        raise AssertionError(answer.reason)


def _given(cell: CellThread, command: Command, state: State) -> None:
    _asked(cell, GiveCommand(command=command))
    _until(cell, state)


def _until(cell: CellThread, state: State) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while cell.view.state is not state:
        if time.monotonic() > end_s:
            raise AssertionError(f"{cell.view.state.name}: {cell.view.cause}")
        time.sleep(0.002)
