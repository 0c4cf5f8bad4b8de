"""Everything of a running cell that is not its supervisor's own."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cells.cell import Cell
from cells.driver import ArmDriver, Clock, StationDriver
from cells.joint_model import JointModel
from controller.execution.engine import Listener, Permit
from controller.execution.line import Line
from controller.supervision.alarms import Key
from controller.supervision.log import CellLog
from controller.supervision.metrics import CellMetrics

Conditions = Mapping[Key, str]
Surroundings = Callable[[], Conditions]
"""Alarms that sensors of the cell report: guards, contact where none was planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Everything that is not the supervisor's own: what moves, what time it is, what sensors say.

    ``make_line`` makes the line of these drivers, once. ``time_waits`` says
    that the clock stands still unless it is advanced, as simulated time does. ``promised`` is the planned cycle time and
    its lower bound [s], ``unknown`` why it is not known yet what the cell does without some arms (or with all, for none),
    ``preparing`` in words what is being found out.
    """

    cell: Cell
    models: Mapping[str, JointModel]
    make_line: Callable[[Listener, Permit], Line]
    arms: Mapping[str, ArmDriver]
    stations: StationDriver
    clock: Clock
    software: str
    simulated: bool
    driver: str
    time_waits: bool = True
    promised: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)
    unknown: Callable[[frozenset[str]], str] = lambda missing: ""
    preparing: Callable[[], str] = lambda: ""
    surroundings: Surroundings = dict
    links: Callable[[], Mapping[str, Mapping[str, float]]] = dict
    utc_ns: Callable[[], int] = time.time_ns
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    log: CellLog = field(default_factory=CellLog)
    metrics: CellMetrics = field(default_factory=CellMetrics)
